"""Time and ids, handed in rather than taken, so that a simulation can own them."""

from __future__ import annotations

import asyncio
import secrets
import time
from datetime import UTC, datetime
from typing import Protocol


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
