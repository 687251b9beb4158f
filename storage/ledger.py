"""The journal: every movement of money is one entry of it and the same change of every counter that contains
the moment of its hold. Every function runs inside its caller's transaction.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from darkroom.rendering.job import Usage
from darkroom.spending.classes import Cost
from storage import grants
from storage.budgets import LedgerFault, Payer
from storage.grants import Draw
from storage.times import to_text

__all__ = ["Amounts", "LedgerFault", "Movement", "Payer", "enter_hold", "move"]


@dataclass(frozen=True, slots=True)
class Movement:
    """What a journal entry says beside the amounts."""

    kind: str
    attempt_id: str
    held_at: str
    image_model: str
    host_model: str
    endpoint: str
    provider: str
    price_version: str
    pictures: int = 0
    host_usage: Usage | None = None
    image_usage: Usage | None = None
    flags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Amounts:
    """How an entry moves money: what was held for the attempt, how much of that is given back now, and what
    is charged for it before and after."""

    hold: int
    held_delta: int
    charged_before: int
    charged_after: int


def move(
    db: sqlite3.Connection,
    payer: Payer,
    movement: Movement,
    amounts: Amounts,
    cost: Cost | None,
    at: datetime,
) -> int:
    """Change what is held and charged for an attempt: every counter and grant it concerns, and the entry
    with its lines. Gives the entry's number."""
    draws = grants.drawn_by(db, movement.attempt_id)
    held_parts: list[tuple[Draw, int, int]] = []
    for key in payer.budgets().values():
        mine = [each for each in draws if each.budget == key]
        paid_before = grants.shares(amounts.charged_before, amounts.hold, mine)
        paid_after = grants.shares(amounts.charged_after, amounts.hold, mine)
        parts = [
            (each, -each.held_nano_usd if amounts.held_delta else 0, after - before)
            for each, before, after in zip(mine, paid_before, paid_after, strict=True)
        ]
        held_parts += parts
        db.execute(
            """
            UPDATE counters SET held_nano_usd = held_nano_usd + ?, charged_nano_usd = charged_nano_usd + ?
            WHERE budget = ? AND period_start <= ? AND ? < period_end
            """,
            (
                amounts.held_delta - sum(held for _, held, _ in parts),
                amounts.charged_after - amounts.charged_before - sum(charged for *_, charged in parts),
                key,
                movement.held_at,
                movement.held_at,
            ),
        )
    for each, held, charged in held_parts:
        db.execute(
            """
            UPDATE grants SET held_nano_usd = held_nano_usd + ?, charged_nano_usd = charged_nano_usd + ?
            WHERE id = ?
            """,
            (held, charged, each.grant_id),
        )
    return _enter(db, payer, movement, amounts, cost, to_text(at), held_parts)


def enter_hold(
    db: sqlite3.Connection, payer: Payer, movement: Movement, hold: int, draws: Sequence[Draw]
) -> int:
    """Write the entry of a hold that ``reserve`` took."""
    parts = [(each, each.held_nano_usd, 0) for each in draws]
    return _enter(db, payer, movement, Amounts(hold, hold, 0, 0), None, movement.held_at, parts)


def _enter(
    db: sqlite3.Connection,
    payer: Payer,
    movement: Movement,
    amounts: Amounts,
    cost: Cost | None,
    at: str,
    parts: Sequence[tuple[Draw, int, int]],
) -> int:
    """Write one journal entry, its lines by token class, and what grants pay of it."""
    entry = db.execute(
        """
        INSERT INTO journal (at, kind, attempt_id, team_id, channel_id, person_key, held_at,
            held_delta_nano_usd, charged_delta_nano_usd, pictures, image_model, host_model, endpoint,
            provider, price_version, host_usage, image_usage, flags)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        (
            at,
            movement.kind,
            movement.attempt_id,
            payer.team_id,
            payer.channel_id,
            payer.person_key,
            movement.held_at,
            amounts.held_delta,
            amounts.charged_after - amounts.charged_before,
            movement.pictures,
            movement.image_model,
            movement.host_model,
            movement.endpoint,
            movement.provider,
            movement.price_version,
            _json_or_null(movement.host_usage),
            _json_or_null(movement.image_usage),
            json.dumps(sorted(movement.flags)),
        ),
    ).lastrowid
    if entry is None:
        raise LedgerFault(f"the journal took no entry for attempt {movement.attempt_id}")
    for line in cost.lines if cost else ():
        db.execute(
            """
            INSERT INTO charge_lines (journal_id, token_class, tokens, charged_nano_usd) VALUES (?, ?, ?, ?)
            """,
            (entry, line.token_class, line.tokens, line.charged_nano_usd),
        )
    for each, held, charged in parts:
        db.execute(
            """
            INSERT INTO grant_draws (journal_id, grant_id, held_delta_nano_usd, charged_delta_nano_usd)
            VALUES (?, ?, ?, ?)
            """,
            (entry, each.grant_id, held, charged),
        )
    return entry


def _json_or_null(value: Usage | None) -> str | None:
    return None if value is None else json.dumps(value, sort_keys=True)
