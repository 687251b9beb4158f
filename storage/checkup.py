"""How a data directory is, for whoever looks after it: read-only, also beside a running bot."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from sqlite_utils import Database as SqliteUtils

from darkroom.turns.account_book import RateSeen
from darkroom.turns.calls import CALLS_MAX
from darkroom.turns.heartbeat import Beat
from darkroom.turns.outages import Outage
from storage.account import rate_limits
from storage.database import DATABASE_NAME, LOCK_NAME, connect_read_only
from storage.heartbeat import last_beat
from storage.migrations import migrations
from storage.outages import open_outage
from storage.times import from_text

SQLITE_VERSION = sqlite3.sqlite_version
_STEPS = 1_000
"""Of SQLite's machine, between two looks at the time."""
WAL_RESET_SINCE, WAL_RESET_UNTIL = (3, 7, 0), (3, 51, 3)
"""The versions with the WAL-reset fault, the second without it (https://www.sqlite.org/wal.html)."""
_MENDED = {(3, 44): 6, (3, 50): 7}
"""Older series, and from which of their versions on they have the mend too."""


def has_wal_reset_fault(version: str) -> bool:
    """Whether this SQLite may damage a database in WAL mode when two connections write or checkpoint at the
    same instant. Darkroom writes through one connection."""
    numbers = tuple(int(part) for part in version.split(".")[:3])
    if not WAL_RESET_SINCE <= numbers < WAL_RESET_UNTIL:
        return False
    mended = _MENDED.get((numbers[0], numbers[1]))
    return mended is None or numbers[2] < mended


@dataclass(frozen=True, slots=True)
class LastCall:
    """A call that has ended: ``error`` is the API's code of a refusal that cost nothing, else empty;
    ``host_model`` is empty where there was none."""

    image_model: str
    host_model: str
    error: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Checkup:
    """What a database looks like. So many steps were ``applied``; ``pending`` ones are made at the next
    start, ``unknown`` ones are a newer Darkroom's. ``complaint`` is SQLite's first one, empty when all is
    well, None when reading took too long. The last three are empty where a step is pending or unknown."""

    applied: int
    pending: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    complaint: str | None = ""
    beat: Beat | None = None
    rates: tuple[RateSeen, ...] = ()
    outage: Outage | None = None
    calls: tuple[LastCall, ...] = ()


def look_at_books(data_dir: Path, provider: str, late: Callable[[], bool]) -> Checkup:
    """Read the database through, until *late* says that it takes too long; and what it knows of *provider*.

    Raises ``NoDataDirectory``, and OSError with SQLite's words when it cannot be opened or is none.
    """
    path = data_dir / DATABASE_NAME
    try:
        if _is_still(data_dir):
            with closing(sqlite3.connect(f"{path.resolve().as_uri()}?immutable=1", uri=True)) as still:
                still.row_factory = sqlite3.Row
                seen = _look(still, provider, late)
            # What somebody began to write meanwhile looks like damage.
            if not seen.complaint or _is_still(data_dir):
                return seen
        with closing(connect_read_only(path)) as connection:
            return _look(connection, provider, late)
    except sqlite3.DatabaseError as error:
        raise OSError(str(error)) from error


def _is_still(data_dir: Path) -> bool:
    """Whether the file alone is all there is, and nobody writes: then it is read without the files that
    SQLite would leave beside it, also where none could be made."""
    log = data_dir / f"{DATABASE_NAME}-wal"
    try:
        if is_locked(data_dir):
            return False
    except OSError:
        # Where nobody says, whoever works there has made this file.
        return not log.exists()
    try:
        return not log.stat().st_size
    except FileNotFoundError:
        return True


def _look(db: sqlite3.Connection, provider: str, late: Callable[[], bool]) -> Checkup:
    known = SqliteUtils(db)
    applied = [step.name for step in migrations.applied(known)]
    pending = tuple(step.name for step in migrations.pending(known))
    with closing(sqlite3.connect(":memory:")) as empty:
        ours = {step.name for step in migrations.pending(SqliteUtils(empty))}
    unknown = tuple(name for name in applied if name not in ours)
    has_beat = db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'heartbeat'").fetchone()
    beat = last_beat(db) if has_beat else None
    seen = Checkup(len(applied), pending, unknown, _complaint(db, late), beat)
    if pending or unknown:
        return seen
    return replace(
        seen,
        rates=tuple(rate_limits(db, provider)),
        outage=open_outage(db),
        calls=tuple(_calls(db, provider)),
    )


def _calls(db: sqlite3.Connection, provider: str) -> list[LastCall]:
    """The newest calls of every workspace that have come to an end, the newest first."""
    teams = [row["team_id"] for row in db.execute("SELECT DISTINCT team_id FROM journal")]
    rows = [row for team in teams for row in db.execute(_NEWEST, (team, provider, CALLS_MAX))]
    calls = [
        LastCall(
            row["image_model"],
            row["host_model"],
            row["release_reason"] or "",
            from_text(row["dispatched_at"]),
        )
        for row in rows
    ]
    return sorted(calls, key=lambda call: call.sent_at, reverse=True)


_NEWEST = """
    SELECT image_model, host_model, release_reason, dispatched_at FROM attempts
    WHERE team_id = ? AND provider = ? AND dispatched_at IS NOT NULL AND ended_at IS NOT NULL
    ORDER BY dispatched_at DESC LIMIT ?
"""


def _complaint(db: sqlite3.Connection, late: Callable[[], bool]) -> str | None:
    db.set_progress_handler(late, _STEPS)
    try:
        return str(found) if (found := db.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok" else ""
    except sqlite3.OperationalError as error:
        if late():
            return None
        return str(error)
    except sqlite3.DatabaseError as error:
        return str(error)
    finally:
        db.set_progress_handler(None, 0)


def is_locked(data_dir: Path) -> bool:
    """Whether a process holds the directory. The lock is asked for and given back at once: for that instant
    no bot could start here. Raises OSError where there are no locks."""
    try:
        descriptor = os.open(data_dir / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
