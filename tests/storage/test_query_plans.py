"""No query reads the whole of a table that grows, however many years it holds."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from storage.database import DATABASE_NAME, Database, connect_read_only
from tests.fresh import with_books
from tests.storage.everything import Everything

ALLOWED = {
    "SELECT provider, chosen_at FROM providers": "there are as many as addresses were ever in the settings",
    "(SELECT * FROM turns ORDER BY created_at DESC, id DESC LIMIT": "as many of the newest as were asked for",
}
"""Statements that may scan, and why."""


async def test_every_query_finds_its_rows_by_an_index(tmp_path: Path) -> None:
    """Each statement that a little of everything executes is explained by SQLite itself, as it was executed.

    A scan is allowed of what is no table (JSON), and of a partial index, which holds only what is unfinished.
    """
    statements = await _statements(tmp_path)
    with closing(connect_read_only(tmp_path / DATABASE_NAME)) as db:
        tables = {row["name"] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        partial = {
            row["name"]
            for table in tables
            for row in db.execute("SELECT name FROM pragma_index_list(?) WHERE partial", (table,))
        }
        scans = [(plan, each) for each in statements for plan in _scans(db, each, partial)]
    assert {
        each for each in tables - {"_sqlite_migrations", "sqlite_sequence"} if each not in str(statements)
    } == set()
    assert len(statements) > 100
    assert [scan for scan in scans if not any(allowed in scan[1] for allowed in ALLOWED)] == []
    assert all(any(allowed in each for _, each in scans) for allowed in ALLOWED), "an exception without a use"


async def test_a_little_of_everything_leaves_no_table_empty(tmp_path: Path) -> None:
    """What is tested on these books is tested on every table."""
    with closing(Database.open(with_books(tmp_path), create=True, inline=True)) as database:
        await Everything(database).happen()
        db = connect_read_only(tmp_path / DATABASE_NAME)
        with closing(db):
            names = [row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
            empty = [name for name in names if not db.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone()]  # noqa: S608 -- names from the schema
    assert empty == []


async def _statements(folder: Path) -> list[str]:
    """What a little of everything executes, each once, with its values."""
    seen: list[str] = []
    with closing(Database.open(with_books(folder), create=True, inline=True)) as database:
        for run in (database.look, database.report):
            await run(lambda db: db.set_trace_callback(seen.append))
        await Everything(database).happen()
    shortened = {" ".join(each.split()) for each in seen}
    return sorted(each for each in shortened if re.match(r"SELECT|INSERT|UPDATE|DELETE|WITH", each))


def _scans(db: sqlite3.Connection, statement: str, partial: set[str]) -> list[str]:
    """The steps of a statement that read a table or an index from one end to the other."""
    steps = [str(row["detail"]) for row in db.execute(f"EXPLAIN QUERY PLAN {statement}")]
    return [
        step
        for step in steps
        if "AUTOMATIC" in step
        or (
            step.startswith("SCAN")
            and "VIRTUAL TABLE" not in step
            and step.rpartition("INDEX ")[2] not in partial
        )
    ]
