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
class Caps:
    """The limits of each kind of budget in nano-dollars (None is no limit), and how often they renew."""

    limits: Mapping[BudgetKind, int | None]
    period: PeriodKind
    timezone: str

    def period_at(self, at: datetime) -> Period:
        """The period that *at* lies in."""
        return period_at(self.period, self.timezone, at)


@dataclass(frozen=True, slots=True)
class Balance:
    """One budget in one period: nano-dollars charged and held, and its cap (None is no limit)."""

    kind: BudgetKind
    period: Period
    charged_nano_usd: int
    held_nano_usd: int
    cap_nano_usd: int | None

    @property
    def left_nano_usd(self) -> int | None:
        """What may still be held, never below zero; None where there is no cap."""
        if self.cap_nano_usd is None:
            return None
        return max(0, self.cap_nano_usd - self.charged_nano_usd - self.held_nano_usd)


@dataclass(frozen=True, slots=True)
class NoMoney:
    """The budget *balance* cannot pay *hold_nano_usd*, now or after every unfinished call."""

    balance: Balance
    hold_nano_usd: int


@dataclass(frozen=True, slots=True)
class MustWait:
    """Only other people's unfinished calls stand between this hold and its money in that budget."""

    balance: Balance
    hold_nano_usd: int
