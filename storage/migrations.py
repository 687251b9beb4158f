"""The schema, as append-only steps. A step that has shipped is never changed; the next one mends it."""

from __future__ import annotations

from sqlite3 import IntegrityError

from sqlite_utils import Database, Migrations

from storage import schema_001, schema_002, schema_003, schema_004, schema_005, schema_006, schema_007

migrations = Migrations("darkroom")
"""The one set of migrations of a Darkroom database."""


@migrations()
def m001_the_first_books(db: Database) -> None:
    """People, threads, turns, attempts, pictures, and the books."""
    _run(db, schema_001.STATEMENTS)


@migrations()
def m002_spend_control(db: Database) -> None:
    """Caps, grants and everything else that admins decide; requests for more money; alerts."""
    _run(db, schema_002.STATEMENTS)


@migrations()
def m003_views(db: Database) -> None:
    """Spend by person, day and model, for whoever opens the file."""
    _run(db, schema_003.STATEMENTS)


@migrations()
def m004_conversations(db: Database) -> None:
    """Versions to go back to, pictures that go along, several at once, shares, deletion.

    It makes ``turns`` anew, which other tables refer to: ``PRAGMA foreign_keys`` has to be off meanwhile.
    """
    _run(db, schema_004.STATEMENTS)
    _check_references(db)


@migrations()
def m005_durability(db: Database) -> None:
    """Times when the API was of no use, signs of life, and the models that were passed over."""
    _run(db, schema_005.STATEMENTS)


@migrations()
def m006_accounts(db: Database) -> None:
    """What this account may call, and how fast: as last seen."""
    _run(db, schema_006.STATEMENTS)


@migrations()
def m007_leaving(db: Database) -> None:
    """What is kept for how long, and who is to be forgotten.

    It makes ``attempts`` anew, as ``m004`` does ``turns``.
    """
    _run(db, schema_007.STATEMENTS)
    _check_references(db)


def _run(db: Database, statements: tuple[str, ...]) -> None:
    for statement in statements:
        db.execute(statement)


def _check_references(db: Database) -> None:
    broken = db.execute("PRAGMA foreign_key_check").fetchmany(3)
    if broken:
        found = "; ".join(f"row {row[1]} of {row[0]} refers to no row of {row[2]}" for row in broken)
        raise IntegrityError(f"what it was before does not hold together: {found}")
