"""Signs of life in SQL: ``darkroom.turns.heartbeat.Pulse``, and reading the last one."""

from __future__ import annotations

import json
import sqlite3

from darkroom.turns.heartbeat import Beat
from storage.database import Database
from storage.times import from_text, to_text


class SqlitePulse:
    """``Pulse`` on a ``Database``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def beat(self, beat: Beat) -> None:
        """See ``Pulse.beat``."""
        values = (
            beat.pid,
            to_text(beat.started_at),
            to_text(beat.at),
            beat.running,
            beat.waiting,
            json.dumps(beat.stuck),
        )

        def work(db: sqlite3.Connection) -> None:
            db.execute(
                """
                INSERT INTO heartbeat (id, pid, started_at, beat_at, running, waiting, stuck)
                VALUES (1, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET pid = excluded.pid, started_at = excluded.started_at,
                    beat_at = excluded.beat_at, running = excluded.running, waiting = excluded.waiting,
                    stuck = excluded.stuck
                """,
                values,
            )

        await self._database.write(work)


def last_beat(db: sqlite3.Connection) -> Beat | None:
    """The last sign of life in these books, None before the first."""
    row = db.execute("SELECT * FROM heartbeat WHERE id = 1").fetchone()
    if row is None:
        return None
    return Beat(
        pid=row["pid"],
        started_at=from_text(row["started_at"]),
        at=from_text(row["beat_at"]),
        running=row["running"],
        waiting=row["waiting"],
        stuck=tuple(json.loads(row["stuck"])),
    )
