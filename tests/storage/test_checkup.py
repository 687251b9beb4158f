"""Looking at a data directory without changing it."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.checkup import has_wal_reset_fault, is_locked, look_at_books
from storage.database import Database
from tests.fresh import with_books


@pytest.mark.parametrize("version", ["3.7.0", "3.40.1", "3.44.5", "3.45.0", "3.50.6", "3.51.0", "3.51.2"])
def test_versions_with_the_wal_reset_fault(version: str) -> None:
    assert has_wal_reset_fault(version)


@pytest.mark.parametrize("version", ["3.6.23", "3.44.6", "3.50.7", "3.51.3", "3.52.0", "3.53.1", "4.0.0"])
def test_versions_without_it(version: str) -> None:
    assert not has_wal_reset_fault(version)


def test_new_books_are_whole_and_of_this_darkroom(tmp_path: Path) -> None:
    seen = look_at_books(with_books(tmp_path), "openai", lambda: False)
    assert seen.applied > 0
    assert (seen.pending, seen.unknown, seen.complaint) == ((), (), "")
    assert [path.name for path in tmp_path.iterdir()] == ["darkroom.db"]


def test_books_that_take_too_long_are_not_called_damaged(tmp_path: Path) -> None:
    assert look_at_books(with_books(tmp_path), "openai", lambda: True).complaint is None


def test_who_holds_the_directory_is_seen_and_not_disturbed(tmp_path: Path) -> None:
    assert not is_locked(with_books(tmp_path))
    database = Database.open(tmp_path, inline=True)
    assert is_locked(tmp_path)
    assert look_at_books(tmp_path, "openai", lambda: False).complaint == ""
    database.close()
    assert not is_locked(tmp_path)
    Database.open(tmp_path, inline=True).close()
