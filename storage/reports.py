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
from storage import budgets
from storage.budgets import Payer
from storage.caps_now import CapsNow
from storage.database import Database
from storage.people import known_person_key
from storage.policy import load_policy
from storage.times import from_text, to_text

_Values = Mapping[str, str | int | None]

_SUMS = """
    COALESCE(SUM(journal.charged_delta_nano_usd), 0) AS charged,
    COALESCE(SUM(journal.held_delta_nano_usd), 0) AS held,
    COALESCE(SUM(journal.pictures), 0) AS made
"""
# A call that was given back leaves nothing to show.
_SOMETHING = "HAVING charged <> 0 OR held <> 0 OR made <> 0"
_IN_SPAN = "journal.held_at >= :start AND journal.held_at < :end"
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
            payer = Payer(team_id, channel_id or "", known_person_key(db, team_id, user_id) or "")
            found = budgets.balances(db, payer, load_policy(db, team_id), caps, at)
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
    edges = [[to_text(day.start), to_text(day.end), day.date.isoformat()] for day in days_of(span)]
    by_day: _Values = {"team": team_id, "days": json.dumps(edges)}
    lines = _lines_by_day(db, by_day)
    now = CapsNow(db, caps, at)
    return SpendReport(
        span=span,
        total=_spent(_rows(db, f"SELECT {_SUMS} FROM journal WHERE {_WITHIN}", values)[0]),
        people=_people(db, values, now),
        channels=_channels(db, values, now),
        models=_models(db, values),
        days=_days(db, by_day, lines),
        classes=_classes(lines),
    )


def _people(db: sqlite3.Connection, values: _Values, now: CapsNow) -> tuple[PersonSpend, ...]:
    rows = _rows(
        db,
        f"""
        SELECT journal.team_id, journal.person_key, COALESCE(people.user_id, '') AS user_id, {_SUMS}
        FROM journal LEFT JOIN people ON people.person_key = journal.person_key WHERE {_WITHIN}
        GROUP BY journal.person_key {_SOMETHING} ORDER BY charged DESC, user_id, journal.person_key
        """,
        values,
    )
    return tuple(
        PersonSpend(
            row["team_id"], row["user_id"], _spent(row), now.of_person(row["team_id"], row["person_key"])
        )
        for row in rows
    )


def _channels(db: sqlite3.Connection, values: _Values, now: CapsNow) -> tuple[ChannelSpend, ...]:
    rows = _rows(
        db,
        f"""
        SELECT team_id, channel_id, {_SUMS} FROM journal WHERE {_WITHIN}
        GROUP BY team_id, channel_id {_SOMETHING} ORDER BY charged DESC, channel_id, team_id
        """,
        values,
    )
    return tuple(
        ChannelSpend(
            row["team_id"], row["channel_id"], _spent(row), now.of_channel(row["team_id"], row["channel_id"])
        )
        for row in rows
    )


def _models(db: sqlite3.Connection, values: _Values) -> tuple[ModelSpend, ...]:
    # A hold names the model that was asked for; which one was called, only the end of its call can say. What
    # was held must leave the model it was held for, so all entries of a call count for the same one.
    rows = _rows(
        db,
        f"""
        SELECT COALESCE(ended.image_model, journal.image_model) AS model, journal.endpoint, journal.provider,
            {_SUMS}
        FROM journal LEFT JOIN journal AS ended
            ON ended.attempt_id = journal.attempt_id AND ended.kind IN ('settle', 'release', 'uncertain')
        WHERE {_WITHIN} GROUP BY model, journal.endpoint, journal.provider
        {_SOMETHING} ORDER BY charged DESC, model, journal.endpoint, journal.provider
        """,
        values,
    )
    return tuple(ModelSpend(row["model"], row["endpoint"], row["provider"], _spent(row)) for row in rows)


def _lines_by_day(db: sqlite3.Connection, values: _Values) -> list[tuple[str, TokenClass, ClassSpend]]:
    rows = _rows(
        db,
        f"""
        SELECT day.value ->> 2 AS day, token_class, SUM(tokens) AS tokens,
            SUM(charge_lines.charged_nano_usd) AS charged
        {_BY_DAY} CROSS JOIN charge_lines ON charge_lines.journal_id = journal.id
        GROUP BY day.value ->> 2, token_class
        """,
        values,
    )
    return [
        (row["day"], TokenClass(row["token_class"]), ClassSpend(row["tokens"], row["charged"]))
        for row in rows
    ]


def _days(
    db: sqlite3.Connection, values: _Values, lines: list[tuple[str, TokenClass, ClassSpend]]
) -> tuple[DaySpend, ...]:
    classes: dict[str, dict[TokenClass, int]] = {}
    for day, token_class, spent in lines:
        classes.setdefault(day, {})[token_class] = spent.charged_nano_usd
    rows = _rows(
        db,
        f"""
        SELECT day.value ->> 2 AS day, {_SUMS} {_BY_DAY}
        GROUP BY day.value ->> 2 {_SOMETHING} ORDER BY 1
        """,
        values,
    )
    return tuple(
        DaySpend(
            date.fromisoformat(row["day"]),
            _spent(row),
            {each: classes.get(row["day"], {}).get(each, 0) for each in TokenClass},
        )
        for row in rows
    )


def _classes(lines: list[tuple[str, TokenClass, ClassSpend]]) -> dict[TokenClass, ClassSpend]:
    sums = dict.fromkeys(TokenClass, ClassSpend(0, 0))
    for _, name, more in lines:
        known = sums[name]
        sums[name] = ClassSpend(known.tokens + more.tokens, known.charged_nano_usd + more.charged_nano_usd)
    return sums


def _recent(db: sqlite3.Connection, team_id: str, user_id: str, limit: int) -> list[RecentPicture]:
    rows = _rows(
        db,
        """
        SELECT created_at, version, prompt,
            (SELECT SUM(charged_delta_nano_usd) FROM journal
             WHERE journal.attempt_id = pictures.attempt_id) AS charged
        FROM pictures WHERE team_id = :team AND user_id = :user ORDER BY created_at DESC, id DESC LIMIT :limit
        """,
        {"team": team_id, "user": user_id, "limit": limit},
    )
    return [
        RecentPicture(
            created_at=from_text(row["created_at"]),
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
    return Spent(row["charged"], row["held"], row["made"])
