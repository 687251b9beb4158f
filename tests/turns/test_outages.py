"""Turns while the API is of no use: the queue is kept, somebody tries, and all goes on."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from darkroom.rendering.job import (
    Billed,
    FailureKind,
)
from darkroom.turns.breaker import FAILING_WAITS_S, FAILURES, MEND_WAITS_S
from darkroom.turns.endings import Outcome, Reason
from darkroom.turns.model import AttemptState, Turn, TurnState
from darkroom.turns.outages import MayStart
from tests.examples import ALICE, BOB, caps
from tests.turns.conftest import MakeWorld
from tests.turns.fakes import failed
from tests.turns.later import Later
from tests.turns.virtual import settled
from tests.turns.world import World

RELEASED, SETTLED = AttemptState.RELEASED, AttemptState.SETTLED
TROUBLES = [FailureKind.QUOTA, FailureKind.KEY, FailureKind.REGION]
BROKEN = failed(FailureKind.SERVER, Billed.UNKNOWN)


@pytest.fixture
def later(make_world: MakeWorld) -> Later:
    """A world whose time passes when it is let."""
    return Later(make_world)


# --- what only an admin can mend -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", TROUBLES)
async def test_the_queue_is_kept_and_goes_on_by_itself(later: Later, kind: FailureKind) -> None:
    """The first to be refused, those that come just then, and what is asked in their threads; admins are told
    once, and once that it is over."""
    world = later.world
    later.says = lambda _: failed(kind)
    asked = [await world.imagine(f"a fox {number}", user=f"U{number}") for number in range(4)]
    await settled()
    assert [await world.outcome(each) for each in asked] == [None] * 4
    assert {(await world.turn(each)).state for each in asked} == {TurnState.QUEUED}
    assert await world.charged() == 0
    sent = len(later.api.jobs)
    await later.clock.run(sum(MEND_WAITS_S))
    assert len(later.api.jobs) == sent + len(MEND_WAITS_S)
    later.says = lambda _: None
    await later.until_all_ended()
    assert [await world.outcome(each) for each in asked] == ["pictures"] * 4
    assert [kind for _, kind in await later.alerts()] == [kind.value, "resumed"]


@pytest.mark.parametrize("kind", TROUBLES)
async def test_what_is_asked_meanwhile_is_declined_until_it_is_time_to_try(
    later: Later, kind: FailureKind
) -> None:
    world = later.world
    later.says = lambda _: failed(kind)
    first = await world.imagine("a fox")
    await settled()
    declined = await world.imagine("a cat", user=BOB)
    await settled()
    ending = await world.ending(declined)
    assert (ending.outcome, ending.reason) == (Outcome.DECLINED, Reason.API_CLOSED)
    assert ending.details["trouble"] == kind.value
    cancelled = await world.intake.cancel(first, ALICE)
    assert cancelled is not None
    await later.clock.run(MEND_WAITS_S[0])
    assert len(later.api.jobs) == 1
    later.says = lambda _: None
    tries = await world.imagine("a dog", user=BOB)
    await later.until_all_ended()
    assert await world.outcome(tries) == "pictures"
    assert await world.outcome(first) == "called_off"


async def test_a_start_in_an_outage_keeps_the_queue_tries_at_once_and_tells_nobody_again(
    later: Later,
) -> None:
    world = later.world
    later.says = lambda _: failed(FailureKind.QUOTA)
    asked = [await world.imagine("a fox"), await world.imagine("a cat", user=BOB)]
    await settled()
    sent = len(later.api.jobs)
    await world.restart()
    await world.recover()
    await settled()
    assert len(later.api.jobs) == sent + 1
    assert [await world.outcome(each) for each in asked] == [None, None]
    later.says = lambda _: None
    await later.until_all_ended()
    assert [await world.outcome(each) for each in asked] == ["pictures"] * 2
    assert [kind for _, kind in await later.alerts()] == ["quota", "resumed"]


async def test_what_has_waited_for_a_day_ends_and_is_told_why(later: Later) -> None:
    world = later.world
    later.says = lambda _: failed(FailureKind.KEY)
    turn_id = await world.imagine("a fox")
    await settled()
    for hours, outcome in ((23, None), (2, "key")):
        later.clock.at += timedelta(hours=hours)
        await world.worker.round()
        await settled()
        assert await world.outcome(turn_id) == outcome
    await later.until_all_ended()
    ending = await world.ending(turn_id)
    assert (ending.reason, ending.details) == (Reason.KEY, {"message": "the API's own words"})


async def test_a_turn_that_was_partly_made_gets_the_rest_later_and_pays_nothing_twice(later: Later) -> None:
    """Also over a restart in between."""
    world = later.world
    later.says = lambda job: failed(FailureKind.QUOTA) if len(later.api.jobs) > 1 else None
    turn_id = await world.imagine("a fox", wanted=3)
    await settled()
    await later.clock.run(0.0)
    assert Counter(await world.states(turn_id))[SETTLED] == 1
    assert await world.outcome(turn_id) is None
    await world.restart()
    await world.recover()
    await settled()
    assert await world.outcome(turn_id) is None
    later.says = lambda _: None
    await later.until_all_ended()
    assert Counter(await world.states(turn_id))[SETTLED] == 3
    assert world.slack.posts == [(turn_id, 1), (turn_id, 2), (turn_id, 3)]


async def test_of_several_pictures_one_tries(later: Later) -> None:
    world = later.world
    later.says = lambda _: failed(FailureKind.QUOTA)
    await world.imagine("a fox", wanted=4)
    await settled()
    sent = len(later.api.jobs)
    await later.clock.run(MEND_WAITS_S[0])
    assert len(later.api.jobs) == sent + 1
    later.says = lambda _: None
    await later.until_all_ended()
    assert len(world.slack.posts) == 4


async def test_a_try_that_cannot_pay_leaves_it_to_the_next(make_world: MakeWorld) -> None:
    """The turn that was next has to wait for money that another call holds, and the API is tried all the
    same."""
    hold = make_world().hold_of(await _a_turn(make_world()))
    later = Later(make_world, 300.0, limits=caps(channel=hold + hold // 2))
    world = later.world
    await world.imagine("slow", channel="C0POOR0001")
    await settled()
    later.says = lambda _: failed(FailureKind.QUOTA)
    poor = await world.imagine("a fox", channel="C0POOR0001", user=BOB)
    rich = await world.imagine("a cat", channel="C0RICH0001")
    await settled()
    assert [job.prompt for job in later.api.jobs] == ["slow", "a cat"]
    later.says = lambda _: None
    await later.clock.run(MEND_WAITS_S[0])
    assert [job.prompt for job in later.api.jobs] == ["slow", "a cat", "a cat"]
    await later.until_all_ended()
    assert [await world.outcome(each) for each in (poor, rich)] == ["pictures"] * 2


async def test_who_has_tried_and_is_being_told_stands_in_the_way_of_no_later_try(later: Later) -> None:
    """Slack takes nothing, and the API is of no use once more."""
    world = later.world
    later.says = lambda _: failed(FailureKind.QUOTA)
    await world.imagine("a fox")
    await world.imagine("a hen", user=BOB)
    await settled()
    world.gates.shut("upload", "post", "close:a fox")
    later.says = lambda job: None if job.prompt == "a fox" else failed(FailureKind.QUOTA)
    await later.clock.run(MEND_WAITS_S[0])
    assert world.gate.may_start() is MayStart.NONE
    sent = len(later.api.jobs)
    await later.clock.run(MEND_WAITS_S[0])
    assert [job.prompt for job in later.api.jobs[sent:]] == ["a hen"]
    world.gates.open("upload", "post", "close:a fox")
    later.says = lambda _: None
    await later.until_all_ended()


async def _a_turn(world: World) -> Turn:
    turn_id = await world.imagine("a fox")
    await world.rest()
    return await world.turn(turn_id)


# --- call after call fails -------------------------------------------------------------------------------


async def test_a_failing_api_is_left_alone_and_what_waits_is_made_when_it_works_again(later: Later) -> None:
    """Only so many calls become uncertain; nothing is declined."""
    world = later.world
    later.says = lambda _: BROKEN
    early = [await world.imagine(f"a fox {number}", user=f"U{number}") for number in range(FAILURES)]
    await settled()
    late = [await world.imagine(f"a cat {number}", user=f"U{number}") for number in range(5)]
    await later.clock.run(FAILING_WAITS_S[0] - 1)
    assert [await world.outcome(each) for each in early] == ["uncertain"] * FAILURES
    assert [await world.outcome(each) for each in late] == [None] * 5
    assert len(later.api.jobs) == FAILURES
    later.says = lambda _: None
    await later.until_all_ended()
    assert [await world.outcome(each) for each in late] == ["pictures"] * 5
    assert {kind for _, kind in await later.alerts()} == {"uncertain"}


async def test_calls_that_never_leave_cost_nobody_their_turn(later: Later) -> None:
    """The network is away for two hours."""
    world = later.world
    later.says = lambda _: failed(FailureKind.UNREACHABLE)
    asked = [await world.imagine(f"a fox {number}", user=f"U{number}") for number in range(6)]
    await later.clock.run(7200.0)
    later.says = lambda _: None
    await later.until_all_ended()
    assert [await world.outcome(each) for each in asked] == ["pictures"] * 6
    assert [kind for _, kind in await later.alerts()] == ["failing", "resumed"]
