"""Small pieces of work that must not delay an acknowledgement: private answers, mostly."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from handlers.clients import SlackRefused, SlackUnclear

logger = logging.getLogger("darkroom.handlers")

ERRANDS_MAX = 200
"""More at once than this are dropped: whoever asked can ask again."""


_OF_THE_DISK = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_CORRUPT")
"""How SQLite's names begin for what it says in one sentence that is always the same."""

Work = Coroutine[Any, Any, None]


class Errands:
    """Runs coroutines beside the listeners, keeps hold of them, and lets them finish at the end."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._over = False

    @property
    def full(self) -> bool:
        """Whether the next one would be dropped."""
        return len(self._tasks) >= ERRANDS_MAX

    def runs(self, name: str) -> bool:
        """Whether an errand of that name is not done yet."""
        return any(task.get_name() == name for task in self._tasks)

    def start(self, name: str, work: Work, sorry: Callable[[], Work] | None = None) -> None:
        """Run *work*; *name* is what the log calls it (ids only). Never waits, never raises.

        If *work* breaks, *sorry* makes the work that tells its person so.
        """
        if self.full:
            work.close()
            logger.warning("errand %s dropped: %d are running", name, ERRANDS_MAX)
            return
        if self._over:
            work.close()
            logger.info("errand %s dropped: what it needs is being closed", name)
            return
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(lambda ended: self._ended(ended, sorry))

    async def idle(self) -> None:
        """Return when no errand runs."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def aclose(self, grace_s: float) -> None:
        """Let what runs finish for *grace_s* seconds, then give up on it. To call it again with less of that
        ends the grace of the first."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace_s)
        self._over = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None], sorry: Callable[[], Work] | None) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            logger.error("errand %s broke: %s", task.get_name(), where(error))
            if sorry is not None:
                self.start(f"{task.get_name()} (sorry)", sorry())


async def unbroken(name: str, work: Awaitable[bool]) -> bool:
    """What *work* says; False, and a line in the log under *name* (ids only), when it broke: what stands
    behind it goes on."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task})
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise
    error = None if task.cancelled() else task.exception()
    if error is not None:
        logger.error("%s broke: %s", name, where(error))
    return error is None and not task.cancelled() and task.result()


def where(error: BaseException) -> str:
    """An error for the log: its type and place, and its words only where they can hold nothing that anybody
    wrote: Slack's own names, and what the system and SQLite say of a disk."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    words = _fixed_words(error)
    named = f" ({words})" if words else ""
    return f"{type(error).__name__}{named}{place}"


def _fixed_words(error: BaseException) -> str | None:
    if isinstance(error, SlackRefused | SlackUnclear):
        return str(error)
    if isinstance(error, OSError):
        return error.strerror
    # SQLite's errors by their own name for it: only storage knows their type.
    name = str(getattr(error, "sqlite_errorname", ""))
    return str(error) if name.startswith(_OF_THE_DISK) else name
