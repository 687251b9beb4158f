"""Reading the books on the read-only connection: ``darkroom.spending.reports.SpendReader``."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from darkroom.spending.budgets import Balance, BudgetKind, Caps
from darkroom.spending.classes import TokenClass
from darkroom.spending.reports import (
    ChannelSpend,
    ClassSpend,
    ModelSpend,
    PersonSpend,
    SpendReport,
    Spent,
)
from storage import ledger
from storage.database import Database
from storage.people import known_person_key
from storage.times import to_text

_SUMS = """
    COALESCE(SUM(charged_delta_nano_usd), 0) AS charged,
    COALESCE(SUM(held_delta_nano_usd), 0) AS held,
    COALESCE(SUM(journal.pictures), 0) AS pictures
"""
_WITHIN = "held_at >= :start AND held_at < :end AND (:team IS NULL OR journal.team_id = :team)"


class SqliteSpendReader:
    """``SpendReader`` on a ``Database``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def report(self, team_id: str | None, caps: Caps, at: datetime) -> SpendReport:
        """See ``SpendReader.report``."""
        return await self._database.report(lambda db: spend_report(db, team_id, caps, at))

    async def balances(
        self, team_id: str, user_id: str, channel_id: str | None, caps: Caps, at: datetime
    ) -> list[Balance]:
        """See ``SpendReader.balances``."""

        def work(db: sqlite3.Connection) -> list[Balance]:
            # Nobody has the empty key: a person without one has spent nothing.
            key = known_person_key(db, team_id, user_id) or ""
            payer = ledger.Payer(team_id, channel_id or "", key)
            found = ledger.balances(db, payer, caps, caps.period_at(at))
            return [b for b in found if channel_id is not None or b.kind is not BudgetKind.CHANNEL]

        return await self._database.report(work)

    async def pictures_of(self, team_id: str, user_id: str, caps: Caps, at: datetime) -> int:
        """See ``SpendReader.pictures_of``."""

        def work(db: sqlite3.Connection) -> int:
            key = known_person_key(db, team_id, user_id)
            period = caps.period_at(at)
            row = db.execute(
                """
                SELECT COALESCE(SUM(pictures), 0) FROM journal
                WHERE person_key = ? AND held_at >= ? AND held_at < ?
                """,
                (key, to_text(period.start), to_text(period.end)),
            ).fetchone()
            return int(row[0])

        return await self._database.report(work)


def spend_report(db: sqlite3.Connection, team_id: str | None, caps: Caps, at: datetime) -> SpendReport:
    """The period that *at* lies in, from the journal alone; run it in one snapshot."""
    period = caps.period_at(at)
    values = {"start": to_text(period.start), "end": to_text(period.end), "team": team_id}
    return SpendReport(
        period=period,
        total=_spent(_rows(db, f"SELECT {_SUMS} FROM journal WHERE {_WITHIN}", values)[0]),
        people=_people(db, values, caps),
        channels=tuple(
            ChannelSpend(row["team_id"], row["channel_id"], _spent(row), caps.limits[BudgetKind.CHANNEL])
            for row in _rows(
                db,
                f"""
                SELECT team_id, channel_id, {_SUMS} FROM journal WHERE {_WITHIN}
                GROUP BY team_id, channel_id ORDER BY charged DESC, channel_id
                """,
                values,
            )
        ),
        models=tuple(
            ModelSpend(row["image_model"], row["endpoint"], row["provider"], _spent(row))
            for row in _rows(
                db,
                f"""
                SELECT image_model, endpoint, provider, {_SUMS} FROM journal WHERE {_WITHIN}
                GROUP BY image_model, endpoint, provider ORDER BY charged DESC, image_model
                """,
                values,
            )
        ),
        classes=_classes(db, values),
    )


def _people(db: sqlite3.Connection, values: dict[str, str | None], caps: Caps) -> tuple[PersonSpend, ...]:
    rows = _rows(
        db,
        f"""
        SELECT journal.team_id, COALESCE(people.user_id, '') AS user_id, {_SUMS}
        FROM journal LEFT JOIN people ON people.person_key = journal.person_key WHERE {_WITHIN}
        GROUP BY journal.person_key ORDER BY charged DESC, user_id
        """,
        values,
    )
    cap = caps.limits[BudgetKind.PERSON]
    return tuple(PersonSpend(row["team_id"], row["user_id"], _spent(row), cap) for row in rows)


def _classes(db: sqlite3.Connection, values: dict[str, str | None]) -> dict[TokenClass, ClassSpend]:
    rows = _rows(
        db,
        f"""
        SELECT token_class, SUM(tokens) AS tokens, SUM(charge_lines.charged_nano_usd) AS charged
        FROM journal JOIN charge_lines ON charge_lines.journal_id = journal.id
        WHERE {_WITHIN} GROUP BY token_class
        """,
        values,
    )
    found = {row["token_class"]: ClassSpend(row["tokens"], row["charged"]) for row in rows}
    return {each: found.get(each, ClassSpend(0, 0)) for each in TokenClass}


def _rows(db: sqlite3.Connection, query: str, values: dict[str, str | None]) -> list[sqlite3.Row]:
    return db.execute(query, values).fetchall()


def _spent(row: sqlite3.Row) -> Spent:
    return Spent(row["charged"], row["held"], row["pictures"])
