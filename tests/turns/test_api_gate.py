"""What every call passes: in the order of coming, and as fast as it may."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.rendering.job import Answer, Billed, Candidate, Concern, Failure, FailureKind
from darkroom.turns.endings import Ending
from darkroom.turns.outages import Closed, Pass, Patience
from darkroom.turns.passed_by import REMEMBERED_S
from tests.examples import TEAM
from tests.turns.door import BY_IMAGES, CAT, FOX, HOUR, PICTURE, Door, pass_of
from tests.turns.fakes import failed
from tests.turns.virtual import settled


@pytest.fixture
def door() -> Door:
    """A gate that nobody has come to."""
    return Door()


# --- the order of coming ---------------------------------------------------------------------------------


async def test_as_many_are_let_go_as_there_are_places_and_then_in_the_order_of_coming() -> None:
    door = Door(places=2)
    came = [door.come() for _ in range(5)]
    await settled()
    assert [each.done() for each in came] == [True, True, False, False, False]
    door.gate.learn(pass_of(came[1]), PICTURE, TEAM)
    door.gate.leave(pass_of(came[0]))
    await settled()
    assert [each.done() for each in came] == [True, True, True, True, False]
    await _send_home(came)


async def test_a_pass_gives_its_place_back_once() -> None:
    door = Door(places=1)
    first = await door.passes()
    door.gate.learn(first, PICTURE, TEAM)
    door.gate.leave(first)
    door.gate.learn(first, PICTURE, TEAM)
    came = [door.come() for _ in range(2)]
    await settled()
    assert [each.done() for each in came] == [True, False]
    await _send_home(came)


async def test_who_was_refused_for_the_rate_comes_back_to_the_head(door: Door) -> None:
    first = await door.passes()
    door.gate.learn(first, failed(FailureKind.RATE, wait=12.0), TEAM)
    other, again = door.come(), door.come(ticket=first.ticket)
    await door.clock.run(11.9)
    assert not again.done()
    await door.clock.run(0.1)
    assert again.done()
    assert not other.done()
    await door.clock.run(12.0)
    assert other.done()


async def test_a_rate_limit_holds_up_only_its_own_model_and_endpoint(door: Door) -> None:
    await door.call(failed(FailureKind.RATE, wait=12.0))
    held_up = door.come()
    await door.passes(CAT)
    await door.passes(BY_IMAGES)
    assert not held_up.done()
    await _send_home([held_up])


async def test_a_free_place_goes_to_who_came_first_whatever_they_call() -> None:
    door = Door(places=1)
    busy = await door.passes(FOX)
    first, second = door.come(CAT), door.come(FOX)
    await settled()
    door.gate.leave(busy)
    await settled()
    assert (first.done(), second.done()) == (True, False)
    await _send_home([second])


async def test_who_leaves_without_a_call_takes_nothing_of_the_limit(door: Door) -> None:
    told = {"x-ratelimit-limit-images": "2", "x-ratelimit-remaining-images": "1"}
    await door.call(replace(PICTURE, headers=told))
    door.gate.leave(await door.passes())
    await door.passes()
    third = door.come()
    await settled()
    assert not third.done()
    await _send_home([third])


async def test_a_head_that_is_cancelled_lets_the_next_go(door: Door) -> None:
    await door.call(failed(FailureKind.RATE, wait=12.0))
    head, second = door.come(), door.come()
    await settled()
    head.cancel()
    await door.clock.run(12.0)
    assert second.done()


async def test_who_is_cancelled_in_the_moment_of_being_let_go_gives_the_place_back() -> None:
    door = Door(places=1)
    first = await door.passes()
    second, third = door.come(), door.come()
    await settled()
    door.gate.leave(first)
    second.cancel()
    await settled()
    assert second.cancelled()
    assert third.done()


async def test_who_has_waited_too_long_for_a_rate_is_told_and_the_others_go_on(door: Door) -> None:
    await door.call(failed(FailureKind.RATE, wait=100.0))
    hasty, patient = door.come(patience=99.0), door.come()
    await door.clock.run(99.0)
    assert hasty.result() is None
    await door.clock.run(1.0)
    assert patient.done()


async def test_nobody_loses_patience_who_only_waits_for_a_place() -> None:
    door = Door(places=1)
    first = await door.passes()
    waits = door.come(patience=1.0)
    await door.clock.run(HOUR)
    assert not waits.done()
    door.gate.leave(first)
    await settled()
    assert waits.done()


async def test_only_a_rate_limit_uses_up_patience() -> None:
    """Each time somebody comes, by what it has held them back; the wait for a place in between is nothing."""
    door = Door(places=1)
    patience = Patience(100.0)
    busy = await door.passes()
    waits = asyncio.create_task(door.gate.enter(FOX, patience))
    await door.clock.run(HOUR)
    door.gate.learn(busy, failed(FailureKind.RATE, wait=30.0), TEAM)
    other = await door.passes(CAT)
    await door.clock.run(HOUR)
    assert not waits.done()
    door.gate.learn(other, PICTURE, TEAM)
    await settled()
    assert patience.left_s == pytest.approx(70.0)
    passed = pass_of(waits)
    await door.clock.run(HOUR)
    door.gate.learn(passed, failed(FailureKind.RATE, wait=600.0), TEAM)
    waits = asyncio.create_task(door.gate.enter(FOX, patience, passed.ticket))
    await door.clock.run(69.9)
    assert not waits.done()
    await door.clock.run(0.2)
    assert waits.result() is None
    assert patience.left_s == 0.0


async def test_who_is_sent_home_keeps_what_patience_is_left(door: Door) -> None:
    patience = Patience(100.0)
    await door.call(failed(FailureKind.RATE, wait=30.0))
    waits = asyncio.create_task(door.gate.enter(FOX, patience))
    await door.clock.run(10.0)
    await _send_home([waits])
    assert patience.left_s == pytest.approx(90.0)


async def test_at_once_or_not_at_all() -> None:
    """In the order of coming too, and nothing is left behind."""
    door = Door(places=1)
    first = await door.passes()
    assert door.gate.enter_at_once(FOX, first.ticket) is None
    door.gate.leave(first)
    passed = door.gate.enter_at_once(FOX, first.ticket)
    assert passed is not None
    waits = door.come()
    await settled()
    door.gate.learn(passed, failed(FailureKind.RATE, wait=12.0), TEAM)
    assert door.gate.enter_at_once(FOX, passed.ticket) is None
    assert door.gate.enter_at_once(CAT, passed.ticket) is not None
    await door.clock.run(12.0)
    assert not waits.done()


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["come", "come", "cancel", "leave", "good", "rate", "broken", "wait"]),
        st.integers(0, 9),
        st.sampled_from([FOX, CAT]),
    ),
    max_size=60,
)


@given(STEPS, st.integers(1, 4))
def test_whatever_happens_the_first_goes_first_and_nobody_is_forgotten(
    steps: list[tuple[str, int, Candidate]], places: int
) -> None:
    asyncio.run(_anything_happens(steps, places))


async def _anything_happens(steps: list[tuple[str, int, Candidate]], places: int) -> None:
    door = Door(places=places)
    waiting: list[tuple[int, Candidate, asyncio.Task[Pass | Closed | Ending | None]]] = []
    inside: list[Pass] = []
    for number, (step, which, candidate) in enumerate(steps, start=1):
        if step == "come":
            waiting.append((number, candidate, door.come(candidate, ticket=number, patience=10 * HOUR)))
        elif step == "cancel" and waiting:
            waiting.pop(which % len(waiting))[2].cancel()
        elif step == "wait":
            await door.clock.run(which * 7.0)
        elif inside and step in ("leave", "good", "rate", "broken"):
            passed = inside.pop(which % len(inside))
            _answer(door, step, passed, which)
            if step == "rate":
                again = door.come(passed.candidate, ticket=passed.ticket, patience=10 * HOUR)
                waiting.append((passed.ticket, passed.candidate, again))
        await settled()
        came = [each for each in waiting if each[2].done()]
        waiting = [each for each in waiting if not each[2].done()]
        for ticket, where, task in came:
            result = task.result()
            if isinstance(result, Pass):
                inside.append(result)
                assert all(other[0] > ticket for other in waiting if other[1] == where)
        assert len(inside) <= places
    for _ in range(200):
        for passed in inside:
            door.gate.learn(passed, PICTURE, TEAM)
        inside = []
        await door.clock.run(60.0)
        for _, where, task in [each for each in waiting if each[2].done()]:
            result = task.result()
            inside += [result] if isinstance(result, Pass) else []
            if isinstance(result, Closed):
                waiting.append((0, where, door.come(where)))
        waiting = [each for each in waiting if not each[2].done()]
    assert waiting == []
    await door.gate.aclose()


def _answer(door: Door, step: str, passed: Pass, which: int) -> None:
    answers = {
        "good": PICTURE,
        "rate": failed(FailureKind.RATE, wait=None if which > 6 else float(which)),
        "broken": failed(FailureKind.SERVER, Billed.UNKNOWN),
    }
    if step == "leave":
        door.gate.leave(passed)
    else:
        door.gate.learn(passed, answers[step], TEAM)


# --- what was refused ------------------------------------------------------------------------------------


async def test_what_was_refused_is_remembered_for_an_hour(door: Door) -> None:
    await door.call(failed(FailureKind.ACCESS))
    assert door.gate.refused(FOX) == "access"
    assert door.gate.refused(CAT) is None
    await door.clock.run(REMEMBERED_S)
    assert door.gate.refused(FOX) is None


@pytest.mark.parametrize(
    ("concerns", "refused"),
    [
        (Concern.IMAGE_MODEL, [FOX, BY_IMAGES]),
        (Concern.HOST, [FOX, CAT]),
        (Concern.ENDPOINT, [FOX, CAT]),
        (None, [FOX, BY_IMAGES]),
    ],
)
async def test_what_has_it_in_common_is_refused_too(
    door: Door, concerns: Concern | None, refused: list[Candidate]
) -> None:
    failure = Failure(FailureKind.MODEL_GONE, Billed.NOTHING, concerns=concerns)
    await door.call(Answer(failure=failure))
    asked = [FOX, CAT, BY_IMAGES]
    assert [each for each in asked if door.gate.refused(each) == "model_gone"] == refused


async def test_a_success_shows_that_it_is_not_refused_any_more(door: Door) -> None:
    await door.call(failed(FailureKind.ACCESS))
    await door.call(PICTURE, CAT)
    assert door.gate.refused(FOX) == "access"
    await door.call(PICTURE, FOX)
    assert door.gate.refused(FOX) is None


async def _send_home(came: list[asyncio.Task[Pass | Closed | Ending | None]]) -> None:
    for each in came:
        each.cancel()
    await asyncio.gather(*came, return_exceptions=True)
