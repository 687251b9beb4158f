"""What happened in a run, in order: its last lines to read, and a digest of all of it to compare."""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from collections.abc import Callable

LINES_KEPT = 40_000


class Trace:
    """Every line of a run goes into ``digest``; the newest ones are kept. ``count`` counts events."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.lines: deque[str] = deque(maxlen=LINES_KEPT)
        self.counted: Counter[str] = Counter()
        self._now = now
        self._hash = hashlib.sha256()

    def note(self, what: str) -> None:
        """Something that is the same whenever the same seed is run."""
        line = f"{self._now():.4f} {what}"
        self._hash.update(line.encode())
        self.lines.append(line)
        self.counted["lines"] += 1

    def remark(self, what: str) -> None:
        """Something to read that may be said in other words the next time, such as a log's line."""
        self.lines.append(f"{self._now():.4f}   {what}")

    def count(self, what: str) -> None:
        """One more of these."""
        self.counted[what] += 1

    def close(self) -> None:
        """Nothing comes any more: the clock is let go of."""
        self._now = float

    @property
    def digest(self) -> str:
        """Of all notes so far."""
        return self._hash.hexdigest()
