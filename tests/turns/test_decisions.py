"""An admin decides while requests wait: each is looked at as it stands then, and none is forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from darkroom.rendering.job import FailureKind
from darkroom.spending.budgets import Barred, Caps, NoMoney
from darkroom.spending.changes import Author, Change, Everyone, Person, SetAccess, SetBlocked, SetPaused
from darkroom.spending.policy import ALL, Dimension
from darkroom.turns.model import Options, Turn
from darkroom.turns.store import Plan
from storage.admin import SqliteAdminBooks
from storage.turns import SqliteTurnStore
from tests.examples import ALICE, DESIGN, TEAM, message
from tests.turns.fakes import failed
from tests.turns.world import World, meddled, turns_of_the_loop

_DENY_HIGH = SetAccess(Everyone(), Dimension.QUALITY, ("high",), False)


async def decides(world: World, change: Change, key: str = "k1") -> None:
    """An admin changes something, and the line is told."""
    books = SqliteAdminBooks(world.database)
    await books.change(change, Author(TEAM, "U0ADMIN001", key), world.limits, world.clock.now())
    world.worker.reconsider()


async def asks_in_thread(world: World, text: str, ts: str, turn_id: str, quality: str | None = None) -> str:
    """A reply behind the picture of *turn_id*."""
    thread = (await world.turn(turn_id)).thread_ts
    assert thread is not None
    return await world.ask(replace(message(text, ts, thread), options=Options(quality=quality)))


async def test_a_request_that_was_edited_is_judged_as_it_now_reads(world: World) -> None:
    world.gates.shut("render:a fox")
    first = await world.imagine("a fox")
    await world.gates.reached("render:a fox")
    ts = "1763650000.000001"
    reply = await asks_in_thread(world, "make it night", ts, first, quality="high")
    await turns_of_the_loop()
    await world.intake.revise(TEAM, DESIGN, ts, "make it night", Options(quality="low"))
    await decides(world, _DENY_HIGH)
    await turns_of_the_loop()
    assert await world.outcome(reply) is None
    world.gates.open("render:a fox")
    await world.rest()
    assert await world.outcome(reply) == "pictures"


async def test_a_request_edited_into_what_is_denied_is_declined_at_once(world: World) -> None:
    world.gates.shut("render:a fox")
    first = await world.imagine("a fox")
    await world.gates.reached("render:a fox")
    ts = "1763650000.000001"
    reply = await asks_in_thread(world, "make it night", ts, first, quality="low")
    await turns_of_the_loop()
    await world.intake.revise(TEAM, DESIGN, ts, "make it night", Options(quality="high"))
    await decides(world, _DENY_HIGH)
    await turns_of_the_loop()
    assert await world.outcome(reply) == "not_allowed"
    world.gates.open("render:a fox")
    await world.rest()


class Faulty(SqliteTurnStore):
    """Fails once to look at a turn."""

    broken: str | None = None

    async def queue(
        self, turn_id: str, plan: Plan | None, caps: Caps, at: datetime
    ) -> Turn | NoMoney | Barred:
        if turn_id == self.broken:
            self.broken = None
            raise RuntimeError("the disk is full")
        return await super().queue(turn_id, plan, caps, at)


async def test_one_that_cannot_be_looked_at_does_not_keep_the_others_waiting(world: World) -> None:
    store = Faulty(world.database)
    world.store = store
    world.start()
    world.gates.shut("render:a fox")
    first = await world.imagine("a fox")
    await world.gates.reached("render:a fox")
    replies = [await asks_in_thread(world, f"edit {n}", f"176365000{n}.000001", first) for n in range(3)]
    await turns_of_the_loop()
    store.broken = replies[0]
    await decides(world, SetPaused(True))
    await turns_of_the_loop()
    assert [await world.outcome(reply) for reply in replies[1:]] == ["paused", "paused"]
    world.gates.open("render:a fox")
    await world.rest()
    assert await world.outcome(first) == "pictures"
    assert await world.outcome(replies[0]) == "paused"


async def test_an_edit_goes_on_with_its_pictures_model_where_the_usual_one_is_denied(world: World) -> None:
    for number, (value, allowed) in enumerate(((ALL, False), ("gpt-image-2.6-flare", True))):
        change = SetAccess(Everyone(), Dimension.MODEL, (value,), allowed)
        await decides(world, change, f"k{number}")
    refused = await world.imagine("a cat")
    first = await world.imagine("a fox", model="gpt-image-2.6-flare")
    await world.rest()
    reply = await asks_in_thread(world, "make it night", "1763650000.000001", first)
    await world.rest()
    assert await world.outcome(refused) == "not_allowed"
    assert await world.outcome(reply) == "pictures"
    assert [job.candidate.image_model for job in world.renderer.jobs] == ["gpt-image-2.6-flare"] * 2


_DENY_MEDIUM = SetAccess(Everyone(), Dimension.QUALITY, ("medium",), False)


async def test_what_is_denied_in_the_moment_of_the_hold_is_planned_again_without_it(world: World) -> None:
    store = meddled(world)
    store.before = lambda: decides(world, _DENY_MEDIUM)
    turn_id = await world.imagine("a fox")
    await world.rest()
    assert await world.outcome(turn_id) == "pictures"
    assert [job.quality for job in world.renderer.jobs] == ["low"]


async def test_what_is_denied_during_the_wait_for_a_rate_limit_is_planned_again_without_it(
    world: World,
) -> None:
    world.renderer.scripts["a fox"] = [failed(FailureKind.RATE, wait=3)]
    world.gates.shut("sleep")
    turn_id = await world.imagine("a fox")
    await world.gates.reached("sleep")
    await decides(world, _DENY_MEDIUM)
    world.gates.open("sleep")
    await world.rest()
    assert await world.outcome(turn_id) == "pictures"
    assert [job.quality for job in world.renderer.jobs] == ["medium", "low"]


async def test_whoever_is_blocked_in_the_moment_of_the_hold_gets_nothing(world: World) -> None:
    store = meddled(world)
    store.before = lambda: decides(world, SetBlocked(Person(ALICE), True))
    turn_id = await world.imagine("a fox")
    await world.rest()
    assert await world.outcome(turn_id) == "blocked"
    assert world.renderer.jobs == []
