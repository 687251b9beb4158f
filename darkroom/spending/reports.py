"""Where the money went: the shapes of a report and what it needs from storage. Amounts in nano-dollars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from darkroom.spending.budgets import Balance, Caps
from darkroom.spending.classes import TokenClass
from darkroom.spending.periods import Period


@dataclass(frozen=True, slots=True)
class Spent:
    """Charged, held and how many pictures."""

    charged_nano_usd: int
    held_nano_usd: int
    pictures: int


@dataclass(frozen=True, slots=True)
class PersonSpend:
    """One person's part; ``cap_nano_usd`` None is no cap."""

    team_id: str
    user_id: str
    spent: Spent
    cap_nano_usd: int | None


@dataclass(frozen=True, slots=True)
class ChannelSpend:
    """One channel's part; ``cap_nano_usd`` None is no cap."""

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
class SpendReport:
    """One period, whole: the parts of each kind add up to ``total``."""

    period: Period
    total: Spent
    people: tuple[PersonSpend, ...]
    channels: tuple[ChannelSpend, ...]
    models: tuple[ModelSpend, ...]
    classes: Mapping[TokenClass, ClassSpend]


class SpendReader(Protocol):
    """Reads the books without ever delaying who writes them."""

    async def report(self, team_id: str | None, caps: Caps, at: datetime) -> SpendReport:
        """The period that *at* lies in, of one workspace or (None) of all; people by falling spend."""
        ...

    async def balances(
        self, team_id: str, user_id: str, channel_id: str | None, caps: Caps, at: datetime
    ) -> list[Balance]:
        """A person's, a channel's (if given) and the workspace's budget, in that order."""
        ...

    async def pictures_of(self, team_id: str, user_id: str, caps: Caps, at: datetime) -> int:
        """How many pictures a person made in the period that *at* lies in."""
        ...
