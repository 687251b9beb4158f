"""People in the books: an opaque key for each, and the one table that says who it is."""

from __future__ import annotations

import secrets
import sqlite3
from datetime import datetime

from darkroom.turns.model import Options
from storage.times import to_text


def person_key(db: sqlite3.Connection, team_id: str, user_id: str, at: datetime) -> str:
    """The person's key, made when missing: 80 random bits, so that an erased one leads nowhere."""
    found = known_person_key(db, team_id, user_id)
    if found is not None:
        return found
    key = f"p_{secrets.token_hex(10)}"
    db.execute(
        "INSERT INTO people (person_key, team_id, user_id, first_seen_at) VALUES (?, ?, ?, ?)",
        (key, team_id, user_id, to_text(at)),
    )
    return key


def known_person_key(db: sqlite3.Connection, team_id: str, user_id: str) -> str | None:
    """The person's key, or None for somebody who never asked for anything."""
    row = db.execute(
        "SELECT person_key FROM people WHERE team_id = ? AND user_id = ?", (team_id, user_id)
    ).fetchone()
    return None if row is None else str(row[0])


def met(db: sqlite3.Connection, team_id: str, user_id: str, channel_id: str, at: datetime) -> None:
    """Our direct message with a person is *channel_id*."""
    key = person_key(db, team_id, user_id, at)
    db.execute("UPDATE people SET dm_channel_id = ? WHERE person_key = ?", (channel_id, key))


def preferred_options(db: sqlite3.Connection, key: str) -> Options:
    """What a person prefers where they say nothing."""
    row = db.execute("SELECT width, height, quality FROM preferences WHERE person_key = ?", (key,)).fetchone()
    return Options() if row is None else Options(row["width"], row["height"], row["quality"])


def prefers_private(db: sqlite3.Connection, key: str) -> bool:
    """Whether what a person asks for is made in their direct message with us, where they do not say."""
    row = db.execute("SELECT private FROM preferences WHERE person_key = ?", (key,)).fetchone()
    return row is not None and bool(row["private"])
