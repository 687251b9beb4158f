"""What every call passes: in the order of coming, as fast as may be, and not while it is of no use."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.rendering.job import Answer, Billed, Candidate, Concern, Endpoint, Failure, FailureKind
from darkroom.turns.api_gate import BOOK_AGAIN_S, ApiGate
from darkroom.turns.breaker import FAILING_WAITS_S, FAILURES, FAILURES_WITHIN_S, MEND_WAITS_S, TOLD_AFTER_S
from darkroom.turns.outages import Closed, Outage, Pass, Trouble
from darkroom.turns.passed_by import REMEMBERED_S
from tests.examples import HOST_MODEL, IMAGE_MODEL, NOON, TEAM
from tests.turns.fakes import failed, said
from tests.turns.virtual import VirtualClock, settled

FOX = Candidate(Endpoint.RESPONSES, IMAGE_MODEL, HOST_MODEL)
CAT = replace(FOX, image_model="gpt-image-2.5-flare")
BY_IMAGES = Candidate(Endpoint.IMAGES, IMAGE_MODEL, "")
HOUR = 3600.0
PICTURE = said("as good as a picture")
TROUBLES = [
    (FailureKind.QUOTA, Trouble.QUOTA),
    (FailureKind.KEY, Trouble.KEY),
    (FailureKind.REGION, Trouble.REGION),
]
BROKEN = [FailureKind.SERVER, FailureKind.TIMEOUT, FailureKind.UNREACHABLE]


@dataclass
class Books:
    """An ``OutageBook`` in memory; outlives a gate."""

    open: Outage | None = None
    written: list[tuple[str, str]] = field(default_factory=list)
    faults: list[BaseException] = field(default_factory=list)

    async def current(self) -> Outage | None:
        """See ``OutageBook``."""
        return self.open

    async def begin(self, outage: Outage, team_id: str) -> Outage:
        """See ``OutageBook``."""
        await asyncio.sleep(0)
        if self.faults:
            raise self.faults.pop()
        if self.open is None:
            self.open = outage
            self.written.append((outage.trouble, team_id))
        return self.open

    async def end(self, outage_id: str, at: datetime) -> None:
        """See ``OutageBook``."""
        await asyncio.sleep(0)
        if self.open is not None and self.open.id == outage_id:
            self.written.append((self.open.trouble, "over"))
            self.open = None


class Door:
    """A gate, and those who come to it."""

    def __init__(self, books: Books | None = None, *, places: int = 32) -> None:
        self.clock = VirtualClock()
        self.books = books or Books()
        self.gate = ApiGate(self.clock, self.books, calls_at_once=places)
        self.changes = 0
        self.alerts = 0
        self.gate.listen(self._changed)
        self.gate.listen_for_alerts(self._alerted)

    def _changed(self) -> None:
        self.changes += 1

    def _alerted(self) -> None:
        self.alerts += 1

    def come(
        self, candidate: Candidate = FOX, *, ticket: int | None = None, patience: float = HOUR
    ) -> asyncio.Task[Pass | Closed | None]:
        """Somebody enters, and waits if need be."""
        return asyncio.create_task(self.gate.enter(candidate, patience, ticket))

    async def passes(self, candidate: Candidate = FOX, *, ticket: int | None = None) -> Pass:
        """Somebody enters, and is let go at once."""
        passed = self.come(candidate, ticket=ticket)
        await settled()
        assert passed.done()
        return _pass(passed)

    async def is_closed(self) -> bool:
        """Whether somebody who comes is sent back."""
        came = self.come()
        await settled()
        result = came.result()
        if isinstance(result, Pass):
            self.gate.leave(result)
        return isinstance(result, Closed)

    async def call(self, answer: Answer = PICTURE, candidate: Candidate = FOX, team: str = TEAM) -> Pass:
        """Somebody enters, calls and is answered."""
        passed = await self.passes(candidate)
        self.gate.learn(passed, answer, team)
        await settled()
        return passed

    async def fail(self, times: int = FAILURES, kind: FailureKind = FailureKind.SERVER) -> None:
        """So many calls fail in a row."""
        for _ in range(times):
            await self.call(failed(kind, Billed.UNKNOWN))

    def trouble(self) -> Trouble | None:
        """What is the matter."""
        closed = self.gate.closed()
        return None if closed is None else closed.outage.trouble

    def next_try_in(self) -> float:
        """Seconds until somebody may try."""
        closed = self.gate.closed()
        assert closed is not None
        return (closed.next_try_at - self.clock.now()).total_seconds()


def _pass(came: asyncio.Task[Pass | Closed | None]) -> Pass:
    passed = came.result()
    assert isinstance(passed, Pass)
    return passed


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
    door.gate.learn(_pass(came[1]), PICTURE, TEAM)
    door.gate.leave(_pass(came[0]))
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
    waiting: list[tuple[int, Candidate, asyncio.Task[Pass | Closed | None]]] = []
    inside: list[Pass] = []
    for number, (step, which, candidate) in enumerate(steps, start=1):
        if step == "come":
            waiting.append((number, candidate, door.come(candidate, ticket=number, patience=10 * HOUR)))
        elif step == "cancel" and waiting:
            waiting.pop(which % len(waiting))[2].cancel()
        elif step == "wait":
            await door.clock.run(which * 7.0)
        elif inside and step in ("leave", "good", "rate", "broken"):
            _answer(door, step, inside.pop(which % len(inside)), which)
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
    assert door.gate.places() == 0
    assert door.books.written == [(trouble, "T0OTHER")]
    assert door.alerts == 1
    assert door.gate.enter_at_once(FOX, 1) is None


async def test_it_is_tried_by_one_after_growing_waits_until_a_success(door: Door) -> None:
    await door.call(failed(FailureKind.QUOTA))
    for number, wait in enumerate((*MEND_WAITS_S, MEND_WAITS_S[-1]), start=1):
        assert door.next_try_in() == wait
        await door.clock.run(wait - 0.1)
        assert door.gate.places() == 0
        assert door.changes == number - 1
        await door.clock.run(0.1)
        assert door.gate.places() == 1
        assert door.changes == number
        probe = await door.passes()
        assert probe.probe
        assert door.gate.places() == 0
        assert await door.is_closed()
        door.gate.learn(probe, failed(FailureKind.QUOTA), TEAM)
    await door.clock.run(MEND_WAITS_S[-1])
    changes = door.changes
    await door.call(PICTURE)
    assert door.gate.closed() is None
    assert door.gate.places() is None
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
    assert door.gate.places() == 1
    assert (await door.passes()).probe


@pytest.mark.parametrize("kind", BROKEN)
async def test_a_try_without_an_answer_is_made_again_only_after_a_while(
    door: Door, kind: FailureKind
) -> None:
    assert not await _opened_by(door, failed(kind, Billed.UNKNOWN))
    assert door.gate.places() == 0
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
    assert door.gate.places() == 0
    door.gate.learn(probe, PICTURE, TEAM)
    assert door.gate.closed() is None


async def test_who_was_to_try_and_does_not_call_leaves_that_to_the_next(door: Door) -> None:
    await door.call(failed(FailureKind.KEY))
    await door.clock.run(MEND_WAITS_S[0])
    probe, changes = await door.passes(), door.changes
    door.gate.leave(probe)
    assert door.gate.places() == 1
    assert door.changes == changes + 1
    assert (await door.passes()).probe


async def test_who_was_to_try_and_is_cancelled_while_it_waits_leaves_that_to_the_next() -> None:
    door = Door(places=1)
    await door.call(failed(FailureKind.KEY))
    await door.clock.run(MEND_WAITS_S[0])
    await door.call(failed(FailureKind.RATE, wait=100.0))
    first = door.come()
    await settled()
    assert door.gate.places() == 0
    first.cancel()
    await settled()
    assert door.gate.places() == 1
    await door.passes(CAT)


async def test_who_was_to_try_and_cannot_at_once_leaves_that_to_the_next(door: Door) -> None:
    await door.call(failed(FailureKind.RATE, wait=600.0))
    await door.call(failed(FailureKind.KEY), CAT)
    await door.clock.run(MEND_WAITS_S[0])
    assert door.gate.enter_at_once(FOX, 1) is None
    assert door.gate.places() == 1


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
    assert door.gate.places() == 1


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


# --- the books -------------------------------------------------------------------------------------------


async def test_a_new_start_goes_on_closed_tries_at_once_and_tells_nobody_again(door: Door) -> None:
    await door.call(failed(FailureKind.QUOTA))
    await door.gate.aclose()
    again = Door(door.books)
    await again.gate.load()
    assert again.trouble() is Trouble.QUOTA
    assert again.gate.places() == 1
    await again.call(failed(FailureKind.QUOTA))
    assert again.next_try_in() == MEND_WAITS_S[1]
    assert again.books.written == [(Trouble.QUOTA, TEAM)]
    await again.clock.run(MEND_WAITS_S[1])
    await again.call(PICTURE)
    assert again.books.written == [(Trouble.QUOTA, TEAM), (Trouble.QUOTA, "over")]


async def test_a_new_start_after_nothing_is_open(door: Door) -> None:
    await door.gate.load()
    assert door.gate.places() is None
    assert door.gate.closed() is None


async def test_books_that_cannot_be_written_are_written_later(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    """The calls go on as they would have: the disk may be full."""
    door.books.faults = [OSError("disk full")]
    await door.call(failed(FailureKind.QUOTA))
    assert door.books.written == []
    assert "could not be written down" in caplog.text
    await door.clock.run(BOOK_AGAIN_S)
    assert door.books.written == [(Trouble.QUOTA, TEAM)]


async def test_what_is_over_before_it_was_written_down_is_not_told(door: Door) -> None:
    door.books.faults = [OSError("disk full"), OSError("disk full")]
    await door.call(failed(FailureKind.QUOTA))
    await door.clock.run(MEND_WAITS_S[0])
    await door.call(PICTURE)
    await door.clock.run(HOUR)
    assert door.books.written == []
    assert door.alerts == 0


async def _send_home(came: list[asyncio.Task[Pass | Closed | None]]) -> None:
    for each in came:
        each.cancel()
    await asyncio.gather(*came, return_exceptions=True)
