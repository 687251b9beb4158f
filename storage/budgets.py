"""Budgets in SQL: their counters, what they have left, and the admission of a hold. Every function runs
inside its caller's transaction.

A counter is, always, what the journal adds up to for its budget between its two moments, less what the
budget's grants pay of that.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from darkroom.spending.budgets import Balance, BudgetKind, Caps, MustWait, NoMoney
from darkroom.spending.periods import Period, PeriodKind, period_at
from darkroom.spending.policy import Policy, channel_budget, person_budget, workspace_budget
from storage import grants
from storage.grants import Draw, Granted
from storage.times import to_text


class LedgerFault(Exception):
    """The books were asked for something that cannot be true, such as ending a hold in two ways. A fault of
    Darkroom's own: the transaction is rolled back, and the log names the attempt."""


@dataclass(frozen=True, slots=True)
class Payer:
    """Whose budgets a hold is taken from."""

    team_id: str
    channel_id: str
    person_key: str

    def budgets(self) -> dict[BudgetKind, str]:
        """The key of each budget's counters."""
        return {
            BudgetKind.PERSON: person_budget(self.person_key),
            BudgetKind.CHANNEL: channel_budget(self.team_id, self.channel_id),
            BudgetKind.WORKSPACE: workspace_budget(self.team_id),
        }


@dataclass(frozen=True, slots=True)
class Budget:
    """One budget of a payer's in the period that a moment lies in; ``start`` and ``end`` are the period's, as
    the tables keep them."""

    kind: BudgetKind
    key: str
    period: Period
    start: str
    end: str
    cap_nano_usd: int | None


def budgets_of(payer: Payer, policy: Policy, caps: Caps, at: datetime) -> list[Budget]:
    """A payer's budgets, each with its own cap and period."""
    found: list[Budget] = []
    # Most often all three renew together: working out a period takes as long as two statements.
    periods: dict[PeriodKind, tuple[Period, str, str]] = {}
    for kind, key in payer.budgets().items():
        limit = policy.limit(kind, key, caps)
        if limit.period not in periods:
            period = period_at(limit.period, caps.timezone, at)
            periods[limit.period] = period, to_text(period.start), to_text(period.end)
        found.append(Budget(kind, key, *periods[limit.period], limit.cap_nano_usd))
    return found


def balances(db: sqlite3.Connection, payer: Payer, policy: Policy, caps: Caps, at: datetime) -> list[Balance]:
    """The payer's budgets in their periods, read from the journal; makes no counter."""
    found: list[Balance] = []
    for budget in budgets_of(payer, policy, caps, at):
        held, charged = _from_journal(db, budget, payer)
        granted = grants.granted_in(db, budget.key, budget.period, at)
        found.append(_balance(budget, held, charged, granted))
    return found


def refusal(
    db: sqlite3.Connection, payer: Payer, amount: int, budgets: Sequence[Budget], at: datetime
) -> NoMoney | None:
    """The first budget that could not pay *amount* even with every unfinished call given back, or None."""
    for budget in budgets:
        if budget.cap_nano_usd is None:
            continue
        charged = _counter(db, budget, payer)[1]
        if max(0, budget.cap_nano_usd - charged) >= amount:
            continue
        why = _why_not(db, budget, payer, charged, amount, at)
        if isinstance(why, NoMoney):
            return why
    return None


def reserve(
    db: sqlite3.Connection, payer: Payer, amount: int, budgets: Sequence[Budget], at: datetime
) -> list[Draw] | MustWait | NoMoney:
    """Hold *amount* in every budget at once, what its cap has no room for in its grants; gives what they pay.

    When it is refused, some counters may have been changed: the caller rolls back. Two holds can never both
    see the same money, because the caller's transaction is immediate and so the only one that writes. That
    the UPDATE asks for room once more is a second wall: if it fails to find it, that is a ``LedgerFault``.
    """
    draws: list[Draw] = []
    moment = to_text(at)
    known = _counters(db, budgets, payer, moment)
    for budget in budgets:
        held, charged, count = known[budget.key]
        own = amount
        if budget.cap_nano_usd is not None:
            own = min(amount, max(0, budget.cap_nano_usd - charged - held))
        if own < amount:
            open_now = grants.open_grants(db, budget.key, at)
            if sum(grant.left_nano_usd for grant in open_now) < amount - own:
                return _why_not(db, budget, payer, charged, amount, at)
            draws += grants.draw(db, open_now, amount - own)
        claimed = db.execute(
            """
            UPDATE counters SET held_nano_usd = held_nano_usd + :own
            WHERE budget = :key AND period_start <= :at AND :at < period_end
              AND (period_kind <> :kind OR timezone <> :zone OR period_start <> :start OR :cap IS NULL
                   OR :own = 0 OR charged_nano_usd + held_nano_usd + :own <= :cap)
            """,
            {
                "own": own,
                "key": budget.key,
                "at": moment,
                "kind": budget.period.kind,
                "zone": budget.period.timezone,
                "start": to_text(budget.period.start),
                "cap": budget.cap_nano_usd,
            },
        ).rowcount
        if claimed != count:
            raise LedgerFault(f"{budget.key}: {claimed} of {count} counters could be claimed")
    return draws


def balance_of(db: sqlite3.Connection, budget: Budget, payer: Payer, at: datetime) -> Balance:
    """One budget in its period, as its counter and its grants stand."""
    held, charged = _counter(db, budget, payer)
    granted = grants.granted_in(db, budget.key, budget.period, at)
    return _balance(budget, held + granted.held_nano_usd, charged + granted.charged_nano_usd, granted)


def _counter(db: sqlite3.Connection, budget: Budget, payer: Payer) -> tuple[int, int]:
    """Held and charged of the budget's own, without making a counter: from it, or else from the journal."""
    row = db.execute(
        """
        SELECT period_end, held_nano_usd, charged_nano_usd FROM counters
        WHERE budget = ? AND period_start = ? AND period_kind = ? AND timezone = ?
        """,
        (budget.key, budget.start, budget.period.kind, budget.period.timezone),
    ).fetchone()
    if row is None or row["period_end"] != budget.end:
        return _own_from_journal(db, budget, payer)
    return row["held_nano_usd"], row["charged_nano_usd"]


def _counters(
    db: sqlite3.Connection, budgets: Sequence[Budget], payer: Payer, moment: str
) -> dict[str, tuple[int, int, int]]:
    """For each budget: held and charged of its own in its period, and how many counters contain *moment*.
    Makes the counters that are missing."""
    keys = [budget.key for budget in budgets]
    found = _containing(db, keys, moment)
    for budget in budgets:
        mine = found.get(budget.key, {}).get((budget.period.kind, budget.period.timezone, budget.start))
        # A newer time zone database may have moved a period's end: then it is counted anew.
        if mine is None or mine["period_end"] != budget.end:
            _open_counter(db, budget, payer)
            found = _containing(db, keys, moment)
    known: dict[str, tuple[int, int, int]] = {}
    for budget in budgets:
        rows = found[budget.key]
        row = rows[budget.period.kind, budget.period.timezone, budget.start]
        known[budget.key] = row["held_nano_usd"], row["charged_nano_usd"], len(rows)
    return known


def _containing(
    db: sqlite3.Connection, keys: Sequence[str], moment: str
) -> dict[str, dict[tuple[str, str, str], sqlite3.Row]]:
    found: dict[str, dict[tuple[str, str, str], sqlite3.Row]] = {}
    for row in db.execute(
        """
        SELECT * FROM counters WHERE budget IN (?, ?, ?) AND period_start <= ? AND ? < period_end
        """,
        (*keys, moment, moment),
    ):
        place = (row["period_kind"], row["timezone"], row["period_start"])
        found.setdefault(row["budget"], {})[place] = row
    return found


def _open_counter(db: sqlite3.Connection, budget: Budget, payer: Payer) -> None:
    held, charged = _own_from_journal(db, budget, payer)
    period = budget.period
    db.execute(
        """
        INSERT OR REPLACE INTO counters
            (budget, period_kind, timezone, period_start, period_end, held_nano_usd, charged_nano_usd)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        """,
        (
            budget.key,
            period.kind,
            period.timezone,
            budget.start,
            budget.end,
            held,
            charged,
        ),
    )


def _why_not(
    db: sqlite3.Connection, budget: Budget, payer: Payer, charged: int, amount: int, at: datetime
) -> NoMoney | MustWait:
    """Whether only unfinished calls stand between *amount* and its money in *budget*; *charged* is
    its own."""
    balance = balance_of(db, budget, payer, at)
    room = max(0, (budget.cap_nano_usd or 0) - charged)
    granted = sum(
        grant.amount_nano_usd - grant.charged_nano_usd for grant in grants.open_grants(db, budget.key, at)
    )
    return (MustWait if room + granted >= amount else NoMoney)(balance, amount)


def _balance(budget: Budget, held: int, charged: int, granted: Granted) -> Balance:
    """*held* and *charged* are all of it, with what grants pay."""
    return Balance(
        budget.kind,
        budget.period,
        charged,
        held,
        budget.cap_nano_usd,
        drawn_nano_usd=granted.drawn_nano_usd,
        granted_nano_usd=granted.left_nano_usd,
    )


_WHOSE: Mapping[BudgetKind, str] = {
    BudgetKind.PERSON: "person_key = :person",
    BudgetKind.CHANNEL: "team_id = :team AND channel_id = :channel",
    BudgetKind.WORKSPACE: "team_id = :team",
}


def _from_journal(db: sqlite3.Connection, budget: Budget, payer: Payer) -> tuple[int, int]:
    """Held and charged in the budget's period, with what grants pay."""
    row = db.execute(
        f"""
        SELECT COALESCE(SUM(held_delta_nano_usd), 0), COALESCE(SUM(charged_delta_nano_usd), 0) FROM journal
        WHERE {_WHOSE[budget.kind]} AND held_at >= :start AND held_at < :end
        """,
        {
            "person": payer.person_key,
            "team": payer.team_id,
            "channel": payer.channel_id,
            "start": budget.start,
            "end": budget.end,
        },
    ).fetchone()
    return row[0], row[1]


def _own_from_journal(db: sqlite3.Connection, budget: Budget, payer: Payer) -> tuple[int, int]:
    held, charged = _from_journal(db, budget, payer)
    drawn_held, drawn_charged = grants.drawn_in(db, budget.key, budget.period)
    return held - drawn_held, charged - drawn_charged
