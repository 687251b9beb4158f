"""Time and ids, handed in rather than taken, so that a simulation can own them."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any, Protocol


class Clock(Protocol):
    """Everything that waits, asks the time or needs a new id asks one of these."""

    def now(self) -> datetime:
        """The time of day, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back; only differences mean something."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let *seconds* pass."""
        ...

    def new_id(self, kind: str) -> str:
        """A new id such as ``turn_0193f2…``: never given twice, and in the order of their making."""
        ...


class SystemClock:
    """The clock of the machine, and ids from its time and its random numbers."""

    def now(self) -> datetime:
        """The time of day, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since some moment in the past."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Let *seconds* of real time pass."""
        await asyncio.sleep(seconds)

    def new_id(self, kind: str) -> str:
        """``kind_`` + 12 hex digits of milliseconds + 10 random ones (40 bits within a millisecond)."""
        return f"{kind}_{int(self.now().timestamp() * 1000):012x}{secrets.token_hex(5)}"


async def within(clock: Clock, seconds: float, work: Coroutine[Any, Any, None]) -> bool:
    """Run *work*, for *seconds* at most; whether it came to its end. What it raises goes on to the caller."""
    task, timer = asyncio.ensure_future(work), asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({task, timer}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task
        return task.done()
    finally:
        timer.cancel()
        task.cancel()
        await asyncio.gather(task, timer, return_exceptions=True)
