"""Time for Darkrooms that die and start again."""

from __future__ import annotations

from collections.abc import Mapping

from darkroom.clock import SystemClock
from tests.scenarios.story import HurriedClock

ROUND_S = 10.0
"""Waits this long are limits on a call, or rounds that nothing here waits for."""
MENDS_S: Mapping[float, float] = {60.0: 0.3, 300.0: 0.01, 900.0: 0.01, 2400.0: 0.01}
"""The waits before something that broke is tried again, and what of them is really waited: the first is also
how long the API may take to say what became of a call."""


class PointsClock(HurriedClock):
    """Hurries through pauses between two tries; only with *mends* also through the long ones."""

    def __init__(self, *, mends: bool) -> None:
        super().__init__(0.005)
        self._mends = MENDS_S if mends else {}

    async def sleep(self, seconds: float) -> None:
        """See ``HurriedClock``."""
        if seconds in self._mends:
            await SystemClock.sleep(self, self._mends[seconds])
        elif seconds >= ROUND_S:
            await SystemClock.sleep(self, seconds)
        else:
            await super().sleep(seconds)
