"""The first start of a kept demo: a month that was not played to its end is played once more."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import suppress
from pathlib import Path

from bot.cli.demo_note import FILE, NAME
from sandbox.keeping.folder import STATE, replace_file
from sandbox.keeping.keeper import Keeper
from storage.database import DATABASE_NAME, PICTURES_NAME

PLAYING = "playing"
"""The file beside the demo's state that stands there until the month before it is played and kept."""


def broke_off(data_dir: Path) -> bool:
    """Whether a demo that began there was ended amid its month: then nobody has done anything there yet."""
    return (data_dir / NAME / PLAYING).exists()


def lives_already(data_dir: Path) -> bool:
    """Whether anything was ever done there: then no history comes before it."""
    anything = (data_dir / DATABASE_NAME).exists() or (data_dir / NAME / STATE).exists()
    return anything and not broke_off(data_dir)


def begin_again(data_dir: Path) -> None:
    """Remove half a month: books, pictures, and what the demo has kept of its Slack. For who has the folder
    alone."""
    empty_books(data_dir)
    for name in (STATE, FILE, PLAYING):
        (data_dir / NAME / name).unlink(missing_ok=True)


def empty_books(data_dir: Path) -> None:
    """Remove the books and the pictures in them, and nothing else that stands there."""
    for end in ("", "-wal", "-shm"):
        (data_dir / f"{DATABASE_NAME}{end}").unlink(missing_ok=True)
    shutil.rmtree(data_dir / PICTURES_NAME, ignore_errors=True)


class Playing:
    """The mark of a month that is being played in a data directory, from the making of this on."""

    def __init__(self, data_dir: Path, keeper: Keeper) -> None:
        self._mark = data_dir / NAME / PLAYING
        self._keeper = keeper
        self._kept: asyncio.Task[None] | None = None
        with suppress(OSError):  # A full disk tells of itself as soon as the books are made.
            replace_file(self._mark, b"")

    def ends(self) -> None:
        """All of it was played. The mark goes as soon as that is on the disk; returns at once."""
        self._kept = asyncio.create_task(self._unmark())

    async def aclose(self) -> None:
        """End, with what is on the disk by then; for who still has the folder alone."""
        await self._keeper.close()
        if self._kept is not None:
            # What was written is settled: no more than a moment goes by. What cannot be written never is.
            await asyncio.wait({self._kept}, timeout=1.0)
            self._kept.cancel()
            await asyncio.gather(self._kept, return_exceptions=True)

    async def _unmark(self) -> None:
        await self._keeper.settled()
        self._mark.unlink(missing_ok=True)
