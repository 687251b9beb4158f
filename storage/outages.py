"""Times when the image API was of no use: ``darkroom.turns.outages.OutageBook``."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from darkroom.spending.alerts import AlertKind
from darkroom.turns.outages import Outage, Trouble
from storage.database import Database
from storage.raising import raise_alert
from storage.times import from_text, to_text

_ALERTS = {
    Trouble.QUOTA: AlertKind.QUOTA,
    Trouble.KEY: AlertKind.KEY,
    Trouble.REGION: AlertKind.REGION,
    Trouble.FAILING: AlertKind.FAILING,
}


class SqliteOutageBook:
    """``OutageBook`` on a ``Database``; what each method promises is written there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def current(self) -> Outage | None:
        """See ``OutageBook.current``."""
        return await self._database.look(open_outage)

    async def begin(self, outage: Outage, team_id: str) -> Outage:
        """See ``OutageBook.begin``."""

        def work(db: sqlite3.Connection) -> Outage:
            if (before := open_outage(db)) is not None:
                return before
            db.execute(
                "INSERT INTO outages (id, team_id, trouble, message, began_at) VALUES (?, ?, ?, ?, ?)",
                (outage.id, team_id, outage.trouble, outage.message, to_text(outage.began_at)),
            )
            details = {"message": outage.message}
            kind = _ALERTS[outage.trouble]
            raise_alert(db, f"outage:{outage.id}", team_id, kind, details, outage.began_at)
            return outage

        return await self._database.write(work)

    async def end(self, outage_id: str, at: datetime) -> None:
        """See ``OutageBook.end``."""

        def work(db: sqlite3.Connection) -> None:
            row = db.execute(
                "UPDATE outages SET ended_at = ? WHERE id = ? AND ended_at IS NULL RETURNING *",
                (to_text(at), outage_id),
            ).fetchone()
            if row is not None:
                details = {"trouble": str(row["trouble"]), "began_at": str(row["began_at"])}
                key = f"outage:{outage_id}:over"
                raise_alert(db, key, row["team_id"], AlertKind.RESUMED, details, at)

        await self._database.write(work)


def open_outage(db: sqlite3.Connection) -> Outage | None:
    """The outage that has not ended, or None."""
    # There is at most one, by a unique index on (ended_at IS NULL) of the open ones. Asked for by that very
    # expression it is found in the index; by "ended_at IS NULL" alone the index would be walked.
    row = db.execute("SELECT * FROM outages WHERE ended_at IS NULL AND (ended_at IS NULL) = 1").fetchone()
    if row is None:
        return None
    return Outage(row["id"], Trouble(row["trouble"]), row["message"], from_text(row["began_at"]))
