"""The file itself: who may open it, what a transaction is, and how it is read."""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlite_utils import Database as SqliteUtils

from darkroom.spending.spans import span_of
from darkroom.turns.model import Surface, Told
from storage.database import (
    DATABASE_NAME,
    Database,
    DataDirectoryInUse,
    NoDataDirectory,
    connect_read_only,
    in_snapshot,
)
from storage.migrating import NEWEST
from storage.migrations import migrations
from storage.reports import SqliteSpendReader
from storage.times import from_text, to_text
from storage.turn_report import turn_rows
from tests.examples import ALICE, DESIGN, NOON, TEAM, caps, message
from tests.storage.balances import balances
from tests.turns.world import World, opened

HOLD_THE_FOLDER = """
import asyncio, pathlib, sys
from storage.database import Database
database = Database.open(pathlib.Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
"""
READ_THE_FILE = """
import pathlib, sqlite3, sys
from storage.database import connect_read_only
connection = connect_read_only(pathlib.Path(sys.argv[1]))
for line in sys.stdin:
    try:
        print(connection.execute(line).fetchone()[0], flush=True)
    except sqlite3.OperationalError as error:
        print(error, flush=True)
"""

EARLY = datetime(1900, 1, 1)  # noqa: DTZ001 -- hypothesis adds the zone later


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database.open(tmp_path, create=True)
    yield made
    made.close()


def child(script: str, path: Path) -> subprocess.Popen[str]:
    """Another process that runs *script* on *path*."""
    return subprocess.Popen(
        [sys.executable, "-c", script, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )


def people(db: sqlite3.Connection) -> int:
    """How many rows there are to count."""
    return int(db.execute("SELECT COUNT(*) FROM people").fetchone()[0])


def adding(name: str, then: Callable[[], object] | None = None) -> Callable[[sqlite3.Connection], None]:
    """A transaction that adds a person, and then does something."""

    def work(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO people VALUES (?, 'T', ?, 'now', NULL)", (name, name))
        if then is not None:
            then()

    return work


def test_a_missing_directory_is_refused_by_its_whole_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty ledger would mean full caps for everybody."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NoDataDirectory, match=re.escape(str(tmp_path / "data"))):
        Database.open(Path("data"))
    with pytest.raises(NoDataDirectory, match=re.escape(str(tmp_path / "data"))):
        connect_read_only(Path("data") / DATABASE_NAME)
    assert list(tmp_path.iterdir()) == []


def test_a_directory_without_a_database_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoDataDirectory):
        Database.open(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_new_directory_is_its_owners_alone_and_one_that_was_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    before = os.umask(0o022)
    try:
        (tmp_path / "shared").chmod(0o750)
        for name in ("new", "shared"):
            Database.open(tmp_path / name, create=True).close()
    finally:
        os.umask(before)
    modes = [(tmp_path / name).stat().st_mode & 0o777 for name in ("new", "shared")]
    assert modes == [0o700, 0o750]


def test_a_second_bot_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    first = Database.open(tmp_path, create=True)
    with pytest.raises(DataDirectoryInUse, match=re.escape(str(tmp_path))):
        Database.open(tmp_path)
    first.close()
    first.close()
    Database.open(tmp_path).close()


def test_the_lock_ends_with_its_process_however_it_ends(tmp_path: Path) -> None:
    Database.open(tmp_path, create=True).close()
    with child(HOLD_THE_FOLDER, tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        with pytest.raises(DataDirectoryInUse):
            Database.open(tmp_path)
        process.kill()
    Database.open(tmp_path).close()


async def test_another_process_reads_beside_the_writing_and_cannot_write(
    tmp_path: Path, database: Database
) -> None:
    with child(READ_THE_FILE, tmp_path / DATABASE_NAME) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        said = []
        for number in range(3):
            await database.write(adding(f"p{number}"))
            process.stdin.write("SELECT COUNT(*) FROM people\n")
            process.stdin.flush()
            said.append(await asyncio.to_thread(process.stdout.readline))
        process.stdin.write("DELETE FROM people\n")
        process.stdin.close()
        said.append(await asyncio.to_thread(process.stdout.readline))
    assert said[:3] == ["1\n", "2\n", "3\n"]
    assert "readonly" in said[3]


async def test_the_file_can_be_read_after_darkroom_has_closed_it(tmp_path: Path) -> None:
    database = Database.open(tmp_path, create=True, inline=True)
    await database.write(adding("p"))
    database.close()
    reader = connect_read_only(tmp_path / DATABASE_NAME)
    assert in_snapshot(reader, people) == 1
    reader.close()


async def test_a_failing_transaction_leaves_nothing(database: Database) -> None:
    def fail() -> None:
        raise KeyError("no")

    with pytest.raises(KeyError):
        await database.write(adding("p", fail))
    with pytest.raises(sqlite3.IntegrityError):
        await database.write(lambda db: (adding("q")(db), adding("q")(db)))
    assert await database.look(people) == 0
    await database.write(adding("p"))
    assert await database.look(people) == 1


async def test_cancelling_a_caller_does_not_cut_its_transaction_in_half(database: Database) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def pause() -> None:
        begun.set()
        go_on.wait(20)

    caller = asyncio.create_task(database.write(adding("p", pause)))
    await asyncio.to_thread(begun.wait, 20)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    go_on.set()
    assert await database.look(people) == 1


async def test_a_long_report_delays_no_write_and_sees_one_state(database: Database) -> None:
    await database.write(adding("p0"))
    begun, go_on = threading.Event(), threading.Event()

    def slowly(db: sqlite3.Connection) -> list[int]:
        first = people(db)
        begun.set()
        go_on.wait(20)
        return [first, people(db)]

    report = asyncio.create_task(database.report(slowly))
    await asyncio.to_thread(begun.wait, 20)
    await database.write(adding("p1"))
    go_on.set()
    assert await report == [1, 1]
    assert await database.report(people) == 2


async def test_the_reading_connection_cannot_write(database: Database) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await database.report(adding("p"))


def test_migrations_are_applied_once_and_survive_opening_again(tmp_path: Path) -> None:
    for _ in range(3):
        Database.open(tmp_path, create=True).close()
    reader = connect_read_only(tmp_path / DATABASE_NAME)
    applied = [row[0] for row in reader.execute("SELECT name FROM _sqlite_migrations")]
    assert applied == [migration.name for migration in migrations.applied(SqliteUtils(reader))]
    assert len(applied) == len(set(applied)) >= 1
    assert list(migrations.pending(SqliteUtils(reader))) == []
    assert applied[-1] == NEWEST
    reader.close()


async def test_what_was_committed_is_on_the_disk_and_what_was_erased_is_not_readable(
    database: Database,
) -> None:
    def pragmas(db: sqlite3.Connection) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        return [db.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

    assert await database.look(pragmas) == ["wal", 2, 1, 1]


async def test_every_table_is_strict(database: Database) -> None:
    def tables(db: sqlite3.Connection) -> dict[str, int]:
        rows = db.execute("PRAGMA table_list").fetchall()
        return {row["name"]: row["strict"] for row in rows if row["type"] == "table"}

    found = await database.look(tables)
    ours = {name for name in found if not name.startswith(("sqlite_", "_"))}
    assert {"turns", "attempts", "journal", "counters"} <= ours
    assert {name for name in ours if not found[name]} == set()


@given(
    moments=st.lists(
        st.datetimes(min_value=EARLY, max_value=EARLY.replace(year=9000)),
        min_size=2,
        max_size=2,
    ),
    hours=st.integers(-14, 14),
)
def test_times_are_utc_of_one_width_and_sort_as_text(moments: list[datetime], hours: int) -> None:
    zones = [UTC, timezone(timedelta(hours=hours))]
    aware = [moment.replace(tzinfo=zone) for moment, zone in zip(moments, zones, strict=True)]
    texts = [to_text(moment) for moment in aware]
    assert {len(text) for text in texts} == {len("2026-11-20T12:00:00.000000Z")}
    assert [from_text(text) for text in texts] == aware
    assert (texts[0] < texts[1]) == (aware[0] < aware[1])


def test_a_time_without_a_zone_is_not_stored() -> None:
    with pytest.raises(ValueError, match="zone"):
        to_text(datetime(2026, 11, 20))  # noqa: DTZ001 -- that is the point


BIG = ("turns", "attempts", "journal", "charge_lines", "pictures", "people", "counters", "thread_people")


async def test_no_query_reads_a_growing_table_from_end_to_end(tmp_path: Path) -> None:
    """Every statement of a busy hour, and of the reports, explained by SQLite itself."""
    statements: set[str] = set()
    async with opened(tmp_path) as database:
        for connection in (database._writer, database._reader):
            connection.set_trace_callback(statements.add)
        world = World(database, tmp_path, caps(person=10**12, channel=10**12, workspace=10**12))
        first = await world.imagine()
        await world.worker.idle()
        await world.reply("night", "1763650000.000001", first)
        await world.ask(message("hi", "5.5", "5.5", surface=Surface.MENTION))
        await world.worker.idle()
        await world.recover()
        await world.intake.take_back(TEAM, DESIGN, "5.5")
        turn = await world.turn(first)
        await balances(database, turn, world.limits, NOON)
        await world.log.charge_of((await world.log.pictures(first))[0].id)
        await world.store.tell(first, Told.DONE, None, NOON)
        reader = SqliteSpendReader(database)
        span = span_of(world.limits.period_at(NOON))
        for team in (TEAM, None):
            await reader.report(team, span, world.limits, NOON)
        await reader.balances(TEAM, ALICE, DESIGN, world.limits, NOON)
        await reader.pictures_of(TEAM, ALICE, span)
        await reader.recent_pictures(TEAM, ALICE, 10)
        await reader.person(TEAM, ALICE, span)
        await reader.channel(TEAM, DESIGN, span)
        await database.report(lambda db: turn_rows(db, 10))
        for connection in (database._writer, database._reader):
            connection.set_trace_callback(None)

        queries = [each for each in statements if each.split()[0] in ("SELECT", "UPDATE", "INSERT")]
        assert len(queries) > 40
        scans = {query: found for query in queries if (found := await database.look(partial(_scans, query)))}
    assert scans == {}


def _scans(query: str, db: sqlite3.Connection) -> list[str]:
    """The growing tables that SQLite would read from end to end for *query*."""
    plan = [row["detail"] for row in db.execute(f"EXPLAIN QUERY PLAN {query}")]
    # The first index holds only what is unfinished, the second is left after LIMIT rows.
    fine = ("turns_unfinished", "turns_by_time")
    limited = {detail.removeprefix("CO-ROUTINE ") for detail in plan if detail.startswith("CO-ROUTINE ")}
    return [
        detail
        for detail in plan
        if re.match(rf"SCAN ({'|'.join(BIG)})\b", detail)
        and not detail.endswith(fine)
        and detail.removeprefix("SCAN ") not in limited
    ]


def test_the_lock_is_not_inherited_by_children(tmp_path: Path) -> None:
    database = Database.open(tmp_path, create=True)
    assert not os.get_inheritable(database._lock)
    database.close()
