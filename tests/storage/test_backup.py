"""A backup holds everything of one moment and nothing that was deleted; what is put back is the same."""

from __future__ import annotations

import io
import os
import sqlite3
import stat
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from darkroom.turns.model import Picture
from storage import backup
from storage.backup import ABOUT_NAME, BadBackup, Copied, PlaceTaken, make_backup, restore_backup
from storage.blobs import BlobStore
from storage.database import DATABASE_NAME, PICTURES_NAME, Database, NoDataDirectory, UnusableData
from storage.erasing import SqliteEraser, remove_bytes
from tests.examples import ALICE, NOON
from tests.fresh import with_books
from tests.storage.books import check_books
from tests.storage.gallery import Asked, Gallery

HOSTILE = [
    "../outside.txt",
    "/tmp/outside.txt",  # noqa: S108 -- a path that must not be written
    "pictures/ab/../../outside.png",
    "pictures/ab/short.png",
    "darkroom.db-wal",
    "pictures/" + "cd/" + "ab" * 32 + ".png",
]


class House:
    """A Darkroom's data, and a backup of it."""

    def __init__(self, folder: Path) -> None:
        self.data, self.file, self.copy = folder / "data", folder / "darkroom.tar", folder / "copy"
        self.database = Database.open(with_books(self.data), create=True, inline=True)
        self.blobs = BlobStore(self.data / PICTURES_NAME)
        self.gallery = Gallery(self.database, self.blobs)

    def make(self) -> Copied:
        return make_backup(self.data, self.file, NOON)

    def path_of(self, picture: Picture) -> Path:
        return self.blobs.path_of(picture.sha256, picture.format)

    async def delete(self, picture: Picture) -> None:
        await SqliteEraser(self.database).erase(picture.id, ALICE, NOON)
        assert await remove_bytes(self.database, self.blobs, picture.sha256, picture.format)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.database.close()


def rows(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / DATABASE_NAME)) as db:
        return sorted(db.iterdump())


def pictures(folder: Path) -> dict[str, bytes]:
    found = (folder / PICTURES_NAME).rglob("*.*")
    return {str(path.relative_to(folder)): path.read_bytes() for path in found if path.is_file()}


def everything_of(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_what_is_put_back_is_what_was_there_in_the_moment_of_the_copy(house: House) -> None:
    """While the database stays open, with a call under way."""
    for _ in range(3):
        await house.gallery.picture()
    turn = await house.gallery.begun(Asked(prompt="an owl"))
    await house.gallery.bring(turn, "one reference", mask=b"a mask")
    attempt = await house.gallery._sent(turn, Asked(), "resp_owl")
    then, files = rows(house.data), pictures(house.data)
    made = house.make()
    await house.gallery.picture()
    assert (made.turns, made.pictures, made.missing) == (4, 5, ())
    assert made.size_bytes == house.file.stat().st_size

    assert restore_backup(house.file, house.copy) == made
    assert rows(house.copy) == then
    assert pictures(house.copy) == files
    with closing(Database.open(house.copy, inline=True)) as database:
        await database.look(check_books)
        states = await database.look(lambda db: db.execute("SELECT id, state FROM attempts").fetchall())
    assert (attempt, "dispatched") in [tuple(row) for row in states]


async def test_only_its_owner_may_read_it_and_nothing_is_left_beside_it(house: House) -> None:
    await house.gallery.picture()
    house.make()
    assert stat.S_IMODE(house.file.stat().st_mode) == 0o600
    assert everything_of(house.file.parent) == ["darkroom.tar", "data"]
    with tarfile.open(house.file) as tar:
        assert {(member.uname, member.uid) for member in tar} == {("", 0)}


async def test_what_was_deleted_is_not_in_it_although_it_is_still_in_the_file_of_the_database(
    house: House,
) -> None:
    gone = await house.gallery.picture(Asked(prompt="a secret plan"), data=b"bytes of the secret")
    kept = await house.gallery.picture(Asked(prompt="a red fox"))
    await house.delete(gone)
    assert house.make().pictures == 1
    bytes_ = house.file.read_bytes()
    assert b"secret" not in bytes_
    assert b"a red fox" in bytes_
    assert house.path_of(kept).read_bytes() in bytes_


async def test_a_picture_that_is_deleted_while_the_copy_is_made_is_not_missed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = await house.gallery.picture()
    before = backup._add_picture

    def deleted_just_now(tar: tarfile.TarFile, path: Path, sha256: str) -> bool:
        with closing(sqlite3.connect(house.data / DATABASE_NAME)) as db:
            db.execute("UPDATE pictures SET deleted_at = '2026-11-21' WHERE id = ?", (picture.id,))
            db.commit()
        path.unlink()
        return before(tar, path, sha256)

    monkeypatch.setattr(backup, "_add_picture", deleted_just_now)
    assert house.make().missing == ()


async def test_a_picture_that_is_lost_or_damaged_on_disk_is_named(house: House) -> None:
    lost, damaged, well = [await house.gallery.picture() for _ in range(3)]
    house.path_of(lost).unlink()
    house.path_of(damaged).write_bytes(b"rot")
    made = house.make()
    assert set(made.missing) == {house.path_of(lost).name, house.path_of(damaged).name}
    assert made.pictures == 1
    back = restore_backup(house.file, house.copy)
    assert back.missing == tuple(sorted(made.missing))
    assert list(pictures(house.copy)) == [f"pictures/{well.sha256[:2]}/{well.sha256}.png"]


async def test_what_stands_there_already_is_left_as_it_is(house: House) -> None:
    await house.gallery.picture()
    house.make()
    before = house.file.read_bytes()
    with pytest.raises(PlaceTaken, match=r"darkroom\.tar exists"):
        house.make()
    assert house.file.read_bytes() == before
    then = rows(house.data)
    with pytest.raises(PlaceTaken, match="not empty"):
        restore_backup(house.file, house.data)
    assert rows(house.data) == then
    with pytest.raises(PlaceTaken):
        restore_backup(house.file, house.file)


def test_without_data_there_is_nothing_to_copy(tmp_path: Path) -> None:
    with pytest.raises(NoDataDirectory):
        make_backup(tmp_path / "nowhere", tmp_path / "b.tar", NOON)
    (tmp_path / DATABASE_NAME).write_bytes(b"no database at all, but long enough to be looked at" * 20)
    with pytest.raises(UnusableData):
        make_backup(tmp_path, tmp_path / "b.tar", NOON)
    assert everything_of(tmp_path) == [DATABASE_NAME]


async def test_an_empty_folder_takes_it_too(house: House) -> None:
    await house.gallery.picture()
    house.make()
    house.copy.mkdir()
    restore_backup(house.file, house.copy)
    assert rows(house.copy) == rows(house.data)
    assert stat.S_IMODE((house.copy / DATABASE_NAME).stat().st_mode) == 0o600


@pytest.mark.parametrize("when", range(1, 9))
async def test_a_disk_that_fails_on_the_way_leaves_no_half_of_anything(
    house: House, monkeypatch: pytest.MonkeyPatch, when: int
) -> None:
    """Each fsync in turn: of the copy, then of what is put back."""
    await house.gallery.picture()
    real, calls = os.fsync, 0

    def fails(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls == when:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fails)
    try:
        house.make()
        restore_backup(house.file, house.copy)
    except OSError:
        assert calls == when
    else:
        assert calls < when
    assert set(everything_of(house.file.parent)) <= {"data", "darkroom.tar", "copy"}
    if house.copy.exists():
        assert rows(house.copy) == rows(house.data)
        assert pictures(house.copy) == pictures(house.data)


def damaged(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def write(file: Path) -> None:
        file.write_bytes(change(file.read_bytes()))

    return write


def other_member(name: str, data: bytes = b"x", kind: bytes = tarfile.REGTYPE) -> Callable[[Path], None]:
    def add(file: Path) -> None:
        with tarfile.open(file, "a") as tar:
            member = tarfile.TarInfo(name)
            member.type, member.size = kind, len(data) if kind == tarfile.REGTYPE else 0
            member.linkname = "/etc/passwd"
            tar.addfile(member, io.BytesIO(data))

    return add


def about(text: bytes) -> Callable[[Path], None]:
    """A backup of which only the first member is there, saying *text*."""

    def write(file: Path) -> None:
        with tarfile.open(file, "w") as tar:
            member = tarfile.TarInfo(ABOUT_NAME)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text))

    return write


@pytest.mark.parametrize(
    "spoil",
    [
        damaged(lambda data: b""),
        damaged(lambda data: b"<html>Not found</html>" * 100),
        damaged(lambda data: data[: len(data) // 2]),
        damaged(lambda data: data[:3000]),
        damaged(lambda data: data.replace(b"a red fox in snow", b"a blue whale here")),
        damaged(lambda data: data.replace(b"picture 2 of turn_1", b"picture 3 of turn_1")),
        about(b"[]"),
        about(b'{"format": 2}'),
        about(b'{"format": 1, "at": "yesterday", "turns": 1, "database_sha256": ""}'),
        about(b'{"format": 1, "at": "2026-11-21T00:00:00.000000Z", "turns": 1, "database_sha256": ""}'),
        about(b'{"format": 1, "at": 5, "turns": "many", "database_sha256": ""}'),
        about(b"\xff"),
        other_member("pictures/ab/" + "ab" * 32 + ".png", kind=tarfile.SYMTYPE),
        *(other_member(name) for name in HOSTILE),
    ],
)
async def test_a_file_that_is_no_whole_backup_changes_nothing(
    house: House, spoil: Callable[[Path], None]
) -> None:
    await house.gallery.picture()
    house.make()
    spoil(house.file)
    around = set(house.file.parent.rglob("*"))
    with pytest.raises(BadBackup):
        restore_backup(house.file, house.copy)
    assert set(house.file.parent.rglob("*")) == around
