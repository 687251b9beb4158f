"""docs/database.md is held to the schema, both ways, and its queries run; the schema is held to its rules."""

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

PAGE = (Path(__file__).parents[2] / "docs" / "database.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"^([^\n]+)\n```sql\n(.+?)```", PAGE, re.DOTALL | re.MULTILINE)
TOOLS = {"_sqlite_migrations", "sqlite_sequence"}
NO_SUCH_ROW = {"What is held right now, for what, and since when?"}
"""Every call of these books has ended."""


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[sqlite3.Connection]:
    """Books with some data, read beside the Darkroom that holds them open."""
    with closing(Database.open(with_books(tmp_path), create=True, inline=True)) as database:
        await Everything(database).happen()
        with closing(connect_read_only(tmp_path / DATABASE_NAME)) as reader:
            yield reader


def documented() -> dict[str, list[str]]:
    """The columns on the page, by table or view."""
    found: dict[str, list[str]] = {}
    for part in re.split(r"^#+ ", PAGE, flags=re.MULTILINE):
        named = re.match(r"`(\w+)`\n", part)
        if named is not None:
            cells = re.findall(r"^\| (`[^|]+) \|", part, re.MULTILINE)
            found[named[1]] = [column for cell in cells for column in re.findall(r"`(\w+)`", cell)]
    return found


def tables(db: sqlite3.Connection, kind: str = "table") -> list[str]:
    """The tables, or the views, that are ours."""
    rows = db.execute("SELECT name FROM sqlite_schema WHERE type = ?", (kind,))
    return [row["name"] for row in rows if row["name"] not in TOOLS]


def test_the_page_names_every_table_view_and_column_and_no_other(db: sqlite3.Connection) -> None:
    real = {
        name: sorted(row["name"] for row in db.execute("SELECT name FROM pragma_table_info(?)", (name,)))
        for name in (*tables(db), *tables(db, "view"))
    }
    assert {name: sorted(columns) for name, columns in documented().items()} == real
    assert all(name in PAGE for name in TOOLS)


@pytest.mark.parametrize(("question", "query"), QUERIES, ids=[question for question, _ in QUERIES])
def test_every_query_of_the_page_answers(db: sqlite3.Connection, question: str, query: str) -> None:
    rows = db.execute(query).fetchall()
    assert bool(rows) is (question not in NO_SUCH_ROW)


def test_the_page_has_its_queries() -> None:
    assert len(QUERIES) >= 10
    assert {question for question, _ in QUERIES} >= NO_SUCH_ROW


def test_every_table_is_strict(db: sqlite3.Connection) -> None:
    strict = {row["name"] for row in db.execute("SELECT name FROM pragma_table_list WHERE strict")}
    assert strict == set(tables(db))


def test_what_refers_to_a_row_of_ours_is_a_foreign_key(db: sqlite3.Connection) -> None:
    """A column that is called `…_id`, other than Slack's and the API's, leads to a table."""
    slacks = {"team_id", "channel_id", "asked_channel_id", "dm_channel_id", "alerts_channel_id"}
    theirs = slacks | {"user_id", "by_user_id", "file_id", "response_id"}
    loose = [
        (table, column["name"])
        for table in tables(db)
        for column in db.execute("SELECT name FROM pragma_table_info(?)", (table,))
        if column["name"].endswith("_id")
        and column["name"] not in theirs
        and not db.execute(
            'SELECT 1 FROM pragma_foreign_key_list(?) WHERE "from" = ?', (table, column["name"])
        ).fetchone()
    ]
    assert loose == []
    assert db.execute("PRAGMA foreign_key_check").fetchall() == []


def test_the_views_add_up_to_the_journal(db: sqlite3.Connection) -> None:
    def total(source: str, charged: str, held: str) -> tuple[int, ...]:
        columns = f"SUM({charged}), SUM({held}), SUM(pictures)"
        return tuple(db.execute(f"SELECT {columns} FROM {source}").fetchone())  # noqa: S608 -- names from here

    books = total("journal", "charged_delta_nano_usd", "held_delta_nano_usd")
    assert books[0] > 0
    for view in ("spend_by_person", "spend_by_day", "spend_by_model"):
        assert total(view, "charged_nano_usd", "held_nano_usd") == books
