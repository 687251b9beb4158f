"""Each thing that an admin can decide, in SQL. All of it runs inside the caller's transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from darkroom.spending.budgets import BudgetKind, Caps, Limit
from darkroom.spending.changes import (
    AnswerRequest,
    CannotChange,
    Change,
    Channel,
    Correct,
    DropCap,
    EndPilot,
    EveryChannel,
    Everyone,
    EveryPerson,
    GiveGrant,
    Person,
    RevokeGrant,
    SetAccess,
    SetAlertsChannel,
    SetBlocked,
    SetCap,
    SetExempt,
    SetPaused,
    SetPilot,
    Workspace,
)
from darkroom.spending.periods import PeriodKind
from darkroom.spending.policy import (
    EVERY_CHANNEL,
    EVERY_PERSON,
    EVERYONE,
    Policy,
    channel_budget,
    person_budget,
    workspace_budget,
)
from storage.corrections import correct
from storage.people import person_key
from storage.times import from_text, to_text

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Moment:
    """Where and when something is decided, by whom (an opaque key), and what holds until then."""

    team_id: str
    author: str
    policy: Policy
    caps: Caps
    at: datetime


@dataclass(frozen=True, slots=True)
class Decided:
    """What goes into the journal of admin changes."""

    action: str
    subject: str
    before: Values | None
    after: Values | None


def decide(db: sqlite3.Connection, change: Change, now: Moment) -> Decided:
    """Do *change*; raises ``CannotChange`` where it makes no sense."""
    match change:
        case SetCap() | DropCap():
            return _cap(db, change, now)
        case GiveGrant():
            return _grant(db, scope_of(db, change.to, now), change.amount_nano_usd, change.ends_at, now)
        case RevokeGrant():
            return _revoke(db, change, now)
        case SetBlocked():
            return _stand(db, "blocked", change.person, change.blocked, now)
        case SetExempt():
            return _stand(db, "exempt", change.person, change.exempt, now)
        case SetPilot():
            return _stand(db, "pilot", change.of, change.member, now)
        case EndPilot():
            return _end_pilot(db, now)
        case SetAccess():
            return _access(db, change, now)
        case SetPaused():
            paused_at = to_text(now.at) if change.paused else None
            _workspace(db, "paused_at", paused_at, now)
            return Decided(
                "pause" if change.paused else "resume",
                workspace_budget(now.team_id),
                {"paused": now.policy.paused},
                {"paused": change.paused},
            )
        case SetAlertsChannel():
            _workspace(db, "alerts_channel_id", change.channel_id, now)
            return Decided(
                "alerts",
                workspace_budget(now.team_id),
                {"channel_id": now.policy.alerts_channel},
                {"channel_id": change.channel_id},
            )
        case Correct():
            subject, before, after = correct(db, change, now.team_id, now.at)
            return Decided("uncertain", subject, before, after)
        case AnswerRequest():
            return _answer(db, change, now)


def scope_of(
    db: sqlite3.Connection,
    of: Person | Channel | Workspace | EveryPerson | EveryChannel | Everyone,
    now: Moment,
) -> str:
    """How the tables name whom a decision is about; a person who is new gets a key."""
    match of:
        case Person():
            return person_budget(person_key(db, now.team_id, of.user_id, now.at))
        case Channel():
            return channel_budget(now.team_id, of.channel_id)
        case Workspace():
            return workspace_budget(now.team_id)
        case EveryPerson():
            return EVERY_PERSON
        case EveryChannel():
            return EVERY_CHANNEL
        case Everyone():
            return EVERYONE


def _cap(db: sqlite3.Connection, change: SetCap | DropCap, now: Moment) -> Decided:
    scope = scope_of(db, change.of, now)
    kind = _kind_of(change.of)
    before = _in_force(now.policy, kind, scope, now.caps)
    if isinstance(change, DropCap):
        db.execute("DELETE FROM caps WHERE team_id = ? AND scope = ?", (now.team_id, scope))
        kept = {name: limit for name, limit in now.policy.caps.items() if name != scope}
    else:
        limit = Limit(change.cap_nano_usd, change.period or PeriodKind(str(before["period"])))
        db.execute(
            "INSERT OR REPLACE INTO caps (team_id, scope, cap_nano_usd, period_kind) VALUES (?, ?, ?, ?)",
            (now.team_id, scope, limit.cap_nano_usd, limit.period),
        )
        kept = {**now.policy.caps, scope: limit}
    after = _in_force(Policy(caps=kept), kind, scope, now.caps)
    return Decided("cap", scope, before, after)


def _kind_of(of: Person | Channel | Workspace | EveryPerson | EveryChannel) -> BudgetKind:
    if isinstance(of, Person | EveryPerson):
        return BudgetKind.PERSON
    return BudgetKind.WORKSPACE if isinstance(of, Workspace) else BudgetKind.CHANNEL


def _in_force(policy: Policy, kind: BudgetKind, scope: str, caps: Caps) -> dict[str, Any]:
    """The cap that holds for a scope, and whether it is its own. Who is exempt has one all the same."""
    limit = Policy(caps=policy.caps).limit(kind, scope, caps)
    return {"cap_nano_usd": limit.cap_nano_usd, "period": limit.period, "own": scope in policy.caps}


def _grant(db: sqlite3.Connection, budget: str, amount: int, ends_at: datetime, now: Moment) -> Decided:
    number = db.execute(
        "INSERT INTO grants (team_id, budget, amount_nano_usd, given_at, ends_at) VALUES (?, ?, ?, ?, ?)",
        (now.team_id, budget, amount, to_text(now.at), to_text(ends_at)),
    ).lastrowid
    after = {"number": number, "amount_nano_usd": amount, "ends_at": ends_at.isoformat()}
    return Decided("grant", budget, None, after)


def _revoke(db: sqlite3.Connection, change: RevokeGrant, now: Moment) -> Decided:
    row = db.execute(
        "SELECT * FROM grants WHERE id = ? AND team_id = ?", (change.number, now.team_id)
    ).fetchone()
    if row is None:
        raise CannotChange("no_such_grant")
    if row["revoked_at"] is not None:
        raise CannotChange("grant_revoked")
    if from_text(row["ends_at"]) <= now.at:
        raise CannotChange("grant_ended")
    db.execute("UPDATE grants SET revoked_at = ? WHERE id = ?", (to_text(now.at), change.number))
    left = row["amount_nano_usd"] - row["charged_nano_usd"] - row["held_nano_usd"]
    before = {"number": change.number, "amount_nano_usd": row["amount_nano_usd"], "left_nano_usd": left}
    return Decided("revoke", row["budget"], before, {**before, "left_nano_usd": 0})


def _stand(db: sqlite3.Connection, rule: str, of: Person | Channel, stands: bool, now: Moment) -> Decided:
    subject = scope_of(db, of, now)
    found = db.execute(
        "SELECT 1 FROM standing WHERE team_id = ? AND subject = ? AND rule = ?", (now.team_id, subject, rule)
    ).fetchone()
    if stands:
        db.execute(
            """
            INSERT INTO standing (team_id, subject, rule, since) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING
            """,
            (now.team_id, subject, rule, to_text(now.at)),
        )
    else:
        db.execute(
            "DELETE FROM standing WHERE team_id = ? AND subject = ? AND rule = ?",
            (now.team_id, subject, rule),
        )
    return Decided(rule, subject, {rule: found is not None}, {rule: stands})


def _end_pilot(db: sqlite3.Connection, now: Moment) -> Decided:
    db.execute("DELETE FROM standing WHERE team_id = ? AND rule = 'pilot'", (now.team_id,))
    before = {"members": sorted(now.policy.pilots)}
    return Decided("pilot off", workspace_budget(now.team_id), before, {"members": []})


def _access(db: sqlite3.Connection, change: SetAccess, now: Moment) -> Decided:
    scope = scope_of(db, change.to, now)
    mine = {
        rule.value: rule.allowed
        for rule in now.policy.access
        if rule.scope == scope and rule.dimension is change.dimension
    }
    after = dict(mine)
    for value in change.values or tuple(mine):
        if change.allowed is None:
            after.pop(value, None)
        else:
            after[value] = change.allowed
    db.execute(
        "DELETE FROM access_rules WHERE team_id = ? AND scope = ? AND dimension = ?",
        (now.team_id, scope, change.dimension),
    )
    for value, allowed in after.items():
        db.execute(
            """
            INSERT INTO access_rules (team_id, scope, dimension, value, allowed) VALUES (?, ?, ?, ?, ?)
            """,
            (now.team_id, scope, change.dimension, value, allowed),
        )
    return Decided(
        "access",
        scope,
        {"dimension": change.dimension, "rules": mine},
        {"dimension": change.dimension, "rules": after},
    )


def _workspace(db: sqlite3.Connection, column: str, value: str | None, now: Moment) -> None:
    db.execute("INSERT INTO workspaces (team_id) VALUES (?) ON CONFLICT DO NOTHING", (now.team_id,))
    db.execute(f"UPDATE workspaces SET {column} = ? WHERE team_id = ?", (value, now.team_id))


def _answer(db: sqlite3.Connection, change: AnswerRequest, now: Moment) -> Decided:
    row = db.execute(
        "SELECT * FROM money_requests WHERE id = ? AND team_id = ?", (change.request_id, now.team_id)
    ).fetchone()
    if row is None:
        raise CannotChange("no_such_request")
    if row["state"] != "open":
        raise CannotChange("already_answered")
    decided = Decided("refuse", row["budget"], None, {"request": change.request_id})
    number: int | None = None
    if change.amount_nano_usd is not None:
        ends_at = change.ends_at or from_text(row["ends_at"])
        if ends_at <= now.at:
            raise CannotChange("budget_renewed")
        granted = _grant(db, row["budget"], change.amount_nano_usd, ends_at, now)
        after = {**(granted.after or {}), "request": change.request_id}
        decided, number = Decided("grant", row["budget"], None, after), int(after["number"])
    db.execute(
        """
        UPDATE money_requests SET state = ?, answered_at = ?, answered_by = ?, grant_id = ? WHERE id = ?
        """,
        (
            "refused" if number is None else "granted",
            to_text(now.at),
            now.author,
            number,
            change.request_id,
        ),
    )
    return decided
