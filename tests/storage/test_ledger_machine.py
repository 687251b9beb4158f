"""The ledger against a plain model of it: any sequence of holds, ends, caps, periods, clocks and restarts."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from darkroom.spending.budgets import Barred, BudgetKind, Caps, MustWait, NoMoney
from darkroom.spending.periods import PeriodKind
from darkroom.turns.model import Attempt, AttemptState, ThreadReplies, Told, Turn
from darkroom.turns.store import NotWaiting, Plan
from storage.database import Database
from storage.ledger import LedgerFault
from storage.turn_log import SqliteTurnLog
from storage.turns import SqliteTurnStore
from tests.examples import command, plan, settlement
from tests.storage.books import check_books

T = TypeVar("T")

START = datetime(2026, 10, 24, 12, tzinfo=UTC)
"""A week before clocks change in New York, the day before they do in Berlin; and a month's end is near."""
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Pacific/Auckland")
OPEN = (AttemptState.HELD, AttemptState.DISPATCHED)
AMOUNTS = st.one_of(st.just(100), st.sampled_from([0, 1, 99, 101]), st.integers(1, 300))
LIMITS = st.one_of(st.sampled_from([100, 200, 300, 400]), st.sampled_from([None, 0]), st.integers(0, 900))
PEOPLE = st.sampled_from([("T1", "C1", "U1"), ("T1", "C1", "U2"), ("T1", "C2", "U1"), ("T2", "C1", "U1")])
COSTS = st.sampled_from(["less", "all", "nothing", "more"])
PURCHASES = st.tuples(PEOPLE, AMOUNTS, st.one_of(COSTS, st.sampled_from(["held", "sent"])))


def done(work: Coroutine[Any, Any, T]) -> T:
    """What *work* gives: inline storage never waits for anything."""
    try:
        work.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    raise AssertionError("inline storage has waited")


@dataclass
class Call:
    """An attempt as the model knows it."""

    turn: str
    budgets: dict[BudgetKind, tuple[str, ...]]
    hold: int
    held_at: datetime
    state: AttemptState = AttemptState.HELD
    charged: int = 0


@dataclass
class Waiting:
    """A turn as the model knows it."""

    budgets: dict[BudgetKind, tuple[str, ...]]
    queued: bool = True


class LedgerMachine(RuleBasedStateMachine):
    """People of two workspaces spend; the model adds up with a loop what the ledger keeps in counters."""

    seen: ClassVar[Counter[type]] = Counter()
    """What came of the holds, over all histories."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="darkroom-ledger-"))
        self.now = START
        # The workspace pays a few calls; the others have no cap yet.
        self.caps = Caps(
            {BudgetKind.PERSON: None, BudgetKind.CHANNEL: None, BudgetKind.WORKSPACE: 300},
            PeriodKind.month,
            "UTC",
        )
        self.turns: dict[str, Waiting] = {}
        self.calls: dict[str, Call] = {}
        self.attempts = 0
        self._open(create=True)

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.database.close()
            shutil.rmtree(self.folder)

    def _open(self, *, create: bool = False) -> None:
        self.database = Database.open(self.folder, create=create, inline=True)
        self.store = SqliteTurnStore(self.database)
        self.log = SqliteTurnLog(self.database)

    # --- The world ---------------------------------------------------------------------------------------

    @rule(hours=st.sampled_from([1, 2, 24, 24 * 7, 24 * 31]), minutes=st.integers(-10, 0))
    def time_leaps(self, hours: int, minutes: int) -> None:
        self.now += timedelta(hours=hours if minutes > -5 else 0, minutes=minutes)

    @rule(kind=st.sampled_from(list(BudgetKind)), limit=LIMITS)
    def a_cap_changes(self, kind: BudgetKind, limit: int | None) -> None:
        self.caps = replace(self.caps, limits={**self.caps.limits, kind: limit})

    @rule(period=st.sampled_from(list(PeriodKind)), zone=st.sampled_from(ZONES))
    def period_changes(self, period: PeriodKind, zone: str) -> None:
        self.caps = replace(self.caps, period=period, timezone=zone)

    @rule()
    def darkroom_restarts(self) -> None:
        self.database.close()
        self._open()

    # --- Turns and calls ---------------------------------------------------------------------------------

    @rule(who=PEOPLE, amount=AMOUNTS)
    def somebody_asks(self, who: tuple[str, str, str], amount: int) -> None:
        self._ask(who, amount)

    @rule(purchases=st.lists(PURCHASES, min_size=2, max_size=7))
    def people_buy(self, purchases: list[tuple[tuple[str, str, str], int, str]]) -> None:
        """The usual way, all in one, some of them still unfinished when the next one asks."""
        for who, amount, cost in purchases:
            turn_id, planned = self._ask(who, amount), self._plan(amount)
            result = done(self.store.hold(turn_id, planned, self.caps, self.now))
            self._check_admission(turn_id, planned, result)
            call = self.calls.get(planned.attempt_id)
            if call is not None and cost != "held":
                assert done(self.store.send(planned.attempt_id, self.now))
                call.state = AttemptState.DISPATCHED
                if cost != "sent":
                    self._settle(planned.attempt_id, call, cost, picture=cost == "less")

    def _ask(self, who: tuple[str, str, str], amount: int) -> str:
        team, channel, user = who
        turn_id = f"turn_{len(self.turns)}"
        request = replace(command(user=user, trigger=turn_id, channel=channel), team_id=team)
        done(self.store.arrive(turn_id, request, self.now, ThreadReplies.JOINED))
        budgets = {
            BudgetKind.PERSON: ("person", team, user),
            BudgetKind.CHANNEL: ("channel", team, channel),
            BudgetKind.WORKSPACE: ("workspace", team),
        }
        self.turns[turn_id] = Waiting(budgets)
        answer = done(self.store.queue(turn_id, plan("none", amount), self.caps, self.now))
        short = [kind for kind in BudgetKind if self._idle_refuses(budgets[kind], kind, amount)]
        if short:
            assert isinstance(answer, NoMoney)
            assert answer.balance.kind is short[0]
            free = Caps(dict.fromkeys(BudgetKind), PeriodKind.month, "UTC")
            answer = done(self.store.queue(turn_id, plan("none", amount), free, self.now))
        assert isinstance(answer, Turn)
        done(self.store.tell(turn_id, Told.PLACEHOLDER, turn_id, self.now))
        return turn_id

    @precondition(lambda self: self.turns)
    @rule(data=st.data(), amount=AMOUNTS)
    def hold(self, data: st.DataObject, amount: int) -> None:
        turn_id = data.draw(st.sampled_from(sorted(self.turns)))
        waiting = self.turns[turn_id]
        planned = self._plan(amount)
        if not waiting.queued:
            with pytest.raises(NotWaiting):
                done(self.store.hold(turn_id, planned, self.caps, self.now))
            return
        self._check_admission(turn_id, planned, done(self.store.hold(turn_id, planned, self.caps, self.now)))

    @precondition(lambda self: self.calls)
    @rule(data=st.data())
    def send(self, data: st.DataObject) -> None:
        attempt_id, call = self._some_call(data)
        assert done(self.store.send(attempt_id, self.now)) is (call.state is AttemptState.HELD)
        if call.state is AttemptState.HELD:
            call.state = AttemptState.DISPATCHED

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), cost=COSTS, picture=st.booleans())
    def settle(self, data: st.DataObject, cost: str, picture: bool) -> None:
        self._settle(*self._some_call(data), cost, picture)

    def _settle(self, attempt_id: str, call: Call, cost: str, picture: bool) -> None:
        amount = {"nothing": 0, "less": call.hold // 2, "all": call.hold, "more": call.hold + 7}[cost]
        picture_id = f"pic_{attempt_id}" if picture else None
        self._end(attempt_id, call, AttemptState.SETTLED, amount, picture_id)

    @precondition(lambda self: self.calls)
    @rule(data=st.data())
    def nobody_can_say(self, data: st.DataObject) -> None:
        attempt_id, call = self._some_call(data)
        self._end(attempt_id, call, AttemptState.UNCERTAIN, call.hold, None)

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), following=st.one_of(st.none(), AMOUNTS))
    def fall_back(self, data: st.DataObject, following: int | None) -> None:
        attempt_id, call = self._some_call(data)
        planned = None if following is None else self._plan(following)
        if call.state not in (*OPEN, AttemptState.RELEASED):
            with pytest.raises(LedgerFault):
                done(self.store.fall_back(attempt_id, "why", planned, self.caps, self.now))
            return
        if call.state is AttemptState.RELEASED:
            done(self.store.fall_back(attempt_id, "again", None, self.caps, self.now))
            return
        call.state = AttemptState.RELEASED
        self.turns[call.turn].queued = True
        result = done(self.store.fall_back(attempt_id, "why", planned, self.caps, self.now))
        if planned is None:
            assert result is None
        else:
            assert result is not None
            self._check_admission(call.turn, planned, result)

    # --- What must hold ----------------------------------------------------------------------------------

    @invariant()
    def the_books_add_up(self) -> None:
        if not hasattr(self, "database"):
            return
        done(self.database.look(check_books))
        for attempt_id, call in self.calls.items():
            query = "SELECT state, charged_nano_usd FROM attempts WHERE id = ?"
            row = self.database._writer.execute(query, (attempt_id,)).fetchone()
            assert tuple(row) == (call.state, call.charged)

    @invariant()
    def balances_are_what_the_model_adds_up(self) -> None:
        for turn_id, waiting in getattr(self, "turns", {}).items():
            turn = done(self.log.turn(turn_id))
            assert turn is not None
            for balance in done(self.log.balances(turn, self.caps, self.now)):
                found = balance.charged_nano_usd, balance.held_nano_usd
                assert found == self._sums(waiting.budgets[balance.kind], balance.kind)

    def _check_admission(
        self, turn_id: str, planned: Plan, result: Attempt | MustWait | NoMoney | Barred
    ) -> None:
        waiting, amount = self.turns[turn_id], planned.bound.total_nano_usd
        refusing = None
        for kind, budget in waiting.budgets.items():
            charged, held = self._sums(budget, kind)
            cap = self.caps.limits[kind]
            if cap is not None and charged + held + amount > cap:
                refusing = (kind, charged, held, NoMoney if charged + amount > cap else MustWait)
                break
        self.seen[type(result)] += 1
        if refusing is None:
            assert isinstance(result, Attempt)
            self.calls[planned.attempt_id] = Call(turn_id, waiting.budgets, amount, self.now)
            waiting.queued = False
            return
        kind, charged, held, why = refusing
        assert type(result) is why
        assert not isinstance(result, Attempt | Barred)
        assert result.balance.kind is kind
        assert (result.balance.charged_nano_usd, result.balance.held_nano_usd) == (charged, held)
        assert result.hold_nano_usd == amount

    def _end(
        self, attempt_id: str, call: Call, state: AttemptState, amount: int, picture_id: str | None
    ) -> None:
        written = settlement(amount, picture_id=picture_id, state=state)
        if call.state not in (AttemptState.DISPATCHED, state):
            with pytest.raises(LedgerFault):
                done(self.store.render(attempt_id, written, self.caps, self.now))
            return
        done(self.store.render(attempt_id, written, self.caps, self.now))
        if call.state is AttemptState.DISPATCHED:
            call.state, call.charged = state, amount

    def _plan(self, amount: int) -> Plan:
        self.attempts += 1
        return plan(f"try_{self.attempts:04d}", amount)

    def _some_call(self, data: st.DataObject) -> tuple[str, Call]:
        """Mostly one that is open, sometimes any."""
        still_open = sorted(name for name, call in self.calls.items() if call.state in OPEN)
        anyone = not still_open or data.draw(st.integers(0, 5)) == 0
        attempt_id = data.draw(st.sampled_from(sorted(self.calls) if anyone else still_open))
        return attempt_id, self.calls[attempt_id]

    def _sums(self, budget: tuple[str, ...], kind: BudgetKind) -> tuple[int, int]:
        """Charged and held of a budget in the period of now."""
        period = self.caps.period_at(self.now)
        within = [
            call
            for call in self.calls.values()
            if call.budgets[kind] == budget and period.start <= call.held_at < period.end
        ]
        return sum(call.charged for call in within), sum(call.hold for call in within if call.state in OPEN)

    def _idle_refuses(self, budget: tuple[str, ...], kind: BudgetKind, amount: int) -> bool:
        cap = self.caps.limits[kind]
        return cap is not None and self._sums(budget, kind)[0] + amount > cap


def run(sequences: int, *, shrink: bool) -> None:
    """The machine, the same sequences each time. Making a failing one short takes minutes."""
    LedgerMachine.seen.clear()
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=sequences,
            stateful_step_count=25,
            derandomize=True,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
        ),
    )
    assert all(LedgerMachine.seen[each] > 50 for each in (Attempt, MustWait, NoMoney)), LedgerMachine.seen


@pytest.mark.slow
def test_two_hundred_histories_agree_with_the_model() -> None:
    run(200, shrink=False)


@pytest.mark.proof
def test_two_thousand_histories_agree_with_the_model() -> None:
    run(2_000, shrink=True)
