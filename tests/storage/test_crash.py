"""A process that spends money is killed in the middle of it, again and again, and the books are right."""

from __future__ import annotations

import asyncio
import hashlib
import random
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import AttemptState, TurnState
from storage.blobs import BlobStore
from storage.database import DATABASE_NAME, PICTURES_NAME, Database, connect_read_only
from storage.turn_log import SqliteTurnLog
from storage.turns import SqliteTurnStore
from tests.examples import NOON, caps, settlement
from tests.storage.books import check_books, nothing_held

ROOT = Path(__file__).parents[2]
SLOW, PROOF = pytest.mark.slow, pytest.mark.proof
MAKE = """
import pathlib, sys
from storage.database import Database
print(flush=True)
Database.open(pathlib.Path(sys.argv[1]), create=True)
"""
FINAL = {"settled": "settled", "released": "released", "uncertain": "uncertain"}


def spend_and_die(folder: Path, seed: int) -> list[list[str]]:
    """Let ``busy.py`` run until it has made so many promises, seeded, and kill it; gives the promises."""
    rng = random.Random(seed)  # noqa: S311 -- a seeded test
    lines = rng.randrange(1, 60)
    arguments = [sys.executable, "-m", "tests.storage.busy", str(folder), str(seed)]
    with subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        promises = [process.stdout.readline() for _ in range(lines)]
        # Somewhere inside the steps that follow: so many turns of this loop are a random, short time.
        for _ in range(rng.randrange(40_000)):
            pass
        process.send_signal(signal.SIGKILL)
        promises += process.stdout.readlines()
    assert process.returncode == -signal.SIGKILL, "it ended by itself"
    return [line.split() for line in promises if line.endswith("\n")]


def check_promises(db: sqlite3.Connection, promises: list[list[str]], pictures: BlobStore) -> None:
    """Whatever was said to be written is there."""
    last = {name: word for word, name in promises}
    for name, word in last.items():
        if name.startswith("turn_"):
            row = db.execute("SELECT state, told_at FROM turns WHERE id = ?", (name,)).fetchone()
            assert row is not None, name
            assert word != "told" or row["told_at"] is not None, name
            continue
        state = db.execute("SELECT state FROM attempts WHERE id = ?", (name,)).fetchone()["state"]
        # It may have come further than it had said.
        sent = {AttemptState.DISPATCHED, AttemptState.SETTLED, AttemptState.UNCERTAIN}
        after = {"held": set(AttemptState), "sent": sent}
        assert state in after.get(word, {FINAL.get(word)}), (name, word, state)
    for row in db.execute("SELECT sha256 FROM pictures"):
        data = pictures.path_of(row["sha256"], "png").read_bytes()
        assert hashlib.sha256(data).hexdigest() == row["sha256"]


async def recover(folder: Path) -> None:
    """What a start does with what was left, without an API to ask: nothing stays held."""
    database = Database.open(folder)
    store, log = SqliteTurnStore(database), SqliteTurnLog(database)
    for turn in await log.unfinished():
        for attempt in await log.attempts(turn.id):
            if attempt.state is AttemptState.HELD:
                await store.fall_back(attempt.id, "interrupted", None, caps(), NOON)
            elif attempt.state is AttemptState.DISPATCHED:
                lost = settlement(attempt.hold_nano_usd, state=AttemptState.UNCERTAIN)
                await store.render(attempt.id, lost, caps(), NOON)
        ended = await store.end(turn.id, Ending(Outcome.CANCELLED, Reason.TOO_OLD), NOON)
        assert ended.state is TurnState.ENDED
    await database.look(check_books)
    await database.look(nothing_held)
    database.close()


@pytest.mark.parametrize("times", [pytest.param(4, marks=SLOW), pytest.param(12, marks=PROOF)])
def test_a_process_killed_at_any_moment_keeps_its_promises(tmp_path: Path, times: int) -> None:
    """Again and again on the same file, so that each start has the last one's wreck to begin with."""
    Database.open(tmp_path, create=True).close()
    pictures = BlobStore(tmp_path / PICTURES_NAME)
    promises: list[list[str]] = []
    open_holds = 0
    for seed in range(times):
        promises += spend_and_die(tmp_path, seed)
        reader = connect_read_only(tmp_path / DATABASE_NAME)
        check_books(reader)
        check_promises(reader, promises, pictures)
        assert reader.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        open_holds += reader.execute("SELECT COUNT(*) FROM attempts WHERE ended_at IS NULL").fetchone()[0]
        reader.close()
        asyncio.run(recover(tmp_path))
        pictures.sweep()
    assert len({name for word, name in promises if word == "arrived"}) >= times
    assert open_holds > 0, "no kill came in the middle of anything"
    assert {word for word, _ in promises} >= {"arrived", "held", "sent", "settled"}


@pytest.mark.parametrize("times", [pytest.param(3, marks=SLOW), pytest.param(12, marks=PROOF)])
def test_a_process_killed_while_it_makes_its_database_can_be_started_again(
    tmp_path: Path, times: int
) -> None:
    """Whatever the schema had come to by then."""
    rng = random.Random(7)  # noqa: S311 -- a seeded test
    for number in range(times):
        folder = tmp_path / str(number)
        arguments = [sys.executable, "-c", MAKE, str(folder)]
        with subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            for _ in range(rng.randrange(400_000)):
                pass
            process.kill()
        database = Database.open(folder, create=True, inline=True)
        asyncio.run(database.look(_check_empty))
        database.close()


def _check_empty(db: sqlite3.Connection) -> None:
    check_books(db)
    assert db.execute("SELECT COUNT(*) FROM turns").fetchone()[0] == 0
