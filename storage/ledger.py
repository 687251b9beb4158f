"""The books: counters, holds and the journal. Every function runs inside its caller's transaction.

A movement of money is one journal entry and the same change of every counter that contains the moment of
its hold; so each counter is, always, what the journal adds up to between its two moments.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from darkroom.rendering.job import Usage
from darkroom.spending.budgets import Balance, BudgetKind, Caps, MustWait, NoMoney
from darkroom.spending.classes import Cost
from darkroom.spending.periods import Period
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
            BudgetKind.PERSON: f"person:{self.person_key}",
            BudgetKind.CHANNEL: f"channel:{self.team_id}:{self.channel_id}",
            BudgetKind.WORKSPACE: f"workspace:{self.team_id}",
        }


@dataclass(frozen=True, slots=True)
class Movement:
    """What a journal entry says beside the two amounts."""

    kind: str
    attempt_id: str
    held_at: str
    image_model: str
    host_model: str
    endpoint: str
    provider: str
    price_version: str
    pictures: int = 0
    host_usage: Usage | None = None
    image_usage: Usage | None = None
    flags: frozenset[str] = frozenset()


def balances(db: sqlite3.Connection, payer: Payer, caps: Caps, period: Period) -> list[Balance]:
    """The payer's budgets in *period*, read from the journal; makes no counter."""
    return [
        Balance(kind, period, charged, held, caps.limits[kind])
        for kind in payer.budgets()
        for held, charged in [_from_journal(db, kind, payer, period)]
    ]


def refusal(db: sqlite3.Connection, payer: Payer, amount: int, caps: Caps, at: datetime) -> NoMoney | None:
    """The first budget that could not pay *amount* even with every unfinished call given back, or None."""
    period = caps.period_at(at)
    for kind, key in payer.budgets().items():
        cap = caps.limits[kind]
        if cap is None:
            continue
        held, charged = _counter(db, kind, key, payer, period)
        if charged + amount > cap:
            return NoMoney(Balance(kind, period, charged, held, cap), amount)
    return None


def reserve(
    db: sqlite3.Connection, payer: Payer, amount: int, caps: Caps, at: datetime
) -> MustWait | NoMoney | None:
    """Hold *amount* in every budget at once; None when it is held.

    When it is not, some counters may have been changed: the caller rolls back. Each budget is claimed by one
    conditional UPDATE, so two holds can never both see the same money.
    """
    period = caps.period_at(at)
    start, moment = to_text(period.start), to_text(at)
    for kind, key in payer.budgets().items():
        cap = caps.limits[kind]
        _open_counter(db, kind, key, payer, period)
        claimed = db.execute(
            """
            UPDATE counters SET held_nano_usd = held_nano_usd + :amount
            WHERE budget = :key AND period_start = :start AND period_kind = :kind AND timezone = :zone
              AND (:cap IS NULL OR charged_nano_usd + held_nano_usd + :amount <= :cap)
            """,
            {
                "amount": amount,
                "key": key,
                "start": start,
                "kind": period.kind,
                "zone": period.timezone,
                "cap": cap,
            },
        ).rowcount
        if claimed == 0:
            held, charged = _counter(db, kind, key, payer, period)
            balance = Balance(kind, period, charged, held, cap)
            return (NoMoney if charged + amount > (cap or 0) else MustWait)(balance, amount)
        db.execute(
            """
            UPDATE counters SET held_nano_usd = held_nano_usd + :amount
            WHERE budget = :key AND period_start <= :at AND :at < period_end
              AND NOT (period_start = :start AND period_kind = :kind AND timezone = :zone)
            """,
            {
                "amount": amount,
                "key": key,
                "at": moment,
                "start": start,
                "kind": period.kind,
                "zone": period.timezone,
            },
        )
    return None


def move(
    db: sqlite3.Connection, payer: Payer, movement: Movement, held_delta: int, cost: Cost | None, at: datetime
) -> None:
    """End a hold: change every counter that contains its moment and write the entry with its lines."""
    charged = cost.total_nano_usd if cost else 0
    for key in payer.budgets().values():
        db.execute(
            """
            UPDATE counters SET held_nano_usd = held_nano_usd + ?, charged_nano_usd = charged_nano_usd + ?
            WHERE budget = ? AND period_start <= ? AND ? < period_end
            """,
            (held_delta, charged, key, movement.held_at, movement.held_at),
        )
    enter(db, payer, movement, held_delta, cost, at)


def enter(
    db: sqlite3.Connection, payer: Payer, movement: Movement, held_delta: int, cost: Cost | None, at: datetime
) -> None:
    """Write one journal entry, and its lines by token class."""
    entry = db.execute(
        """
        INSERT INTO journal (at, kind, attempt_id, team_id, channel_id, person_key, held_at,
            held_delta_nano_usd, charged_delta_nano_usd, pictures, image_model, host_model, endpoint,
            provider, price_version, host_usage, image_usage, flags)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        (
            to_text(at),
            movement.kind,
            movement.attempt_id,
            payer.team_id,
            payer.channel_id,
            payer.person_key,
            movement.held_at,
            held_delta,
            cost.total_nano_usd if cost else 0,
            movement.pictures,
            movement.image_model,
            movement.host_model,
            movement.endpoint,
            movement.provider,
            movement.price_version,
            _json_or_null(movement.host_usage),
            _json_or_null(movement.image_usage),
            json.dumps(sorted(movement.flags)),
        ),
    ).lastrowid
    for line in cost.lines if cost else ():
        db.execute(
            """
            INSERT INTO charge_lines (journal_id, token_class, tokens, charged_nano_usd)
            VALUES (?, ?, ?, ?)
            """,
            (entry, line.token_class, line.tokens, line.charged_nano_usd),
        )


def _counter(
    db: sqlite3.Connection, kind: BudgetKind, key: str, payer: Payer, period: Period
) -> tuple[int, int]:
    row = db.execute(
        """
        SELECT held_nano_usd, charged_nano_usd FROM counters
        WHERE budget = ? AND period_start = ? AND period_kind = ? AND timezone = ?
        """,
        (key, to_text(period.start), period.kind, period.timezone),
    ).fetchone()
    return (row[0], row[1]) if row else _from_journal(db, kind, payer, period)


def _open_counter(db: sqlite3.Connection, kind: BudgetKind, key: str, payer: Payer, period: Period) -> None:
    known = db.execute(
        """
        SELECT period_end FROM counters
        WHERE budget = ? AND period_start = ? AND period_kind = ? AND timezone = ?
        """,
        (key, to_text(period.start), period.kind, period.timezone),
    ).fetchone()
    # A newer time zone database may have moved a period's end: then it is counted anew.
    if known and known["period_end"] == to_text(period.end):
        return
    held, charged = _from_journal(db, kind, payer, period)
    db.execute(
        """
        INSERT OR REPLACE INTO counters
            (budget, period_kind, timezone, period_start, period_end, held_nano_usd, charged_nano_usd)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        """,
        (key, period.kind, period.timezone, to_text(period.start), to_text(period.end), held, charged),
    )


_WHOSE: Mapping[BudgetKind, str] = {
    BudgetKind.PERSON: "person_key = :person",
    BudgetKind.CHANNEL: "team_id = :team AND channel_id = :channel",
    BudgetKind.WORKSPACE: "team_id = :team",
}


def _from_journal(db: sqlite3.Connection, kind: BudgetKind, payer: Payer, period: Period) -> tuple[int, int]:
    row = db.execute(
        f"""
        SELECT COALESCE(SUM(held_delta_nano_usd), 0), COALESCE(SUM(charged_delta_nano_usd), 0) FROM journal
        WHERE {_WHOSE[kind]} AND held_at >= :start AND held_at < :end
        """,
        {
            "person": payer.person_key,
            "team": payer.team_id,
            "channel": payer.channel_id,
            "start": to_text(period.start),
            "end": to_text(period.end),
        },
    ).fetchone()
    return row[0], row[1]


def _json_or_null(value: Usage | None) -> str | None:
    return None if value is None else json.dumps(value, sort_keys=True)
