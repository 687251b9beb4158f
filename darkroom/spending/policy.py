"""What admins have decided, over the settings: caps and exceptions, who may, and what with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from darkroom.spending.budgets import Bar, Barred, BudgetKind, Caps, Limit

EVERY_PERSON = "every person"
EVERY_CHANNEL = "every channel"
EVERYONE = "everyone"
"""Scopes beside the keys of budgets: whom a decision is about when it is about no one in particular."""
ALL = "*"
"""In a decision about models or qualities: every one that is not named itself."""


def person_budget(person_key: str) -> str:
    """The key of a person's budget."""
    return f"person:{person_key}"


def channel_budget(team_id: str, channel_id: str) -> str:
    """The key of a channel's budget."""
    return f"channel:{team_id}:{channel_id}"


def workspace_budget(team_id: str) -> str:
    """The key of the workspace's budget."""
    return f"workspace:{team_id}"


class Dimension(StrEnum):
    """What may be allowed or denied."""

    MODEL = "model"
    QUALITY = "quality"


@dataclass(frozen=True, slots=True)
class AccessRule:
    """Whether a scope (a person's or channel's budget key, or ``EVERYONE``) may use a model or quality.
    ``value`` is a model's listed name, a quality, or ``ALL``."""

    scope: str
    dimension: Dimension
    value: str
    allowed: bool


@dataclass(frozen=True, slots=True)
class Access:
    """What one person may use in one channel: the rules that are about them, most particular first.

    The person's own rules come before the channel's, the channel's before everyone's; in each, the rule that
    names the value comes before the one for all. Where no rule speaks, it is allowed.
    """

    rules: tuple[AccessRule, ...] = ()

    def allows(self, dimension: Dimension, value: str) -> bool:
        """Whether a model (by its listed name) or a quality may be used."""
        named = (rule for rule in self.rules if rule.dimension is dimension and rule.value in (value, ALL))
        first = next(named, None)
        return first is None or first.allowed

    def among(self, dimension: Dimension, values: Iterable[str]) -> tuple[str, ...]:
        """Those of *values* that may be used."""
        return tuple(value for value in values if self.allows(dimension, value))

    def bars(self, model: str, quality: str) -> Barred | None:
        """Why a picture with *model* in *quality* may not be made, or None."""
        if not self.allows(Dimension.MODEL, model):
            return Barred(Bar.MODEL, model)
        if not self.allows(Dimension.QUALITY, quality):
            return Barred(Bar.QUALITY, quality)
        return None


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything that admins of one workspace have decided and not taken back.

    ``caps`` by scope: a budget's key, ``EVERY_PERSON`` or ``EVERY_CHANNEL``. People are opaque keys;
    ``pilots`` are budget keys of people and channels, and empty means that everybody may.
    """

    caps: Mapping[str, Limit] = field(default_factory=lambda: MappingProxyType({}))
    blocked: frozenset[str] = frozenset()
    exempt: frozenset[str] = frozenset()
    pilots: frozenset[str] = frozenset()
    access: tuple[AccessRule, ...] = ()
    paused: bool = False
    alerts_channel: str | None = None

    def limit(self, kind: BudgetKind, budget: str, caps: Caps) -> Limit:
        """What a budget may spend: its own exception, else the default that admins set, else the settings'.

        Who is exempt has no cap of their own; channel's and workspace's hold for them too.
        """
        if kind is BudgetKind.PERSON and budget.removeprefix("person:") in self.exempt:
            return Limit(None, caps.period)
        usual = {BudgetKind.PERSON: EVERY_PERSON, BudgetKind.CHANNEL: EVERY_CHANNEL}.get(kind, "")
        return self.caps.get(budget) or self.caps.get(usual) or caps.limit(kind)

    def access_of(self, person_key: str, team_id: str, channel_id: str) -> Access:
        """What a person may use in a channel."""
        scopes = (person_budget(person_key), channel_budget(team_id, channel_id), EVERYONE)
        mine = [rule for rule in self.access if rule.scope in scopes]
        return Access(tuple(sorted(mine, key=lambda rule: (scopes.index(rule.scope), rule.value == ALL))))

    def bars(self, person_key: str, team_id: str, channel_id: str) -> Barred | None:
        """Why this person may have nothing made in this channel, or None."""
        if self.paused:
            return Barred(Bar.PAUSED)
        if person_key in self.blocked:
            return Barred(Bar.BLOCKED)
        places = {person_budget(person_key), channel_budget(team_id, channel_id)}
        if self.pilots and self.pilots.isdisjoint(places):
            return Barred(Bar.NOT_IN_PILOT)
        return None


@dataclass(frozen=True, slots=True)
class Grant:
    """Extra money for one budget, drawn once: of ``amount_nano_usd`` so much is charged and held.

    It may be drawn on until ``ends_at`` (UTC, exclusive) unless it was revoked.
    """

    number: int
    budget: str
    amount_nano_usd: int
    charged_nano_usd: int
    held_nano_usd: int
    ends_at: datetime

    @property
    def left_nano_usd(self) -> int:
        """What was not drawn yet."""
        return self.amount_nano_usd - self.charged_nano_usd - self.held_nano_usd
