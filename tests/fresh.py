"""New, empty books in an instant: the migrations run once; who only needs what they make gets a copy."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from storage.database import DATABASE_NAME, Database


def with_books(folder: Path) -> Path:
    """*folder*, made if need be, with new books in it unless it has some."""
    path = folder / DATABASE_NAME
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_new_books())
    return folder


@cache
def _new_books() -> bytes:
    """The file as a new data directory has it after it was closed."""
    with TemporaryDirectory(prefix="darkroom-books-") as folder:
        Database.open(Path(folder), create=True, inline=True).close()
        return (Path(folder) / DATABASE_NAME).read_bytes()
