"""The disk fails at each operation of a turn, once or for good: no money is lost, and all goes on again."""

from __future__ import annotations

import errno
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.crash.bots import Nursery
from tests.crash.faulty_disk import Disk, FaultySqlite
from tests.crash.starving import Trouble, operations_of, starve_all
from tests.crash.stories import STORIES, Story

SAMPLE = 45
EDITED = [story for story in STORIES if story.name in ("a command", "a reply that edits")]
ERRORS = {"full": errno.ENOSPC, "broken": errno.EIO}


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_what_is_committed_on_a_faulty_disk_fails_and_leaves_what_was(tmp_path: Path, error: int) -> None:
    """Each write, fsync and truncate of SQLite itself is reached, at every number until nothing fails."""
    disk = Disk(str(tmp_path))
    sqlite = FaultySqlite(disk)
    sqlite.install()
    try:
        with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute("CREATE TABLE kept (number INTEGER)")
            number, kept = 0, 0
            while True:
                number += 1
                disk.arm(number, error, lasting=False)
                try:
                    db.execute("INSERT INTO kept VALUES (?)", (number,))
                except sqlite3.OperationalError:
                    assert disk.failed
                else:
                    kept += 1
                    if not disk.failed:
                        break
                disk.arm(0, error, lasting=False)
                assert db.execute("SELECT COUNT(*) FROM kept").fetchone()[0] == kept
                assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            assert number > 2
            assert kept < number
    finally:
        sqlite.remove()


@pytest.mark.slow
async def test_a_disk_that_fails_at_some_operations_loses_no_money(forks: Nursery, tmp_path: Path) -> None:
    """A sample of what the proof does for all operations."""
    story = EDITED[0]
    operations = await operations_of(forks, story, tmp_path / "dry")
    troubles = [
        Trouble(number, error, lasting)
        for number in range(1, operations - 10, SAMPLE)
        for error, lasting in ((errno.ENOSPC, False), (errno.EIO, True))
    ]
    starved = await starve_all(forks, story, troubles, tmp_path)
    assert starved.broken == []
    assert starved.met == len(troubles) > 3


@pytest.mark.proof
@pytest.mark.alone
@pytest.mark.timeout(600)
@pytest.mark.parametrize("lasting", [False, True], ids=["once", "for good"])
@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
@pytest.mark.parametrize("story", EDITED, ids=lambda story: story.name)
async def test_a_disk_that_fails_at_any_operation_loses_no_money_and_all_goes_on(
    forks: Nursery, tmp_path: Path, table: dict[str, int], story: Story, error: int, lasting: bool
) -> None:
    operations = await operations_of(forks, story, tmp_path / "dry")
    troubles = [Trouble(number, error, lasting) for number in range(1, operations + 1)]
    starved = await starve_all(forks, story, troubles, tmp_path)
    table[f"{errno.errorcode[error]} {'for good' if lasting else 'once'}: {story.name}"] = starved.met
    assert starved.broken == []
    # How many operations there are differs a little from one time to the next: the last ones may not come.
    assert starved.met >= 0.9 * operations
    assert {"pictures"} < starved.ends.keys()
