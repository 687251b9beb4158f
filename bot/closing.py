"""Closing what was opened: the last opened first, each whatever becomes of the others, in one time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from handlers.errands import unbroken

logger = logging.getLogger("darkroom.app")

RESERVE_S = 3.0
"""Of the grace, kept for closing connections and books when what runs is not done in time; never more than a
fifth of it."""
MOMENT_S = 2.0
"""What each part may take all the same when the time is over, or when it was asked twice."""
SOCKET_S = 5.0
"""The longest that saying goodbye to Slack may keep the rest waiting: a dead connection does not answer."""

Close = Callable[[float], Awaitable[object]]
"""Closes something, in so many seconds."""


@dataclass(frozen=True, slots=True)
class _Part:
    name: str
    close: Close
    patient: bool
    at_most_s: float


class Closers:
    """What is to be closed. Whoever works gets what is left of *grace_s*, in the order of closing, and goes
    on working while it waits for its place in that."""

    def __init__(self, grace_s: float) -> None:
        self._grace_s = grace_s
        self._parts: list[_Part] = []
        self._over_at: float | None = None
        self._hurry = asyncio.Event()
        self._turn = asyncio.Lock()
        self._told = False

    def work(self, name: str, close: Close) -> None:
        """Something that finishes what it is doing. With nothing left it ends at once, also if it was asked
        before to take its time."""
        self._parts.append(_Part(name, close, patient=True, at_most_s=self._grace_s))

    def plain(
        self, name: str, close: Callable[[], Awaitable[object]], at_most_s: float | None = None
    ) -> None:
        """Something that is only closed."""
        at_most_s = self._grace_s if at_most_s is None else at_most_s
        self._parts.append(_Part(name, lambda _: close(), patient=False, at_most_s=at_most_s))

    def hurry(self) -> None:
        """Wait no longer for anything that runs. Returns at once."""
        self._hurry.set()

    async def aclose(self, grace_s: float | None = None) -> None:
        """Close everything, within the grace (*grace_s*, if given) and a moment for each part that is late by
        then. May be called twice: who calls second waits for the first, and goes on where that was called
        off."""
        if grace_s is not None:
            self._grace_s = grace_s
        if self._over_at is None:
            self._over_at = _now() + self._grace_s
        async with self._turn:
            while self._parts:
                await self._close(self._parts.pop(), self._over_at)

    async def _close(self, part: _Part, over_at: float) -> None:
        closing = asyncio.ensure_future(part.close(self._left_to_work(over_at)))
        hurried = asyncio.ensure_future(self._hurry.wait())
        begun: list[asyncio.Future[object]] = [closing]
        try:
            left = max(min(over_at - _now(), part.at_most_s), MOMENT_S)
            await asyncio.wait({closing, hurried}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if hurried.done() and not closing.done():
                if part.patient:
                    begun.append(asyncio.ensure_future(part.close(0.0)))
                await asyncio.wait(begun, timeout=MOMENT_S)
            if closing.done():
                # What was opened before is closed all the same, the lock above all.
                await unbroken(f"closing: {part.name}", _done(closing))
            else:
                logger.warning("%s did not close in time", part.name)
            self._tell(part, over_at)
        finally:
            hurried.cancel()
            await _called_off(begun)

    def _left_to_work(self, over_at: float) -> float:
        if self._hurry.is_set():
            return 0.0
        return max(0.0, over_at - min(RESERVE_S, self._grace_s / 5) - _now())

    def _tell(self, part: _Part, over_at: float) -> None:
        """Say once that the time is over, and who took the last of it."""
        if self._told or self._hurry.is_set():
            return
        if part.patient and not self._left_to_work(over_at):
            self._told = True
            logger.warning("stopping: no time is left after %s; the rest is for the next start", part.name)


async def _called_off(begun: Sequence[asyncio.Future[object]]) -> None:
    """End *begun*; a thread cannot be called off, and who waits for one is waited for no longer."""
    for each in begun:
        each.cancel()
    for ended in (await asyncio.wait(begun, timeout=MOMENT_S))[0]:
        if not ended.cancelled():
            ended.exception()


async def _done(work: Awaitable[object]) -> bool:
    await work
    return True


def _now() -> float:
    return asyncio.get_running_loop().time()
