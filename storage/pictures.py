"""Pictures in SQL: the rows; their bytes are blobs. Every function runs inside its caller's transaction."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from darkroom.turns.model import Picture
from darkroom.turns.store import Settlement
from storage.ledger import LedgerFault
from storage.rows import PICTURES, picture_from
from storage.times import to_text


def add_picture(
    db: sqlite3.Connection, attempt: sqlite3.Row, settlement: Settlement, flags: str, at: datetime
) -> Picture:
    """The next version of its thread, from a row of ``attempts`` and what it brought."""
    turn = db.execute("SELECT * FROM turns WHERE id = ?", (attempt["turn_id"],)).fetchone()
    picture = settlement.picture
    if picture is None or turn["thread_ts"] is None:
        raise LedgerFault(f"attempt {attempt['id']} has no picture, or its turn no thread")
    place = (turn["team_id"], turn["channel_id"], turn["thread_ts"])
    version = db.execute(
        """
        SELECT COALESCE(MAX(version), 0) + 1 FROM pictures
        WHERE team_id = ? AND channel_id = ? AND thread_ts = ?
        """,
        place,
    ).fetchone()[0]
    db.execute(
        """
        INSERT INTO pictures (id, turn_id, attempt_id, team_id, channel_id, thread_ts, user_id, version,
            parent_id, sha256, format, width, height, size_bytes, prompt, revised_prompt, image_model,
            host_model, endpoint, provider, quality, response_id, host_tokens, chain_pictures,
            charged_nano_usd, flags, seconds, created_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
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
            to_text(at),
        ),
    )
    made = picture_of_attempt(db, attempt["id"])
    if made is None:
        raise LedgerFault(f"the picture of attempt {attempt['id']} is not there")
    return made


def picture_of_attempt(db: sqlite3.Connection, attempt_id: str) -> Picture | None:
    """The picture an attempt brought, or None."""
    row = db.execute(f"{PICTURES} WHERE pictures.attempt_id = ?", (attempt_id,)).fetchone()
    return None if row is None else picture_from(row)
