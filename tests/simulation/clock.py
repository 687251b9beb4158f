"""Time and ids in a simulation."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from tests.simulation.life import Life
from tests.simulation.loop import VirtualLoop

BEGINNING = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)


class SimClock:
    """A life's clock, by the loop's time. ``monotonic`` begins anew with each life, as a machine's does with
    each start; ids go on counting."""

    def __init__(self, loop: VirtualLoop, life: Life, numbers: list[int], *, since: float) -> None:
        self._loop = loop
        self._life = life
        self._numbers = numbers
        self._since = since

    def now(self) -> datetime:
        """The time of day, aware, in UTC."""
        return moment(self._loop.time())

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""
        return self._loop.time() - self._since

    async def sleep(self, seconds: float) -> None:
        """Let *seconds* pass."""
        await asyncio.sleep(seconds)
        await self._life.step("woken")

    def new_id(self, kind: str) -> str:
        """In the order of their making."""
        self._numbers[0] += 1
        return f"{kind}_{int(self.now().timestamp() * 1000):012x}{self._numbers[0]:010x}"


def moment(seconds: float) -> datetime:
    """The time of day when the loop's time is *seconds*."""
    return BEGINNING + timedelta(seconds=seconds)


def unix(seconds: float) -> float:
    """The same in Unix seconds."""
    return moment(seconds).timestamp()
