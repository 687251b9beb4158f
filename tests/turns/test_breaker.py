"""When the API is not called, who tries it, what opens it again, and what the books say of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from darkroom.rendering.job import Answer, Billed, Failure, FailureKind
from darkroom.turns.breaker import FAILING_WAITS_S, FAILURES, FAILURES_WITHIN_S, MEND_WAITS_S, TOLD_AFTER_S
from darkroom.turns.outage_clerk import AGAIN_S
from darkroom.turns.outages import Closed, MayStart, Pass, Trouble
from tests.examples import NOON, TEAM
from tests.turns.door import CAT, FOX, HOUR, PICTURE, Door
from tests.turns.fakes import failed
from tests.turns.virtual import settled

TROUBLES = [
    (FailureKind.QUOTA, Trouble.QUOTA),
    (FailureKind.KEY, Trouble.KEY),
    (FailureKind.REGION, Trouble.REGION),
]
BROKEN = [FailureKind.SERVER, FailureKind.TIMEOUT, FailureKind.UNREACHABLE]


@pytest.fixture
def door() -> Door:
    """A gate that nobody has come to."""
    return Door()


# --- what only an admin can mend -------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "trouble"), TROUBLES)
async def test_what_only_an_admin_can_mend_closes_it_at_once_and_is_told_once(
    door: Door, kind: FailureKind, trouble: Trouble
) -> None:
    """Whoever waited is sent back, and whoever is under way changes nothing."""
    first, second = await door.passes(), await door.passes()
    await door.call(failed(FailureKind.RATE, wait=1000.0), CAT)
    waits = door.come(CAT)
    await settled()
    door.gate.learn(first, failed(kind), "T0OTHER")
    door.gate.learn(second, failed(kind), TEAM)
    await settled()
    assert isinstance(waits.result(), Closed)
    closed = door.gate.closed()
    assert closed is not None
    assert (closed.outage.trouble, closed.outage.message) == (trouble, "the API's own words")
    assert closed.next_try_at == NOON + timedelta(seconds=MEND_WAITS_S[0])
    assert door.gate.may_start() is MayStart.NONE
    assert door.books.written == [(trouble, "T0OTHER")]
    assert door.alerts == 1
    assert door.gate.enter_at_once(FOX, 1) is None


async def test_it_is_tried_by_one_after_growing_waits_until_a_success(door: Door) -> None:
    await door.call(failed(FailureKind.QUOTA))
    for number, wait in enumerate((*MEND_WAITS_S, MEND_WAITS_S[-1]), start=1):
        assert door.next_try_in() == wait
        await door.clock.run(wait - 0.1)
        assert door.gate.may_start() is MayStart.NONE
        assert door.changes == number - 1
        await door.clock.run(0.1)
        assert door.gate.may_start() is MayStart.ONE
        assert door.changes == number
        probe = await door.passes()
        assert probe.probe
        assert door.gate.may_start() is MayStart.NONE
        assert await door.is_closed()
        door.gate.learn(probe, failed(FailureKind.QUOTA), TEAM)
    await door.clock.run(MEND_WAITS_S[-1])
    changes = door.changes
    await door.call(PICTURE)
    assert door.gate.closed() is None
    assert door.gate.may_start() is MayStart.ANY
    assert door.changes == changes + 1
    assert door.books.written == [(Trouble.QUOTA, TEAM), (Trouble.QUOTA, "over")]
    assert door.alerts == 2


async def _opened_by(door: Door, answer: Answer) -> bool:
    await door.call(failed(FailureKind.QUOTA))
    await door.clock.run(MEND_WAITS_S[0])
    await door.call(answer)
    return door.gate.closed() is None


@pytest.mark.parametrize(
    ("answer", "opens"),
    [
        (PICTURE, True),
        (Answer(), True),
        (failed(FailureKind.MODERATION), True),
        (failed(FailureKind.BAD_PICTURE), True),
        (failed(FailureKind.SERVER, Billed.REPORTED), True),
        (failed(FailureKind.BAD_REQUEST), False),
        (failed(FailureKind.FORGOTTEN), False),
        (failed(FailureKind.ACCESS), False),
        (failed(FailureKind.MODEL_GONE), False),
        (failed(FailureKind.RATE), False),
        (failed(FailureKind.SERVER, Billed.UNKNOWN), False),
        (failed(FailureKind.UNREACHABLE), False),
    ],
)
async def test_only_what_shows_that_pictures_may_be_made_opens_it(
    door: Door, answer: Answer, opens: bool
) -> None:
    assert await _opened_by(door, answer) == opens


@pytest.mark.parametrize(
    "kind", [FailureKind.BAD_REQUEST, FailureKind.FORGOTTEN, FailureKind.ACCESS, FailureKind.MODEL_GONE]
)
async def test_an_answer_that_shows_nothing_lets_the_next_try_at_once(door: Door, kind: FailureKind) -> None:
    assert not await _opened_by(door, failed(kind))
    assert door.gate.may_start() is MayStart.ONE
    assert (await door.passes()).probe


@pytest.mark.parametrize("kind", BROKEN)
async def test_a_try_without_an_answer_is_made_again_only_after_a_while(
    door: Door, kind: FailureKind
) -> None:
    assert not await _opened_by(door, failed(kind, Billed.UNKNOWN))
    assert door.gate.may_start() is MayStart.NONE
    assert door.next_try_in() == MEND_WAITS_S[1]


async def test_a_success_of_before_does_not_open_it(door: Door) -> None:
    """It was let go while there was money left."""
    before = await door.passes()
    await door.call(failed(FailureKind.QUOTA))
    door.gate.learn(before, PICTURE, TEAM)
    assert door.trouble() is Trouble.QUOTA
    assert door.next_try_in() == MEND_WAITS_S[0]


async def test_a_try_that_broke_off_and_was_asked_for_opens_it_after_all(door: Door) -> None:
    await door.call(failed(FailureKind.QUOTA))
    await door.clock.run(MEND_WAITS_S[0])
    probe = await door.call(failed(FailureKind.UNREACHABLE, Billed.UNKNOWN))
    assert door.gate.may_start() is MayStart.NONE
    door.gate.learn(probe, PICTURE, TEAM)
    assert door.gate.closed() is None


async def test_who_was_to_try_and_does_not_call_leaves_that_to_the_next(door: Door) -> None:
    await door.call(failed(FailureKind.KEY))
    await door.clock.run(MEND_WAITS_S[0])
    probe, changes = await door.passes(), door.changes
    door.gate.leave(probe)
    assert door.gate.may_start() is MayStart.ONE
    assert door.changes == changes + 1
    assert (await door.passes()).probe


async def test_who_was_to_try_and_is_cancelled_while_it_waits_leaves_that_to_the_next() -> None:
    door = Door(places=1)
    await door.call(failed(FailureKind.KEY))
    await door.clock.run(MEND_WAITS_S[0])
    await door.call(failed(FailureKind.RATE, wait=100.0))
    first = door.come()
    await settled()
    assert door.gate.may_start() is MayStart.NONE
    first.cancel()
    await settled()
    assert door.gate.may_start() is MayStart.ONE
    await door.passes(CAT)


async def test_who_was_to_try_and_still_waits_when_something_else_is_the_matter_leaves_it_to_the_next(
    door: Door,
) -> None:
    """And does not let a third one try beside that one."""
    early = await door.passes(CAT)
    await door.call(failed(FailureKind.RATE, wait=600.0))
    for _ in range(FAILURES):
        await door.call(failed(FailureKind.SERVER, Billed.UNKNOWN), CAT)
    await door.clock.run(FAILING_WAITS_S[0])
    waits = door.come(FOX)
    await settled()
    assert not waits.done()
    door.gate.learn(early, failed(FailureKind.QUOTA), TEAM)
    await settled()
    await door.clock.run(MEND_WAITS_S[0])
    assert (await door.passes(CAT)).probe
    waits.cancel()
    await settled()
    assert isinstance(waits.result(), Closed)
    assert door.gate.may_start() is MayStart.NONE


async def test_who_was_to_try_and_cannot_at_once_leaves_that_to_the_next(door: Door) -> None:
    await door.call(failed(FailureKind.RATE, wait=600.0))
    await door.call(failed(FailureKind.KEY), CAT)
    await door.clock.run(MEND_WAITS_S[0])
    assert door.gate.enter_at_once(FOX, 1) is None
    assert door.gate.may_start() is MayStart.ONE


async def test_who_was_to_try_and_finds_no_place_leaves_that_to_the_next() -> None:
    door = Door(places=1)
    broke = await door.call(failed(FailureKind.UNREACHABLE, Billed.UNKNOWN))
    busy = await door.passes()
    door.gate.learn(broke, failed(FailureKind.KEY), TEAM)
    await door.clock.run(MEND_WAITS_S[0])
    changes = door.changes
    assert door.gate.enter_at_once(FOX, 1) is None
    assert door.gate.may_start() is MayStart.ONE
    assert door.changes == changes + 1
    door.gate.leave(busy)


async def test_of_several_who_come_at_once_one_tries(door: Door) -> None:
    await door.call(failed(FailureKind.QUOTA))
    await door.clock.run(MEND_WAITS_S[0])
    came = [door.come() for _ in range(4)]
    await settled()
    assert [isinstance(each.result(), Pass) for each in came] == [True, False, False, False]
    assert isinstance(came[1].result(), Closed)


async def test_another_trouble_is_told_too(door: Door) -> None:
    """As when the key was replaced by one that is not accepted."""
    await door.call(failed(FailureKind.QUOTA))
    await door.clock.run(MEND_WAITS_S[0])
    await door.call(failed(FailureKind.KEY))
    assert door.trouble() is Trouble.KEY
    assert door.next_try_in() == MEND_WAITS_S[0]
    assert [what for what, _ in door.books.written] == [Trouble.QUOTA, Trouble.QUOTA, Trouble.KEY]


async def test_a_clock_that_is_put_back_changes_nothing(door: Door) -> None:
    await door.call(failed(FailureKind.QUOTA))
    door.clock.at -= timedelta(days=30)
    assert door.next_try_in() == MEND_WAITS_S[0]
    await door.clock.run(MEND_WAITS_S[0])
    assert door.gate.may_start() is MayStart.ONE


# --- call after call fails -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", BROKEN)
async def test_after_some_failures_in_a_row_the_api_is_left_alone(door: Door, kind: FailureKind) -> None:
    await door.fail(FAILURES - 1, kind)
    assert door.gate.closed() is None
    await door.fail(1, kind)
    assert door.trouble() is Trouble.FAILING
    assert not Trouble.FAILING.stops_intake
    assert await door.is_closed()
    assert door.books.written == []


async def test_what_a_servers_error_says_is_neither_told_to_others_nor_logged(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    """It may quote what somebody asked for."""
    quotes = Failure(FailureKind.SERVER, Billed.UNKNOWN, "server_error", "cannot paint 'a secret fox'")
    for _ in range(FAILURES):
        await door.call(Answer(failure=quotes))
    closed = door.gate.closed()
    assert closed is not None
    assert closed.outage.message == "server_error"
    assert "secret fox" not in caplog.text
    door = Door()
    await door.call(Answer(failure=replace(quotes, kind=FailureKind.REGION, billed=Billed.NOTHING)))
    assert door.trouble() is Trouble.REGION
    assert "the image API is not called: region" in caplog.text
    assert "secret fox" not in caplog.text


@pytest.mark.parametrize(
    "kind",
    [
        FailureKind.MODERATION,
        FailureKind.BAD_REQUEST,
        FailureKind.FORGOTTEN,
        FailureKind.ACCESS,
        FailureKind.RATE,
        None,
    ],
)
async def test_any_proper_answer_ends_the_row(door: Door, kind: FailureKind | None) -> None:
    await door.fail(FAILURES - 1)
    await door.call(PICTURE if kind is None else failed(kind), CAT)
    await door.fail(FAILURES - 1)
    assert door.gate.closed() is None


async def test_failures_far_apart_are_no_row(door: Door) -> None:
    await door.fail(1)
    await door.clock.run(FAILURES_WITHIN_S)
    await door.fail(FAILURES - 1)
    assert door.trouble() is Trouble.FAILING
    door = Door()
    await door.fail(1)
    await door.clock.run(FAILURES_WITHIN_S + 1)
    await door.fail(FAILURES - 1)
    assert door.gate.closed() is None


async def test_a_failing_api_is_tried_after_growing_waits_and_told_of_after_five_minutes(door: Door) -> None:
    await door.fail()
    gone = 0.0
    for wait in (*FAILING_WAITS_S, FAILING_WAITS_S[-1]):
        assert door.next_try_in() == wait
        await door.clock.run(wait)
        gone += wait
        await door.fail(1)
        told = [(Trouble.FAILING, TEAM)] if gone >= TOLD_AFTER_S else []
        assert door.books.written == told
    await door.clock.run(FAILING_WAITS_S[-1])
    await door.call(failed(FailureKind.BAD_REQUEST))
    assert door.gate.closed() is None
    assert door.books.written == [(Trouble.FAILING, TEAM), (Trouble.FAILING, "over")]


async def test_failures_of_calls_from_before_do_not_put_the_next_try_off(door: Door) -> None:
    before = await door.passes()
    await door.fail()
    door.gate.learn(before, failed(FailureKind.TIMEOUT, Billed.UNKNOWN), TEAM)
    assert door.next_try_in() == FAILING_WAITS_S[0]


async def test_any_answer_to_a_call_from_before_shows_that_it_works_again(door: Door) -> None:
    before = await door.passes()
    await door.fail()
    door.gate.learn(before, PICTURE, TEAM)
    assert door.gate.closed() is None


async def test_a_call_that_broke_off_and_was_asked_for_ends_the_row(door: Door) -> None:
    await door.fail(FAILURES - 2)
    broke = await door.call(failed(FailureKind.UNREACHABLE, Billed.UNKNOWN))
    door.gate.learn(broke, PICTURE, TEAM)
    await door.fail(FAILURES - 1)
    assert door.gate.closed() is None


async def test_a_failing_api_that_then_refuses_the_key_is_closed_for_the_key(door: Door) -> None:
    await door.fail()
    await door.clock.run(FAILING_WAITS_S[0])
    await door.call(failed(FailureKind.KEY))
    assert door.trouble() is Trouble.KEY
    assert door.books.written == [(Trouble.KEY, TEAM)]


async def test_a_try_under_way_while_it_is_closed_anew_does_not_keep_others_from_trying(door: Door) -> None:
    before = await door.passes()
    await door.fail()
    await door.clock.run(FAILING_WAITS_S[0])
    probe = await door.passes()
    door.gate.learn(before, failed(FailureKind.KEY), TEAM)
    await door.clock.run(MEND_WAITS_S[0])
    assert door.gate.may_start() is MayStart.ONE
    door.gate.leave(probe)


# --- the books -------------------------------------------------------------------------------------------


async def test_a_new_start_goes_on_closed_tries_at_once_and_tells_nobody_again(door: Door) -> None:
    await door.call(failed(FailureKind.QUOTA))
    await door.gate.aclose()
    again = Door(door.books)
    await again.gate.load()
    assert again.trouble() is Trouble.QUOTA
    assert again.gate.may_start() is MayStart.ONE
    await again.call(failed(FailureKind.QUOTA))
    assert again.next_try_in() == MEND_WAITS_S[1]
    assert again.books.written == [(Trouble.QUOTA, TEAM)]
    await again.clock.run(MEND_WAITS_S[1])
    await again.call(PICTURE)
    assert again.books.written == [(Trouble.QUOTA, TEAM), (Trouble.QUOTA, "over")]


async def test_a_new_start_after_nothing_is_open(door: Door) -> None:
    await door.gate.load()
    assert door.gate.may_start() is MayStart.ANY
    assert door.gate.closed() is None


async def test_books_that_cannot_be_written_are_written_later(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    """The calls go on as they would have: the disk may be full."""
    door.books.faults = [OSError("disk full")]
    await door.call(failed(FailureKind.QUOTA))
    assert door.books.written == []
    assert "could not be written down" in caplog.text
    await door.clock.run(AGAIN_S)
    assert door.books.written == [(Trouble.QUOTA, TEAM)]


async def test_what_is_over_before_it_was_written_down_is_not_told(door: Door) -> None:
    door.books.faults = [OSError("disk full"), OSError("disk full")]
    await door.call(failed(FailureKind.QUOTA))
    await door.clock.run(MEND_WAITS_S[0])
    await door.call(PICTURE)
    await door.clock.run(HOUR)
    assert door.books.written == []
    assert door.alerts == 0
