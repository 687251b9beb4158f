"""How things are, to be read by whoever wants to know whether pictures can be made now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from darkroom.turns.account_book import AccountBook
from darkroom.turns.calls import CallLog
from darkroom.turns.outages import Gate


@dataclass(frozen=True, slots=True)
class Standing:
    """Where to read it: at the gate, in the line (``pulse``: how many run and wait, and who is stuck), in the
    books. ``places`` requests are made at once; ``provider`` is the one in the settings."""

    gate: Gate
    pulse: Callable[[], tuple[int, int, tuple[str, ...]]]
    places: int
    account: AccountBook
    calls: CallLog
    provider: str


def likely_wait_s(
    running: int, waiting: int, places: int, typical_s: float | None, per_minute: int | None
) -> float | None:
    """Roughly how many seconds a request that comes now waits before it is begun: 0 where a place is free,
    None where nothing is known to judge by. *typical_s* is how long a picture takes, *per_minute* how many
    the account may make. What others want several of, or pay for first, is not counted."""
    before = running + waiting + 1 - places
    if before <= 0:
        return 0.0
    by_rate = waiting * 60.0 / per_minute if per_minute else 0.0
    if typical_s is None:
        return by_rate or None
    return max(before * typical_s / places, by_rate)
