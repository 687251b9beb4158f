"""Deleting what is old enough, in SQL: ``darkroom.turns.retention.RetentionBook``."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from darkroom.turns.retention import Before, Counts, Gone
from storage.database import Database
from storage.erasing import erase
from storage.forgetting import forget_words
from storage.old_enough import COMMENTS, EMPTY, PICTURES, READY, THREADS, WORDS, Due, count
from storage.scrubbing import to_be_scrubbed
from storage.times import to_text

_HERE = "team_id = ? AND channel_id = ? AND thread_ts = ?"
_Step = Callable[[sqlite3.Connection, sqlite3.Row], Gone]


class SqliteRetentionBook:
    """``RetentionBook`` on a ``Database``; what each method promises is written there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, before: Before) -> Counts:
        """See ``RetentionBook.count``."""
        return await self._database.report(lambda db: count(db, before))

    async def take_comments(self, before: Before, most: int) -> Gone:
        """See ``RetentionBook.take_comments``."""

        def each(db: sqlite3.Connection, row: sqlite3.Row) -> Gone:
            db.execute("UPDATE shares SET comment = '' WHERE id = ?", (row["id"],))
            return Gone(1)

        return await self._step(COMMENTS, before, most, each)

    async def erase_pictures(self, before: Before, most: int) -> Gone:
        """See ``RetentionBook.erase_pictures``."""

        def each(db: sqlite3.Connection, row: sqlite3.Row) -> Gone:
            erase(db, row["id"], "", before.now)
            return Gone(1, frozenset({row["user_id"]}))

        return await self._step(PICTURES, before, most, each)

    async def take_words(self, before: Before, most: int) -> Gone:
        """See ``RetentionBook.take_words``."""
        return await self._step(WORDS, before, most, lambda db, row: _take_words(db, row, before.now))

    async def forget_turns(self, before: Before, most: int) -> Gone:
        """See ``RetentionBook.forget_turns``."""
        return await self._step(READY, before, most, lambda db, row: empty_turn(db, row["id"], before.now))

    async def forget_threads(self, before: Before, most: int) -> Gone:
        """See ``RetentionBook.forget_threads``."""
        return await self._step(THREADS, before, most, _forget_thread)

    async def drop_rows(self, before: Before, most: int) -> Gone:
        """See ``RetentionBook.drop_rows``."""
        return await self._step(EMPTY, before, most, lambda db, row: _drop_turn(db, row["id"]))

    async def _step(self, due: Due, before: Before, most: int, each: _Step) -> Gone:
        did: list[Gone] = []
        while wanted := most - len(did):
            # Where much is old enough and must wait, that takes a while: nobody's answer waits for it.
            rows = await self._database.report(partial(due.rows, before=before, most=wanted))

            def work(db: sqlite3.Connection, rows: Sequence[sqlite3.Row] = rows) -> list[Gone]:
                done = [each(db, row) for row in rows if due.still(db, before, row)]
                if done:
                    to_be_scrubbed(db)
                return done

            did += await self._database.write(work) if rows else []
            if len(rows) < wanted:
                break
        return Gone(
            len(did),
            frozenset(user for one in did for user in one.user_ids if user),
            tuple(dict.fromkeys(some for one in did for some in one.bytes)),
        )


def _take_words(db: sqlite3.Connection, turn: sqlite3.Row, at: datetime) -> Gone:
    pictures = db.execute(
        "SELECT prompt, revised_prompt, deleted_at FROM pictures WHERE turn_id = ?", (turn["id"],)
    ).fetchall()
    texts = [text for row in pictures for text in (row["prompt"], row["revised_prompt"]) if text]
    along = forget_words(db, turn["id"], texts)
    db.execute("UPDATE pictures SET prompt = '', revised_prompt = NULL WHERE turn_id = ?", (turn["id"],))
    db.execute("UPDATE turns SET words_gone_at = ? WHERE id = ?", (to_text(at), turn["id"]))
    shown = any(row["deleted_at"] is None for row in pictures)
    return Gone(1, frozenset({turn["user_id"]} if shown else ()), tuple(along))


def empty_turn(db: sqlite3.Connection, turn_id: str, at: datetime) -> Gone:
    """Leave nobody and nothing in the rows of a turn whose pictures are all deleted and recalled. They stand
    until nothing refers to them: what was made from its pictures says from which version."""
    along = forget_words(db, turn_id, ())
    its = "SELECT id FROM pictures WHERE turn_id = ?"
    for table in ("feedback", "shares", "erasures"):
        db.execute(f"DELETE FROM {table} WHERE picture_id IN ({its})", (turn_id,))
    # A choice that counts no more keeps those before it from counting again: they go together.
    for row in db.execute(f"SELECT * FROM choices WHERE picture_id IN ({its})", (turn_id,)).fetchall():
        db.execute(
            f"DELETE FROM choices WHERE {_HERE} AND order_key <= ?",
            (row["team_id"], row["channel_id"], row["thread_ts"], row["order_key"]),
        )
    db.execute(
        """
        UPDATE pictures SET prompt = '', revised_prompt = NULL, user_id = '', parent_id = NULL,
            file_id = NULL, response_id = NULL, sha256 = hex(zeroblob(32))
        WHERE turn_id = ?
        """,
        (turn_id,),
    )
    db.execute("UPDATE attempts SET parent_id = NULL, response_id = NULL WHERE turn_id = ?", (turn_id,))
    db.execute("UPDATE turns SET inputs_from = NULL WHERE inputs_from = ?", (turn_id,))
    requests = "SELECT id FROM money_requests WHERE turn_id = ?"
    db.execute(f"DELETE FROM money_request_posts WHERE request_id IN ({requests})", (turn_id,))
    db.execute("DELETE FROM money_requests WHERE turn_id = ?", (turn_id,))
    db.execute(
        """
        UPDATE turns SET key = 'forgotten:' || id, channel_id = '', asked_channel_id = '', thread_ts = NULL,
            asked_ts = NULL, user_id = '', person_key = '', attachments = '[]', details = '{}',
            order_key = '', reply_url = NULL, inputs_from = NULL, chosen_id = NULL, parent_id = NULL,
            placeholder_ts = NULL, message_ts = NULL, undelivered_reason = NULL,
            told_at = COALESCE(told_at, :at), words_gone_at = COALESCE(words_gone_at, :at), forgotten_at = :at
        WHERE id = :id
        """,
        {"at": to_text(at), "id": turn_id},
    )
    return Gone(1, bytes=tuple(along))


def _drop_turn(db: sqlite3.Connection, turn_id: str) -> Gone:
    """Remove the rows of an emptied turn. What its calls cost stays."""
    db.execute("UPDATE attempts SET turn_id = NULL WHERE turn_id = ?", (turn_id,))
    db.execute("DELETE FROM pictures WHERE turn_id = ?", (turn_id,))
    db.execute("DELETE FROM turns WHERE id = ?", (turn_id,))
    return Gone(1)


def _forget_thread(db: sqlite3.Connection, thread: sqlite3.Row) -> Gone:
    place = (thread["team_id"], thread["channel_id"], thread["thread_ts"])
    db.execute(f"UPDATE pictures SET thread_ts = 'forgotten:' || id WHERE {_HERE}", place)
    for table in ("choices", "thread_people", "threads"):
        db.execute(f"DELETE FROM {table} WHERE {_HERE}", place)
    return Gone(1)
