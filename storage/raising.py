"""What raises an alert: in the transaction of its cause, so that neither can be on disk without the other."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import datetime

from darkroom.spending.alerts import AlertKind, Audience, unpriced_key
from darkroom.spending.budgets import BudgetKind, Caps
from darkroom.spending.cost import UNKNOWN_HOST, UNKNOWN_MODEL
from darkroom.spending.policy import Policy
from darkroom.turns.endings import Ending, Reason
from storage.budgets import Payer, balance_of, budgets_of
from storage.ledger import Movement
from storage.times import from_text, to_text

_FOR_ADMINS = {
    Reason.NO_ACCESS: AlertKind.NO_ACCESS,
}
"""Endings that an admin can do something about; told once a day (UTC) and workspace. What stops everybody is
told when it begins (``storage/outages.py``)."""


def raise_alert(
    db: sqlite3.Connection,
    key: str,
    team_id: str,
    kind: AlertKind,
    details: Mapping[str, str | int],
    at: datetime,
    *,
    person_key: str | None = None,
) -> bool:
    """Write an alert for a person, or without one for the admins; false if its key was there before."""
    return (
        db.execute(
            """
            INSERT INTO alerts (key, team_id, kind, audience, person_key, details, raised_at)
            VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING
            """,
            (
                key,
                team_id,
                kind,
                Audience.ADMINS if person_key is None else Audience.PERSON,
                person_key,
                json.dumps(dict(details)),
                to_text(at),
            ),
        ).rowcount
        == 1
    )


def after_charge(
    db: sqlite3.Connection, payer: Payer, policy: Policy, caps: Caps, attempt: sqlite3.Row, at: datetime
) -> None:
    """Levels that a budget has reached, if the charge's period still runs. *attempt* is its row.

    The cap is reached when it has no room for the hold of another such call: charges seldom meet it exactly.
    """
    for budget in budgets_of(payer, policy, caps, from_text(attempt["held_at"])):
        if budget.cap_nano_usd is None or at >= budget.period.end:
            continue
        balance = balance_of(db, budget, payer, at)
        cap, charged = balance.cap_with_grants_nano_usd, balance.charged_nano_usd
        if not cap:
            continue
        percent = charged * 100 // cap
        reached = cap - charged < attempt["hold_nano_usd"]
        if percent < caps.warn_percent and not reached:
            continue
        kind = AlertKind.CAP_REACHED if reached else AlertKind.CAP_NEAR
        details: dict[str, str | int] = {
            "budget": budget.kind,
            "channel_id": payer.channel_id,
            "percent": percent,
            "cap_nano_usd": cap,
            "charged_nano_usd": charged,
            "renews_at": budget.period.end.isoformat(),
            "period": budget.period.kind,
            "timezone": budget.period.timezone,
        }
        # Told once a period: to the person themselves, or to the admins.
        key = f"{kind}:{budget.key}:{budget.period.kind}:{budget.period.timezone}:{budget.end}"
        whose = payer.person_key if budget.kind is BudgetKind.PERSON else None
        raise_alert(db, key, payer.team_id, kind, details, at, person_key=whose)


def after_settling(
    db: sqlite3.Connection,
    attempt: sqlite3.Row,
    movement: Movement,
    number: int,
    charged: int,
    at: datetime,
) -> None:
    """What is odd about a charge. *attempt* is its row as it was before; *movement*, with the models that the
    answer named, and *number* are the entry's."""
    team = attempt["team_id"]
    image = movement.image_model, attempt["image_model"]
    host = movement.host_model, attempt["host_model"]
    odd = [
        (kind, f"{flag}:{key}", models)
        for flag, kind, key, models in (
            ("overrun", AlertKind.OVERRUN, attempt["id"], image),
            ("uncertain", AlertKind.UNCERTAIN, attempt["id"], image),
            (UNKNOWN_MODEL, AlertKind.UNKNOWN_MODEL, f"{team}:{image[0]}:{at:%Y-%m-%d}", image),
            (UNKNOWN_HOST, AlertKind.UNKNOWN_MODEL, f"{team}:{host[0]}:{at:%Y-%m-%d}", host),
        )
        if flag in movement.flags
    ]
    if not odd:
        return
    details: dict[str, str | int] = {
        "number": number,
        "turn_id": attempt["turn_id"],
        "attempt_id": attempt["id"],
        "user_id": _user_of(db, attempt["turn_id"]),
        "channel_id": attempt["channel_id"],
        "hold_nano_usd": attempt["hold_nano_usd"],
        "charged_nano_usd": charged,
    }
    for kind, key, (model, priced_as) in odd:
        raise_alert(db, key, team, kind, {**details, "model": model, "priced_as": priced_as}, at)


def _user_of(db: sqlite3.Connection, turn_id: str) -> str:
    """Slack's id of whoever asked for a turn."""
    return str(db.execute("SELECT user_id FROM turns WHERE id = ?", (turn_id,)).fetchone()[0])


def after_ending(db: sqlite3.Connection, payer: Payer, ending: Ending, at: datetime) -> None:
    """A turn that failed for what only an admin can mend."""
    team, details = payer.team_id, ending.details
    if ending.reason in _FOR_ADMINS:
        kind = _FOR_ADMINS[ending.reason]
        raise_alert(
            db, f"{kind}:{team}:{at:%Y-%m-%d}", team, kind, {"message": details.get("message", "")}, at
        )
    elif ending.reason is Reason.MODEL_UNUSABLE and details.get("unpriced"):
        key = unpriced_key(team, str(details["unpriced"]), at)
        raise_alert(db, key, team, AlertKind.UNPRICED, {"why": details["why"]}, at)
