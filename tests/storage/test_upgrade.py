"""Books of the first Darkroom: read beside it with a clear word, then brought up to date by this one."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database as SqliteUtils

from darkroom.spending.changes import Author, Correct, GiveGrant, Person
from darkroom.spending.spans import parse_span
from storage.account import chosen
from storage.admin import SqliteAdminBooks
from storage.database import DATABASE_NAME, PICTURES_NAME, Database, OlderData, UnusableData, read_books
from storage.migrations import migrations
from storage.reports import spend_report
from storage.repricing import charged_entries
from storage.times import from_text
from storage.turn_report import turn_rows
from tests.examples import ALICE, BOB, DESIGN, NOON, TEAM, caps
from tests.storage.books import check_books

AT = "2026-11-01T00:00:00.000000Z"
NOVEMBER = parse_span("2026-11", "UTC", NOON)
MOVES = (("hold", 100, 0), ("uncertain", -100, 100))


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A data directory of the first schema, with one uncertain charge of 100 in it."""
    (tmp_path / PICTURES_NAME).mkdir()
    with closing(sqlite3.connect(tmp_path / DATABASE_NAME, isolation_level=None)) as db:
        migrations.apply(SqliteUtils(db), stop_before="m002_spend_control")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("INSERT INTO people VALUES ('p_1', ?, ?, ?)", (TEAM, ALICE, AT))
        insert(db, "turns", id="t1", key="k", surface="command", user_id=ALICE, prompt="a fox")
        insert(
            db,
            "attempts",
            id="a1",
            turn_id="t1",
            number=1,
            state="uncertain",
            hold_nano_usd=100,
            charged_nano_usd=100,
            bound='{"image_output": [1, 100]}',
            held_at=AT,
            dispatched_at=AT,
            ended_at=AT,
        )
        for kind, held, charged in MOVES:
            insert(
                db,
                "journal",
                kind=kind,
                attempt_id="a1",
                at=AT,
                held_at=AT,
                held_delta_nano_usd=held,
                charged_delta_nano_usd=charged,
            )
        db.execute("INSERT INTO charge_lines VALUES (2, 'image_output', 1, 100)")
    return tmp_path


_USUAL: dict[str, dict[str, str | int]] = {
    "turns": {
        "team_id": TEAM,
        "channel_id": DESIGN,
        "person_key": "p_1",
        "attachments": "[]",
        "order_key": "1",
        "state": "ended",
        "outcome": "uncertain",
        "reason": "uncertain",
        "details": "{}",
        "created_at": AT,
        "updated_at": AT,
        "told_at": AT,
    },
    "journal": {"flags": "[]"},
    "attempts": {"width": 1024, "height": 1024, "quality": "medium", "format": "png"},
}
_CALL: dict[str, str | int] = {
    "team_id": TEAM,
    "channel_id": DESIGN,
    "person_key": "p_1",
    "endpoint": "responses",
    "provider": "openai",
    "image_model": "gpt-image-2-2026-04-21",
    "host_model": "gpt-5.6-luna",
    "price_version": "v",
}


def insert(db: sqlite3.Connection, table: str, **values: str | int) -> None:
    row = {**(_CALL if table != "turns" else {}), **_USUAL[table], **values}
    marks = ", ".join("?" for _ in row)
    query = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})"  # noqa: S608 -- names of this file
    db.execute(query, tuple(row.values()))


@pytest.mark.parametrize(
    "look",
    [
        lambda db: turn_rows(db, 10),
        lambda db: spend_report(db, None, NOVEMBER, caps(), NOON),
        lambda db: list(charged_entries(db, None, None)),
    ],
)
def test_reading_old_books_says_how_to_bring_them_up_to_date(
    old: Path, look: Callable[[sqlite3.Connection], object]
) -> None:
    """Not to put them back from a copy: that would give the money of meanwhile a second time."""
    before = (old / DATABASE_NAME).read_bytes()
    with pytest.raises(OlderData, match="darkroom run") as problem:
        read_books(old, look)
    assert "copy" not in str(problem.value)
    assert (old / DATABASE_NAME).read_bytes() == before
    assert read_books(old, people_of) == 1, "what can be read is shown"


def people_of(db: sqlite3.Connection) -> int:
    """Something that the first Darkroom kept as this one does."""
    return int(db.execute("SELECT COUNT(*) FROM people").fetchone()[0])


def test_what_is_broken_in_books_of_today_is_still_called_broken(tmp_path: Path) -> None:
    Database.open(tmp_path, create=True, inline=True).close()
    with pytest.raises(UnusableData, match="nothing_such"):
        read_books(tmp_path, lambda db: db.execute("SELECT * FROM nothing_such"))


def test_the_provider_of_old_books_was_chosen_when_it_was_first_held_for(old: Path) -> None:
    Database.open(old, inline=True).close()
    assert read_books(old, chosen) == [("openai", from_text(AT))]


async def test_old_books_are_kept_whole_and_can_be_decided_on(old: Path) -> None:
    database = Database.open(old, inline=True)
    books = SqliteAdminBooks(database)
    charge = (await books.uncertain(TEAM, 5))[0]
    assert (charge.number, charge.user_id, charge.charged_nano_usd) == (2, ALICE, 100)
    report = await database.report(lambda db: spend_report(db, TEAM, NOVEMBER, caps(), NOON))
    assert report.total.charged_nano_usd == 100
    await books.change(GiveGrant(Person(ALICE), 50, NOVEMBER.end), Author(TEAM, BOB, "k1"), caps(), NOON)
    await books.change(Correct(2, 30), Author(TEAM, BOB, "k2"), caps(), NOON)
    await database.look(check_books)
    report = await database.report(lambda db: spend_report(db, TEAM, NOVEMBER, caps(), NOON))
    assert report.total.charged_nano_usd == 30
    database.close()
