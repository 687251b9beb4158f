"""Is Darkroom ready? Each of its parts is asked, side by side, and none for long."""

from __future__ import annotations

import asyncio
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from bot.watch.tally import Ping
from handlers.errands import where

PING_S = 5.0
"""How long a part may take to answer."""
FREE_MIN = 64 * 1024 * 1024
"""Bytes that must be free: room for a few pictures and the log of the database."""
_PROBE = b"\0" * 4096


@dataclass(frozen=True, slots=True)
class PartState:
    """One part: whether it is well, and what is to be said of it all the same."""

    ok: bool
    says: str | None = None


@dataclass(slots=True)
class Readiness:
    """Asks every part that has come to it. A part that does not answer is not asked again until it has: what
    hangs once does not hang a hundred times."""

    parts: dict[str, Ping] = field(default_factory=dict)
    notes: dict[str, Ping] = field(default_factory=dict)
    """What is said, and keeps nobody from being ready."""
    _asking: dict[str, asyncio.Task[str | None]] = field(default_factory=dict)

    async def look(self) -> dict[str, PartState]:
        """Every part by its name."""
        names = [*self.parts, *self.notes]
        states = await asyncio.gather(*(self._state(name) for name in names))
        return dict(zip(names, states, strict=True))

    async def aclose(self) -> None:
        """Ask nobody any more."""
        for task in self._asking.values():
            task.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)

    async def _state(self, name: str) -> PartState:
        task = self._asking.get(name)
        if task is None or task.done():
            ping = self.parts.get(name) or self.notes[name]
            task = self._asking[name] = asyncio.ensure_future(ping())
        await asyncio.wait({task}, timeout=PING_S)
        if not task.done():
            return PartState(name in self.notes, f"no answer within {PING_S:g} s")
        if task.cancelled():
            return PartState(name in self.notes, "it was called off")
        error = task.exception()
        says = task.result() if error is None else where(error)
        return PartState(says is None or name in self.notes, says)


async def disk_ping(folder: Path) -> str | None:
    """What is wrong with the disk that *folder* is on, or None: 4 kB are written there, and leave nothing."""
    return await asyncio.to_thread(_disk_trouble, folder)


def _disk_trouble(folder: Path) -> str | None:
    try:
        # Without a name, so that nothing stays whatever happens.
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(_PROBE)
            probe.flush()
            os.fsync(probe.fileno())
        space = os.statvfs(folder)
    except OSError as error:
        return f"the data directory cannot be written: {error.strerror}"
    free = space.f_bavail * space.f_frsize
    return None if free >= FREE_MIN else f"{free // 1_000_000} MB are free on the disk"
