"""Books in a folder of their own, and a desk in front of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.database import Database
from tests.fresh import with_books
from tests.handlers.support import Desk


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """An empty database, in this thread."""
    opened = Database.open(with_books(tmp_path), create=True, inline=True)
    yield opened
    opened.close()


@pytest.fixture
def desk(database: Database) -> Desk:
    """Surfaces with usual settings."""
    return Desk.make(database)
