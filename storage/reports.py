"""Reading the books on the read-only connection: ``darkroom.spending.reports.SpendReader``."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import date, datetime

from darkroom.spending.budgets import Balance, BudgetKind, Caps
from darkroom.spending.classes import TokenClass
from darkroom.spending.reports import (
    ChannelSpend,
    ClassSpend,
    DaySpend,
    ModelSpend,
    PersonSpend,
    RecentPicture,
    SpendReport,
    Spent,
)
from darkroom.spending.spans import Span, days_of
from storage import ledger
from storage.database import Database
from storage.people import known_person_key
from storage.times import from_text, to_text

_Values = Mapping[str, str | int | None]

_SUMS = """
    COALESCE(SUM(charged_delta_nano_usd), 0) AS charged,
    COALESCE(SUM(held_delta_nano_usd), 0) AS held,
    COALESCE(SUM(journal.pictures), 0) AS pictures
"""
_IN_SPAN = "held_at >= :start AND held_at < :end"
_WITHIN = f"{_IN_SPAN} AND (:team IS NULL OR journal.team_id = :team)"
# CROSS JOIN fixes the order: each day is looked up in the index on held_at, the journal is read once.
_BY_DAY = """
    FROM json_each(:days) AS day
    CROSS JOIN journal ON held_at >= day.value ->> 0 AND held_at < day.value ->> 1
        AND (:team IS NULL OR journal.team_id = :team)
"""


class SqliteSpendReader:
    """``SpendReader`` on a ``Database``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def report(self, team_id: str | None, span: Span, caps: Caps, at: datetime) -> SpendReport:
        """See ``SpendReader.report``."""
        return await self._database.report(lambda db: spend_report(db, team_id, span, caps, at))

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

    async def pictures_of(self, team_id: str, user_id: str, span: Span) -> int:
        """See ``SpendReader.pictures_of``."""
        return (await self.person(team_id, user_id, span)).pictures

    async def recent_pictures(self, team_id: str, user_id: str, limit: int) -> list[RecentPicture]:
        """See ``SpendReader.recent_pictures``."""
        return await self._database.report(lambda db: _recent(db, team_id, user_id, limit))

    async def person(self, team_id: str, user_id: str, span: Span) -> Spent:
        """See ``SpendReader.person``."""

        def work(db: sqlite3.Connection) -> Spent:
            key = known_person_key(db, team_id, user_id)
            return _sum(db, "person_key = :person", {"person": key, **_between(span)})

        return await self._database.report(work)

    async def channel(self, team_id: str, channel_id: str, span: Span) -> Spent:
        """See ``SpendReader.channel``."""
        values = {"team": team_id, "channel": channel_id, **_between(span)}
        return await self._database.report(
            lambda db: _sum(db, "team_id = :team AND channel_id = :channel", values)
        )


def spend_report(
    db: sqlite3.Connection, team_id: str | None, span: Span, caps: Caps, at: datetime
) -> SpendReport:
    """*span* from the journal alone, with the caps as they are *at* that moment; run it in one snapshot."""
    values: _Values = {"team": team_id, **_between(span)}
    return SpendReport(
        span=span,
        total=_spent(_rows(db, f"SELECT {_SUMS} FROM journal WHERE {_WITHIN}", values)[0]),
        people=_people(db, values, caps),
        channels=tuple(
            ChannelSpend(row["team_id"], row["channel_id"], _spent(row), caps.limits[BudgetKind.CHANNEL])
            for row in _rows(
                db,
                f"""
                SELECT team_id, channel_id, {_SUMS} FROM journal WHERE {_WITHIN}
                GROUP BY team_id, channel_id ORDER BY charged DESC, channel_id, team_id
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
                GROUP BY image_model, endpoint, provider
                ORDER BY charged DESC, image_model, endpoint, provider
                """,
                values,
            )
        ),
        days=_days(db, team_id, span),
        classes=_classes(db, values),
    )


def _people(db: sqlite3.Connection, values: _Values, caps: Caps) -> tuple[PersonSpend, ...]:
    rows = _rows(
        db,
        f"""
        SELECT journal.team_id, COALESCE(people.user_id, '') AS user_id, {_SUMS}
        FROM journal LEFT JOIN people ON people.person_key = journal.person_key WHERE {_WITHIN}
        GROUP BY journal.person_key ORDER BY charged DESC, user_id, journal.person_key
        """,
        values,
    )
    cap = caps.limits[BudgetKind.PERSON]
    return tuple(PersonSpend(row["team_id"], row["user_id"], _spent(row), cap) for row in rows)


def _days(db: sqlite3.Connection, team_id: str | None, span: Span) -> tuple[DaySpend, ...]:
    days = days_of(span)
    edges = json.dumps([[to_text(day.start), to_text(day.end), day.date.isoformat()] for day in days])
    values: _Values = {"days": edges, "team": team_id}
    classes: dict[str, dict[TokenClass, int]] = {}
    for row in _rows(
        db,
        f"""
        SELECT day.value ->> 2 AS day, token_class, SUM(charge_lines.charged_nano_usd) AS charged
        {_BY_DAY} CROSS JOIN charge_lines ON charge_lines.journal_id = journal.id
        GROUP BY day.value ->> 2, token_class
        """,
        values,
    ):
        classes.setdefault(row["day"], {})[TokenClass(row["token_class"])] = row["charged"]
    moved = _rows(
        db, f"SELECT day.value ->> 2 AS day, {_SUMS} {_BY_DAY} GROUP BY day.value ->> 2 ORDER BY 1", values
    )
    return tuple(
        DaySpend(date.fromisoformat(row["day"]), _spent(row), classes.get(row["day"], {})) for row in moved
    )


def _classes(db: sqlite3.Connection, values: _Values) -> dict[TokenClass, ClassSpend]:
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


def _recent(db: sqlite3.Connection, team_id: str, user_id: str, limit: int) -> list[RecentPicture]:
    # By way of the holds, because those have an index by person and time; one hold makes one picture.
    rows = _rows(
        db,
        """
        SELECT pictures.*, turns.message_ts,
            (SELECT SUM(charged_delta_nano_usd) FROM journal AS entries
             WHERE entries.attempt_id = pictures.attempt_id) AS charged
        FROM journal
        JOIN pictures ON pictures.attempt_id = journal.attempt_id
        JOIN turns ON turns.id = pictures.turn_id
        WHERE journal.person_key = :person AND journal.kind = 'hold'
        ORDER BY journal.held_at DESC, journal.id DESC LIMIT :limit
        """,
        {"person": known_person_key(db, team_id, user_id), "limit": limit},
    )
    return [
        RecentPicture(
            picture_id=row["id"],
            created_at=from_text(row["created_at"]),
            channel_id=row["channel_id"],
            thread_ts=row["thread_ts"],
            message_ts=row["message_ts"],
            version=row["version"],
            prompt=row["prompt"],
            charged_nano_usd=row["charged"],
        )
        for row in rows
    ]


def _sum(db: sqlite3.Connection, whose: str, values: _Values) -> Spent:
    return _spent(_rows(db, f"SELECT {_SUMS} FROM journal WHERE {whose} AND {_IN_SPAN}", values)[0])


def _between(span: Span) -> dict[str, str]:
    return {"start": to_text(span.start), "end": to_text(span.end)}


def _rows(db: sqlite3.Connection, query: str, values: _Values) -> list[sqlite3.Row]:
    return db.execute(query, dict(values)).fetchall()


def _spent(row: sqlite3.Row) -> Spent:
    return Spent(row["charged"], row["held"], row["pictures"])
