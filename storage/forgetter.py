"""Forgetting somebody in the data directory: the database, its free pages and its log, and the pictures."""

from __future__ import annotations

import mmap
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from darkroom.spending.budgets import Caps
from darkroom.turns.forgetting import Known, Whom
from storage import forget_finding as finding
from storage.blobs import BlobStore
from storage.database import Database, read_books
from storage.forget_person import forget_person
from storage.forget_workspace import forget_workspace
from storage.forgetting import bytes_needed


def whom_of(db: sqlite3.Connection, user_id: str | None, team_id: str | None) -> list[Whom]:
    """Who may be meant: a person, or with no *user_id* a workspace, of *team_id* or of any that has left
    something here."""
    teams = [each for each in finding.teams_of(db, user_id) if team_id in (None, each)]
    return [Whom(team) if user_id is None else finding.person(db, team, user_id) for team in teams]


def known_of(db: sqlite3.Connection, whom: Whom) -> Known:
    """What there is of them."""
    finding.begin(db, whom)
    return finding.known(db, whom)


def look(data_dir: Path, user_id: str | None, team_id: str | None) -> list[tuple[Whom, Known]]:
    """Who may be meant, and what there is of them; changes nothing, works beside a running bot.

    Raises ``NoDataDirectory``, ``OlderData`` and ``UnusableData``.
    """
    return read_books(
        data_dir, lambda db: [(each, known_of(db, each)) for each in whom_of(db, user_id, team_id)]
    )


class Forgetter:
    """Forgets on a ``Database`` that nobody else writes to, and among its pictures."""

    def __init__(self, database: Database, blobs: BlobStore) -> None:
        self._database = database
        self._blobs = blobs

    async def forget(self, whom: Whom, caps: Caps, at: datetime) -> int:
        """Forget somebody: one transaction, then the files, then the free pages and the log. Gives how many
        files were removed. Repeated after a crash, it does what was left.

        *caps* are the settings'. Raises ``NotScrubbed`` where somebody reads the database.
        """
        how = forget_person if whom.user_id else forget_workspace
        files = await self._database.write(lambda db: how(db, whom, caps, at))
        removed = await self._database.report(lambda db: self._remove(db, files))
        await self._database.scrub_at_any_size()
        return removed

    async def finish(self) -> int:
        """Do what a crash in ``forget`` has left; gives how many files were removed."""
        removed = await self._database.report(lambda db: self._remove(db, set()))
        await self._database.scrub_at_any_size()
        return removed

    def _remove(self, db: sqlite3.Connection, files: set[tuple[str, str]]) -> int:
        """Also what no book knows, however young it is: nobody is making anything now."""
        self._blobs.sweep()
        found = files | {(path.stem, path.suffix.removeprefix(".")) for path, _ in self._blobs.files()}
        unknown = [each for each in found if not bytes_needed(db, each[0])]
        there = [each for each in unknown if self._blobs.path_of(*each).exists()]
        return sum(self._blobs.remove(*each) for each in there)


def found_in(data_dir: Path, ids: Sequence[str]) -> list[Path]:
    """The files below *data_dir* in which one of *ids* still stands, byte by byte."""
    wanted = [each.encode() for each in ids]
    return sorted(path for path in _files(data_dir) if _holds(path, wanted))


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)


def _holds(path: Path, wanted: Sequence[bytes]) -> bool:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return any(content.find(each) >= 0 for each in wanted)
