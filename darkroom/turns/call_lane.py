"""Who waits to call one image model at one endpoint, and for how long its rate has held them back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from darkroom.rendering.job import Candidate
from darkroom.turns.endings import Ending
from darkroom.turns.outages import Closed, Pass, Patience
from darkroom.turns.rate import Bucket

_MOMENT_S = 0.001
"""Patience of less than that is none: sums of seconds are not exact."""


@dataclass(eq=False, slots=True)
class Waiter:
    """Somebody in ``ApiGate.enter``."""

    ticket: int
    candidate: Candidate
    patience: Patience
    came_s: float
    """When it came, by the time of its lane."""
    tries_spell: int | None
    """In which spell of being left alone it is to try the API; None where it only waits for its turn."""
    result: asyncio.Future[Pass | Closed | Ending | None]


@dataclass(slots=True)
class Lane:
    """Who wants to call one image model at one endpoint; only the first of them goes.

    It has a time of its own, by which patience is counted: it goes while the rate lets nobody go, and stands
    still while whoever waits does so for anything else. Other times are monotonic seconds.
    """

    bucket: Bucket = field(default_factory=Bucket)
    waiting: list[Waiter] = field(default_factory=list)
    """In the order of their tickets."""
    held_back_s: float = 0.0
    """The time of the lane."""
    _counted_at: float = 0.0
    _ready_at: float = 0.0

    def count(self, at: float) -> None:
        """It is *at* by now, and nobody could go until then but as ``holds_back`` said last."""
        self.held_back_s += max(0.0, min(at, self._ready_at) - self._counted_at)
        self._counted_at = at

    def holds_back(self, at: float) -> bool:
        """Whether the rate lets nobody go now, as its bucket stands."""
        self._ready_at = self.bucket.ready_at(at)
        return self._ready_at > at

    def out_of_patience(self) -> list[Waiter]:
        """Who has let themselves be held back for as long as they would."""
        return [each for each in self.waiting if self._left_s(each) < _MOMENT_S]

    def alarm(self, at: float) -> float:
        """When the next may go, or the first of those who wait loses patience."""
        return min(self._ready_at, at + min(self._left_s(each) for each in self.waiting))

    def remove(self, waiter: Waiter) -> None:
        """It waits here no longer, with what patience it has left."""
        self.waiting.remove(waiter)
        waiter.patience.left_s = max(0.0, self._left_s(waiter))

    def _left_s(self, waiter: Waiter) -> float:
        return waiter.patience.left_s - (self.held_back_s - waiter.came_s)
