"""A turn that wants several pictures: an attempt for each, never more than wanted, whatever comes between."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from darkroom.spending.budgets import MustWait, NoMoney
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import (
    Attempt,
    AttemptState,
    Options,
    Request,
    Surface,
    ThreadReplies,
    Told,
    Turn,
    TurnState,
)
from darkroom.turns.store import NotWaiting
from storage.database import Database
from storage.ledger import LedgerFault
from storage.turn_log import SqliteTurnLog
from storage.turns import SqliteTurnStore
from tests.examples import DESIGN, NOON, TEAM, caps, command, message, plan, settlement
from tests.fresh import with_books
from tests.storage.books import check_books
from tests.storage.ledger_checks import done

JOINED = ThreadReplies.JOINED
FREE = caps()
ROOT = "1763640000.000100"
OPEN = (AttemptState.HELD, AttemptState.DISPATCHED)


@pytest.fixture
def store(database: Database) -> SqliteTurnStore:
    return SqliteTurnStore(database)


@pytest.fixture
def log(database: Database) -> SqliteTurnLog:
    return SqliteTurnLog(database)


async def waiting(store: SqliteTurnStore, wanted: int, request: Request | None = None) -> None:
    """A queued turn with its thread."""
    asked = replace(request or command(), wanted=wanted)
    await store.arrive("turn_1", asked, NOON, JOINED)
    assert isinstance(await store.queue("turn_1", plan("none"), FREE, NOON), Turn)
    if asked.opens_thread:
        await store.tell("turn_1", Told.PLACEHOLDER, ROOT, NOON)


async def held(store: SqliteTurnStore, name: str, **more: Any) -> Attempt:
    attempt = await store.hold("turn_1", plan(name, **more), FREE, NOON)
    assert isinstance(attempt, Attempt)
    return attempt


async def made(store: SqliteTurnStore, name: str) -> None:
    """The attempt brings its picture."""
    await store.send(name, NOON)
    assert await store.render(name, settlement(60, picture_id=f"pic_{name}"), FREE, NOON) is not None


async def state(log: SqliteTurnLog) -> TurnState:
    turn = await log.turn("turn_1")
    assert turn is not None
    return turn.state


async def test_as_many_attempts_are_open_at_once_as_pictures_are_wanted(
    store: SqliteTurnStore, log: SqliteTurnLog
) -> None:
    await waiting(store, 3)
    attempts = [await held(store, f"try_{number}") for number in range(3)]
    assert [attempt.number for attempt in attempts] == [1, 2, 3]
    with pytest.raises(NotWaiting):
        await store.hold("turn_1", plan("try_4"), FREE, NOON)
    for name in ("try_2", "try_0", "try_1"):
        await made(store, name)
    assert [picture.attempt_id for picture in await log.pictures("turn_1")] == ["try_2", "try_0", "try_1"]
    assert [picture.version for picture in await log.pictures("turn_1")] == [1, 2, 3]
    with pytest.raises(NotWaiting):
        await store.hold("turn_1", plan("try_4"), FREE, NOON)


async def test_what_was_given_back_may_be_tried_again_and_what_was_paid_for_may_not(
    store: SqliteTurnStore,
) -> None:
    await waiting(store, 2)
    for name in ("try_1", "try_2"):
        await held(store, name)
        await store.send(name, NOON)
    await store.fall_back("try_1", "rate", None, FREE, NOON)
    assert (await held(store, "try_3")).number == 3
    await store.render("try_2", settlement(100, state=AttemptState.UNCERTAIN), FREE, NOON)
    with pytest.raises(NotWaiting):
        await store.hold("turn_1", plan("try_4"), FREE, NOON)


async def test_falling_back_swaps_one_of_several(store: SqliteTurnStore, log: SqliteTurnLog) -> None:
    await waiting(store, 2)
    for name in ("try_1", "try_2"):
        await held(store, name)
    following = await store.fall_back("try_1", "model_not_found", plan("try_3"), FREE, NOON)
    assert isinstance(following, Attempt)
    states = [attempt.state for attempt in await log.attempts("turn_1")]
    assert states == [AttemptState.RELEASED, AttemptState.HELD, AttemptState.HELD]


async def test_a_turn_whose_own_calls_hold_the_money_waits_and_stays_working(
    store: SqliteTurnStore, log: SqliteTurnLog
) -> None:
    await waiting(store, 2)
    await held(store, "try_1")
    limit = caps(person=150)
    assert isinstance(await store.hold("turn_1", plan("try_2"), limit, NOON), MustWait)
    assert await state(log) is TurnState.WORKING
    await store.send("try_1", NOON)
    await store.render("try_1", settlement(60, picture_id="pic_1"), limit, NOON)
    assert isinstance(await store.hold("turn_1", plan("try_2"), limit, NOON), NoMoney)
    assert isinstance(await store.hold("turn_1", plan("try_2", 90), limit, NOON), Attempt)


async def test_with_a_picture_in_hand_a_turn_is_neither_revised_nor_taken_back_while_it_waits(
    store: SqliteTurnStore, log: SqliteTurnLog
) -> None:
    """The picture was paid for, and must reach its thread."""
    await waiting(store, 3, message("two foxes", ROOT, ROOT, surface=Surface.MENTION))
    await held(store, "try_1")
    await held(store, "try_2")
    await made(store, "try_1")
    await store.fall_back("try_2", "rate", None, FREE, NOON)
    assert await state(log) is TurnState.WORKING
    revised = await store.revise(TEAM, DESIGN, ROOT, "a cat", Options(), (), NOON)
    assert revised is not None
    assert (revised.request.prompt, revised.revision) == ("two foxes", 0)
    cancelled = Ending(Outcome.CANCELLED, Reason.TAKEN_BACK)
    assert (await store.end("turn_1", cancelled, NOON, waiting_only=True)).ending is None


async def test_when_all_were_given_back_the_turn_waits_in_the_queue_again(
    store: SqliteTurnStore, log: SqliteTurnLog
) -> None:
    await waiting(store, 2)
    for name in ("try_1", "try_2"):
        await held(store, name)
    await store.fall_back("try_1", "rate", None, FREE, NOON)
    assert await state(log) is TurnState.WORKING
    await store.fall_back("try_2", "rate", None, FREE, NOON)
    assert await state(log) is TurnState.QUEUED


async def test_the_parent_is_that_of_the_first_hold(store: SqliteTurnStore, log: SqliteTurnLog) -> None:
    """Also for attempts after one that was given back; each attempt keeps what it was planned with."""
    await waiting(store, 1)
    await held(store, "try_1")
    await made(store, "try_1")
    second = replace(message("bluer", "1763640009.000001", ROOT), wanted=2)
    await store.arrive("turn_2", second, NOON, JOINED)
    await store.queue("turn_2", None, FREE, NOON)
    for name, parent in (("try_2", "pic_try_1"), ("try_3", None)):
        attempt = await store.hold("turn_2", plan(name, parent_id=parent), FREE, NOON)
        assert isinstance(attempt, Attempt)
        assert attempt.parent_id == parent
    turn = await log.turn("turn_2")
    assert turn is not None
    assert turn.parent_id == "pic_try_1"


async def test_no_parent_at_the_first_hold_is_none_for_good(
    store: SqliteTurnStore, log: SqliteTurnLog
) -> None:
    await waiting(store, 2)
    await held(store, "try_1")
    await made(store, "try_1")
    await held(store, "try_2", parent_id="pic_try_1")
    turn = await log.turn("turn_1")
    assert turn is not None
    assert turn.parent_id is None


async def test_a_turn_with_an_open_hold_beside_a_picture_cannot_end(store: SqliteTurnStore) -> None:
    await waiting(store, 2)
    await held(store, "try_1")
    await held(store, "try_2")
    await made(store, "try_1")
    with pytest.raises(LedgerFault, match="try_2"):
        await store.end("turn_1", Ending(Outcome.PICTURES, Reason.PICTURES), NOON)


async def test_attempts_asked_for_at_once_are_never_more_than_wanted(tmp_path: Path) -> None:
    database = Database.open(with_books(tmp_path), create=True)
    store = SqliteTurnStore(database)
    await waiting(store, 3)
    results = await asyncio.gather(
        *(store.hold("turn_1", plan(f"try_{i}"), FREE, NOON) for i in range(10)), return_exceptions=True
    )
    database.close()
    assert sum(isinstance(result, Attempt) for result in results) == 3
    assert sum(isinstance(result, NotWaiting) for result in results) == 7


class SlotsMachine(RuleBasedStateMachine):
    """One turn; its attempts are held, sent, swapped, given back and paid for in any order."""

    @initialize(wanted=st.integers(1, 4), cap=st.sampled_from([None, 150, 250, 1000]))
    def begin(self, wanted: int, cap: int | None) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.database = Database.open(with_books(Path(self.folder.name)), create=True, inline=True)
        self.store, self.log = SqliteTurnStore(self.database), SqliteTurnLog(self.database)
        self.wanted, self.caps, self.names = wanted, caps(person=cap), 0
        self.states: dict[str, AttemptState] = {}
        self.ended = False
        done(waiting(self.store, wanted))

    def teardown(self) -> None:
        if hasattr(self, "database"):
            done(self.database.look(check_books))
            self.database.close()
            self.folder.cleanup()

    def _next(self) -> str:
        self.names += 1
        return f"try_{self.names}"

    def _used(self) -> int:
        return sum(state is not AttemptState.RELEASED for state in self.states.values())

    @rule()
    def hold(self) -> None:
        name = self._next()
        if self.ended or self._used() >= self.wanted:
            with pytest.raises(NotWaiting):
                done(self.store.hold("turn_1", plan(name), self.caps, NOON))
            return
        result = done(self.store.hold("turn_1", plan(name), self.caps, NOON))
        assert isinstance(result, Attempt | MustWait | NoMoney)
        if isinstance(result, Attempt):
            self.states[name] = AttemptState.HELD

    @precondition(lambda self: self.states)
    @rule(data=st.data(), state=st.sampled_from([AttemptState.SETTLED, AttemptState.UNCERTAIN]))
    def it_is_paid_for(self, data: st.DataObject, state: AttemptState) -> None:
        name = data.draw(st.sampled_from(sorted(self.states)))
        if self.states[name] not in OPEN:
            return
        done(self.store.send(name, NOON))
        picture = f"pic_{name}" if state is AttemptState.SETTLED and data.draw(st.booleans()) else None
        done(self.store.render(name, settlement(60, picture_id=picture, state=state), self.caps, NOON))
        self.states[name] = state

    @precondition(lambda self: self.states)
    @rule(data=st.data(), again=st.booleans())
    def it_is_given_back(self, data: st.DataObject, again: bool) -> None:
        name = data.draw(st.sampled_from(sorted(self.states)))
        if self.states[name] not in OPEN:
            return
        following = self._next()
        result = done(self.store.fall_back(name, "why", plan(following) if again else None, self.caps, NOON))
        self.states[name] = AttemptState.RELEASED
        if isinstance(result, Attempt):
            self.states[following] = AttemptState.HELD

    @rule()
    def somebody_takes_it_back(self) -> None:
        ending = Ending(Outcome.CANCELLED, Reason.TAKEN_BACK)
        if not self.ended and any(state in OPEN for state in self.states.values()):
            return
        turn = done(self.store.end("turn_1", ending, NOON, waiting_only=True))
        self.ended = turn.state is TurnState.ENDED
        assert self.ended is (self._used() == 0), "what was paid for is delivered"

    @invariant()
    def it_is_working_as_long_as_something_is_open_or_paid_for(self) -> None:
        if hasattr(self, "database") and not self.ended:
            turn = done(self.log.turn("turn_1"))
            assert turn is not None
            assert turn.state is (TurnState.WORKING if self._used() else TurnState.QUEUED)
            assert self._used() <= self.wanted
            attempts = {each.id: each.state for each in done(self.log.attempts("turn_1"))}
            assert {name: OPEN[0] if each in OPEN else each for name, each in attempts.items()} == self.states


TestSlots = SlotsMachine.TestCase
TestSlots.settings = settings(
    max_examples=40, stateful_step_count=20, deadline=None, derandomize=True, database=None
)
