"""Once the app was removed no call is sent any more, whatever a turn was doing just then; what was sent is
finished into the books."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from bot.leaving import end_what_waits
from darkroom.rendering.job import Answer, Billed, FailureKind, RenderJob, ResponseIdSeen
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import AttemptState
from darkroom.turns.outages import Pass, Patience
from tests.examples import BOB, caps
from tests.turns.conftest import MakeWorld
from tests.turns.door import FOX, HOUR, Door
from tests.turns.fakes import failed
from tests.turns.test_bringing import attach, drawn
from tests.turns.test_several import CHANNEL, prices
from tests.turns.world import World, meddled, turns_of_the_loop

REMOVED = Ending(Outcome.CANCELLED, Reason.REMOVED)
DISPATCHED, RELEASED, SETTLED = AttemptState.DISPATCHED, AttemptState.RELEASED, AttemptState.SETTLED


async def over(world: World) -> None:
    """Let what runs come to its end, as when Darkroom is closed."""
    async with asyncio.timeout(20):
        await world.worker.idle()


def removed_during(world: World, answer: Answer) -> Callable[[RenderJob, ResponseIdSeen], object]:
    """The app is removed while the API is at a call, which it answers with *answer*."""

    async def script(job: RenderJob, seen: ResponseIdSeen) -> Answer:
        world.worker.buy_nothing(REMOVED)
        return answer

    return script


@pytest.mark.parametrize(
    "failure",
    [
        failed(FailureKind.MODEL_GONE, Billed.NOTHING),
        failed(FailureKind.RATE, Billed.NOTHING),
        failed(FailureKind.UNREACHABLE, Billed.NOTHING),
    ],
    ids=["another model", "a rate limit", "never left"],
)
async def test_what_failed_is_not_called_again(world: World, failure: Answer) -> None:
    world.renderer.scripts["a fox"] = [removed_during(world, failure)]  # type: ignore[list-item]  # a script as any
    turn_id = await world.imagine("a fox")
    await over(world)
    assert len(world.renderer.jobs) == 1
    assert await world.states(turn_id) == [RELEASED]
    assert await world.outcome(turn_id) == "removed"
    assert await world.charged() == 0


async def test_the_pictures_of_a_turn_that_wait_for_a_place_are_not_made(make_world: MakeWorld) -> None:
    world = make_world(overall=1)
    world.gates.shut("render")
    turn_id = await world.imagine("a fox", wanted=3)
    await world.gates.reached("render")
    await turns_of_the_loop()
    world.worker.buy_nothing(REMOVED)
    world.gates.open("render")
    await over(world)
    assert len(world.renderer.jobs) == 1
    assert await world.states(turn_id) == [SETTLED]
    ending = await world.ending(turn_id)
    assert (ending.outcome, ending.details["made"], ending.details["rest"]) == (
        Outcome.PICTURES,
        1,
        "removed",
    )


async def test_what_waits_to_send_again_does_not(world: World) -> None:
    world.gates.shut("sleep")
    world.renderer.scripts["a fox"] = [failed(FailureKind.UNREACHABLE, Billed.NOTHING)]
    turn_id = await world.imagine("a fox")
    await world.gates.reached("sleep")
    world.worker.buy_nothing(REMOVED)
    world.gates.open("sleep")
    await over(world)
    assert len(world.renderer.jobs) == 1
    assert await world.outcome(turn_id) == "removed"


async def test_what_fetches_a_file_is_not_made(world: World) -> None:
    world.gates.shut("fetch")
    turn_id = await world.imagine("a fox", attachments=attach(world, sofa=drawn()))
    await world.gates.reached("fetch")
    world.worker.buy_nothing(REMOVED)
    world.gates.open("fetch")
    await over(world)
    assert world.renderer.jobs == []
    assert await world.outcome(turn_id) == "removed"
    assert await world.attempts(turn_id) == []


async def test_what_has_just_taken_its_hold_gives_it_back_unsent(world: World) -> None:
    async def removed() -> None:
        world.worker.buy_nothing(REMOVED)

    meddled(world).after = removed
    turn_id = await world.imagine("a fox")
    await over(world)
    assert world.renderer.jobs == []
    assert await world.states(turn_id) == [RELEASED]
    assert await world.outcome(turn_id) == "removed"


async def test_nobody_passes_the_gate_any_more_and_who_waits_there_is_told() -> None:
    door = Door(places=1)
    passed = await door.gate.enter(FOX, Patience(HOUR))
    assert isinstance(passed, Pass)
    waits = asyncio.ensure_future(door.gate.enter(FOX, Patience(HOUR)))
    await asyncio.sleep(0)
    door.gate.end(REMOVED)
    assert await waits == REMOVED
    door.gate.leave(passed)
    assert await door.gate.enter(FOX, Patience(HOUR)) == REMOVED
    assert door.gate.enter_at_once(FOX, passed.ticket) is None
    assert door.gate.over() == REMOVED


async def test_a_turn_with_one_of_two_that_waits_for_money_ends_with_that_one(make_world: MakeWorld) -> None:
    hold, cost = await prices(make_world())
    world = make_world(caps(channel=2 * hold + cost - 1))
    world.gates.shut("render:other")
    other = await world.imagine("other", channel=CHANNEL, user=BOB)
    await world.gates.reached("render:other")
    turn_id = await world.imagine("a fox", channel=CHANNEL, wanted=2)
    await turns_of_the_loop(60)
    assert await world.states(turn_id) == [SETTLED]

    world.worker.buy_nothing(REMOVED)
    await world.worker.aclose(0)
    assert await end_what_waits(world.store, world.log, world.clock) == 1

    ending = await world.ending(turn_id)
    assert (ending.outcome, ending.details["made"], ending.details["rest"]) == (
        Outcome.PICTURES,
        1,
        "removed",
    )
    # What was sent is the next start's to find out.
    assert (await world.turn(other)).ending is None
    await world.restart()
    await world.recover()
    await world.rest()
    assert await world.states(turn_id) == [SETTLED]
    assert len(world.renderer.jobs) == 2
