"""Signs of life: every few seconds the worker has its round, and how things are is written down."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from datetime import datetime

from darkroom.clock import Clock
from darkroom.turns.heartbeat import Beat, Pulse
from darkroom.turns.worker import Worker
from handlers.errands import where

logger = logging.getLogger("darkroom.app")

EVERY_S = 15.0
"""The pause between two beats, by the loop's own time."""
SLOW_S = 60.0
"""Longer than this neither a beat nor a round takes: a round waits for Slack for 10 seconds at most."""


class Heart:
    """Beats until it is closed. Rounds and beats do not wait for each other: Slack may be slow, and the disk
    full."""

    def __init__(self, worker: Worker, pulse: Pulse, clock: Clock) -> None:
        self._worker = worker
        self._pulse = pulse
        self._clock = clock
        self._started_at: datetime | None = None
        self._stuck: frozenset[str] = frozenset()
        self._beaten_at: float | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._stopped = asyncio.Event()

    def start(self) -> None:
        """Begin, with a beat."""
        self._started_at = self._clock.now()
        for name, work in (("round of waiting turns", self._worker.round), ("heartbeat", self.beat)):
            self._tasks.append(asyncio.create_task(self._again(name, work), name=name))

    async def aclose(self, grace_s: float = 0.0) -> None:
        """Stop at once, whatever *grace_s* is; the last beat stays. A write that is under way comes to its
        end."""
        self._stopped.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def beat(self) -> None:
        """Write down how things are; what is newly stuck is an error in the log."""
        running, waiting, stuck = self._worker.pulse()
        if new := frozenset(stuck) - self._stuck:
            logger.error("turns that should have come a step further long ago: %s", ", ".join(sorted(new)))
        self._stuck = frozenset(stuck)
        now = self._clock.now()
        await self._pulse.beat(Beat(os.getpid(), self._started_at or now, now, running, waiting, stuck))
        self._beaten_at = asyncio.get_running_loop().time()

    @property
    def stuck(self) -> int:
        """How many turns should have come a step further long ago, as of the last beat."""
        return len(self._stuck)

    @property
    def silent_s(self) -> float | None:
        """How many seconds ago the last beat was written down, by the loop; None before the first."""
        return None if self._beaten_at is None else asyncio.get_running_loop().time() - self._beaten_at

    async def ping(self) -> str | None:
        """What is wrong, or None: no beat could be written down for a minute."""
        silent_s = self.silent_s
        if silent_s is None:
            return "no sign of life yet"
        return f"no sign of life for {silent_s:.0f} s" if silent_s > SLOW_S else None

    async def _again(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        told: str | None = None
        while not self._stopped.is_set():
            trouble = await _trouble(name, work)
            # A full disk lasts for hours, and the log may be on it.
            if trouble is not None and trouble != told:
                logger.error("%s broke: %s; it is tried again", name, trouble)
            elif trouble is None and told is not None:
                logger.warning("%s: all is well again", name)
            told = trouble
            pause = asyncio.ensure_future(self._stopped.wait())
            await asyncio.wait({pause}, timeout=EVERY_S)
            pause.cancel()


async def _trouble(name: str, work: Callable[[], Awaitable[None]]) -> str | None:
    """What *work* broke of, for the log, or None; that it does not come to its end is said as well."""
    task = asyncio.ensure_future(_done(work))
    try:
        await asyncio.wait({task}, timeout=SLOW_S)
        if not task.done():
            logger.error("%s has not come to its end for %g s: is the disk slow?", name, SLOW_S)
            await asyncio.wait({task})
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise
    if task.cancelled():
        return "it was cancelled"
    error = task.exception()
    return None if error is None else where(error)


async def _done(work: Callable[[], Awaitable[None]]) -> None:
    await work()
