"""Signs of life: what runs, what waits, and what has not moved for too long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Beat:
    """How a running Darkroom is, as it said at ``at``; ``stuck`` are ids of turns that should have moved."""

    pid: int
    started_at: datetime
    at: datetime
    running: int
    waiting: int
    stuck: tuple[str, ...] = ()


class Pulse(Protocol):
    """Where beats are written; a reader beside the bot sees the last."""

    async def beat(self, beat: Beat) -> None:
        """Write one down, in place of the last."""
        ...
