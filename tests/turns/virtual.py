"""Time that passes only when nobody has anything left to do: hours of waiting in a moment."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from datetime import timedelta

from tests.turns.fakes import GatedClock, Gates


class VirtualClock(GatedClock):
    """A clock whose sleepers wake in their order, when ``run`` lets time pass."""

    def __init__(self, gates: Gates | None = None, name: str = "") -> None:
        super().__init__(gates or Gates(), name)
        self._passed = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._slept = 0

    def monotonic(self) -> float:
        """Seconds, whatever ``at`` was put to."""
        return self._passed

    async def sleep(self, seconds: float) -> None:
        """Wait until so much time has passed."""
        self._slept += 1
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._passed + max(0.0, seconds), self._slept, woken))
        await woken

    async def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        """Let *seconds* pass, or fewer if *until* comes true."""
        end = self._passed + seconds
        await settled()
        while not until() and self._sleepers and self._sleepers[0][0] <= end:
            when, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                self._move(when)
                woken.set_result(None)
                await settled()
        if not until():
            self._move(end)

    def _move(self, to: float) -> None:
        self.at += timedelta(seconds=max(0.0, to - self._passed))
        self._passed = max(self._passed, to)


async def settled() -> None:
    """Return when everybody waits."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(0)
        if not loop._ready:  # type: ignore[attr-defined]  # nothing public says that nobody can run
            return
