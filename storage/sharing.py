"""Shares in SQL: pictures shown in another channel. Every function runs inside its caller's transaction."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from darkroom.turns.conversations import Share
from darkroom.turns.erasing import Recall
from storage.erasing import list_recall
from storage.ledger import LedgerFault
from storage.pictures import find_picture, living_picture
from storage.threads import choose, open_thread
from storage.times import from_text, to_text

UNFINISHED_MAX = 100
"""The most shares that are given out at once."""


def begin_share(
    db: sqlite3.Connection,
    share_id: str,
    key: str,
    picture_id: str,
    channel_id: str,
    user_id: str,
    at: datetime,
    comment: str,
) -> Share | None:
    """Write a share down, or find the one that *key* began before. See ``Conversations.share``."""
    picture = living_picture(db, picture_id)
    if picture is None:
        return None
    db.execute(
        """
        INSERT INTO shares (id, team_id, key, picture_id, channel_id, user_id, comment, begun_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (team_id, key) DO NOTHING
        """,
        (share_id, picture.team_id, key, picture_id, channel_id, user_id, comment, to_text(at)),
    )
    row = db.execute("SELECT * FROM shares WHERE team_id = ? AND key = ?", (picture.team_id, key)).fetchone()
    return _share_from(db, row)


def note_share(db: sqlite3.Connection, share_id: str, file_id: str | None, message_ts: str | None) -> Share:
    """How far a share has come. See ``Conversations.note_share``.

    Of a picture that was deleted meanwhile no thread opens: what the share has left is to be recalled too.
    """
    row = db.execute(
        """
        UPDATE shares SET file_id = COALESCE(?, file_id), message_ts = COALESCE(?, message_ts) WHERE id = ?
        RETURNING *
        """,
        (file_id, message_ts, share_id),
    ).fetchone()
    if row is None:
        raise LedgerFault(f"there is no share {share_id}")
    share, team = _share_from(db, row), row["team_id"]
    if share.picture.deleted_at is not None:
        for kind, channel, ref in (
            (Recall.MESSAGE, share.channel_id, message_ts),
            (Recall.FILE, "", file_id),
        ):
            if ref is not None:
                list_recall(db, share.picture, kind, channel, ref, share.user_id, share.picture.deleted_at)
    elif message_ts is not None:
        open_thread(db, team, share.channel_id, message_ts, share.user_id, share.begun_at)
        choose(db, team, share.channel_id, message_ts, share.picture.id, message_ts)
    return share


def give_up_share(db: sqlite3.Connection, share_id: str, failure: str) -> None:
    """It is not tried again; one that was posted stays posted."""
    db.execute("UPDATE shares SET failure = ? WHERE id = ? AND message_ts IS NULL", (failure, share_id))


def unfinished_shares(db: sqlite3.Connection, since: datetime) -> list[Share]:
    """What waits to be shown, oldest first. See ``Conversations.unfinished_shares``."""
    rows = db.execute(
        """
        SELECT shares.* FROM shares CROSS JOIN pictures ON pictures.id = shares.picture_id
        WHERE message_ts IS NULL AND failure IS NULL AND begun_at >= ? AND deleted_at IS NULL
        ORDER BY begun_at, shares.id LIMIT ?
        """,
        (to_text(since), UNFINISHED_MAX),
    ).fetchall()
    return [_share_from(db, row) for row in rows]


def _share_from(db: sqlite3.Connection, row: sqlite3.Row) -> Share:
    picture = find_picture(db, row["picture_id"])
    if picture is None:
        raise LedgerFault(f"share {row['id']} has no picture")
    return Share(
        id=row["id"],
        picture=picture,
        channel_id=row["channel_id"],
        user_id=row["user_id"],
        file_id=row["file_id"],
        message_ts=row["message_ts"],
        begun_at=from_text(row["begun_at"]),
        comment=row["comment"],
    )
