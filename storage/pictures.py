"""Pictures in SQL: the rows; their bytes are blobs. Every function runs inside its caller's transaction."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import datetime

from darkroom.turns.model import Picture
from darkroom.turns.store import Settlement
from storage.ledger import LedgerFault
from storage.rows import PICTURES, picture_from
from storage.times import to_text


def add_picture(
    db: sqlite3.Connection, attempt: sqlite3.Row, settlement: Settlement, flags: str, at: datetime
) -> Picture:
    """The next version of its thread, from a row of ``attempts`` and what it brought. Deleted ones count, and
    so does the picture whose sharing opened the thread: everybody there sees its version."""
    turn = db.execute("SELECT * FROM turns WHERE id = ?", (attempt["turn_id"],)).fetchone()
    picture = settlement.picture
    if picture is None or turn["thread_ts"] is None:
        raise LedgerFault(f"attempt {attempt['id']} has no picture, or its turn no thread")
    place = (turn["team_id"], turn["channel_id"], turn["thread_ts"])
    version = db.execute(
        """
        SELECT COALESCE(MAX(version), 0) + 1 FROM (
            SELECT MAX(version) AS version FROM pictures
            WHERE team_id = :team AND channel_id = :channel AND thread_ts = :thread
            UNION ALL
            SELECT version FROM shares JOIN pictures ON pictures.id = picture_id
            WHERE shares.team_id = :team AND shares.channel_id = :channel AND shares.message_ts = :thread
        )
        """,
        dict(zip(("team", "channel", "thread"), place, strict=True)),
    ).fetchone()[0]
    db.execute(
        """
        INSERT INTO pictures (id, turn_id, attempt_id, team_id, channel_id, thread_ts, user_id, version,
            parent_id, sha256, format, width, height, size_bytes, prompt, revised_prompt, image_model,
            host_model, endpoint, provider, quality, response_id, host_tokens, chain_pictures,
            charged_nano_usd, flags, seconds, background, created_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        (
            settlement.picture_id,
            turn["id"],
            attempt["id"],
            *place,
            turn["user_id"],
            version,
            attempt["parent_id"],
            picture.sha256,
            picture.format,
            picture.width,
            picture.height,
            picture.size_bytes,
            turn["prompt"],
            picture.revised_prompt,
            settlement.image_model or attempt["image_model"],
            settlement.host_model or attempt["host_model"],
            attempt["endpoint"],
            attempt["provider"],
            attempt["quality"],
            settlement.response_id or attempt["response_id"],
            settlement.host_tokens,
            settlement.chain_pictures,
            settlement.cost.total_nano_usd,
            flags,
            settlement.seconds,
            attempt["background"],
            to_text(at),
        ),
    )
    made = picture_of_attempt(db, attempt["id"])
    if made is None:
        raise LedgerFault(f"the picture of attempt {attempt['id']} is not there")
    return made


def find_picture(db: sqlite3.Connection, picture_id: str | None) -> Picture | None:
    """One picture, also a deleted one, or None."""
    row = db.execute(f"{PICTURES} WHERE pictures.id = ?", (picture_id,)).fetchone()
    return None if row is None else picture_from(row)


def living_picture(db: sqlite3.Connection, picture_id: str) -> Picture | None:
    """A picture that was not deleted, or None."""
    picture = find_picture(db, picture_id)
    return None if picture is None or picture.deleted_at is not None else picture


def built_on(db: sqlite3.Connection, picture_id: str) -> int:
    """How many living pictures were made from one, wherever that was."""
    query = "SELECT COUNT(*) FROM pictures WHERE parent_id = ? AND deleted_at IS NULL"
    return int(db.execute(query, (picture_id,)).fetchone()[0])


def picture_of_attempt(db: sqlite3.Connection, attempt_id: str) -> Picture | None:
    """The picture an attempt brought, or None."""
    row = db.execute(f"{PICTURES} WHERE pictures.attempt_id = ?", (attempt_id,)).fetchone()
    return None if row is None else picture_from(row)


def current_picture(
    db: sqlite3.Connection, team_id: str, channel_id: str, thread_ts: str, order: str
) -> Picture | None:
    """What a request of that *order* builds on. See ``TurnLog.current_picture``."""
    place = (team_id, channel_id, thread_ts)
    chosen = db.execute(
        """
        SELECT picture_id, order_key FROM choices
        WHERE team_id = ? AND channel_id = ? AND thread_ts = ? AND order_key < ?
        ORDER BY order_key DESC LIMIT 1
        """,
        (*place, order),
    ).fetchone()
    if chosen is not None and not _made_between(db, place, chosen["order_key"], order):
        picture = living_picture(db, chosen["picture_id"])
        if picture is not None:
            return picture
    row = db.execute(
        f"""
        {PICTURES}
        WHERE pictures.team_id = ? AND pictures.channel_id = ? AND pictures.thread_ts = ?
            AND pictures.deleted_at IS NULL
        ORDER BY pictures.version DESC LIMIT 1
        """,
        place,
    ).fetchone()
    if row is not None:
        return picture_from(row)
    shared = shared_picture(db, *place)
    return None if shared is None else living_picture(db, shared.id)


def shared_picture(db: sqlite3.Connection, team_id: str, channel_id: str, thread_ts: str) -> Picture | None:
    """The picture whose sharing opened a thread, with its file there, also a deleted one; or None."""
    row = db.execute(
        """
        SELECT picture_id, file_id FROM shares
        WHERE team_id = ? AND channel_id = ? AND message_ts = ? LIMIT 1
        """,
        (team_id, channel_id, thread_ts),
    ).fetchone()
    picture = None if row is None else find_picture(db, row["picture_id"])
    return None if picture is None else replace(picture, file_id=row["file_id"])


def _made_between(db: sqlite3.Connection, place: tuple[str, str, str], after: str, before: str) -> bool:
    """Whether a picture was made in a thread for a request between two places of the order."""
    row = db.execute(
        """
        SELECT 1 FROM pictures JOIN turns ON turns.id = pictures.turn_id
        WHERE pictures.team_id = ? AND pictures.channel_id = ? AND pictures.thread_ts = ?
            AND turns.order_key > ? AND turns.order_key < ?
        LIMIT 1
        """,
        (*place, after, before),
    ).fetchone()
    return row is not None


def last_picture(db: sqlite3.Connection, team_id: str, channel_id: str, user_id: str) -> Picture | None:
    """The newest picture that somebody asked for in a channel and that was not deleted, or None."""
    row = db.execute(
        f"""
        {PICTURES}
        WHERE pictures.team_id = ? AND pictures.channel_id = ? AND pictures.user_id = ?
            AND pictures.deleted_at IS NULL
        ORDER BY pictures.created_at DESC, pictures.id DESC LIMIT 1
        """,
        (team_id, channel_id, user_id),
    ).fetchone()
    return None if row is None else picture_from(row)


def note_file(db: sqlite3.Connection, turn_id: str, picture_id: str, file_id: str) -> None:
    """A picture's file is in Slack; raises ``LedgerFault`` if it is none of that turn's."""
    changed = db.execute(
        "UPDATE pictures SET file_id = ? WHERE id = ? AND turn_id = ?", (file_id, picture_id, turn_id)
    ).rowcount
    if changed != 1:
        raise LedgerFault(f"turn {turn_id} has no picture {picture_id}")
