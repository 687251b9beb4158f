"""What was really called: ``darkroom.turns.calls.CallLog``."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from darkroom.turns.calls import Call
from darkroom.turns.model import AttemptState
from storage.account import chosen
from storage.database import Database
from storage.times import from_text, maybe_from_text


class SqliteCallLog:
    """``CallLog`` on a ``Database``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def last_calls(self, team_id: str, most: int) -> Sequence[Call]:
        """See ``CallLog.last_calls``."""
        return await self._database.report(lambda db: last_calls(db, team_id, most))


def last_calls(db: sqlite3.Connection, team_id: str, most: int) -> list[Call]:
    """The newest *most* calls of *team_id* in these books, newest first."""
    found: list[Call] = []
    # One provider after the other, since the index has them in that order.
    for provider, _ in chosen(db):
        found += [_call(row) for row in db.execute(_NEWEST, (team_id, provider, most))]
    return sorted(found, key=lambda call: call.sent_at, reverse=True)[:most]


_NEWEST = """
    SELECT calls.provider, calls.endpoint, calls.state, calls.dispatched_at, calls.ended_at,
        calls.release_reason, pictures.id AS picture_id,
        COALESCE((
            SELECT journal.image_model FROM journal
            WHERE journal.attempt_id = calls.id AND journal.kind IN ('settle', 'release', 'uncertain')
        ), calls.image_model) AS image_model,
        (SELECT COUNT(*) FROM feedback WHERE picture_id = pictures.id AND verdict = 'accepted') AS accepted,
        (SELECT COUNT(*) FROM feedback WHERE picture_id = pictures.id AND verdict = 'rejected') AS rejected
    FROM attempts AS calls LEFT JOIN pictures ON pictures.attempt_id = calls.id
    WHERE calls.team_id = ? AND calls.provider = ? AND calls.dispatched_at IS NOT NULL
    ORDER BY calls.dispatched_at DESC LIMIT ?
"""


def _call(row: sqlite3.Row) -> Call:
    return Call(
        provider=row["provider"],
        image_model=row["image_model"],
        endpoint=row["endpoint"],
        state=AttemptState(row["state"]),
        sent_at=from_text(row["dispatched_at"]),
        ended_at=maybe_from_text(row["ended_at"]),
        picture=row["picture_id"] is not None,
        error=row["release_reason"] or "",
        accepted=row["accepted"],
        rejected=row["rejected"],
    )
