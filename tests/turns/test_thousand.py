"""A thousand turns of every kind were left unfinished: what it takes to go on is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable
from typing import Any

import pytest

from darkroom.rendering.job import Answer, NoWord, RenderJob
from darkroom.spending.policy import Access
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import Told, Turn, TurnState
from darkroom.turns.sending import ASKS_AT_ONCE_MAX
from darkroom.turns.wish import Wish
from storage.database import Database
from tests.examples import BOB, command, message, plan
from tests.turns.conftest import MakeWorld
from tests.turns.fakes import ScriptedRenderer
from tests.turns.world import World, turns_of_the_loop

KINDS = ("received", "queued", "held", "nameless", "named", "ended words", "ended refusal", "ended failure")
EACH = 125
CALLS_MAX = 8
"""The most that the books are asked or written for one turn before it waits, is told, or asks the API."""


class CountingRenderer(ScriptedRenderer):
    """Counts how many ask at once."""

    asking = most_asking = 0

    async def ask(self, job: RenderJob, response_id: str) -> Answer | NoWord:
        """Nothing is known yet."""
        self.asking += 1
        self.most_asking = max(self.most_asking, self.asking)
        try:
            return await super().ask(job, response_id)
        finally:
            self.asking -= 1


async def left_behind(world: World, kind: str, number: int) -> str:
    """A turn as a stop leaves it at that point."""
    request = command(f"{kind} {number}", trigger=f"{kind}{number}", user=f"U{number:03d}")
    arrival = await world.intake.accept(request)
    assert arrival.turn is not None
    turn_id, now = arrival.turn.id, world.clock.now()
    if kind == "received":
        return turn_id
    queued = await world.store.queue(turn_id, plan("none", 1), world.limits, now)
    assert isinstance(queued, Turn)
    await world.store.tell(turn_id, Told.PLACEHOLDER, world.slack.ts(), now)
    if kind.startswith("ended"):
        await world.store.end(turn_id, Ending(Outcome.BLOCKED, Reason.MODERATION), now)
    elif kind != "queued":
        attempt_id = f"try_{turn_id}"
        wish = Wish(queued, Access(), now.date())
        step = world.planner.step(wish, world.planner.candidates(wish)[0], attempt_id)
        await world.store.hold(turn_id, step.plan, world.limits, now)
        if kind != "held":
            await world.store.send(attempt_id, now)
        if kind == "named":
            await world.store.send(attempt_id, now, f"resp_{turn_id}")
    return turn_id


def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the books are asked and written from now on."""
    calls = Counter[str]()
    for name in ("look", "write"):
        usual = getattr(Database, name)

        def count(self: Database, work: Any, name: str = name, usual: Any = usual) -> Awaitable[Any]:
            calls[name] += 1
            waited: Awaitable[Any] = usual(self, work)
            return waited

        monkeypatch.setattr(Database, name, count)
    return calls


@pytest.mark.proof
async def test_a_thousand_unfinished_turns_are_known_for_what_they_are_at_once(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They get their places by one reading of the books. Then each goes on by itself: some are told, some
    wait, and those that only the API can tell of are asked for, a few at a time; a new request elsewhere is
    made meanwhile, and one in the thread of such a call waits for it."""
    world = make_world(per_person=9, waiting_max=5000)
    # What is counted here is not the disk's time.
    await world.database.look(lambda db: db.execute("PRAGMA synchronous = OFF"))
    world.renderer = asked = CountingRenderer(world.gates)
    kinds = {kind: [await left_behind(world, kind, number) for number in range(EACH)] for kind in KINDS}
    world.gates.shut("ask", "render")
    await world.restart()

    calls = counted(monkeypatch)
    assert await world.worker.line_up() == len(KINDS) * EACH
    assert calls.total() == 1
    named = await world.turn(kinds["named"][-1])
    assert named.thread_ts is not None
    reply = await world.ask(message("night", "1763650000.000001", named.thread_ts, user=f"U{EACH - 1:03d}"))
    other = await world.imagine("a fox", user=BOB)
    calls.clear()
    world.worker.take_up()
    await turns_of_the_loop(300)

    assert calls.total() <= CALLS_MAX * len(KINDS) * EACH
    assert len(world.renderer.jobs) <= 32
    states = Counter[tuple[str, TurnState]]()
    for kind, ids in kinds.items():
        states.update([(kind, (await world.turn(each)).state) for each in ids])
    assert states["named", TurnState.WORKING] == EACH
    assert states["nameless", TurnState.ENDED] == EACH
    for kind in ("received", "queued", "held"):
        assert states[kind, TurnState.QUEUED] + states[kind, TurnState.WORKING] == EACH
    told = Counter(reason for _, reason in world.slack.told)
    assert told == {Reason.MODERATION: 3 * EACH, Reason.UNCERTAIN: EACH}
    assert asked.most_asking == ASKS_AT_ONCE_MAX

    world.gates.open("render")
    await world.gates.reached("close:a fox")
    await turns_of_the_loop()
    assert await world.outcome(other) == "pictures"
    assert (await world.turn(reply)).state is TurnState.QUEUED
    world.gates.open("ask")
    await world.rest()
    assert await world.outcome(reply) == "nothing_to_edit", "it was looked at when the call before was known"
    assert asked.most_asking == ASKS_AT_ONCE_MAX
    posts = Counter(turn for turn, _ in world.slack.posts)
    assert posts == Counter([*kinds["received"], *kinds["queued"], *kinds["held"], other])
    assert len(world.slack.told) == 5 * EACH + 1
