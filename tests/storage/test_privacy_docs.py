"""docs/privacy.md names every column in which something of a person stands: found by looking for people in
books with a little of everything, not by somebody's idea of them."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from storage.database import DATABASE_NAME, Database, connect_read_only
from tests.fresh import with_books
from tests.storage.everything import Everything
from tests.storage.test_forgetting import words_of
from tests.storage.test_schema_docs import tables

PAGE = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text(encoding="utf-8")


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[sqlite3.Connection]:
    """Books with some data, with the words that lead to people in ``words``."""
    with closing(Database.open(with_books(tmp_path), create=True, inline=True)) as database:
        await Everything(database).happen()
        with closing(connect_read_only(tmp_path / DATABASE_NAME)) as reader:
            reader.execute("CREATE TEMP TABLE words (word TEXT)")
            words = [(word.decode(),) for word in words_of(tmp_path, "user_id <> ''")]
            reader.executemany("INSERT INTO words VALUES (?)", words)
            yield reader


def documented() -> set[tuple[str, str]]:
    """The tables and columns of the page."""
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", PAGE, re.MULTILINE)
    return {(table, column) for table, cells in rows for column in re.findall(r"`(\w+)`", cells)}


def columns(db: sqlite3.Connection) -> set[tuple[str, str]]:
    return {
        (table, row["name"])
        for table in tables(db)
        for row in db.execute("SELECT name FROM pragma_table_info(?)", (table,))
    }


def test_the_page_names_every_column_in_which_something_of_a_person_stands(db: sqlite3.Connection) -> None:
    found = {
        (table, column)
        for table, column in columns(db)
        if db.execute(
            f'SELECT 1 FROM "{table}" CROSS JOIN words WHERE instr("{column}", word) LIMIT 1'  # noqa: S608 -- names from the schema
        ).fetchone()
    }
    assert {("turns", "prompt"), ("people", "user_id"), ("journal", "person_key")} <= found
    assert found - documented() == set()


def test_the_page_names_no_column_that_there_is_not(db: sqlite3.Connection) -> None:
    assert documented() - columns(db) == set()
