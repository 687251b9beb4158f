"""What is left at a start goes on a few at a time: who asks for something now finds nobody in the way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import Turn, TurnState
from darkroom.turns.recovering import LOOKED_AT_MAX, TAKEN_IN_MAX, TOLD_MAX
from darkroom.turns.surroundings import Note
from darkroom.turns.waiting import Wait
from storage.database import Database
from tests.examples import BOB, command
from tests.turns.conftest import MakeWorld
from tests.turns.fakes import RecordingDelivery, ScriptedGuard, painted
from tests.turns.world import World, turns_of_the_loop

MANY = 40


class Crowded(RecordingDelivery):
    """Counts how many are at Slack at once."""

    at_slack = most = 0

    async def placeholder(
        self, turn: Turn, at_most_nano_usd: int, note: Note, wait: Wait | None = None
    ) -> Ending | None:
        """See ``Delivery``."""
        with self._counted():
            return await super().placeholder(turn, at_most_nano_usd, note, wait)

    async def tell(self, turn: Turn, note: Note) -> None:
        """See ``Delivery``."""
        with self._counted():
            await super().tell(turn, note)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self.at_slack += 1
        self.most = max(self.most, self.at_slack)
        try:
            yield
        finally:
            self.at_slack -= 1


@pytest.fixture
def crowded(make_world: MakeWorld) -> World:
    """A world with room for all of them."""
    world = make_world(per_person=9, waiting_max=5000)
    world.delivery = Crowded(world.slack, world.gates)
    world.start()
    return world


async def received(world: World, count: int = MANY, user: str | None = None) -> list[str]:
    """Turns that were written down, and nothing more; of *user*, or each of somebody else."""
    turns: list[str] = []
    for number in range(count):
        request = command(f"n{number}", trigger=f"left {number}", user=user or f"U{number}")
        arrival = await world.intake.accept(request)
        assert arrival.turn is not None
        turns.append(arrival.turn.id)
    return turns


async def ended(world: World, count: int = MANY) -> list[str]:
    """Turns whose end nobody was told."""
    turns = await received(world, count)
    for turn_id in turns:
        await world.store.end(turn_id, Ending(Outcome.BLOCKED, Reason.MODERATION), world.clock.now())
    return turns


@pytest.mark.parametrize(
    ("leave", "gate", "most"), [(ended, "tell", TOLD_MAX), (received, "placeholder", TAKEN_IN_MAX)]
)
async def test_so_many_are_at_slack_at_once_and_who_asks_now_is_answered_before_the_rest(
    crowded: World, leave: Callable[[World], Awaitable[list[str]]], gate: str, most: int
) -> None:
    turns = await leave(crowded)
    crowded.gates.shut(gate, "render")
    await crowded.recover()
    await turns_of_the_loop(100)
    assert isinstance(crowded.delivery, Crowded)
    assert crowded.delivery.most == most
    if gate == "tell":
        other = await crowded.imagine("a fox", user=BOB)
        await turns_of_the_loop()
        assert crowded.slack.placeholders == [other]
    crowded.gates.open(gate, "render")
    await crowded.rest()
    assert crowded.delivery.most <= most + 1
    assert {(await crowded.turn(each)).told_at is None for each in turns} == {False}


async def test_who_a_person_is_is_not_asked_by_each_of_their_turns_at_once(crowded: World) -> None:
    """The first answer is remembered; Slack says so much a minute, and others want to know, too."""
    asked: list[str] = []

    class Asking(ScriptedGuard):
        async def refusal(self, turn: Turn) -> Ending | None:
            asked.append(turn.request.user_id)
            return await super().refusal(turn)

    crowded.guard = Asking(crowded.gates)
    crowded.start()
    await received(crowded, 10, BOB)
    crowded.gates.shut("guard")
    await crowded.recover()
    await turns_of_the_loop(100)
    assert asked == [BOB]
    crowded.gates.open("guard")
    await crowded.rest()
    assert len(asked) == 10


async def test_so_many_are_looked_up_at_once_and_a_call_that_is_asked_for_is_in_nobodys_way(
    crowded: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many calls as there are places for it take long to be asked for."""
    crowded.gates.shut("render", "ask")
    asked = [await crowded.imagine(f"asked {number}", user=f"U9{number}") for number in range(32)]
    await turns_of_the_loop(60)
    assert len(crowded.renderer.jobs) == len(asked)
    jobs = list(crowded.renderer.jobs)
    await crowded.restart()
    turns = await ended(crowded, 70)
    usual, at_once, most = Database.look, 0, 0

    async def look(self: Database, work: Any) -> Any:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        try:
            await asyncio.sleep(0)
            return await usual(self, work)
        finally:
            at_once -= 1

    monkeypatch.setattr(Database, "look", look)
    crowded.renderer.asks = [painted(job, "resp") for job in jobs]
    await crowded.recover()
    await turns_of_the_loop(200)
    assert most <= LOOKED_AT_MAX + len(asked)
    assert {(await crowded.turn(each)).told_at is None for each in turns} == {False}
    assert {(await crowded.turn(each)).state for each in asked} == {TurnState.WORKING}
    crowded.gates.open("render", "ask")
    await crowded.rest()


async def test_a_stop_waits_for_who_is_being_told_and_leaves_the_rest_to_the_next_start(
    crowded: World,
) -> None:
    turns = await ended(crowded)
    crowded.gates.shut("tell")
    await crowded.recover()
    await turns_of_the_loop(100)
    stop = asyncio.ensure_future(crowded.worker.aclose(600))
    await turns_of_the_loop()
    crowded.gates.open("tell")
    async with asyncio.timeout(20):
        await stop
    told = [turn for turn, _ in crowded.slack.told]
    assert told == turns[:TOLD_MAX]
    await crowded.restart()
    await crowded.recover()
    await crowded.rest()
    assert [turn for turn, _ in crowded.slack.told] == turns
