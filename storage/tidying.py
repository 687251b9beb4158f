"""Picture files that no book knows: what a crash leaves between writing a file and writing its row."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from storage.blobs import BlobStore
from storage.database import Database
from storage.forgetting import bytes_needed

OLD_ENOUGH = timedelta(days=1)
"""A younger file may belong to a call that is under way, or to one that is asked for after a crash: its row
comes later."""
_AT_ONCE = 200
"""Files that are looked up in one go."""


async def remove_unknown(database: Database, blobs: BlobStore, now: datetime) -> int:
    """Remove the picture files that nothing in the books needs and that are older than ``OLD_ENOUGH``; gives
    how many those were. May be called at any time; nobody waits for it."""
    before = now - OLD_ENOUGH
    candidates = await database.report(lambda _: _older_than(blobs, before))
    removed = 0
    for start in range(0, len(candidates), _AT_ONCE):
        some = candidates[start : start + _AT_ONCE]

        def work(db: sqlite3.Connection, some: Sequence[Path] = some) -> int:
            unknown = [path for path in some if not bytes_needed(db, path.stem)]
            return sum(blobs.remove(path.stem, path.suffix.removeprefix(".")) for path in unknown)

        removed += await database.report(work)
    return removed


def _older_than(blobs: BlobStore, before: datetime) -> list[Path]:
    return [path for path, written in blobs.files() if datetime.fromtimestamp(written, UTC) < before]
