"""Has the books say what the breaker does: an outage that begins is written down, one that is over ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from darkroom.clock import Clock
from darkroom.turns.breaker import Breaker
from darkroom.turns.outages import Outage, OutageBook

logger = logging.getLogger("darkroom.turns")

AGAIN_S = 60.0
"""When it is tried again where the books could not be written, as on a full disk."""


class OutageClerk:
    """Writes in the background, one thing after the other: no call waits for it, and none fails with it."""

    def __init__(self, clock: Clock, book: OutageBook, breaker: Breaker) -> None:
        self._clock = clock
        self._book = book
        self._breaker = breaker
        self._written: Outage | None = None
        """What has not ended in the books."""
        self._listeners: list[Callable[[], None]] = []
        self._task: asyncio.Task[None] | None = None
        self._rests = False
        self._shut = False

    async def load(self) -> Outage | None:
        """The outage that has not ended."""
        self._written = await self._book.current()
        return self._written

    def listen(self, raised: Callable[[], None]) -> None:
        """Have *raised* called whenever an alert was."""
        self._listeners.append(raised)

    def write_up(self) -> None:
        """Something may have changed. Returns at once."""
        if self._task is None and not self._is_written():
            self._start(0.0)

    async def aclose(self) -> None:
        """Finish what is being written; the rest is learned again after the next start."""
        self._shut = True
        if self._task is not None:
            if self._rests:
                self._task.cancel()
            await asyncio.wait({self._task})

    def _start(self, after_s: float) -> None:
        if not self._shut:
            self._task = asyncio.create_task(self._write(after_s))
            self._task.add_done_callback(self._wrote)

    def _is_written(self) -> bool:
        incident, written = self._breaker.incident, self._written
        return (incident and incident.outage.id) == (written and written.id)

    async def _write(self, after_s: float) -> None:
        if after_s:
            self._rests = True
            await self._clock.sleep(after_s)
            self._rests = False
        while not self._is_written():
            incident = self._breaker.incident
            if self._written is not None:
                await self._book.end(self._written.id, self._clock.now())
                self._written = None
            elif incident is not None:
                self._written = await self._book.begin(incident.outage, incident.team_id)
                self._breaker.booked(incident, self._written)
            for raised in self._listeners:
                raised()

    def _wrote(self, task: asyncio.Task[None]) -> None:
        self._task, self._rests = None, False
        if task.cancelled():
            return
        if (fault := task.exception()) is not None:
            logger.error("an outage of the image API could not be written down", exc_info=fault)
            self._start(AGAIN_S)
        else:
            # Something may have changed after the last look.
            self.write_up()
