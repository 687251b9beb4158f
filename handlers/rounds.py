"""Work that is done in rounds: whenever it is woken, after a while by itself, and sooner after trouble."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from darkroom.clock import Clock
from handlers.errands import unbroken

RETRY_S = 30.0
"""The first wait after a round that could not do everything; each one after it is twice as long."""


class Rounds:
    """Runs *work*, which tells whether all of it could be done, in a task of its own.

    ``every_s`` is the longest wait between two rounds, ``retry_s`` the first one after trouble. All waits go
    through the clock.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], Awaitable[bool]],
        clock: Clock,
        every_s: float,
        retry_s: float = RETRY_S,
    ) -> None:
        self._name = name
        self._work = work
        self._clock = clock
        self._every_s = every_s
        self._retry_s = retry_s
        self._woken = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self.stopping = False
        """Whether what is under way should come to its end."""

    def wake(self) -> None:
        """There may be something to do. Returns at once."""
        self._woken.set()

    def start(self) -> None:
        """Run until ``aclose``."""
        self._running = asyncio.create_task(self._run(), name=self._name)

    async def aclose(self, grace_s: float = 5.0) -> None:
        """Let what is being done be finished for *grace_s* seconds, then stop; the rest is for the next
        start. To call it again with less of that ends the grace of the first."""
        self.stopping = True
        self._woken.set()
        if self._running is None:
            return
        await asyncio.wait({self._running}, timeout=grace_s)
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)

    async def _run(self) -> None:
        troubled = 0
        while not self.stopping:
            self._woken.clear()
            done = await unbroken(f"round of {self._name}", self._work())
            troubled = 0 if done else troubled + 1
            soon = self._retry_s * 2 ** min(troubled - 1, 10) if troubled else self._every_s
            await self._pause(min(self._every_s, soon))

    async def _pause(self, seconds: float) -> None:
        waits = {
            asyncio.create_task(self._woken.wait()),
            asyncio.create_task(self._clock.sleep(seconds)),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
