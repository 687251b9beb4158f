"""Forgetting somebody in the data directory: the database, its free pages and its log, and the pictures."""

from __future__ import annotations

import mmap
import re
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from darkroom.spending.budgets import Caps
from darkroom.turns.erasing import NotScrubbed
from darkroom.turns.forgetting import Known, Whom
from storage import forget_finding as finding
from storage.blobs import BlobStore
from storage.database import DATABASE_NAME, Database, read_books
from storage.forget_person import forget_person
from storage.forget_workspace import forget_workspace
from storage.forgetting import bytes_needed

_ONE_BY_ONE = 50
"""So many ids are looked for one after the other, which is fastest for a few."""


def whom_of(db: sqlite3.Connection, user_id: str | None, team_id: str | None) -> list[Whom]:
    """Who may be meant: a person, or with no *user_id* a workspace, of *team_id* or of any that has left
    something here."""
    known = finding.teams_of(db) if user_id is None else finding.teams_naming(db, user_id)
    teams = [each for each in known if team_id in (None, each)]
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


class NotForgotten(Exception):
    """The rows could not be deleted, so nothing was, here; the message says why. Make room on the disk or
    mend its permissions, and do it again."""


@dataclass(frozen=True, slots=True)
class Removed:
    """How many picture files were removed, those that could not be, because rights to the folder are missing,
    and why copies may be left in the files of the database, if so."""

    number: int
    in_vain: Sequence[Path] = ()
    unscrubbed: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """The files in which an id still stands: those of the database itself, and others, which Darkroom knows
    nothing of; *closed* are files that cannot be looked into."""

    database: Sequence[Path] = ()
    others: Sequence[Path] = ()
    closed: Sequence[Path] = ()

    @property
    def paths(self) -> list[Path]:
        """Every file that holds one of them."""
        return sorted((*self.database, *self.others))


class Forgetter:
    """Forgets on a ``Database`` that nobody else writes to, and among its pictures."""

    def __init__(self, database: Database, blobs: BlobStore) -> None:
        self._database = database
        self._blobs = blobs

    async def forget(self, whom: Whom, caps: Caps, at: datetime) -> Removed:
        """Forget somebody: one transaction, then the files, then the free pages and the log. Repeated after a
        crash, it does what was left. *caps* are the settings'. Raises ``NotForgotten``.
        """
        how = forget_person if whom.user_id else forget_workspace
        try:
            files = await self._database.write(lambda db: how(db, whom, caps, at))
        except sqlite3.OperationalError as error:
            raise NotForgotten(str(error)) from error
        return await self._clean(files)

    async def finish(self) -> Removed:
        """Do what a crash in ``forget`` has left."""
        return await self._clean(set())

    async def _clean(self, files: set[tuple[str, str]]) -> Removed:
        removed = await self._database.report(lambda db: self._remove(db, files))
        try:
            await self._database.scrub_at_any_size()
        except NotScrubbed as error:
            return replace(removed, unscrubbed=str(error))
        return removed

    def _remove(self, db: sqlite3.Connection, files: set[tuple[str, str]]) -> Removed:
        """Also what no book knows, however young it is: nobody is making anything now."""
        in_vain: list[Path] = []
        try:
            self._blobs.sweep()
        except OSError as error:
            in_vain.append(Path(error.filename))
        found = files | {(path.stem, path.suffix.removeprefix(".")) for path, _ in self._blobs.files()}
        removed = 0
        for sha256, suffix in found:
            path = self._blobs.path_of(sha256, suffix)
            if bytes_needed(db, sha256) or not path.exists():
                continue
            try:
                removed += self._blobs.remove(sha256, suffix)
            except OSError:
                in_vain.append(path)
        return Removed(removed, tuple(sorted(in_vain)))


def longer_than(db: sqlite3.Connection, ids: Sequence[str]) -> list[str]:
    """Others' ids, that one of *ids* is a part of."""
    found: set[str] = set()
    for table, columns in finding.text_columns(db).items():
        for column in columns:
            for each in ids:
                rows = db.execute(f'SELECT "{column}" FROM "{table}" WHERE instr("{column}", ?)', (each,))
                longer = re.compile(f"[A-Z0-9]*{re.escape(each)}[A-Z0-9]*")
                found.update(name for row in rows for name in longer.findall(row[0]))
    return sorted(found - set(ids))


def still_known(db: sqlite3.Connection, user_ids: Sequence[str]) -> set[str]:
    """Those of *user_ids* who are known in any workspace."""
    rows = db.execute(
        "SELECT user_id FROM people UNION SELECT user_id FROM thread_people UNION SELECT user_id FROM turns"
    )
    return {row[0] for row in rows} & set(user_ids)


def found_in(data_dir: Path, ids: Sequence[str], others: Sequence[str] = ()) -> Found:
    """The files below *data_dir* in which one of *ids* still stands, byte by byte; not as a part of one of
    *others*, which are longer."""
    own = _of_database(data_dir)
    found: list[Path] = []
    closed: list[Path] = []
    for path in _files(data_dir):
        try:
            if _holds(path, ids, others):
                found.append(path)
        except FileNotFoundError:
            # It went while we were looking.
            continue
        except OSError:
            closed.append(path)
    return Found(
        tuple(sorted(path for path in found if path in own)),
        tuple(sorted(path for path in found if path not in own)),
        tuple(sorted(closed)),
    )


def _of_database(data_dir: Path) -> list[Path]:
    return [data_dir / f"{DATABASE_NAME}{suffix}" for suffix in ("", "-wal", "-shm")]


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)


def _holds(path: Path, ids: Sequence[str], others: Sequence[str]) -> bool:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if len(ids) > _ONE_BY_ONE:
            return _holds_any(content, {each.encode() for each in ids})
        there = [each for each in ids if content.find(each.encode()) >= 0]
        if not there or not others:
            return bool(there)
        # What stands right before or behind says nothing: SQLite writes one value behind the other.
        longer = "|".join(re.escape(each) for each in sorted(others, key=len, reverse=True))
        ours = "|".join(re.escape(each) for each in there)
        return any(match[1] for match in re.finditer(f"(?:{longer})|({ours})".encode(), content))


def _holds_any(content: mmap.mmap, wanted: set[bytes]) -> bool:
    """In one pass, however many there are."""
    sizes = {len(each) for each in wanted}
    begins = b"[%b]" % re.escape(b"".join(sorted({each[:1] for each in wanted})))
    places = (match.start() for match in re.finditer(begins, content))
    return any(content[place : place + size] in wanted for place in places for size in sizes)
