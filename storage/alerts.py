"""Alerts and how far each has come: ``darkroom.spending.alerts.AlertBook``."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import datetime

from darkroom.spending.alerts import Alert, AlertKind, Audience, Claim
from storage.database import Database
from storage.raising import raise_alert
from storage.times import from_text, to_text

_ALERTS = """
    SELECT alerts.*, people.user_id
    FROM alerts LEFT JOIN people ON people.person_key = alerts.person_key
"""
_KNOWN = ", ".join("?" for _ in AlertKind)
"""A newer Darkroom may have raised kinds that this one has no sentence for: they wait for it."""


class SqliteAlertBook:
    """``AlertBook`` on a ``Database``; what each method promises is written there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self, key: str, team_id: str, kind: AlertKind, details: Mapping[str, str | int], at: datetime
    ) -> bool:
        """See ``AlertBook.add``."""
        return await self._database.write(lambda db: raise_alert(db, key, team_id, kind, details, at))

    async def unsent(self, limit: int) -> list[Alert]:
        """See ``AlertBook.unsent``."""

        def work(db: sqlite3.Connection) -> list[Alert]:
            rows = db.execute(
                f"{_ALERTS} WHERE done_at IS NULL AND kind IN ({_KNOWN}) ORDER BY alerts.id LIMIT ?",
                (*AlertKind, limit),
            )
            return [_alert_from(row) for row in rows]

        return await self._database.look(work)

    async def claim(self, number: int, recipient: str, at: datetime) -> Claim:
        """See ``AlertBook.claim``."""
        return await self._database.write(lambda db: _claim(db, number, recipient, at))

    async def sent(self, number: int, recipient: str, channel_id: str, message_ts: str, at: datetime) -> None:
        """See ``AlertBook.sent``."""

        def work(db: sqlite3.Connection) -> None:
            db.execute(
                """
                UPDATE alert_posts SET channel_id = ?, message_ts = ?, sent_at = ?
                WHERE alert_id = ? AND recipient = ? AND sent_at IS NULL
                """,
                (channel_id, message_ts, to_text(at), number, recipient),
            )

        await self._database.write(work)

    async def done(self, number: int, at: datetime, given_up: str | None = None) -> None:
        """See ``AlertBook.done``."""

        def work(db: sqlite3.Connection) -> None:
            db.execute(
                "UPDATE alerts SET done_at = ?, given_up_reason = ? WHERE id = ? AND done_at IS NULL",
                (to_text(at), given_up, number),
            )

        await self._database.write(work)

    async def recent(self, team_id: str, limit: int) -> list[tuple[Alert, bool, str | None]]:
        """See ``AlertBook.recent``."""

        def work(db: sqlite3.Connection) -> list[tuple[Alert, bool, str | None]]:
            rows = db.execute(
                f"""
                {_ALERTS} WHERE alerts.team_id = ? AND audience = 'admins' AND kind IN ({_KNOWN})
                ORDER BY alerts.id DESC LIMIT ?
                """,
                (team_id, *AlertKind, limit),
            )
            return [(_alert_from(row), row["done_at"] is not None, row["given_up_reason"]) for row in rows]

        return await self._database.look(work)


def _claim(db: sqlite3.Connection, number: int, recipient: str, at: datetime) -> Claim:
    fresh = db.execute(
        """
        INSERT INTO alert_posts (alert_id, recipient, claimed_at) VALUES (?, ?, ?)
        ON CONFLICT (alert_id, recipient) DO NOTHING
        """,
        (number, recipient, to_text(at)),
    ).rowcount
    if fresh:
        return Claim(fresh=True, claimed_at=at, channel_id=None, sent=False)
    row = db.execute(
        "SELECT * FROM alert_posts WHERE alert_id = ? AND recipient = ?", (number, recipient)
    ).fetchone()
    channel_id = row["channel_id"] or _last_channel(db, recipient)
    return Claim(False, from_text(row["claimed_at"]), channel_id, row["sent_at"] is not None)


def _last_channel(db: sqlite3.Connection, recipient: str) -> str | None:
    """Where this recipient was last written to: a direct message's channel does not change."""
    row = db.execute(
        """
        SELECT channel_id FROM alert_posts
        WHERE recipient = ? AND channel_id IS NOT NULL ORDER BY alert_id DESC LIMIT 1
        """,
        (recipient,),
    ).fetchone()
    return None if row is None else str(row["channel_id"])


def _alert_from(row: sqlite3.Row) -> Alert:
    return Alert(
        number=row["id"],
        key=row["key"],
        team_id=row["team_id"],
        kind=AlertKind(row["kind"]),
        audience=Audience(row["audience"]),
        user_id=row["user_id"] or "",
        details=json.loads(row["details"]),
        raised_at=from_text(row["raised_at"]),
    )
