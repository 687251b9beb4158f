"""What whoever watches Darkroom reads of the books: what has moved since the last look, and how it stands."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from darkroom.spending.budgets import Balance, BudgetKind, Caps
from darkroom.turns.redelivering import PAID_FOR, SAID
from storage.budgets import Payer, balance_of, budgets_of
from storage.database import Database
from storage.policy import load_policy
from storage.times import from_text, to_text

SQLITE_VERSION = sqlite3.sqlite_version
ENTRIES_MAX = 20_000
"""Entries of the journal that are added up in one look: a tenth of a second."""

Ended = tuple[str, str, str]
"""How an attempt ended (the journal's ``kind``), and by which model and endpoint."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What entries of the journal say together; ``upto`` is the last of them, and ``more`` whether there are
    others after it.

    ``attempts`` counts the ends of calls, ``pictures`` what they brought by model and endpoint, and
    ``classes`` has tokens and nano-dollars charged by token class. ``corrected_nano_usd`` is what admins have
    added to uncertain charges since, or taken off.
    """

    upto: int
    more: bool
    attempts: Mapping[Ended, int]
    pictures: Mapping[tuple[str, str], int]
    classes: Mapping[str, tuple[int, int]]
    corrected_nano_usd: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How things are in the books at one moment.

    ``unfinished`` counts the turns that are not told yet by state, ``waiting_since`` is when the oldest of
    those that were not begun came; ``undelivered`` counts what Slack has not taken and is still tried.
    ``held_nano_usd`` is held for ``holds`` attempts, ``uncertain_nano_usd`` charged for ``uncertain`` ones
    that no admin has decided about; ``budget`` is the workspace's.
    """

    unfinished: Mapping[str, int]
    waiting_since: datetime | None
    undelivered: int
    holds: int
    held_nano_usd: int
    uncertain: int
    uncertain_nano_usd: int
    budget: Balance


class SqliteGauges:
    """Reads them beside the writing; delays nobody."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ping(self) -> str | None:
        """Have both connections answer; None, since nothing is wrong when they have."""
        for ask in (self._database.look, self._database.report):
            await ask(lambda db: db.execute("SELECT 1 FROM heartbeat WHERE id = 1").fetchone())
        return None

    async def moved(self, after: int) -> Moved:
        """What the entries after number *after* say, of so many as one look takes."""
        return await self._database.report(lambda db: _moved(db, after))

    async def standing(self, team_id: str, caps: Caps, at: datetime) -> Standing:
        """How things are *at* that moment; the budget is that team's."""
        return await self._database.report(lambda db: _standing(db, team_id, caps, at))


def _moved(db: sqlite3.Connection, after: int) -> Moved:
    newest = int(db.execute("SELECT COALESCE(MAX(id), 0) FROM journal").fetchone()[0])
    upto = max(after, min(newest, after + ENTRIES_MAX))
    span = (after, upto)
    attempts: dict[Ended, int] = {}
    pictures: dict[tuple[str, str], int] = {}
    for row in db.execute(
        """
        SELECT kind, image_model, endpoint, COUNT(*) AS ends, SUM(pictures) AS pictures
        FROM journal WHERE id > ? AND id <= ? AND kind IN ('settle', 'release', 'uncertain')
        GROUP BY kind, image_model, endpoint
        """,
        span,
    ):
        made_by = (row["image_model"], row["endpoint"])
        attempts[row["kind"], *made_by] = row["ends"]
        pictures[made_by] = pictures.get(made_by, 0) + row["pictures"]
    # CROSS JOIN fixes the order: an entry's lines are looked up, not the other way round.
    lines = db.execute(
        """
        SELECT token_class, SUM(tokens) AS tokens, SUM(charged_nano_usd) AS charged
        FROM journal CROSS JOIN charge_lines ON charge_lines.journal_id = journal.id
        WHERE journal.id > ? AND journal.id <= ? AND journal.kind <> 'correction'
        GROUP BY token_class
        """,
        span,
    )
    corrected = db.execute(
        """
        SELECT COALESCE(SUM(charged_delta_nano_usd), 0) FROM journal
        WHERE id > ? AND id <= ? AND kind = 'correction'
        """,
        span,
    ).fetchone()[0]
    classes = {row["token_class"]: (row["tokens"], row["charged"]) for row in lines}
    return Moved(upto, upto < newest, attempts, pictures, classes, corrected)


def _standing(db: sqlite3.Connection, team_id: str, caps: Caps, at: datetime) -> Standing:
    unfinished: dict[str, int] = {}
    waiting_since: list[str] = []
    for row in db.execute(
        """
        SELECT state, COUNT(*) AS turns, MIN(created_at) AS oldest FROM turns INDEXED BY turns_unfinished
        WHERE told_at IS NULL AND undelivered_reason IS NULL GROUP BY state
        """
    ):
        unfinished[row["state"]] = row["turns"]
        if row["state"] in ("received", "queued"):
            waiting_since.append(row["oldest"])
    undelivered = db.execute(
        """
        SELECT COUNT(*) FROM turns INDEXED BY turns_undelivered
        WHERE undelivered_reason IS NOT NULL AND state = 'ended'
            AND created_at > iif(outcome IN ('pictures', 'words'), ?, ?)
        """,
        (to_text(at - PAID_FOR), to_text(at - SAID)),
    ).fetchone()[0]
    # No turn is told, or given up, while an attempt of it is open.
    holds, held = db.execute(
        """
        SELECT COUNT(*), COALESCE(SUM(attempts.hold_nano_usd), 0)
        FROM turns INDEXED BY turns_unfinished CROSS JOIN attempts ON attempts.turn_id = turns.id
        WHERE turns.told_at IS NULL AND turns.undelivered_reason IS NULL AND attempts.ended_at IS NULL
        """
    ).fetchone()
    uncertain, charged = db.execute(
        """
        SELECT COUNT(*), COALESCE(SUM(charged_delta_nano_usd), 0)
        FROM journal INDEXED BY journal_uncertain
        WHERE kind = 'uncertain' AND NOT EXISTS (SELECT 1 FROM journal AS later
            WHERE later.attempt_id = journal.attempt_id AND later.kind = 'correction')
        """
    ).fetchone()
    oldest = min(waiting_since, default=None)
    return Standing(
        unfinished=unfinished,
        waiting_since=None if oldest is None else from_text(oldest),
        undelivered=undelivered,
        holds=holds,
        held_nano_usd=held,
        uncertain=uncertain,
        uncertain_nano_usd=charged,
        budget=_budget(db, team_id, caps, at),
    )


def _budget(db: sqlite3.Connection, team_id: str, caps: Caps, at: datetime) -> Balance:
    # Nobody has the empty key, and nothing is the empty channel: of the three the workspace's is wanted.
    payer = Payer(team_id, "", "")
    budgets = budgets_of(payer, load_policy(db, team_id), caps, at)
    own = next(budget for budget in budgets if budget.kind is BudgetKind.WORKSPACE)
    return balance_of(db, own, payer, at)
