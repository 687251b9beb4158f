"""The tasks that work on turns: one at a time for each, and no turn is lost whatever becomes of its task."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from darkroom.clock import Clock
from darkroom.turn_context import work_for
from darkroom.turns.line import Entry, Line
from darkroom.turns.mending import turn_unbroken
from darkroom.turns.patience import note_waits

logger = logging.getLogger("darkroom.turns")

Work = Coroutine[Any, Any, None]


class TurnTasks:
    """Runs what is done for the entries of *line*. What breaks is given to *mend*; whenever a task has ended,
    *start_next* is called."""

    def __init__(
        self, line: Line, clock: Clock, mend: Callable[[Entry], Work], start_next: Callable[[], None]
    ) -> None:
        self._line = line
        self._clock = clock
        self._mend = mend
        self._start_next = start_next
        self._tasks: set[asyncio.Task[None]] = set()
        self._spawned = asyncio.Event()
        self.stopping = False
        """Nothing more is begun."""

    def spawn(self, work: Work, entry: Entry) -> None:
        """Do *work* for *entry*, in a task of its own. Returns at once."""
        entry.stepped_at = self._clock.monotonic()
        entry.task = task = asyncio.create_task(self._guarded(work, entry), name=entry.turn.id)
        self._keep(task)
        task.add_done_callback(lambda _: self._left(task, entry, work))

    def asking(self, entry: Entry) -> None:
        """A call of *entry* broke off and the API is asked for it, perhaps for long: it is not stuck, and
        others go on meanwhile, and may try whether the API serves."""
        entry.stepped_at = self._clock.monotonic()
        entry.probing = False
        self._start_next()

    def aside(self, work: Work) -> None:
        """Do *work* that is no turn's. Returns at once."""
        self._keep(asyncio.create_task(work))

    def rescue(self, entry: Entry) -> None:
        """See to it that somebody is at *entry*, or that it waits."""
        alone = entry.task is not None and entry.task.done()
        if not alone or entry.parked or self.stopping or self._line.get(entry.turn.id) is not entry:
            return
        logger.critical("turn %s was left by whoever was at it", entry.turn.id)
        self.spawn(self._mend(entry), entry)

    async def idle(self) -> None:
        """Return when no turn is in the line, and nothing is left to be done."""
        while self._tasks or (len(self._line) and not self.stopping):
            self._spawned.clear()
            await (asyncio.wait(self._tasks) if self._tasks else self._spawned.wait())

    async def aclose(self, grace_s: float) -> None:
        """Let what runs finish for *grace_s* seconds."""
        self.stopping = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace_s)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._spawned.set()
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Work, entry: Entry) -> None:
        work_for(entry.turn.id)
        note_waits(lambda: self._told_to_wait(entry))
        try:
            if not await turn_unbroken(work, entry.turn.id):
                await self._mend(entry)
        finally:
            self._start_next()

    @contextmanager
    def _told_to_wait(self, entry: Entry) -> Iterator[None]:
        """That time does not count as standing still."""
        began = self._clock.monotonic()
        entry.told_to_wait += 1
        try:
            yield
        finally:
            entry.told_to_wait -= 1
            now = self._clock.monotonic()
            entry.stepped_at = min(now, entry.stepped_at + now - began)

    def _left(self, task: asyncio.Task[None], entry: Entry, work: Work) -> None:
        # Harmless after its end; what was cancelled before it began is closed.
        work.close()
        if not task.cancelled() and (fault := task.exception()) is not None:
            logger.critical("turn %s broke outside of its boundary", entry.turn.id, exc_info=fault)
        self.rescue(entry)
