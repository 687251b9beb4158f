"""Faults of our own: each ends one turn, its money first, and nobody else's."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from darkroom.rendering.job import Answer, RenderJob, ResponseIdSeen
from darkroom.turns.endings import Reason
from darkroom.turns.mending import MEND_WAITS_S
from darkroom.turns.model import AttemptState, TurnState
from storage.turns import SqliteTurnStore
from tests.examples import BOB, caps
from tests.turns.conftest import MakeWorld
from tests.turns.fakes import painted
from tests.turns.world import World, turns_of_the_loop

RELEASED, SETTLED, UNCERTAIN = AttemptState.RELEASED, AttemptState.SETTLED, AttemptState.UNCERTAIN


class Fault(Exception):
    """Something that should not have happened."""


class FaultyStore(SqliteTurnStore):
    """A store whose steps fail as often as ``faults`` says, before they do anything or after it."""

    faults: dict[str, int]
    after: dict[str, int]


def _faulty(name: str) -> Callable[..., Coroutine[Any, Any, Any]]:
    async def step(self: FaultyStore, *args: Any, **keywords: Any) -> Any:
        if self.faults.get(name, 0) > 0:
            self.faults[name] -= 1
            raise OSError(28, "no space left on device")
        result = await getattr(SqliteTurnStore, name)(self, *args, **keywords)
        if self.after.get(name, 0) > 0:
            self.after[name] -= 1
            raise OSError(5, "input/output error")
        return result

    return step


STEPS = ("queue", "hold", "send", "render", "fall_back", "end", "tell")
for _name in STEPS:
    setattr(FaultyStore, _name, _faulty(_name))


def faulty(world: World) -> FaultyStore:
    """The world with a store that can fail."""
    store = FaultyStore(world.database)
    store.faults, store.after = {}, {}
    world.store = store
    world.start()
    return store


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """The tracebacks are the tests' own."""
    caplog.set_level(logging.CRITICAL + 1, logger="darkroom.turns")


async def test_a_guard_that_breaks_ends_that_turn_alone(world: World) -> None:
    world.guard.faults = [Fault()]
    broken = await world.imagine("a fox")
    other = await world.imagine("a cat", user=BOB)
    await world.rest()
    assert world.slack.told == [(broken, Reason.BROKEN)]
    assert world.slack.posts == [(other, 1)]


async def test_a_placeholder_that_breaks_ends_that_turn_alone(world: World) -> None:
    world.delivery.faults["placeholder"] = [Fault()]
    turn_id = await world.imagine("a fox")
    await world.rest()
    assert world.slack.told == [(turn_id, Reason.BROKEN)]
    assert world.renderer.jobs == []


async def test_a_renderer_that_breaks_before_it_named_the_call_leaves_it_uncertain(world: World) -> None:
    world.renderer.scripts["a fox"] = [Fault()]
    turn_id = await world.imagine("a fox")
    await world.rest()
    assert await world.states(turn_id) == [UNCERTAIN]
    assert world.slack.told == [(turn_id, Reason.UNCERTAIN)]


async def test_a_renderer_that_breaks_after_it_named_the_call_has_it_asked_for(world: World) -> None:
    async def breaks(job: RenderJob, seen: ResponseIdSeen) -> Answer:
        await seen("resp_1")
        world.renderer.asks = [painted(job, "resp_1")]
        raise Fault

    world.renderer.scripts["a fox"] = [breaks]
    turn_id = await world.imagine("a fox")
    await world.rest()
    assert world.slack.posts == [(turn_id, 1)]
    assert await world.states(turn_id) == [SETTLED]


async def test_a_call_that_is_cancelled_under_the_turn_ends_that_turn_alone(world: World) -> None:
    """As by a render thread that ended: nobody stopped Darkroom."""
    world.renderer.scripts["a fox"] = [asyncio.CancelledError()]
    turn_id = await world.imagine("a fox")
    await world.rest()
    assert world.slack.told == [(turn_id, Reason.UNCERTAIN)]


async def test_an_api_that_cannot_be_asked_without_breaking_is_given_up(world: World) -> None:
    async def breaks(job: RenderJob, seen: ResponseIdSeen) -> Answer:
        await seen("resp_1")
        world.renderer.asks = [Fault(), Fault(), Fault(), Fault()]
        raise Fault

    world.renderer.scripts["a fox"] = [breaks]
    turn_id = await world.imagine("a fox")
    await world.rest()
    assert world.slack.told == [(turn_id, Reason.UNCERTAIN)]
    assert len(world.renderer.jobs) == 1


async def test_a_delivery_that_breaks_once_is_tried_again_and_posts_once(world: World) -> None:
    for step in ("upload", "post", "posted", "close"):
        world.delivery.faults[step] = [Fault()]
        turn_id = await world.imagine(step)
        await world.rest()
        assert [posted for posted, _ in world.slack.posts].count(turn_id) == 1, step
        assert (await world.turn(turn_id)).undelivered_reason is None


@pytest.mark.parametrize("step", ["upload", "post", "close"])
async def test_a_delivery_that_always_breaks_is_undelivered_and_its_thread_goes_on(
    world: World, step: str
) -> None:
    world.delivery.faults[step] = [Fault() for _ in range(1 + len(MEND_WAITS_S))]
    first = await world.imagine("a fox")
    await world.gates.reached(step)
    await world.rest()
    assert (await world.turn(first)).undelivered_reason == "broken"
    reply = await world.reply("night", "1763650000.000001", first)
    await world.rest()
    assert await world.outcome(reply) == "pictures"
    assert world.clock.slept == list(MEND_WAITS_S)


async def test_a_refusal_that_cannot_be_told_is_undelivered(world: World) -> None:
    world.guard.faults = [Fault()]
    world.delivery.faults["tell"] = [Fault() for _ in range(9)]
    turn_id = await world.imagine("a fox")
    await world.rest()
    turn = await world.turn(turn_id)
    assert (turn.undelivered_reason, await world.outcome(turn_id)) == ("broken", "broken")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_step_that_fails_once_leaves_the_books_right_and_the_person_told(
    world: World, step: str, when: str
) -> None:
    """A full disk for a moment. What was paid for is delivered, and nothing is bought twice."""
    store = faulty(world)
    (store.faults if when == "before" else store.after)[step] = 1
    turn_id = await world.imagine("a fox")
    other = await world.imagine("a cat", user=BOB)
    await world.rest()
    assert len([job for job in world.renderer.jobs if job.prompt == "a fox"]) <= 1
    assert (await world.turn(turn_id)).told_at is not None
    made = await world.log.pictures(turn_id)
    assert len([turn for turn, _ in world.slack.posts if turn == turn_id]) == len(made)
    assert [turn for turn, _ in world.slack.posts].count(other) == 1
    if step == "end" or (step, when) == ("render", "after"):
        assert len(made) == 1


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("gate", ["upload", "post", "posted", "close"])
async def test_a_note_that_fails_once_while_a_picture_is_told_posts_it_once(
    world: World, gate: str, when: str
) -> None:
    store = faulty(world)
    world.gates.shut(gate)
    turn_id = await world.imagine("a fox")
    await world.gates.reached(gate)
    (store.faults if when == "before" else store.after)["tell"] = 1
    world.gates.open(gate)
    await world.rest()
    assert world.slack.posts == [(turn_id, 1)]
    turn = await world.turn(turn_id)
    assert (turn.told_at is not None, turn.undelivered_reason) == (True, None)


@pytest.mark.parametrize("step", ["end", "tell", "render"])
@pytest.mark.parametrize("restarted", [False, True])
async def test_a_disk_that_stays_full_stops_nobody_else_and_is_mended_later_or_by_the_next_start(
    world: World, step: str, *, restarted: bool
) -> None:
    store = faulty(world)
    store.faults[step] = 1 + len(MEND_WAITS_S) + 1
    world.gates.shut("render:a cat", "sleep:300")
    turn_id = await world.imagine("a fox")
    await world.gates.reached("sleep:300")
    assert len(world.line) == 0
    store.faults.clear()
    other = await world.imagine("a cat", user=BOB)
    world.gates.open("render:a cat")
    await world.gates.reached("close:a cat")
    await turns_of_the_loop()
    assert await world.outcome(other) == "pictures"
    if restarted:
        await world.restart()
        await world.recover()
    world.gates.open("sleep:300")
    await world.rest()
    assert (await world.turn(turn_id)).told_at is not None
    assert len([job for job in world.renderer.jobs if job.prompt == "a fox"]) <= 1


async def test_whoever_waits_for_the_money_of_a_turn_that_broke_goes_on(make_world: MakeWorld) -> None:
    """Even when it broke after its hold had ended, before it could say so."""
    priced = make_world()
    hold = (await priced.attempts(await _rested(priced)))[0].hold_nano_usd
    world = make_world(caps(person=2 * hold - 1))
    store = faulty(world)
    world.gates.shut("render:b fox")
    store.after["render"] = 1
    await world.imagine("b fox", user=BOB)
    await world.gates.reached("render:b fox")
    waits = await world.imagine("c fox", user=BOB)
    await turns_of_the_loop()
    assert (await world.turn(waits)).state is TurnState.QUEUED
    world.gates.open("render:b fox")
    await world.rest()
    assert await world.outcome(waits) == "pictures"


async def test_a_turn_that_is_given_up_after_its_hold_had_ended_says_so_before(
    make_world: MakeWorld,
) -> None:
    """Its end cannot be written for long; who waits for the money goes on all the same, and it is mended."""
    priced = make_world()
    hold = (await priced.attempts(await _rested(priced)))[0].hold_nano_usd
    world = make_world(caps(person=2 * hold - 1))
    store = faulty(world)
    world.gates.shut("render:b fox", "render:c fox", "sleep", "sleep:300")
    store.after["render"] = 1
    store.faults["end"] = len(MEND_WAITS_S)
    broken = await world.imagine("b fox", user=BOB)
    await world.gates.reached("render:b fox")
    waits = await world.imagine("c fox", user=BOB)
    await turns_of_the_loop()
    world.gates.open("render:b fox", "sleep")
    await world.gates.reached("sleep:300")
    world.gates.open("render:c fox")
    await world.gates.reached("close:c fox")
    await turns_of_the_loop()
    assert await world.outcome(waits) == "pictures"
    assert (await world.turn(broken)).state is TurnState.WORKING
    world.gates.open("sleep:300")
    await world.rest()
    assert await world.outcome(broken) == "pictures"


async def test_stopping_does_not_wait_for_the_mending_of_a_turn(world: World) -> None:
    world.gates.shut("sleep")
    world.guard.faults = [Fault()]
    turn_id = await world.imagine("a fox")
    await world.gates.reached("sleep")
    await world.restart()
    world.gates.open("sleep")
    await world.recover()
    await world.rest()
    assert await world.outcome(turn_id) == "pictures"


async def test_nothing_is_left_waiting_when_storage_is_closed_under_it(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Every try fails; the line is empty all the same, and the log says what the next start will do."""
    caplog.set_level(logging.CRITICAL, logger="darkroom.turns")
    store = faulty(world)
    for step in STEPS:
        store.faults[step] = 10**6
    world.gates.shut("sleep:300")
    turns = [await world.imagine(f"n{number}", user=f"U{number}") for number in range(5)]
    await world.gates.reached("sleep:300")
    await turns_of_the_loop()
    assert len(world.line) == 0
    assert all(turn_id in caplog.text for turn_id in turns)
    store.faults.clear()
    await world.restart()
    world.gates.open("sleep:300")
    await world.recover()
    await world.rest()
    assert len(world.slack.posts) == 5


async def _rested(world: World) -> str:
    turn_id = await world.imagine("a fox")
    await world.rest()
    return turn_id
