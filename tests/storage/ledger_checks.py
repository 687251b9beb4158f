"""The real ledger beside the model of it, and how the two are compared."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from darkroom.spending.budgets import Balance, BudgetKind, Caps, MustWait, NoMoney
from darkroom.spending.changes import Author, Change, Entry
from darkroom.spending.periods import PeriodKind
from darkroom.turns.model import AttemptState
from storage.admin import SqliteAdminBooks
from storage.database import Database
from storage.turn_log import SqliteTurnLog
from storage.turns import SqliteTurnStore
from tests.fresh import with_books
from tests.storage.balances import balances
from tests.storage.books import check_books, movements
from tests.storage.ledger_model import Call, Facts, Short, Sums, Who

T = TypeVar("T")

START = datetime(2026, 10, 24, 12, tzinfo=UTC)
"""A week before clocks change in New York, the day before they do in Berlin; and a month's end is near."""


def done(work: Coroutine[Any, Any, T]) -> T:
    """What *work* gives: inline storage never waits for anything."""
    try:
        work.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    raise AssertionError("inline storage has waited")


class Compared:
    """Both on one history. ``seen`` counts what came of the acts, over all histories."""

    def __init__(self, seen: Counter[str]) -> None:
        self.seen = seen
        self.folder = Path(tempfile.mkdtemp(prefix="darkroom-ledger-"))
        # The workspace pays a few calls; the others have no cap yet.
        limits = {BudgetKind.PERSON: None, BudgetKind.CHANNEL: None, BudgetKind.WORKSPACE: 300}
        self.facts = Facts(START, Caps(limits, PeriodKind.month, "UTC"))
        self.turns: dict[str, Who] = {}
        self.queued: dict[str, bool] = {}
        """Of every turn, whether it may be held: some were never let in, or are being made."""
        self.decided: list[tuple[Change, Author, Entry]] = []
        self._open()

    def close(self) -> None:
        """Leave nothing behind."""
        self.database.close()
        shutil.rmtree(self.folder)

    def restart(self) -> None:
        """Stop, and open the same file again."""
        self.database.close()
        self._open()

    def _open(self) -> None:
        self.database = Database.open(with_books(self.folder), inline=True)
        self.store = SqliteTurnStore(self.database)
        self.log = SqliteTurnLog(self.database)
        self.admin = SqliteAdminBooks(self.database)

    # --- What must hold ----------------------------------------------------------------------------------

    def check(self) -> None:
        """The books add up, and say what the model says."""
        done(self.database.look(check_books))
        for attempt_id, call in self.facts.calls.items():
            query = "SELECT state, charged_nano_usd FROM attempts WHERE id = ?"
            row = self.database._writer.execute(query, (attempt_id,)).fetchone()
            assert tuple(row) == (call.state, call.charged)
        for turn_id in {who: turn_id for turn_id, who in self.turns.items()}.values():
            self._check_balances(turn_id)
        for team in {who.team for who in self.turns.values()}:
            self._check_lists(team)
        entries = self.database._writer.execute("SELECT COUNT(*) FROM admin_journal").fetchone()[0]
        assert entries == self.facts.decided

    def _check_balances(self, turn_id: str) -> None:
        turn, who = done(self.log.turn(turn_id)), self.turns[turn_id]
        assert turn is not None
        for balance in done(balances(self.database, turn, self.facts.caps, self.facts.now)):
            sums = self.facts.sums(balance.kind, who.budget(balance.kind))
            self._check_balance(balance, sums)

    def _check_balance(self, balance: Balance, sums: Sums) -> None:
        assert balance.period == sums.period
        assert (balance.charged_nano_usd, balance.held_nano_usd) == (sums.charged, sums.held)
        assert (balance.drawn_nano_usd, balance.granted_nano_usd) == (sums.drawn, sums.granted)
        assert (balance.cap_nano_usd, balance.left_nano_usd) == (sums.cap, sums.left)

    def _check_lists(self, team: str) -> None:
        listed = {
            note.grant.number: (
                note.grant.amount_nano_usd,
                note.grant.charged_nano_usd,
                note.grant.left_nano_usd,
            )
            for note in done(self.admin.grants(team, self.facts.now))
        }
        assert listed == {
            given.number: (given.amount, given.paid, given.left)
            for given in self.facts.given
            if given.budget[1] == team and not given.revoked and self.facts.now < given.ends_at
        }
        uncertain = {
            each.attempt_id: each.charged_nano_usd for each in done(self.admin.uncertain(team, 1000))
        }
        assert uncertain == {
            attempt_id: call.charged
            for attempt_id, call in self.facts.calls.items()
            if call.who.team == team and call.state is AttemptState.UNCERTAIN and not call.corrected
        }

    def check_short(self, result: object, expected: Short, amount: int) -> None:
        sums = expected.sums
        assert type(result) is (NoMoney if expected.for_good else MustWait)
        assert isinstance(result, MustWait | NoMoney)
        assert (result.balance.kind, result.hold_nano_usd) == (expected.kind, amount)
        self._check_balance(result.balance, sums)
        name = type(result).__name__
        self.seen[name] += 1
        self.seen[f"{name} of a {expected.kind}"] += 1
        self.seen[f"{name} with grants"] += sums.granted > 0

    def check_no_cap_is_passed(self, call: Call) -> None:
        """Read off the journal: a hold takes own money only as far as the cap goes."""
        moved = movements(self.database._writer)
        keys = self.database._writer.execute(
            "SELECT person_key FROM people WHERE team_id = ? AND user_id = ?", (call.who.team, call.who.user)
        ).fetchone()
        budgets = {
            BudgetKind.PERSON: f"person:{keys[0]}",
            BudgetKind.CHANNEL: f"channel:{call.who.team}:{call.who.channel}",
            BudgetKind.WORKSPACE: f"workspace:{call.who.team}",
        }
        for kind, budget in budgets.items():
            sums, moves = self.facts.sums(kind, call.who.budget(kind)), moved.own[budget]
            start, end = (f"{at:%Y-%m-%dT%H:%M:%S.%f}Z" for at in (sums.period.start, sums.period.end))
            own = sum(moved.within(budget, start, end))
            assert sums.cap is None or own <= sums.cap or moves[-1].held == 0, (budget, own, sums)

    def count(self, call: Call) -> None:
        self.seen["Attempt"] += 1
        if any(
            scope == call.who.budget(BudgetKind.PERSON)
            for rule, scope in self.facts.standing
            if rule == "exempt"
        ):
            self.seen["held for an exempt person"] += 1
        for drawn in call.drawn.values():
            parts = sum(part for _, part in drawn)
            self.seen["drawn"] += parts > 0
            self.seen["split between cap and grant"] += 0 < parts < call.hold
            self.seen["split between grants"] += len(drawn) > 1
