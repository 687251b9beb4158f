"""Where the money went: the shapes of a report and what it needs from storage. Amounts in nano-dollars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from darkroom.spending.budgets import Balance, Caps
from darkroom.spending.classes import TokenClass
from darkroom.spending.spans import Span


@dataclass(frozen=True, slots=True)
class Spent:
    """Charged, held and how many pictures."""

    charged_nano_usd: int
    held_nano_usd: int
    pictures: int


@dataclass(frozen=True, slots=True)
class PersonSpend:
    """One person's part. ``cap_nano_usd`` is their cap as it is now, with what grants add; None is no cap.
    ``user_id`` is empty for somebody whose name was erased."""

    team_id: str
    user_id: str
    spent: Spent
    cap_nano_usd: int | None


@dataclass(frozen=True, slots=True)
class ChannelSpend:
    """One channel's part; ``cap_nano_usd`` as for people."""

    team_id: str
    channel_id: str
    spent: Spent
    cap_nano_usd: int | None


@dataclass(frozen=True, slots=True)
class ModelSpend:
    """What one model, really called at one endpoint of one provider, cost."""

    image_model: str
    endpoint: str
    provider: str
    spent: Spent


@dataclass(frozen=True, slots=True)
class ClassSpend:
    """Tokens of one class and what they cost."""

    tokens: int
    charged_nano_usd: int


@dataclass(frozen=True, slots=True)
class DaySpend:
    """One day of the span's time zone; days on which nothing moved are left out."""

    day: date
    spent: Spent
    classes: Mapping[TokenClass, int]
    """Charged by class; adds up to ``spent.charged_nano_usd``."""


@dataclass(frozen=True, slots=True)
class SpendReport:
    """A span of time, whole: the parts of each kind add up to ``total``."""

    span: Span
    total: Spent
    people: tuple[PersonSpend, ...]
    channels: tuple[ChannelSpend, ...]
    models: tuple[ModelSpend, ...]
    days: tuple[DaySpend, ...]
    classes: Mapping[TokenClass, ClassSpend]


@dataclass(frozen=True, slots=True)
class RecentPicture:
    """A picture in somebody's own list: what was asked for, what it cost."""

    created_at: datetime
    version: int
    prompt: str
    charged_nano_usd: int


class SpendReader(Protocol):
    """Reads the books without ever delaying who writes them."""

    async def report(self, team_id: str | None, span: Span, caps: Caps, at: datetime) -> SpendReport:
        """*span* of one workspace or (None) of all; people, channels and models by falling spend, days in
        their order. *caps* and *at* say what the caps are now."""
        ...

    async def balances(
        self, team_id: str, user_id: str, channel_id: str | None, caps: Caps, at: datetime
    ) -> list[Balance]:
        """A person's, a channel's (if given) and the workspace's budget, in that order."""
        ...

    async def pictures_of(self, team_id: str, user_id: str, span: Span) -> int:
        """How many pictures a person made in *span*."""
        ...

    async def recent_pictures(self, team_id: str, user_id: str, limit: int) -> list[RecentPicture]:
        """A person's newest pictures, newest first."""
        ...

    async def person(self, team_id: str, user_id: str, span: Span) -> Spent:
        """What one person spent in *span*."""
        ...

    async def channel(self, team_id: str, channel_id: str, span: Span) -> Spent:
        """What one channel spent in *span*."""
        ...
