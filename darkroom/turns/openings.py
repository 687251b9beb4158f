"""What the line has to know of the gate before the API: whether it is open, and when to look again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from darkroom.turns.outages import Closed


class Openings(Protocol):
    """The side of ``outages.Gate`` that those who start turns look at."""

    def closed(self) -> Closed | None:
        """See ``Gate``."""
        ...

    def places(self) -> int | None:
        """See ``Gate``."""
        ...

    def listen(self, changed: Callable[[], None]) -> None:
        """See ``Gate``."""
        ...


class AlwaysOpen:
    """``Openings`` where nothing is ever the matter."""

    def closed(self) -> Closed | None:
        """Nothing."""
        return None

    def places(self) -> int | None:
        """Any."""
        return None

    def listen(self, changed: Callable[[], None]) -> None:
        """Nothing changes."""


ALWAYS_OPEN = AlwaysOpen()
