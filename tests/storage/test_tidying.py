"""Files that a crash left without a row go; whatever the books need, and whatever is young, stays."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from storage.blobs import BlobStore
from storage.database import PICTURES_NAME, Database
from storage.erasing import SqliteEraser
from storage.tidying import OLD_ENOUGH, remove_unknown
from tests.examples import ALICE, NOON
from tests.fresh import with_books
from tests.storage.gallery import Gallery


class Attic:
    """Pictures in the books and out of them, of any age."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.database = database
        self.blobs = BlobStore(folder / PICTURES_NAME)
        self.gallery = Gallery(database, self.blobs)

    def file(self, words: bytes, age: timedelta) -> Path:
        """Bytes on disk that were written so long before noon."""
        path = self.blobs.path_of(self.gallery.write(words), "png")
        self.age(path, age)
        return path

    def age(self, path: Path, age: timedelta) -> None:
        written = (NOON - age).timestamp()
        os.utime(path, (written, written))

    async def tidy(self, now: datetime = NOON) -> int:
        return await remove_unknown(self.database, self.blobs, now)


@pytest.fixture
async def attic(tmp_path: Path) -> AsyncIterator[Attic]:
    with closing(Database.open(with_books(tmp_path), create=True, inline=True)) as database:
        yield Attic(tmp_path, database)


OLD, YOUNG = OLD_ENOUGH + timedelta(minutes=1), OLD_ENOUGH - timedelta(minutes=1)


async def test_an_old_file_that_no_book_knows_goes_and_a_young_one_stays(attic: Attic) -> None:
    old, young = attic.file(b"left by a crash", OLD), attic.file(b"being written", YOUNG)
    assert await attic.tidy() == 1
    assert (old.exists(), young.exists()) == (False, True)
    assert await attic.tidy(NOON + timedelta(days=2)) == 1


async def test_what_the_books_need_stays_however_old_it_is(attic: Attic) -> None:
    picture = await attic.gallery.picture()
    turn = await attic.gallery.begun()
    [reference] = await attic.gallery.bring(turn, "a reference")
    for each in (picture, reference):
        attic.age(attic.blobs.path_of(each.sha256, each.format), timedelta(days=400))
    assert await attic.tidy() == 0
    assert all(attic.blobs.path_of(each.sha256, each.format).exists() for each in (picture, reference))


async def test_the_bytes_of_a_deleted_picture_go_if_they_are_still_there(attic: Attic) -> None:
    picture = await attic.gallery.picture()
    attic.age(attic.blobs.path_of(picture.sha256, picture.format), OLD)
    await SqliteEraser(attic.database).erase(picture.id, ALICE, NOON)
    assert await attic.tidy() == 1


async def test_many_are_looked_up_in_several_goes(attic: Attic) -> None:
    for number in range(450):
        attic.file(b"%d" % number, OLD)
    kept = await attic.gallery.picture()
    assert await attic.tidy() == 450
    assert attic.blobs.path_of(kept.sha256, kept.format).exists()


async def test_what_is_no_picture_of_ours_is_left_alone(attic: Attic, tmp_path: Path) -> None:
    for name in ("README", "ab/notes.png"):
        stranger = tmp_path / PICTURES_NAME / name
        stranger.parent.mkdir(exist_ok=True, parents=True)
        stranger.write_text("not ours")
        attic.age(stranger, OLD)
        assert await attic.tidy() == 0
        assert stranger.exists()
