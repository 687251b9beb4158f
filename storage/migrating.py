"""Bringing a database up to date. A start finds it so nearly always, and then needs no sqlite-utils, whose
import takes longer than all else of storage."""

from __future__ import annotations

import sqlite3

NEWEST = "m007_leaving"
"""The last of ``storage/migrations.py``; they are applied in their order."""


def is_known(connection: sqlite3.Connection) -> bool:
    """Whether it is a Darkroom's database at all, of whatever age."""
    return _applied(connection, "name LIKE 'm%'")


def is_newest(connection: sqlite3.Connection) -> bool:
    """Whether nothing is to be done."""
    return _applied(connection, f"name = '{NEWEST}'")


def migrate(connection: sqlite3.Connection) -> None:
    """Apply what is missing; outside of any transaction."""
    if is_newest(connection):
        return
    from sqlite_utils import Database

    from storage.migrations import migrations

    migrations.apply(Database(connection))


def _applied(connection: sqlite3.Connection, which: str) -> bool:
    table = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = '_sqlite_migrations'"
    if connection.execute(table).fetchone() is None:
        return False
    steps = f"SELECT 1 FROM _sqlite_migrations WHERE migration_set = 'darkroom' AND {which}"
    return connection.execute(steps).fetchone() is not None
