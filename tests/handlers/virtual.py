"""Time that passes only when everybody waits for it, so that many can sleep at once."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Awaitable
from datetime import timedelta
from typing import TypeVar

from tests.examples import StillClock

T = TypeVar("T")


class VirtualClock(StillClock):
    """Sleepers wake in the order of their times; ``run`` moves the time on whenever nothing else moves."""

    def __init__(self) -> None:
        super().__init__()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    async def sleep(self, seconds: float) -> None:
        """Wait until ``run`` has come to that time."""
        self.slept.append(seconds)
        self._count += 1
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.monotonic() + seconds, self._count, woken))
        await woken

    async def run(self, work: Awaitable[T], *, seconds_max: float = 10 * 86_400) -> T:
        """What *work* gives, however long that takes."""
        task = asyncio.ensure_future(work)
        end = self.monotonic() + seconds_max
        while not task.done():
            await self.settle()
            if not task.done():
                assert self._sleepers, "nobody sleeps, and nothing moves"
                self._advance()
                assert self.monotonic() <= end, "it takes too long"
        return await task

    async def settle(self) -> None:
        """Let everything go as far as it can without time."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(0)
        # There is no public way to ask whether the loop has anything to do.
        while loop._ready:  # type: ignore[attr-defined]  # noqa: ASYNC110 -- nobody tells when it is idle
            await asyncio.sleep(0)

    def _advance(self) -> None:
        at, _, woken = heapq.heappop(self._sleepers)
        while woken.done() and self._sleepers:
            at, _, woken = heapq.heappop(self._sleepers)
        if woken.done():
            return
        self.at += timedelta(seconds=max(0.0, at - self.monotonic()))
        woken.set_result(None)
