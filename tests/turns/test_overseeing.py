"""What counts as stuck: standing still, and not waiting as one was told to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from darkroom.rendering.job import Answer, FailureKind, RenderJob, ResponseIdSeen
from darkroom.turns.model import AttemptState, TurnState
from handlers.pacing import Pace
from tests.turns.conftest import MakeWorld
from tests.turns.fakes import failed, painted
from tests.turns.world import World, turns_of_the_loop

UPDATE = "chat.update"


def paced(
    world: World, pace: Pace, monkeypatch: pytest.MonkeyPatch, name: str, *, aside: bool = False
) -> None:
    """Have Slack be asked at *pace* before *name* of the delivery; *aside*, by a task of its own."""
    bare: Callable[..., Any] = getattr(world.delivery, name)

    async def yes() -> None:
        pass

    async def slowly(*args: Any, **keywords: Any) -> Any:
        asked = pace.run(UPDATE, yes)
        await (asyncio.create_task(asked) if aside else asked)
        return await bare(*args, **keywords)

    monkeypatch.setattr(world.delivery, name, slowly)


@pytest.mark.parametrize("aside", [False, True])
@pytest.mark.parametrize(("name", "step"), [("placeholder", "placeholder"), ("deliver", "upload")])
async def test_who_waits_for_slacks_pace_is_not_stuck_and_who_stands_still_after_it_is(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch, name: str, step: str, aside: bool
) -> None:
    world = make_world()
    pace = Pace(world.clock)
    paced(world, pace, monkeypatch, name, aside=aside)
    pace.told(UPDATE, 3_000.0)
    world.gates.shut("sleep:3000", step)
    turn_id = await world.imagine("a fox")
    await world.gates.reached("sleep:3000")
    world.clock.at += timedelta(seconds=2_999)
    assert world.worker.pulse()[2] == ()
    world.gates.open("sleep:3000")
    await world.gates.reached(step)
    assert world.worker.pulse()[2] == ()
    world.clock.at += timedelta(seconds=839)
    assert world.worker.pulse()[2] == ()
    world.clock.at += timedelta(seconds=2)
    assert world.worker.pulse()[2] == (turn_id,)
    world.gates.open(step)
    await world.rest()
    assert world.worker.pulse() == (0, 0, ())


async def test_being_asked_without_a_wait_is_no_step_forward(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who asks Slack again and again, and comes no further, is stuck."""
    world = make_world()
    pace, going_on = Pace(world.clock), True

    async def yes() -> None:
        world.clock.at += timedelta(seconds=100)

    bare = world.delivery.deliver

    async def for_ever(*args: Any, **keywords: Any) -> None:
        while going_on:
            await pace.run(UPDATE, yes)
            await asyncio.sleep(0)
        await bare(*args, **keywords)

    monkeypatch.setattr(world.delivery, "deliver", for_ever)
    turn_id = await world.imagine("a fox")
    async with asyncio.timeout(10):
        while world.worker.pulse()[2] != (turn_id,):
            await turns_of_the_loop(1)
    going_on = False
    await world.rest()


async def test_a_placeholder_that_waits_for_slacks_pace_does_not_hide_a_call_that_is_stuck(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(per_person=1)
    pace = Pace(world.clock)
    paced(world, pace, monkeypatch, "show_wait")
    world.gates.shut("render:first", "render:second", "sleep:3000")
    await world.imagine("first")
    second = await world.imagine("second")
    await turns_of_the_loop(60)
    pace.told(UPDATE, 3_000.0)
    world.gates.open("render:first")
    await world.gates.reached("render:second")
    await world.gates.reached("sleep:3000")
    world.clock.at += timedelta(seconds=841)
    assert world.worker.pulse()[2] == (second,)
    world.gates.open("render:second", "sleep:3000")
    await world.rest()


@pytest.mark.parametrize("stop", [False, True])
async def test_who_waits_for_the_rate_with_what_is_left_of_a_turn_is_not_stuck_and_holds_up_no_stop(
    make_world: MakeWorld, *, stop: bool
) -> None:
    """One of its pictures has its ending, and only the others are to be made."""
    world = make_world()
    world.gates.shut("sleep")

    async def paints(job: RenderJob, seen: ResponseIdSeen) -> Answer:
        await seen("resp_1")
        return painted(job, "resp_1")

    world.renderer.scripts["a fox"] = [paints, failed(FailureKind.RATE, wait=600.0)]
    turn_id = await world.imagine("a fox", wanted=2)
    await turns_of_the_loop(60)
    assert set(await world.states(turn_id)) == {AttemptState.SETTLED, AttemptState.RELEASED}
    world.clock.at += timedelta(seconds=841)
    assert world.worker.pulse()[2] == ()
    if stop:
        async with asyncio.timeout(10):
            await world.worker.aclose(600)
        assert (await world.turn(turn_id)).state is TurnState.WORKING
        world.start()
        await world.recover()
    world.gates.open("sleep")
    await world.rest()
    assert [post for post, _ in world.slack.posts] == [turn_id] * 2
