"""Turns that lose their words because a picture was deleted. All of it runs inside the caller's
transaction, and gives what is to be recalled for it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from darkroom.turns.erasing import Recall
from darkroom.turns.model import Picture
from storage.rows import attachments_from, attachments_to

Ref = tuple[Recall, str, str]
"""What is to be recalled: its kind, the channel or nothing, and its name there."""

_SAID_BY_THE_API = frozenset({"words", "message"})
"""Details of an ending in the API's own words, which may repeat a prompt or describe a picture."""


def forget(db: sqlite3.Connection, turn_id: str, picture: Picture) -> list[Ref]:
    """A turn loses its words and what went along with them; gives the bytes that nothing needs any more."""
    texts = (picture.prompt, picture.revised_prompt or "")
    return [
        (Recall.BLOB, "", f"{sha256}.{suffix}")
        for sha256, suffix in forget_words(db, turn_id, texts)
        if not bytes_needed(db, sha256)
    ]


def forget_words(db: sqlite3.Connection, turn_id: str, texts: Sequence[str]) -> list[tuple[str, str]]:
    """A turn loses its words, those of *texts* that its ending repeats, and what went along with them; gives
    the digests and formats of that."""
    row = db.execute("SELECT * FROM turns WHERE id = ?", (turn_id,)).fetchone()
    if row is None:
        return []
    attachments = tuple(
        type(each)(each.file_id, "", each.media_type, each.size_bytes)
        for each in attachments_from(row["attachments"])
    )
    told = [text for text in (row["prompt"], *texts) if text]
    db.execute(
        "UPDATE turns SET prompt = '', attachments = ?, details = ? WHERE id = ?",
        (attachments_to(attachments), _without(row["details"], told), turn_id),
    )
    inputs = db.execute(
        "DELETE FROM inputs WHERE turn_id = ? RETURNING sha256, format", (turn_id,)
    ).fetchall()
    return list(dict.fromkeys((row["sha256"], row["format"]) for row in inputs))


def forget_copies(db: sqlite3.Connection, picture: Picture) -> list[Ref]:
    """What was to be made again of a picture, or varied, by a button under it, and came to nothing, has its
    words: there, and where it was shared."""
    rows = db.execute(
        """
        SELECT id, prompt FROM turns WHERE team_id = ? AND channel_id = ? AND thread_ts = ?
            AND surface = 'button' AND state = 'ended' AND COALESCE(told_at, undelivered_reason) IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM pictures WHERE turn_id = turns.id)
        UNION ALL
        SELECT turns.id, prompt FROM shares CROSS JOIN turns
            ON turns.team_id = shares.team_id AND turns.channel_id = shares.channel_id
            AND thread_ts = shares.message_ts
        WHERE picture_id = ?
            AND surface = 'button' AND state = 'ended' AND COALESCE(told_at, undelivered_reason) IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM pictures WHERE turn_id = turns.id)
        """,
        (picture.team_id, picture.channel_id, picture.thread_ts, picture.id),
    ).fetchall()
    copies = [row["id"] for row in rows if picture.prompt and picture.prompt in row["prompt"]]
    return [ref for turn_id in copies for ref in forget(db, turn_id, picture)]


def forget_asked(db: sqlite3.Connection, turn_id: str, picture: Picture) -> list[Ref]:
    """The turn that asked where, or whether, the picture was to be made: it has brought nothing itself."""
    brought = db.execute("SELECT 1 FROM pictures WHERE turn_id = ?", (turn_id,)).fetchone()
    return [] if brought else forget(db, turn_id, picture)


def bytes_needed(db: sqlite3.Connection, sha256: str) -> bool:
    """Whether a living picture is these bytes, or they go along with some turn's prompt."""
    row = db.execute(
        """
        SELECT 1 FROM pictures WHERE sha256 = :sha256 AND deleted_at IS NULL
        UNION ALL SELECT 1 FROM inputs WHERE sha256 = :sha256 LIMIT 1
        """,
        {"sha256": sha256},
    ).fetchone()
    return row is not None


def _without(details: str | None, texts: Sequence[str]) -> str | None:
    """An ending's details, where what may repeat one of *texts* is empty."""
    if details is None:
        return None
    kept: dict[str, str | int] = json.loads(details)
    for name, value in kept.items():
        if name in _SAID_BY_THE_API or (isinstance(value, str) and any(text in value for text in texts)):
            kept[name] = ""
    return json.dumps(kept)
