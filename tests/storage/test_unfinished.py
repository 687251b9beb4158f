"""What a killed backup or restore has left is removed by the next, and nobody else's with it."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from storage import backup, unfinished
from storage.backup import make_backup, restore_backup
from storage.blobs import BlobStore
from storage.database import PICTURES_NAME, Database
from tests.examples import NOON
from tests.fresh import with_books
from tests.storage.gallery import Gallery

ROOT = Path(__file__).parents[2]
HANGS = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from storage import backup

def hangs(*_):
    print("half way", flush=True)
    sys.stdin.read()

backup._add_picture = backup._take_pictures = hangs
data, file = map(Path, sys.argv[2:])
if sys.argv[1] == "backup":
    backup.make_backup(data, file, datetime.now(UTC))
else:
    backup.restore_backup(file, data)
"""


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    """A data directory with a picture."""
    database = Database.open(with_books(tmp_path / "data"), create=True, inline=True)
    await Gallery(database, BlobStore(tmp_path / "data" / PICTURES_NAME)).picture()
    database.close()
    return tmp_path / "data"


@contextmanager
def half_way(what: str, data: Path, file: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that is in the middle of it, and is killed at the end."""
    with subprocess.Popen(
        [sys.executable, "-c", HANGS, what, data, file],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half way\n"
        try:
            yield process
        finally:
            process.kill()


def beside(file: Path) -> list[str]:
    """The kinds of what stands beside *file* and is unfinished."""
    return sorted(path.suffix for path in file.parent.iterdir() if path.name.startswith(f".{file.name}."))


def test_what_a_killed_backup_has_left_is_removed_by_the_next_and_not_while_it_runs(
    data: Path, tmp_path: Path
) -> None:
    file = tmp_path / "copies" / "nightly.tar"
    file.parent.mkdir()
    with half_way("backup", data, file):
        assert beside(file) == [".db", ".partial"]
        make_backup(data, file, NOON)
        assert beside(file) == [".db", ".partial"]
        file.unlink()
    assert beside(file) == [".db", ".partial"]
    make_backup(data, file, NOON)
    assert [path.name for path in file.parent.iterdir()] == ["nightly.tar"]


def test_what_a_killed_restore_has_left_is_removed_by_the_next_and_not_while_it_runs(
    data: Path, tmp_path: Path
) -> None:
    file, copy = tmp_path / "copy.tar", tmp_path / "new" / "data"
    make_backup(data, file, NOON)
    with half_way("restore", copy, file):
        assert beside(copy) == [".partial"]
        restore_backup(file, tmp_path / "new" / "other")
        assert beside(copy) == [".partial"]
    restore_backup(file, copy)
    assert sorted(path.name for path in copy.parent.iterdir()) == ["data", "other"]


def test_nothing_is_removed_that_is_not_unfinished_and_of_this_very_name(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copies"
    folder.mkdir()
    others = [
        ".other.tar.0123abcd.partial",
        ".copy.tar.0123abcd",
        ".copy.tar.0123ABCD.partial",
        ".copy.tar.0123abcde.partial",
        ".copy.tar.0123abcd.partial.txt",
        "copy.tar.0123abcd.partial",
        ".copy_tar.0123abcd.partial",
    ]
    mine = [".copy.tar.0123abcd.partial", ".copy.tar.0123abcd.db-journal", ".copy.tar.cafecafe.db"]
    for name in (*others, *mine):
        (folder / name).touch()
    make_backup(data, folder / "copy.tar", NOON)
    assert {path.name for path in folder.iterdir()} == {*others, "copy.tar"}


def test_where_a_file_system_knows_no_locks_a_backup_is_made_and_nothing_is_removed(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = tmp_path / ".copy.tar.0123abcd.partial"
    left.touch()

    def unknown(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", unknown)
    assert make_backup(data, tmp_path / "copy.tar", NOON).pictures == 1
    assert left.exists()


def test_what_was_swept_away_before_it_was_locked_is_made_anew(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked, tries = unfinished._locked, 0

    def too_late(descriptor: int) -> bool | None:
        nonlocal tries
        tries += 1
        if tries == 1:
            next(tmp_path.glob(".copy.tar.*.partial")).unlink()
        return locked(descriptor)

    monkeypatch.setattr(unfinished, "_locked", too_late)
    assert make_backup(data, tmp_path / "copy.tar", NOON).pictures == 1
    assert tries == 2
    assert backup.restore_backup(tmp_path / "copy.tar", tmp_path / "copy").missing == ()
