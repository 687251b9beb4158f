"""The demo's one time, for the bot, its Slack and its image API: it can jump ahead, and run faster."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from darkroom.clock import SystemClock

LONG_SLEEP_S = 600.0
"""Whoever sleeps so long waits for a time of day, and a jump counts for them; whoever sleeps less waits for
an answer, and a jump must not end their patience."""
RATE_MAX = 1e6


@dataclass(eq=False)
class _Sleeper:
    """Somebody who sleeps, in a loop of whatever thread, until the clock's seconds reach ``due``."""

    loop: asyncio.AbstractEventLoop
    due: float
    long: bool
    stirred: asyncio.Event = field(default_factory=asyncio.Event)

    def stir(self) -> None:
        """Let them look at the clock again. Any thread may call it."""
        with suppress(RuntimeError):  # The loop of a thread that has ended meanwhile.
            self.loop.call_soon_threadsafe(self.stirred.set)


class DemoClock(SystemClock):
    """A clock that follows the machine's, until it is told otherwise. Time never goes back.

    *start* is the time of day it begins with (left out: the real one). After ``jump`` it is so much ahead;
    after ``fast(n)`` a second of it takes 1/n of a real one, in ``sleep`` and ``monotonic`` too, also for
    those who sleep already. All threads may use it. *ticks* are real seconds that never go back.
    """

    def __init__(self, start: datetime | None = None, *, ticks: Callable[[], float] = time.monotonic) -> None:
        self._ticks = ticks
        self._lock = threading.Lock()
        self._sleepers: set[_Sleeper] = set()
        self._rate = 1.0
        self._since = self._reached = ticks()
        self._beginning = (start or datetime.now(UTC)).astimezone(UTC) - timedelta(seconds=self._reached)

    @property
    def rate(self) -> float:
        """How many of its seconds pass in a real one."""
        return self._rate

    def now(self) -> datetime:
        """The time of day here, aware, in UTC."""
        return self._beginning + timedelta(seconds=self.monotonic())

    def unix(self) -> float:
        """The same in unix seconds, as the sandbox wants it."""
        return self.now().timestamp()

    def monotonic(self) -> float:
        """Seconds that have passed here since some moment, jumps included."""
        with self._lock:
            return self._passed()

    async def sleep(self, seconds: float) -> None:
        """Let *seconds* of this clock's time pass."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        sleeper = _Sleeper(asyncio.get_running_loop(), self.monotonic() + seconds, seconds >= LONG_SLEEP_S)
        with self._lock:
            self._sleepers.add(sleeper)
        try:
            while (left := self._left(sleeper)) > 0:
                alarm = sleeper.loop.call_later(left, sleeper.stirred.set)
                try:
                    await sleeper.stirred.wait()
                finally:
                    alarm.cancel()
        finally:
            with self._lock:
                self._sleepers.discard(sleeper)

    def jump(self, to: datetime) -> datetime:
        """Be at *to* from now on; nothing happens when that has gone by. Gives the time it is then.

        Sleeps of ``LONG_SLEEP_S`` and more end when their time has come by it; shorter ones have as much left
        as before.
        """
        ahead = (to - self.now()).total_seconds()
        if ahead > 0:
            with self._lock:
                self._reached, self._since = self._passed() + ahead, self._ticks()
                for sleeper in self._sleepers:
                    sleeper.due += 0.0 if sleeper.long else ahead
            self._stir()
        return self.now()

    def fast(self, rate: float) -> None:
        """Let time run *rate* times as fast as the real one. ValueError unless above 0, at most a million."""
        if not 0 < rate <= RATE_MAX:
            raise ValueError(f"a rate must be above 0 and at most {RATE_MAX:g}")
        with self._lock:
            self._reached, self._since = self._passed(), self._ticks()
            self._rate = rate
        self._stir()

    def real(self) -> None:
        """Let time run as fast as the real one again, from where it is."""
        self.fast(1.0)

    def _passed(self) -> float:
        """The seconds of ``monotonic``; for who has the lock."""
        return self._reached + (self._ticks() - self._since) * self._rate

    def _left(self, sleeper: _Sleeper) -> float:
        """Real seconds until they may wake, as it looks now."""
        # Cleared before the look: what changes after it stirs them once more.
        sleeper.stirred.clear()
        with self._lock:
            return (sleeper.due - self._passed()) / self._rate

    def _stir(self) -> None:
        with self._lock:
            sleepers = list(self._sleepers)
        for sleeper in sleepers:
            sleeper.stir()
