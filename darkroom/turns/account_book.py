"""What is known of the account behind the key: what it may call, how fast, and at which provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from darkroom.rendering.access import ModelSeen
from darkroom.turns.rate import told_limit


@dataclass(frozen=True, slots=True)
class ModelCheck:
    """What the API said of one model. ``seen.access`` and ``seen.shutdown`` are of ``learned_at`` (None:
    never), its ``code`` and ``message`` of ``checked_at``, which is later if that look learned nothing."""

    seen: ModelSeen
    learned_at: datetime | None
    checked_at: datetime


@dataclass(frozen=True, slots=True)
class Limits:
    """How many of each an account may make a minute, as headers said; None where they did not."""

    pictures: int | None = None
    requests: int | None = None
    tokens: int | None = None

    @property
    def told(self) -> bool:
        """Whether there is any."""
        return any(limit is not None for limit in (self.pictures, self.requests, self.tokens))


def limits_of(headers: Mapping[str, str]) -> Limits:
    """The limits that the headers of an answer (in lower case) name."""
    pictures, requests, tokens = (told_limit(headers, unit) for unit in ("images", "requests", "tokens"))
    return Limits(pictures, requests, tokens)


@dataclass(frozen=True, slots=True)
class RateSeen:
    """The limits of one image model at one endpoint, when they were seen last."""

    model: str
    endpoint: str
    limits: Limits
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class ProviderKnown:
    """A provider that pictures are or were asked from: since when it is in the settings, and when a workspace
    first called it (None: not yet)."""

    provider: str
    chosen_at: datetime
    first_call_at: datetime | None


class AccountBook(Protocol):
    """What was learned of the account. Each method is one transaction."""

    async def choose(self, provider: str, at: datetime) -> None:
        """Darkroom was started with *provider*; changes nothing where it was already the last chosen one."""
        ...

    async def checked(self, provider: str, seen: ModelSeen, at: datetime) -> None:
        """The API was asked for a model. Where it said nothing of it, what was learned before stays."""
        ...

    async def rated(self, provider: str, rate: RateSeen) -> None:
        """Headers named limits, which replace those of before."""
        ...

    async def checks(self, provider: str) -> Sequence[ModelCheck]:
        """What the API said of each model, by name."""
        ...

    async def rates(self, provider: str) -> Sequence[RateSeen]:
        """The limits of each model and endpoint, by name."""
        ...

    async def providers(self, team_id: str) -> Sequence[ProviderKnown]:
        """All that ever were chosen, the last chosen first."""
        ...
