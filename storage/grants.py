"""Grants in SQL: what may be drawn on, what a hold draws, and which part of a charge they pay."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from darkroom.spending.periods import Period
from darkroom.spending.policy import Grant
from storage.times import from_text, to_text


@dataclass(frozen=True, slots=True)
class Draw:
    """The part of a hold that one grant pays."""

    budget: str
    grant_id: int
    held_nano_usd: int


def open_grants(db: sqlite3.Connection, budget: str, at: datetime) -> list[Grant]:
    """What *budget* may draw on at that moment: whatever ends first comes first."""
    rows = db.execute(
        """
        SELECT * FROM grants WHERE budget = ? AND ends_at > ? AND revoked_at IS NULL ORDER BY ends_at, id
        """,
        (budget, to_text(at)),
    )
    return [grant_from(row) for row in rows]


def grant_from(row: sqlite3.Row) -> Grant:
    """A row of ``grants``."""
    return Grant(
        number=row["id"],
        budget=row["budget"],
        amount_nano_usd=row["amount_nano_usd"],
        charged_nano_usd=row["charged_nano_usd"],
        held_nano_usd=row["held_nano_usd"],
        ends_at=from_text(row["ends_at"]),
    )


def draw(db: sqlite3.Connection, grants: Sequence[Grant], amount: int) -> list[Draw]:
    """Hold *amount* in *grants*, which must have it."""
    draws: list[Draw] = []
    for grant in grants:
        part = min(amount, grant.left_nano_usd)
        if part > 0:
            db.execute(
                "UPDATE grants SET held_nano_usd = held_nano_usd + ? WHERE id = ?", (part, grant.number)
            )
            draws.append(Draw(grant.budget, grant.number, part))
            amount -= part
    return draws


def drawn_by(db: sqlite3.Connection, attempt_id: str) -> list[Draw]:
    """What an attempt's hold drew, in the order in which it is used up."""
    rows = db.execute(
        """
        SELECT grants.budget, grants.id, grant_draws.held_delta_nano_usd AS held
        FROM journal JOIN grant_draws ON grant_draws.journal_id = journal.id
            JOIN grants ON grants.id = grant_draws.grant_id
        WHERE journal.attempt_id = ? AND journal.kind = 'hold' ORDER BY grants.ends_at, grants.id
        """,
        (attempt_id,),
    )
    return [Draw(row["budget"], row["id"], row["held"]) for row in rows]


def shares(charge: int, hold: int, draws: Sequence[Draw]) -> list[int]:
    """What each of a budget's *draws* pays of *charge*, when *hold* was held.

    The budget's own part of the hold is used up first, then the grants; what a charge has above its hold is
    the budget's own, because a grant never pays more than was held of it.
    """
    rest = max(0, charge - (hold - sum(each.held_nano_usd for each in draws)))
    paid: list[int] = []
    for each in draws:
        part = min(each.held_nano_usd, rest)
        paid.append(part)
        rest -= part
    return paid


@dataclass(frozen=True, slots=True)
class Granted:
    """What grants do for a budget: the part of what is held and charged in a period that they pay, and what
    is left of those that may be drawn on."""

    held_nano_usd: int
    charged_nano_usd: int
    left_nano_usd: int

    @property
    def drawn_nano_usd(self) -> int:
        """All that they pay in the period."""
        return self.held_nano_usd + self.charged_nano_usd


def granted_in(db: sqlite3.Connection, budget: str, period: Period, at: datetime) -> Granted:
    """What grants of *budget* pay in *period*, and what they have left at that moment."""
    held, charged = drawn_in(db, budget, period)
    return Granted(held, charged, sum(grant.left_nano_usd for grant in open_grants(db, budget, at)))


def drawn_in(db: sqlite3.Connection, budget: str, period: Period) -> tuple[int, int]:
    """Held and charged in *period* of what grants of *budget* pay."""
    row = db.execute(
        """
        SELECT COALESCE(SUM(grant_draws.held_delta_nano_usd), 0),
            COALESCE(SUM(grant_draws.charged_delta_nano_usd), 0)
        FROM grants JOIN grant_draws ON grant_draws.grant_id = grants.id
            JOIN journal ON journal.id = grant_draws.journal_id
        WHERE grants.budget = ? AND journal.held_at >= ? AND journal.held_at < ?
        """,
        (budget, to_text(period.start), to_text(period.end)),
    ).fetchone()
    return row[0], row[1]
