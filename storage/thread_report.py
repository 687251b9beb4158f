"""The calls of one thread with what they hold and cost, for who looks at the books of a thread."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from storage.database import read_books

CALLS_MAX = 200
"""The newest so many are given."""


@dataclass(frozen=True, slots=True)
class CallRow:
    """One attempt: whose, for which version (None without a picture), its hold and charge in nano-dollars,
    the charge by token class, and what is remarkable about it."""

    id: str
    turn_id: str
    user_id: str
    version: int | None
    state: str
    image_model: str
    endpoint: str
    hold_nano_usd: int
    charged_nano_usd: int
    response_id: str | None
    release_reason: str | None
    flags: tuple[str, ...]
    classes: tuple[tuple[str, int, int], ...]
    """Name, tokens, nano-dollars; corrections change the nano-dollars."""


@dataclass(frozen=True, slots=True)
class ThreadBooks:
    """A thread's newest ``CALLS_MAX`` calls, oldest of them first, and who asked last in it (None where
    nobody has, or their name was erased)."""

    calls: tuple[CallRow, ...] = ()
    asker: str | None = None


def read_thread(data_dir: Path, channel_id: str, thread_ts: str) -> ThreadBooks:
    """The books of one thread, also while a bot runs. Blocks for the file; raises ``DataProblem``."""
    return read_books(
        data_dir,
        lambda db: ThreadBooks(
            tuple(_calls(db, channel_id, thread_ts)), _asker_of(db, channel_id, thread_ts)
        ),
    )


def read_place(data_dir: Path, response_id: str) -> tuple[str, str] | None:
    """The channel and the thread for which a response was asked for; None when no call has that id, or its
    turn has no thread. Blocks for the file; raises ``DataProblem``."""
    return read_books(data_dir, lambda db: _place_of(db, response_id))


def _calls(db: sqlite3.Connection, channel_id: str, thread_ts: str) -> list[CallRow]:
    rows = db.execute(
        """
        SELECT * FROM (
            SELECT attempts.*, turns.user_id, pictures.version
            FROM turns
            JOIN attempts ON attempts.turn_id = turns.id
            LEFT JOIN pictures ON pictures.attempt_id = attempts.id
            WHERE turns.channel_id = ? AND turns.thread_ts = ?
            ORDER BY attempts.held_at DESC, attempts.id DESC LIMIT ?
        ) ORDER BY held_at, id
        """,
        (channel_id, thread_ts, CALLS_MAX),
    ).fetchall()
    return [
        CallRow(
            id=row["id"],
            turn_id=row["turn_id"],
            user_id=row["user_id"],
            version=row["version"],
            state=row["state"],
            image_model=row["image_model"],
            endpoint=row["endpoint"],
            hold_nano_usd=row["hold_nano_usd"],
            charged_nano_usd=row["charged_nano_usd"],
            response_id=row["response_id"],
            release_reason=row["release_reason"],
            flags=_flags(db, row["id"]),
            classes=_classes(db, row["id"]),
        )
        for row in rows
    ]


def _asker_of(db: sqlite3.Connection, channel_id: str, thread_ts: str) -> str | None:
    row = db.execute(
        """
        SELECT user_id FROM turns WHERE channel_id = ? AND thread_ts = ?
        ORDER BY created_at DESC, id DESC LIMIT 1
        """,
        (channel_id, thread_ts),
    ).fetchone()
    return (row["user_id"] or None) if row else None


def _flags(db: sqlite3.Connection, attempt_id: str) -> tuple[str, ...]:
    rows = db.execute("SELECT flags FROM journal WHERE attempt_id = ?", (attempt_id,))
    return tuple(sorted({flag for row in rows for flag in json.loads(row["flags"])}))


def _classes(db: sqlite3.Connection, attempt_id: str) -> tuple[tuple[str, int, int], ...]:
    rows = db.execute(
        """
        SELECT token_class, MAX(tokens) AS tokens, SUM(lines.charged_nano_usd) AS charged
        FROM charge_lines AS lines JOIN journal ON journal.id = lines.journal_id
        WHERE journal.attempt_id = ? GROUP BY token_class ORDER BY charged DESC, token_class
        """,
        (attempt_id,),
    )
    return tuple((row["token_class"], row["tokens"], row["charged"]) for row in rows)


def _place_of(db: sqlite3.Connection, response_id: str) -> tuple[str, str] | None:
    row = db.execute(
        """
        SELECT turns.channel_id, turns.thread_ts FROM attempts JOIN turns ON turns.id = attempts.turn_id
        WHERE attempts.response_id = ? LIMIT 1
        """,
        (response_id,),
    ).fetchone()
    return (row["channel_id"], row["thread_ts"]) if row is not None and row["thread_ts"] else None
