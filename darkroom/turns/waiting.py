"""What a turn that was taken in waits for, as its person is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from darkroom.turns.outages import Trouble


class WaitFor(StrEnum):
    """What has to happen first."""

    PLACE = "place"
    """Others are before it."""
    THREAD = "thread"
    """Something asked before it in the same thread is being made."""
    MONEY = "money"
    """Calls under way hold the money that it needs."""
    RATE = "rate"
    """So many pictures a minute the account may make."""
    API = "api"
    """The API cannot be used at the moment; ``trouble`` says why."""


@dataclass(frozen=True, slots=True)
class Wait:
    """``ahead``: how many turns are before it; ``until``: when it is looked at again, and ``per_minute``: how
    many pictures a minute the account may make, where that is known."""

    why: WaitFor
    ahead: int = 0
    trouble: Trouble | None = None
    until: datetime | None = None
    per_minute: int | None = None
