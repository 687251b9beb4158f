"""What people prefer, and what they think of pictures; each function runs inside its caller's transaction."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from darkroom.turns.conversations import Preferences
from darkroom.turns.model import Verdict
from storage.people import known_person_key, person_key
from storage.times import to_text


def preferences_of(db: sqlite3.Connection, team_id: str, user_id: str) -> Preferences:
    """What a person prefers; nothing for somebody who never said."""
    row = db.execute(
        """
        SELECT preferences.* FROM people
            JOIN preferences ON preferences.person_key = people.person_key
        WHERE team_id = ? AND user_id = ?
        """,
        (team_id, user_id),
    ).fetchone()
    if row is None:
        return Preferences()
    return Preferences(row["width"], row["height"], row["quality"], bool(row["private"]))


def prefer(
    db: sqlite3.Connection, team_id: str, user_id: str, preferences: Preferences, at: datetime
) -> None:
    """Keep what a person prefers, in place of what was kept before. Half a size is refused by the table."""
    db.execute(
        """
        INSERT OR REPLACE INTO preferences (person_key, width, height, quality, private, updated_at)
        VALUES (?, ?, ?, ?, ?, ?)
        """,
        (
            person_key(db, team_id, user_id, at),
            preferences.width,
            preferences.height,
            preferences.quality,
            preferences.private,
            to_text(at),
        ),
    )


def private_channel(db: sqlite3.Connection, team_id: str, user_id: str) -> str | None:
    """The channel of our direct message with a person, where it is known."""
    key = known_person_key(db, team_id, user_id)
    row = db.execute("SELECT dm_channel_id FROM people WHERE person_key = ?", (key,)).fetchone()
    return None if row is None else row["dm_channel_id"]


def judge(db: sqlite3.Connection, picture_id: str, user_id: str, verdict: Verdict, at: datetime) -> bool:
    """Keep what somebody thinks of a picture. See ``Conversations.judge``."""
    row = db.execute(
        "SELECT team_id FROM pictures WHERE id = ? AND deleted_at IS NULL", (picture_id,)
    ).fetchone()
    if row is None:
        return False
    db.execute(
        "INSERT OR REPLACE INTO feedback (picture_id, person_key, verdict, at) VALUES (?, ?, ?, ?)",
        (picture_id, person_key(db, row["team_id"], user_id, at), verdict, to_text(at)),
    )
    return True
