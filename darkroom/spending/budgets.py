"""Whose money a picture costs: budgets, their caps, and what came of asking them for a hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from darkroom.spending.periods import Period, PeriodKind, period_at


class BudgetKind(StrEnum):
    """Whose money: each hold is taken from one budget of every kind at once."""

    PERSON = "person"
    CHANNEL = "channel"
    WORKSPACE = "workspace"


@dataclass(frozen=True, slots=True)
class Limit:
    """What one budget may spend in nano-dollars (None is no cap), and how often that renews."""

    cap_nano_usd: int | None
    period: PeriodKind


@dataclass(frozen=True, slots=True)
class Caps:
    """The caps of the settings, in nano-dollars (None is no cap), and how often they renew.

    They hold where admins have decided nothing else (``policy.Policy``). From ``warn_percent`` of a cap on
    its people are warned. ``timezone`` is an IANA name; days, weeks and months begin there.
    """

    limits: Mapping[BudgetKind, int | None]
    period: PeriodKind
    timezone: str
    warn_percent: int = 80

    def period_at(self, at: datetime) -> Period:
        """The period of the settings that *at* lies in."""
        return period_at(self.period, self.timezone, at)

    def limit(self, kind: BudgetKind) -> Limit:
        """The usual limit of a budget of that kind."""
        return Limit(self.limits[kind], self.period)


@dataclass(frozen=True, slots=True)
class Balance:
    """One budget in one period: nano-dollars charged and held, and its cap (None is no cap).

    Of charged and held, ``drawn_nano_usd`` is what grants pay; ``granted_nano_usd`` is what is left of the
    grants that may be drawn on now.
    """

    kind: BudgetKind
    period: Period
    charged_nano_usd: int
    held_nano_usd: int
    cap_nano_usd: int | None
    drawn_nano_usd: int = 0
    granted_nano_usd: int = 0

    @property
    def left_nano_usd(self) -> int | None:
        """What may still be held, never below zero; None where there is no cap."""
        if self.cap_nano_usd is None:
            return None
        own = self.charged_nano_usd + self.held_nano_usd - self.drawn_nano_usd
        return max(0, self.cap_nano_usd - own) + self.granted_nano_usd

    @property
    def cap_with_grants_nano_usd(self) -> int | None:
        """The most that can be charged in this period, grants included; None where there is no cap."""
        if self.cap_nano_usd is None:
            return None
        return self.cap_nano_usd + self.drawn_nano_usd + self.granted_nano_usd


@dataclass(frozen=True, slots=True)
class NoMoney:
    """The budget *balance* cannot pay *hold_nano_usd*, now or after every unfinished call."""

    balance: Balance
    hold_nano_usd: int


@dataclass(frozen=True, slots=True)
class MustWait:
    """Only unfinished calls stand between this hold and its money in that budget."""

    balance: Balance
    hold_nano_usd: int


class Bar(StrEnum):
    """Why an admin's decision keeps a request from being made, whatever money there is."""

    PAUSED = "paused"
    BLOCKED = "blocked"
    NOT_IN_PILOT = "not_in_pilot"
    MODEL = "model"
    QUALITY = "quality"


@dataclass(frozen=True, slots=True)
class Barred:
    """An admin has decided against it: why, and which model or quality where it is about those."""

    bar: Bar
    value: str = ""
