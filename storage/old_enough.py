"""What is old enough to be deleted: the queries that find it."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from darkroom.turns.retention import Before, Counts
from storage.times import to_text

_BUSY = """
    WITH busy AS MATERIALIZED (
        SELECT team_id, channel_id, thread_ts, parent_id, chosen_id, inputs_from FROM turns
        WHERE told_at IS NULL AND undelivered_reason IS NULL
    )
"""
"""What is being made or told: what it builds on, and its thread, are left alone."""

_COMMENTS = "SELECT id FROM shares INDEXED BY shares_commented WHERE comment <> '' AND begun_at < :words"

_PICTURES = """
    SELECT pictures.id, pictures.user_id FROM pictures INDEXED BY pictures_living
        CROSS JOIN turns ON turns.id = pictures.turn_id
    WHERE deleted_at IS NULL AND pictures.created_at < :pictures
        AND (told_at IS NOT NULL OR (undelivered_reason IS NOT NULL AND turns.created_at < :given_up))
        AND (pictures.team_id, pictures.channel_id, pictures.thread_ts)
            NOT IN (SELECT team_id, channel_id, thread_ts FROM busy WHERE thread_ts IS NOT NULL)
        AND pictures.id NOT IN (SELECT parent_id FROM busy WHERE parent_id IS NOT NULL)
        AND pictures.id NOT IN (SELECT chosen_id FROM busy WHERE chosen_id IS NOT NULL)
        AND NOT EXISTS (
            SELECT 1 FROM shares WHERE picture_id = pictures.id AND (
                (shares.message_ts IS NULL AND failure IS NULL AND begun_at >= :given_up)
                OR (shares.team_id, shares.channel_id, shares.message_ts)
                    IN (SELECT team_id, channel_id, thread_ts FROM busy WHERE thread_ts IS NOT NULL)
            )
        )
"""

_WORDS = """
    SELECT id, user_id FROM (
        SELECT id, user_id FROM turns INDEXED BY turns_with_words
        WHERE told_at IS NOT NULL AND words_gone_at IS NULL AND updated_at < :words
        UNION ALL
        SELECT id, user_id FROM turns INDEXED BY turns_undelivered
        WHERE undelivered_reason IS NOT NULL AND told_at IS NULL AND words_gone_at IS NULL
            AND updated_at < :words AND created_at < :given_up
    )
    WHERE id NOT IN (SELECT inputs_from FROM busy WHERE inputs_from IS NOT NULL)
"""

_TURNS = """
    SELECT id FROM turns INDEXED BY turns_kept
    WHERE told_at IS NOT NULL AND forgotten_at IS NULL AND updated_at < :turns
    UNION ALL
    SELECT id FROM turns INDEXED BY turns_undelivered
    WHERE undelivered_reason IS NOT NULL AND told_at IS NULL AND forgotten_at IS NULL
        AND updated_at < :turns AND created_at < :given_up
"""
"""Those that are old enough, ready to be forgotten or not."""

_READY = f"""
    SELECT id FROM ({_TURNS}) AS due
    WHERE id NOT IN (SELECT inputs_from FROM busy WHERE inputs_from IS NOT NULL)
        AND NOT EXISTS (
            SELECT 1 FROM pictures
            WHERE turn_id = due.id AND (deleted_at IS NULL OR deleted_at >= :now OR EXISTS (
                SELECT 1 FROM erasures WHERE picture_id = pictures.id AND done_at IS NULL
            ))
        )
        AND NOT EXISTS (SELECT 1 FROM attempts WHERE turn_id = due.id AND ended_at IS NULL)
        AND NOT EXISTS (
            SELECT 1 FROM money_requests
            WHERE turn_id = due.id AND ends_at > :now AND (state = 'open' OR told_state IS NOT state)
        )
"""

_THREADS = """
    SELECT team_id, channel_id, thread_ts FROM threads INDEXED BY threads_by_opening
    WHERE opened_at < :turns
        AND NOT EXISTS (
            SELECT 1 FROM turns WHERE turns.team_id = threads.team_id
                AND turns.channel_id = threads.channel_id AND turns.thread_ts = threads.thread_ts
        )
        AND NOT EXISTS (
            SELECT 1 FROM shares WHERE shares.team_id = threads.team_id
                AND shares.channel_id = threads.channel_id AND shares.message_ts = threads.thread_ts
        )
        AND NOT EXISTS (
            SELECT 1 FROM thread_people AS others WHERE others.team_id = threads.team_id
                AND others.channel_id = threads.channel_id AND others.thread_ts = threads.thread_ts
                AND joined_at >= :turns
        )
"""

_EMPTY = """
    SELECT id FROM turns AS gone INDEXED BY turns_forgotten
    WHERE forgotten_at IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM pictures AS its WHERE its.turn_id = gone.id AND (
            EXISTS (SELECT 1 FROM turns WHERE parent_id = its.id)
            OR EXISTS (SELECT 1 FROM turns WHERE chosen_id = its.id)
            OR EXISTS (SELECT 1 FROM attempts WHERE parent_id = its.id)
            OR EXISTS (SELECT 1 FROM pictures WHERE parent_id = its.id)
            OR EXISTS (SELECT 1 FROM choices WHERE picture_id = its.id)
        )
    )
"""
"""Forgotten turns whose pictures nothing refers to."""


@dataclass(frozen=True, slots=True)
class Due:
    """Rows that are old enough by one of the moments of ``Before``, or None where age is not the question;
    each is known by its *key*."""

    query: str
    by: str | None
    key: Sequence[str] = ("id",)
    order: str = ""
    _again: str = field(init=False)

    def __post_init__(self) -> None:
        # To look for one row by its key, no other index is of use.
        query = re.sub(r" INDEXED BY \w+", "", self.query)
        one = " AND ".join(f"{name} = :{name}" for name in self.key)
        object.__setattr__(self, "_again", f"{_BUSY} SELECT 1 FROM ({query}) WHERE {one}")

    def rows(self, db: sqlite3.Connection, before: Before, most: int) -> Sequence[sqlite3.Row]:
        """The first *most* of them; none where nothing is ever old enough."""
        if not self._ever(before):
            return ()
        query = f"{_BUSY} {self.query} {self.order} LIMIT :most"
        return db.execute(query, {**_values(before), "most": most}).fetchall()

    def still(self, db: sqlite3.Connection, before: Before, row: sqlite3.Row) -> bool:
        """Whether a row that was found before is one of them now; looks at nothing else."""
        named = {name: row[name] for name in self.key}
        return db.execute(self._again, {**_values(before), **named}).fetchone() is not None

    def number(self, db: sqlite3.Connection, before: Before) -> int:
        """How many they are."""
        if not self._ever(before):
            return 0
        query = f"{_BUSY} SELECT COUNT(*) FROM ({self.query})"
        return int(db.execute(query, _values(before)).fetchone()[0])

    def plan(self, db: sqlite3.Connection, before: Before) -> Sequence[str]:
        """The steps by which SQLite looks for them."""
        query = f"EXPLAIN QUERY PLAN {_BUSY} {self.query} {self.order} LIMIT :most"
        return [str(row["detail"]) for row in db.execute(query, {**_values(before), "most": 1})]

    def plan_of_one(self, db: sqlite3.Connection, before: Before) -> Sequence[str]:
        """The steps by which it looks for one that was found before."""
        values = {**_values(before), **dict.fromkeys(self.key, "")}
        return [str(row["detail"]) for row in db.execute(f"EXPLAIN QUERY PLAN {self._again}", values)]

    def _ever(self, before: Before) -> bool:
        return self.by is None or getattr(before, self.by) is not None


COMMENTS = Due(_COMMENTS, "words")
PICTURES = Due(_PICTURES, "pictures", order="ORDER BY pictures.created_at, pictures.id")
WORDS = Due(_WORDS, "words")
TURNS = Due(_TURNS, "turns")
READY = Due(_READY, "turns")
THREADS = Due(_THREADS, "turns", ("team_id", "channel_id", "thread_ts"))
EMPTY = Due(_EMPTY, None)


def count(db: sqlite3.Connection, before: Before) -> Counts:
    """``RetentionBook.count``; run it in one snapshot."""
    ready = READY.number(db, before)
    return Counts(
        pictures=PICTURES.number(db, before),
        words=WORDS.number(db, before),
        comments=COMMENTS.number(db, before),
        turns=ready,
        later=TURNS.number(db, before) - ready,
    )


def _values(before: Before) -> dict[str, str | int | None]:
    moments: dict[str, datetime | None] = {
        "now": before.now,
        "pictures": before.pictures,
        "words": before.words,
        "turns": before.turns,
        "given_up": before.given_up,
    }
    return {name: None if moment is None else to_text(moment) for name, moment in moments.items()}
