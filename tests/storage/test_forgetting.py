"""Forgetting somebody: whoever searches the data directory byte by byte finds nothing of them but totals."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from darkroom.turns.erasing import Recall
from darkroom.turns.forgetting import GONE, Known, Trace, Whom
from storage.blobs import BlobStore
from storage.database import DATABASE_NAME, PICTURES_NAME, Database, connect_read_only, read_books
from storage.forgetter import Forgetter, found_in, look
from storage.reconciliation import our_charges
from storage.repricing import charged_entries
from storage.times import to_text
from tests.examples import ALICE, BOB, DESIGN, NOON, TEAM
from tests.fresh import with_books
from tests.storage.books import check_books
from tests.storage.conversing import CAROL, OUR_DM
from tests.storage.everything import LIMITS, Everything

DAVE, EVE = "U0DAVE0001", "U0EVE00001"
PEOPLE = (ALICE, BOB, CAROL, DAVE, EVE)
GROUPS = ("team_id", "person_key", "channel_id")
THEIRS = """
    SELECT id, key, prompt, message_ts, placeholder_ts, asked_ts, order_key, reply_url FROM turns
        WHERE {whose}
    UNION ALL SELECT id, prompt, revised_prompt, response_id, file_id, sha256, NULL, NULL FROM pictures
        WHERE {whose}
    UNION ALL SELECT name, inputs.sha256, NULL, NULL, NULL, NULL, NULL, NULL FROM inputs
        JOIN turns ON turns.id = turn_id WHERE {whose}
    UNION ALL SELECT response_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM attempts
        JOIN turns ON turns.id = turn_id WHERE {whose}
    UNION ALL SELECT person_key, dm_channel_id, user_id, NULL, NULL, NULL, NULL, NULL FROM people
        WHERE {whose}
    UNION ALL SELECT id, comment, message_ts, file_id, NULL, NULL, NULL, NULL FROM shares WHERE {whose}
"""
"""Every id of a person's, and every word."""


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    """A data directory with a little of everything, after a crash: the log was not emptied."""
    with closing(Database.open(with_books(tmp_path), create=True, inline=True)) as database:
        await Everything(database).happen()
    return tmp_path


def words_of(data: Path, whose: str) -> set[bytes]:
    """What is theirs and nobody else's, long enough not to stand somewhere by chance."""
    with closing(connect_read_only(data / DATABASE_NAME)) as db:

        def words(which: str) -> set[str]:
            return {str(value) for row in db.execute(THEIRS.format(whose=which)) for value in row if value}

        # Some steps of everything are told with a place or a time that is nobody's.
        theirs = words(whose) - words(f"NOT ({whose})") - {DESIGN, to_text(NOON)}
        return {word.encode() for word in theirs if len(word) > 7}


def raw(data: Path) -> Iterator[tuple[str, bytes]]:
    """Every file with its bytes."""
    return ((str(path.relative_to(data)), path.read_bytes()) for path in data.rglob("*") if path.is_file())


def left(data: Path, words: set[bytes]) -> list[tuple[str, bytes]]:
    """Which of *words* stand in which file."""
    return sorted((name, word) for name, content in raw(data) for word in words if word in content)


async def forget(data: Path, whom: Whom) -> int:
    """As the command does, on a Darkroom that does not run."""
    with closing(Database.open(data, inline=True)) as database:
        removed = await Forgetter(database, BlobStore(data / PICTURES_NAME)).forget(whom, LIMITS, NOON)
        return removed.number


def totals(data: Path, column: str = "team_id") -> list[tuple[int, ...]]:
    with closing(connect_read_only(data / DATABASE_NAME)) as db:
        rows = db.execute(
            f"""
            SELECT SUM(held_delta_nano_usd), SUM(charged_delta_nano_usd), SUM(pictures), COUNT(*) FROM journal
            GROUP BY {column} ORDER BY 1, 2, 3, 4
            """  # noqa: S608 -- columns from above
        )
        return [tuple(row) for row in rows]


def the_one(data: Path, user_id: str | None) -> tuple[Whom, Known]:
    [found] = look(data, user_id, None)
    return found


@pytest.mark.parametrize("user", PEOPLE)
async def test_nothing_of_a_person_is_left_in_any_file_but_totals(data: Path, user: str) -> None:
    whom, _ = the_one(data, user)
    words = words_of(data, f"user_id = '{user}'") | {each.encode() for each in whom.ids}
    found = {word for _, word in left(data, words)}
    assert {user.encode(), whom.person_key.encode()} <= found
    before, by_person = totals(data), totals(data, "person_key")
    await forget(data, whom)
    assert left(data, words) == []
    assert (totals(data), totals(data, "person_key")) == (before, by_person)
    assert found_in(data, whom.ids).paths == []
    assert look(data, user, None) == []


@pytest.mark.parametrize("user", PEOPLE)
async def test_the_books_hold_together_after_somebody_was_forgotten(data: Path, user: str) -> None:
    whom, known = the_one(data, user)
    await forget(data, whom)
    with closing(Database.open(data, inline=True)) as database:
        db = database._writer
        check_books(db)
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert db.execute("SELECT COUNT(*) FROM turns WHERE user_id = ?", (user,)).fetchone()[0] == 0
        gone = db.execute(
            "SELECT COALESCE(SUM(charged_delta_nano_usd), 0) FROM journal WHERE person_key GLOB ?",
            (f"{GONE}*",),
        ).fetchone()[0]
        assert gone == known.charged_nano_usd


async def test_others_keep_what_is_theirs(data: Path) -> None:
    others = [user for user in PEOPLE if user != CAROL]
    before = {user: the_one(data, user) for user in others}
    await forget(data, the_one(data, CAROL)[0])
    assert {user: the_one(data, user) for user in others} == before


async def test_nothing_of_a_workspace_is_left_but_totals(data: Path) -> None:
    whom, known = the_one(data, None)
    people = {user: the_one(data, user)[0] for user in PEOPLE}
    words = words_of(data, "1") | {TEAM.encode(), DESIGN.encode(), b"C0ALERTS01"}
    words |= {each.encode() for one in people.values() for each in one.ids}
    assert {word for _, word in left(data, words)} >= {TEAM.encode(), DESIGN.encode(), ALICE.encode()}
    before, by_person, by_channel = (totals(data, each) for each in GROUPS)
    await forget(data, whom)
    assert left(data, words) == []
    assert [totals(data, each) for each in GROUPS] == [before, by_person, by_channel]
    assert look(data, None, None) == []
    assert known.charged_nano_usd == before[0][1]
    with closing(Database.open(data, inline=True)) as database:
        db = database._writer
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        assert rows_in(db) == {
            "_sqlite_migrations", "sqlite_sequence", "attempts", "charge_lines", "grant_draws",
            "grants", "journal", "providers",
        }  # fmt: skip


def rows_in(db: sqlite3.Connection) -> set[str]:
    """The tables that have any."""
    names = [row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    return {name for name in names if db.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone()}  # noqa: S608 -- names from the schema


async def test_what_somebody_has_left_elsewhere_is_listed(data: Path) -> None:
    whom, known = the_one(data, CAROL)
    assert whom.channels == (OUR_DM,)
    kinds = {each.kind for each in known.traces}
    assert kinds >= {Recall.MESSAGE, Recall.FILE, Recall.RESPONSE}
    assert Trace(Recall.FILE, "", "F0c1") in known.traces
    assert Trace(Recall.MESSAGE, DESIGN, "1763650000.c1") in known.traces


@pytest.mark.parametrize("user", [ALICE, None])
async def test_charges_can_still_be_computed_again_and_put_beside_the_bill(
    data: Path, user: str | None
) -> None:
    def computed() -> tuple[object, object]:
        day = NOON.date()
        return (
            read_books(data, lambda db: list(charged_entries(db, NOON, None))),
            read_books(data, lambda db: our_charges(db, "openai", day, day)),
        )

    before = computed()
    assert before[0]
    await forget(data, the_one(data, user)[0])
    assert computed() == before
