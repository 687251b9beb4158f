"""Darkroom's threads, and who takes part in them."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from darkroom.turns.model import Options, ThreadReplies
from storage.rows import OPTIONS, options_from, options_to
from storage.times import to_text


def open_thread(
    db: sqlite3.Connection, team_id: str, channel_id: str, thread_ts: str, user_id: str, at: datetime
) -> None:
    """Make the thread one of Darkroom's and *user_id* somebody whose replies count there; may be repeated."""
    db.execute(
        "INSERT OR IGNORE INTO threads (team_id, channel_id, thread_ts, opened_at) VALUES (?, ?, ?, ?)",
        (team_id, channel_id, thread_ts, to_text(at)),
    )
    join_thread(db, team_id, channel_id, thread_ts, user_id, at)


def join_thread(
    db: sqlite3.Connection, team_id: str, channel_id: str, thread_ts: str, user_id: str, at: datetime
) -> None:
    """Make *user_id* somebody whose replies count in a thread of Darkroom's; elsewhere it does nothing."""
    db.execute(
        """
        INSERT OR IGNORE INTO thread_people (team_id, channel_id, thread_ts, user_id, joined_at)
        SELECT team_id, channel_id, thread_ts, ?, ? FROM threads
        WHERE team_id = ? AND channel_id = ? AND thread_ts = ?
        """,
        (user_id, to_text(at), team_id, channel_id, thread_ts),
    )


def leave_thread(db: sqlite3.Connection, team_id: str, channel_id: str, thread_ts: str, user_id: str) -> None:
    """*user_id*'s replies count there no longer; a thread that nobody is left in is not Darkroom's."""
    place = (team_id, channel_id, thread_ts)
    where = "team_id = ? AND channel_id = ? AND thread_ts = ?"
    db.execute(f"DELETE FROM thread_people WHERE {where} AND user_id = ?", (*place, user_id))
    if not _any(db, f"SELECT 1 FROM thread_people WHERE {where}", place):
        db.execute(f"DELETE FROM threads WHERE {where}", place)


def choose(
    db: sqlite3.Connection, team_id: str, channel_id: str, thread_ts: str, picture_id: str, order: str
) -> None:
    """Requests of that thread with a later *order* build on a picture, until one of them brings its own; the
    same press, sent again, is the same choice."""
    db.execute(
        """
        INSERT OR REPLACE INTO choices (team_id, channel_id, thread_ts, order_key, picture_id)
        VALUES (?, ?, ?, ?, ?)
        """,
        (team_id, channel_id, thread_ts, order, picture_id),
    )


def remember(db: sqlite3.Connection, team_id: str, channel_id: str, thread_ts: str, said: Options) -> None:
    """*said* holds for later requests of that thread; where it says nothing, what was said before does."""
    kept = remembered(db, team_id, channel_id, thread_ts)
    db.execute(
        f"""
        UPDATE threads SET ({OPTIONS}) = (?, ?, ?, ?, ?, ?)
        WHERE team_id = ? AND channel_id = ? AND thread_ts = ?
        """,
        (*options_to(said.or_else(kept)), team_id, channel_id, thread_ts),
    )


def remembered(db: sqlite3.Connection, team_id: str, channel_id: str, thread_ts: str) -> Options:
    """What was said in a thread beyond prompts; nothing in a thread that is not Darkroom's."""
    row = db.execute(
        f"SELECT {OPTIONS} FROM threads WHERE team_id = ? AND channel_id = ? AND thread_ts = ?",
        (team_id, channel_id, thread_ts),
    ).fetchone()
    return Options() if row is None else options_from(row)


def reply_counts(
    db: sqlite3.Connection,
    team_id: str,
    channel_id: str,
    thread_ts: str,
    user_id: str,
    replies: ThreadReplies,
) -> bool:
    """Whether a reply of *user_id* without a mention is a request."""
    match replies:
        case ThreadReplies.MENTIONS:
            return False
        case ThreadReplies.EVERYONE:
            query, values = "SELECT 1 FROM threads WHERE", (team_id, channel_id, thread_ts)
            return _any(db, f"{query} team_id = ? AND channel_id = ? AND thread_ts = ?", values)
        case ThreadReplies.JOINED:
            return _any(
                db,
                """
                SELECT 1 FROM thread_people
                WHERE team_id = ? AND channel_id = ? AND thread_ts = ? AND user_id = ?
                """,
                (team_id, channel_id, thread_ts, user_id),
            )


def _any(db: sqlite3.Connection, query: str, values: tuple[str, ...]) -> bool:
    return db.execute(query, values).fetchone() is not None
