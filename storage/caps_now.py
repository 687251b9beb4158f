"""The caps of many budgets at one moment, with what grants add: a report asks for thousands of them."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from darkroom.spending.budgets import BudgetKind, Caps
from darkroom.spending.periods import period_at
from darkroom.spending.policy import Policy, channel_budget, person_budget
from storage.grants import granted_in
from storage.policy import load_policy
from storage.times import to_text

_LONGEST_PERIOD = timedelta(days=32)
"""A grant that ended longer ago has paid nothing in a period that still runs."""


@dataclass(frozen=True, slots=True)
class _Team:
    policy: Policy
    granted: frozenset[str]
    """Budgets with a grant that counts in the running period."""


@dataclass(slots=True)
class CapsNow:
    """Caps *at* one moment in one snapshot of *db*; a workspace's decisions are read once."""

    db: sqlite3.Connection
    caps: Caps
    at: datetime
    _teams: dict[str, _Team] = field(default_factory=dict)

    def of_person(self, team_id: str, person_key: str) -> int | None:
        """A person's own cap with grants, in nano-dollars; None is no cap."""
        return self._of(team_id, BudgetKind.PERSON, person_budget(person_key))

    def of_channel(self, team_id: str, channel_id: str) -> int | None:
        """A channel's cap with grants, in nano-dollars; None is no cap."""
        return self._of(team_id, BudgetKind.CHANNEL, channel_budget(team_id, channel_id))

    def _of(self, team_id: str, kind: BudgetKind, budget: str) -> int | None:
        team = self._team(team_id)
        limit = team.policy.limit(kind, budget, self.caps)
        if limit.cap_nano_usd is None or budget not in team.granted:
            return limit.cap_nano_usd
        period = period_at(limit.period, self.caps.timezone, self.at)
        granted = granted_in(self.db, budget, period, self.at)
        return limit.cap_nano_usd + granted.drawn_nano_usd + granted.left_nano_usd

    def _team(self, team_id: str) -> _Team:
        known = self._teams.get(team_id)
        if known is None:
            rows = self.db.execute(
                "SELECT budget FROM grants WHERE team_id = ? AND ends_at > ?",
                (team_id, to_text(self.at - _LONGEST_PERIOD)),
            )
            known = _Team(load_policy(self.db, team_id), frozenset(row["budget"] for row in rows))
            self._teams[team_id] = known
        return known
