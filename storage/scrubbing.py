"""Leaving nothing of what was deleted in the files of the database.

``PRAGMA secure_delete`` overwrites what is deleted, but not the copies that stay behind in the unused part of
a page when SQLite moves a row to another one, and older pages stand in the write-ahead log. So the file is
built anew (``VACUUM``) and the log emptied. https://www.sqlite.org/pragma.html#pragma_secure_delete says what
it covers; the copies were found by looking for them.
"""

from __future__ import annotations

import sqlite3

from darkroom.turns.erasing import NotScrubbed

LARGEST_BYTES = 200_000_000
"""The largest file that is built anew while Slack may be waiting for an answer: it takes about 6 ms for each
MB (measured on 2 cores, 260 MB), in which nothing else is written. A larger one is left to the next start."""

_CLEAN, _TO_BUILD, _TO_EMPTY = 0, 1, 2
"""What ``PRAGMA user_version`` says: nothing deleted is left; the file is to be built anew; it was, and only
the log is to be emptied. It is part of the transaction that deletes."""


def to_be_scrubbed(db: sqlite3.Connection) -> None:
    """Note, in the caller's transaction, that something was deleted."""
    db.execute(f"PRAGMA user_version = {_TO_BUILD}")


def scrub(db: sqlite3.Connection, largest: int | None = LARGEST_BYTES) -> None:
    """Leave nothing of what was deleted, outside of any transaction; nothing to do if nothing was.

    A file of more than *largest* bytes only has its log emptied. Raises ``NotScrubbed``, at once where a
    reader is in the way.
    """
    if _state(db) == _CLEAN:
        return
    timeout = db.execute("PRAGMA busy_timeout").fetchone()[0]
    # Who waits for a reader here keeps everybody's answers waiting.
    db.execute("PRAGMA busy_timeout = 0")
    try:
        # First of all: while somebody reads, building anew would only make the log longer, each time.
        _empty_log(db)
        if _state(db) == _TO_BUILD and (largest is None or _size(db) <= largest):
            db.execute("VACUUM")
            db.execute(f"PRAGMA user_version = {_TO_EMPTY}")
            _empty_log(db)
        if _state(db) == _TO_EMPTY:
            db.execute(f"PRAGMA user_version = {_CLEAN}")
    except sqlite3.OperationalError as error:
        raise NotScrubbed(str(error)) from error
    finally:
        db.execute(f"PRAGMA busy_timeout = {timeout}")


def _empty_log(db: sqlite3.Connection) -> None:
    """Move everything into the file, and cut the log down to nothing."""
    if db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
        raise NotScrubbed("somebody reads the database")


def _state(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _size(db: sqlite3.Connection) -> int:
    pages, page = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    return int(pages) * int(page)
