"""A copy of everything that must survive, in one file, of a running Darkroom too; and putting it back.

The file is a plain tar: ``backup.json`` (what it is), ``darkroom.db`` (the database as it was in one moment,
built anew, so that nothing of what was deleted is in it), then the pictures that this database needs, as
``pictures/ab/<sha256>.<format>``.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from storage.blobs import BlobStore
from storage.database import DATABASE_NAME, PICTURES_NAME, DataProblem, UnusableData, connect_read_only
from storage.forgetting import bytes_needed
from storage.times import from_text, to_text
from storage.unfinished import SCRATCH, unfinished

ABOUT_NAME = "backup.json"
FORMAT = 1
"""Of the file; another number is another form, which this Darkroom does not read."""
_ABOUT_MAX = 65_536
_PICTURE = re.compile(rf"{PICTURES_NAME}/([0-9a-f]{{2}})/(\1[0-9a-f]{{62}})\.([a-z]{{3,4}})")
_PIECE = 1 << 20
_NEEDED = """
    SELECT sha256, format FROM pictures WHERE deleted_at IS NULL UNION SELECT sha256, format FROM inputs
    ORDER BY sha256
"""


class BadBackup(DataProblem):
    """The file is no backup, or is damaged; the message says where. Take another one; nothing was changed."""


class PlaceTaken(DataProblem):
    """Something stands where the backup, or what it holds, was to be written; nothing was changed. Move it
    away first, or name another place."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What a backup holds: the state of ``at``. ``missing`` are pictures that the books need and that are not
    on disk, or are damaged there."""

    at: datetime
    turns: int
    pictures: int
    size_bytes: int
    missing: tuple[str, ...] = ()


def make_backup(data_dir: Path, target: Path, at: datetime) -> Copied:
    """Copy a data directory into the new file *target*, which only its owner may read; a running Darkroom
    goes on meanwhile. *target* has its name only when it is whole and on disk. What killed backups to it have
    left is removed.

    Raises ``NoDataDirectory``, ``UnusableData`` and ``PlaceTaken``; ``OSError`` if *target* cannot be
    written.
    """
    source = data_dir / DATABASE_NAME
    if target.exists():
        raise PlaceTaken(f"{target} exists already; it was left as it is.")
    with unfinished(target) as partial:
        database = partial.with_suffix(SCRATCH)
        database.touch(mode=0o600)
        turns, needed = _copy_database(source, database)
        with partial.open("wb") as file:
            copied = _write(file, data_dir, database, turns, needed, at)
            file.flush()
            os.fsync(file.fileno())
        # A link would not take a name that somebody else has by now, but many a network drive has none.
        partial.rename(target)
        _sync(target.resolve().parent)
    return copied


def _copy_database(source: Path, copy: Path) -> tuple[int, list[tuple[str, str]]]:
    """One state of the database, as a file of its own; how many turns it has, and the pictures it needs."""
    try:
        with closing(connect_read_only(source)) as db:
            db.execute("VACUUM INTO ?", (str(copy),))
        with closing(sqlite3.connect(f"{copy.resolve().as_uri()}?mode=ro", uri=True)) as db:
            turns = int(db.execute("SELECT COUNT(*) FROM turns").fetchone()[0])
            return turns, [(row[0], row[1]) for row in db.execute(_NEEDED)]
    except sqlite3.DatabaseError as error:
        raise UnusableData(source.parent, str(error)) from error


def _write(
    file: IO[bytes],
    data_dir: Path,
    database: Path,
    turns: int,
    needed: list[tuple[str, str]],
    at: datetime,
) -> Copied:
    blobs = BlobStore(data_dir / PICTURES_NAME)
    missing: list[str] = []
    pictures = 0
    with tarfile.open(fileobj=file, mode="w") as tar:
        about = {"format": FORMAT, "at": to_text(at), "database_sha256": _digest(database), "turns": turns}
        _add_bytes(tar, ABOUT_NAME, json.dumps(about).encode(), at)
        tar.add(database, DATABASE_NAME, filter=_plain)
        for sha256, suffix in needed:
            path = blobs.path_of(sha256, suffix)
            if _add_picture(tar, path, sha256):
                pictures += 1
            elif _still_needed(data_dir, sha256):
                missing.append(path.name)
    return Copied(at, turns, pictures, file.tell(), tuple(missing))


def _add_picture(tar: tarfile.TarFile, path: Path, sha256: str) -> bool:
    """Whether the picture is there, and is what its name says."""
    try:
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                return False
            file.seek(0)
            member = tar.gettarinfo(fileobj=file, arcname=f"{PICTURES_NAME}/{sha256[:2]}/{path.name}")
            tar.addfile(_plain(member), file)
    except FileNotFoundError:
        return False
    return True


def _still_needed(data_dir: Path, sha256: str) -> bool:
    """Whether a picture that is not on disk should be: it may have been deleted since the copy was made."""
    with closing(connect_read_only(data_dir / DATABASE_NAME)) as db:
        return bytes_needed(db, sha256)


def restore_backup(file: Path, data_dir: Path) -> Copied:
    """Make *data_dir* what the backup *file* holds. It must not exist, or be empty; it has its name only when
    everything is whole and on disk.

    Raises ``BadBackup`` and ``PlaceTaken``; ``OSError`` if it cannot be read or written.
    """
    if data_dir.exists() and (not data_dir.is_dir() or any(data_dir.iterdir())):
        raise PlaceTaken(f"{data_dir.resolve()} is not empty; it was left as it is.")
    with unfinished(data_dir.resolve(), folder=True) as partial:
        copied = _unpack(file, partial)
        if data_dir.exists():
            data_dir.rmdir()
        partial.rename(data_dir.resolve())
    _sync(data_dir.resolve().parent)
    return copied


def _unpack(file: Path, folder: Path) -> Copied:
    try:
        with tarfile.open(file, mode="r:") as tar:
            members = iter(tar)
            about = _about(tar, next(members, None))
            digest = _take(tar, next(members, None), DATABASE_NAME, folder)
            if digest != about["database_sha256"]:
                raise BadBackup(f"{file}: its database is damaged.")
            _check_database(folder / DATABASE_NAME, file)
            pictures = _take_pictures(tar, members, folder)
    except (tarfile.TarError, EOFError) as error:
        raise BadBackup(f"{file} is no backup of Darkroom, or it is cut off: {error}.") from error
    missing = tuple(sorted(_needed(folder / DATABASE_NAME) - pictures))
    for each in (*folder.rglob("*"), folder):
        _sync(each)
    return Copied(from_text(about["at"]), int(about["turns"]), len(pictures), file.stat().st_size, missing)


def _about(tar: tarfile.TarFile, member: tarfile.TarInfo | None) -> dict[str, Any]:
    if member is None or member.name != ABOUT_NAME or not member.isfile() or member.size > _ABOUT_MAX:
        raise BadBackup(f"{tar.name!s} is no backup of Darkroom.")
    source = tar.extractfile(member)
    try:
        read = json.loads(source.read()) if source else None
        about: dict[str, Any] = read if isinstance(read, dict) else {}
        if about.get("format") != FORMAT:
            raise BadBackup(f"{tar.name!s} is a backup in a form that this Darkroom does not read.")
        from_text(about["at"]), int(about["turns"]), about["database_sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise BadBackup(f"{tar.name!s} is no backup of Darkroom: {error}.") from error
    return about


def _take_pictures(tar: tarfile.TarFile, members: Iterator[tarfile.TarInfo], folder: Path) -> set[str]:
    (folder / PICTURES_NAME).mkdir(exist_ok=True)
    taken: set[str] = set()
    for member in members:
        # Nothing but pictures in their places comes out of the file, whoever made it.
        named = _PICTURE.fullmatch(member.name)
        if named is None:
            raise BadBackup(f"{tar.name!s} holds {member.name!r}, which belongs to no backup.")
        if _take(tar, member, member.name, folder) != named[2]:
            raise BadBackup(f"{tar.name!s}: the picture {member.name} is damaged.")
        taken.add(Path(member.name).name)
    return taken


def _take(tar: tarfile.TarFile, member: tarfile.TarInfo | None, name: str, folder: Path) -> str:
    """Write the member *name* to its place below *folder*; gives its SHA-256."""
    source = tar.extractfile(member) if member is not None and member.isfile() else None
    if member is None or member.name != name or source is None:
        raise BadBackup(f"{tar.name!s} is no backup of Darkroom: {name} is not where it should be.")
    place = folder / name
    place.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
        while piece := source.read(_PIECE):
            digest.update(piece)
            target.write(piece)
    if place.stat().st_size != member.size:
        raise BadBackup(f"{tar.name!s} is cut off in {name}.")
    return digest.hexdigest()


def _check_database(path: Path, file: Path) -> None:
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
            found = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
            db.execute("SELECT COUNT(*) FROM turns").fetchone()
    except sqlite3.DatabaseError as error:
        raise BadBackup(f"{file}: its database cannot be read: {error}.") from error
    if found != "ok":
        raise BadBackup(f"{file}: its database is damaged: {found}.")


def _needed(path: Path) -> set[str]:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        return {f"{sha256}.{suffix}" for sha256, suffix in db.execute(_NEEDED)}


def _add_bytes(tar: tarfile.TarFile, name: str, data: bytes, at: datetime) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = len(data), 0o600, int(at.timestamp())
    tar.addfile(member, BytesIO(data))


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without the names of whoever runs Darkroom here."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
