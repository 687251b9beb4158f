"""Empty books for each test; whatever it did, they add up afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.blobs import BlobStore
from storage.database import PICTURES_NAME, Database
from tests.fresh import with_books
from tests.storage.books import check_books
from tests.storage.gallery import Gallery
from tests.storage.office import Office


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A new database, on inline storage."""
    opened = Database.open(with_books(tmp_path), create=True, inline=True)
    yield opened
    await opened.look(check_books)
    opened.close()


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    """The pictures' files beside it."""
    return BlobStore(tmp_path / PICTURES_NAME)


@pytest.fixture
def gallery(database: Database, blobs: BlobStore) -> Gallery:
    """People who make pictures in it."""
    return Gallery(database, blobs)


@pytest.fixture
def office(database: Database) -> Office:
    """An admin at work on it."""
    return Office(database)
