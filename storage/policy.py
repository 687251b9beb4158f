"""What admins have decided, read from its tables; kept in memory as long as nothing is decided anew."""

from __future__ import annotations

import sqlite3

from darkroom.spending.budgets import Limit
from darkroom.spending.periods import PeriodKind
from darkroom.spending.policy import AccessRule, Dimension, Policy


class Policies:
    """Policies by workspace, each read once for every change of it. For the writing thread, on which no write
    can come in between.

    Every change writes one entry into the journal of admin changes, in its own transaction; so the number of
    the newest entry says whether what is kept is still true.
    """

    def __init__(self) -> None:
        self._kept: dict[str, tuple[int, Policy]] = {}

    def of(self, db: sqlite3.Connection, team_id: str) -> Policy:
        """The workspace's policy as it is in this transaction, which must not have changed it."""
        newest = db.execute("SELECT COALESCE(MAX(id), 0) FROM admin_journal").fetchone()[0]
        kept = self._kept.get(team_id)
        if kept is None or kept[0] != newest:
            kept = (newest, load_policy(db, team_id))
            self._kept[team_id] = kept
        return kept[1]


def load_policy(db: sqlite3.Connection, team_id: str) -> Policy:
    """A workspace's policy, from its tables."""
    caps = {
        row["scope"]: Limit(row["cap_nano_usd"], PeriodKind(row["period_kind"]))
        for row in db.execute("SELECT * FROM caps WHERE team_id = ?", (team_id,))
    }
    standing: dict[str, set[str]] = {"blocked": set(), "exempt": set(), "pilot": set()}
    for row in db.execute("SELECT subject, rule FROM standing WHERE team_id = ?", (team_id,)):
        standing[row["rule"]].add(row["subject"])
    access = tuple(
        AccessRule(row["scope"], Dimension(row["dimension"]), row["value"], bool(row["allowed"]))
        for row in db.execute(
            "SELECT * FROM access_rules WHERE team_id = ? ORDER BY scope, dimension, value", (team_id,)
        )
    )
    workspace = db.execute("SELECT * FROM workspaces WHERE team_id = ?", (team_id,)).fetchone()
    return Policy(
        caps=caps,
        blocked=frozenset(_keys(standing["blocked"])),
        exempt=frozenset(_keys(standing["exempt"])),
        pilots=frozenset(standing["pilot"]),
        access=access,
        paused=workspace is not None and workspace["paused_at"] is not None,
        alerts_channel=workspace["alerts_channel_id"] if workspace else None,
    )


def _keys(budgets: set[str]) -> list[str]:
    return [budget.removeprefix("person:") for budget in budgets]
