"""Books of before conversations: whatever is in them comes through whole, and a crash on the way changes
nothing."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database as SqliteUtils

from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import Attempt, Surface, ThreadReplies, Told, Turn, TurnState
from storage import schema_004
from storage.database import DATABASE_NAME, PICTURES_NAME, Database, UnusableData, read_books
from storage.migrations import migrations
from storage.requests import SqliteMoneyRequests
from storage.turn_log import SqliteTurnLog
from storage.turn_report import turn_rows
from storage.turns import SqliteTurnStore
from tests.examples import ALICE, BOB, DESIGN, NOON, TEAM, caps, message, plan, settlement
from tests.storage.books import check_books

AT, THREAD, FREE = "2026-11-01T00:00:00.000000Z", "1763640000.000100", caps()
PLACE = {"team_id": TEAM, "channel_id": DESIGN}
ASKED = {**PLACE, "user_id": ALICE, "person_key": "p_1", "created_at": AT, "updated_at": AT}
CALLED = {
    "endpoint": "responses",
    "provider": "openai",
    "image_model": "gpt-image-2-2026-04-21",
    "host_model": "gpt-5.6-luna",
}
SIZE = {"width": 1024, "height": 1024, "quality": "medium", "format": "png"}
UNFINISHED = {"state": "working"}
DONE = {"state": "ended", "outcome": "pictures", "reason": "pictures", "details": "{}"}
TOLD = {"post_begun_at": AT, "message_ts": "5.1", "placeholder_closed_at": AT, "told_at": AT}

CRASH = """
import os, pathlib, signal, sys
from storage import schema_004
from storage.database import Database
class Steps:
    def __iter__(self):
        yield from steps[: int(sys.argv[2])]
        os.kill(os.getpid(), signal.SIGKILL)
steps, schema_004.STATEMENTS = schema_004.STATEMENTS, Steps()
Database.open(pathlib.Path(sys.argv[1]), inline=True)
"""


def insert(db: sqlite3.Connection, table: str, **row: Any) -> None:
    marks = ", ".join("?" for _ in row)
    query = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})"  # noqa: S608 -- names of this file
    db.execute(query, tuple(row.values()))


def turn(db: sqlite3.Connection, number: str, surface: str, **more: Any) -> None:
    """A row of ``turns`` as it was; a reply and a mention have their message and their thread."""
    row = {
        **ASKED,
        "id": f"turn_{number}",
        "key": f"key {number}",
        "surface": surface,
        "prompt": f"prompt {number}",
        "attachments": '[["F0FILE0001", "fox.png", "image/png", 10]]',
        "order_key": f"176364000{number}.000000",
        "thread_ts": THREAD,
        "asked_ts": None if surface == "command" else f"176364000{number}.000000",
        "reply_url": "http://127.0.0.1:9/1" if surface == "command" else None,
    }
    insert(db, "turns", **{**row, **more})


def attempt(db: sqlite3.Connection, name: str, turn_id: str, state: str, **more: Any) -> None:
    """An attempt and what the journal has of it."""
    ended = None if state in ("held", "dispatched") else AT
    charged = 100 if state in ("settled", "uncertain") else 0
    money = {"hold_nano_usd": 100, "charged_nano_usd": charged, "bound": '{"image_output": [1, 100]}'}
    paid = {**PLACE, "person_key": "p_1", "price_version": "v", **CALLED, "held_at": AT}
    row = {**paid, **SIZE, **money, "id": f"try_{name}", "turn_id": turn_id, "number": 1}
    insert(db, "attempts", **{**row, "state": state, "dispatched_at": AT, "ended_at": ended, **more})
    moves = [("hold", 100, 0)]
    moves += (
        [({"settled": "settle", "released": "release"}.get(state, state), -100, charged)] if ended else []
    )
    for kind, held, cost in moves:
        insert(
            db,
            "journal",
            **paid,
            kind=kind,
            attempt_id=f"try_{name}",
            at=AT,
            held_delta_nano_usd=held,
            charged_delta_nano_usd=cost,
            flags="[]",
        )
        if cost:
            db.execute("INSERT INTO charge_lines VALUES (last_insert_rowid(), 'image_output', 1, ?)", (cost,))


def picture(db: sqlite3.Connection, version: int, turn_id: str, parent: str | None) -> None:
    insert(
        db,
        "pictures",
        **PLACE,
        **CALLED,
        **SIZE,
        id=f"picture_{version}",
        turn_id=turn_id,
        attempt_id=f"try_{version}",
        thread_ts=THREAD,
        user_id=ALICE,
        version=version,
        parent_id=parent,
        sha256="0" * 64,
        size_bytes=3,
        prompt=f"prompt {version}",
        host_tokens=1,
        chain_pictures=1,
        charged_nano_usd=100,
        flags="[]",
        seconds=1.5,
        created_at=AT,
    )


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A data directory of the third schema, with turns of each surface in every state of being told."""
    (tmp_path / PICTURES_NAME).mkdir()
    with closing(sqlite3.connect(tmp_path / DATABASE_NAME, isolation_level=None)) as db:
        migrations.apply(SqliteUtils(db), stop_before="m004_conversations")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA foreign_keys = ON")
        insert(db, "people", person_key="p_1", team_id=TEAM, user_id=ALICE, first_seen_at=AT)
        insert(db, "threads", **PLACE, thread_ts=THREAD, opened_at=AT)
        insert(db, "thread_people", **PLACE, thread_ts=THREAD, user_id=ALICE, joined_at=AT)
        options = {"width": 1024, "height": 1536, "quality": "high", "model": "gpt-image-2", "format": "webp"}
        turn(db, "1", "command", placeholder_ts=THREAD, file_id="F0FILE0001", **options, **DONE, **TOLD)
        attempt(db, "1", "turn_1", "settled")
        picture(db, 1, "turn_1", None)
        turn(db, "2", "reply", parent_id="picture_1", revision=2, file_id="F0FILE0002", **DONE)
        attempt(db, "2", "turn_2", "settled", parent_id="picture_1")
        picture(db, 2, "turn_2", "picture_1")
        turn(db, "3", "mention", parent_id="picture_2", **UNFINISHED)
        attempt(db, "3", "turn_3", "dispatched", parent_id="picture_2", response_id="resp_3")
        attempt(db, "4", "turn_3", "released", number=2, release_reason="rate")
        turn(db, "4", "command", thread_ts=None, state="received")
        turn(db, "5", "reply", state="queued")
        declined = {"state": "ended", "outcome": "declined", "reason": "no_money"}
        turn(db, "6", "command", details='{"budget": "person"}', thread_ts=None, **declined, told_at=AT)
        turn(db, "7", "command", **{**DONE, "outcome": "uncertain"}, undelivered_reason="is_archived")
        attempt(db, "7", "turn_7", "uncertain")
        asked = {**PLACE, "person_key": "p_1", "budget": "person:p_1", "asked_at": AT, "ends_at": AT}
        insert(db, "money_requests", **asked, turn_id="turn_6", state="open")
    return tmp_path


def rows_of(db: sqlite3.Connection, table: str) -> list[dict[str, Any]]:
    rows = db.execute(f"SELECT * FROM {table}")  # noqa: S608 -- names from the schema
    names = [column[0] for column in rows.description]
    return [dict(zip(names, row, strict=True)) for row in rows]


def contents(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table."""
    with closing(sqlite3.connect(path / DATABASE_NAME)) as db:
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {table: rows_of(db, table) for table in tables}


def dump(path: Path) -> list[str]:
    """The whole file as SQL: the schema and every row."""
    with closing(sqlite3.connect(path / DATABASE_NAME)) as db:
        return list(db.iterdump())


def test_every_row_comes_through_and_only_what_is_new_is_added(old: Path) -> None:
    before = contents(old)
    Database.open(old, inline=True).close()
    after = contents(old)
    files = {row["id"]: row.pop("file_id") for row in before["turns"]}
    for table in before.keys() - {"_sqlite_migrations"}:
        kept = (
            [{name: value for name, value in row.items() if name in before[table][0]} for row in after[table]]
            if before[table]
            else after[table]
        )
        assert kept == before[table], table
    new = {
        table: [{name: row[name] for name in row.keys() - before[table][0].keys()} for row in after[table]]
        for table in ("turns", "pictures", "attempts", "threads", "people")
    }
    assert [row.pop("opens_thread") for row in new["turns"]] == [1, 0, 0, 1, 0, 1, 1]
    assert [row.pop("file_id") for row in new["pictures"]] == [files["turn_1"], files["turn_2"]]
    usual = {"asked_channel_id": DESIGN, "intent": "make", "private": 0, "wanted": 1, "fresh": 0}
    empty = {"background": None, "brought_revision": None, "chosen_id": None, "inputs_from": None}
    kept_whole = {"words_gone_at": None, "forgotten_at": None}
    assert new["turns"] == [{**usual, **empty, **kept_whole}] * 7
    for table in ("pictures", "attempts", "threads", "people"):
        # Calls of before it was kept say that nothing was passed over.
        assert {value for row in new[table] for value in row.values()} <= {None, "[]"}, table
    # Which provider there was is read from what was called.
    added = after.keys() - before.keys() - {"providers"}
    assert all(after[name] == [] for name in added)


def test_what_referred_to_a_turn_still_does(old: Path) -> None:
    with closing(Database.open(old, inline=True)) as database:
        db = database._writer
        for table, column in (
            ("attempts", "turn_id"),
            ("pictures", "turn_id"),
            ("money_requests", "turn_id"),
            ("inputs", "turn_id"),
            ("turns", "inputs_from"),
        ):
            leads = {row["from"]: row["table"] for row in db.execute(f"PRAGMA foreign_key_list({table})")}
            assert leads[column] == "turns", table
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
            db.execute("UPDATE attempts SET turn_id = 'turn_9' WHERE id = 'try_1'")
        with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
            db.execute("DELETE FROM turns WHERE id = 'turn_6'")
        named = "SELECT name FROM sqlite_schema WHERE sql LIKE '%turns_004%'"
        assert db.execute(named).fetchall() == []


def test_an_old_file_and_a_new_one_have_the_same_schema(old: Path, tmp_path_factory: Any) -> None:
    fresh = tmp_path_factory.mktemp("fresh")
    Database.open(fresh, create=True, inline=True).close()
    Database.open(old, inline=True).close()
    query = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name"
    looked = [
        read_books(folder, lambda db: [tuple(row) for row in db.execute(query)]) for folder in (old, fresh)
    ]
    assert looked[0] == looked[1]


async def test_unfinished_turns_of_before_go_on(old: Path) -> None:
    """Each goes to its end as if nothing had been: the sent one, the waiting ones, and the untold one."""
    with closing(Database.open(old, inline=True)) as database:
        store, log = SqliteTurnStore(database), SqliteTurnLog(database)
        assert [each.id for each in await log.unfinished()] == ["turn_2", "turn_3", "turn_4", "turn_5"]
        made = await store.render("try_3", settlement(60, picture_id="picture_3"), FREE, NOON)
        assert made is not None
        assert (made.version, made.parent_version) == (3, 2)
        ended = await store.end("turn_3", Ending(Outcome.PICTURES, Reason.PICTURES), NOON)
        assert ended.request.thread_ts == THREAD
        assert isinstance(await store.queue("turn_4", plan("none"), FREE, NOON), Turn)
        command = await store.tell("turn_4", Told.PLACEHOLDER, "9.9", NOON)
        assert (command.request.surface, command.thread_ts) == (Surface.COMMAND, "9.9")
        for turn_id in ("turn_4", "turn_5"):
            assert isinstance(await store.hold(turn_id, plan(f"try_{turn_id}"), FREE, NOON), Attempt)
        told = await store.tell("turn_2", Told.FILE, "F0FILE0009", NOON, "picture_2")
        assert told.revision == 2
        assert [each.file_id for each in await log.pictures("turn_2")] == ["F0FILE0009"]
        reply = message("and a moon", "1763641000.000000", THREAD)
        assert (await store.arrive("turn_8", reply, NOON, ThreadReplies.JOINED)).new
        repeated = await store.arrive(
            "turn_9", message("x", "1.1", THREAD, user=BOB), NOON, ThreadReplies.JOINED
        )
        assert repeated.turn is None
        requests = await SqliteMoneyRequests(database).untold()
        assert [each.turn_id for each in requests] == ["turn_6"]
        await database.look(check_books)
        rows = await database.report(lambda db: turn_rows(db, 10))
        assert [row.turn.state for row in rows[:3]] == [TurnState.ENDED] * 3


def test_a_fault_at_any_step_leaves_what_was(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = dump(old)
    steps = schema_004.STATEMENTS
    for done in range(len(steps) + 1):
        broken = (*steps[:done], "INSERT INTO nothing_such VALUES (1)")
        monkeypatch.setattr(schema_004, "STATEMENTS", broken)
        with pytest.raises(UnusableData, match="nothing_such"):
            Database.open(old, inline=True)
        assert dump(old) == before, steps[done - 1]
    monkeypatch.setattr(schema_004, "STATEMENTS", steps)
    Database.open(old, inline=True).close()


def test_a_kill_in_the_middle_leaves_what_was(old: Path) -> None:
    """After the old table was dropped, before the new one has its name."""
    before = dump(old)
    middle = schema_004.STATEMENTS.index("DROP TABLE turns") + 1
    command = [sys.executable, "-c", CRASH, str(old), str(middle)]
    killed = subprocess.run(command, cwd=Path(__file__).parents[2], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert dump(old) == before
    Database.open(old, inline=True).close()


def test_books_that_do_not_hold_together_are_left_as_they_are(old: Path) -> None:
    """Made by hand, with another tool: what was found is named, and nothing is changed."""
    with closing(sqlite3.connect(old / DATABASE_NAME)) as db:
        db.execute("DELETE FROM turns WHERE id = 'turn_6'")
        db.commit()
    before = dump(old)
    with pytest.raises(UnusableData, match="money_requests refers to no row of turns"):
        Database.open(old, inline=True)
    assert dump(old) == before
