"""Random keys of this data directory, for hashes that nobody else can compute."""

from __future__ import annotations

import secrets
import sqlite3

from storage.database import Database

_BYTES = 32


async def safety_key(database: Database) -> bytes:
    """The key of the names that people have at the API; made when first asked for."""
    return await database.write(_safety_key)


def _safety_key(db: sqlite3.Connection) -> bytes:
    db.execute(
        "INSERT INTO hash_keys (use, value) VALUES ('safety_identifier', ?) ON CONFLICT DO NOTHING",
        (secrets.token_bytes(_BYTES),),
    )
    return bytes(db.execute("SELECT value FROM hash_keys WHERE use = 'safety_identifier'").fetchone()[0])
