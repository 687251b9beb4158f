"""What an uncertain charge really was: an admin's word, written as one more entry in its own period."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from darkroom.spending.changes import CannotChange, Correct
from darkroom.spending.classes import Cost, Line, TokenClass
from darkroom.spending.policy import person_budget
from storage import ledger
from storage.attempts import movement_of, payer_of_attempt


def correct(
    db: sqlite3.Connection, change: Correct, team_id: str, at: datetime
) -> tuple[str, Mapping[str, Any], Mapping[str, Any]]:
    """Whose charge it was, and what it was before and after. Raises ``CannotChange``."""
    entry = db.execute(
        "SELECT * FROM journal WHERE id = ? AND team_id = ? AND kind = 'uncertain'", (change.number, team_id)
    ).fetchone()
    if entry is None:
        raise CannotChange("no_such_charge")
    attempt = db.execute("SELECT * FROM attempts WHERE id = ?", (entry["attempt_id"],)).fetchone()
    corrected = db.execute(
        "SELECT 1 FROM journal WHERE attempt_id = ? AND kind = 'correction'", (attempt["id"],)
    ).fetchone()
    if corrected is not None:
        raise CannotChange("already_corrected")
    before = int(attempt["charged_nano_usd"])
    after = before if change.charged_nano_usd is None else change.charged_nano_usd
    flag = "accepted" if change.charged_nano_usd is None else "corrected" if after else "waived"
    db.execute("UPDATE attempts SET charged_nano_usd = ? WHERE id = ?", (after, attempt["id"]))
    ledger.move(
        db,
        payer_of_attempt(attempt),
        movement_of(attempt, "correction", flags=frozenset({flag})),
        ledger.Amounts(attempt["hold_nano_usd"], 0, before, after),
        _spread(_lines(db, change.number), after),
        at,
    )
    told = {"number": change.number, "attempt": attempt["id"]}
    return (
        person_budget(attempt["person_key"]),
        {**told, "charged_nano_usd": before},
        {**told, "charged_nano_usd": after, "decided": flag},
    )


def _lines(db: sqlite3.Connection, journal_id: int) -> dict[TokenClass, int]:
    rows = db.execute(
        "SELECT token_class, charged_nano_usd FROM charge_lines WHERE journal_id = ?", (journal_id,)
    )
    return {TokenClass(row["token_class"]): row["charged_nano_usd"] for row in rows}


def _spread(lines: Mapping[TokenClass, int], total: int) -> Cost:
    """The differences by class that turn *lines* into *total*, each class keeping its share of it."""
    before = sum(lines.values())
    if before == 0:
        return Cost((Line(TokenClass.image_output, 0, total),) if total else (), total)
    shares = {name: amount * total // before for name, amount in lines.items()}
    left = total - sum(shares.values())
    for name in sorted(lines, key=lambda name: (-(lines[name] * total % before), name))[:left]:
        shares[name] += 1
    changed = tuple(
        Line(name, 0, shares[name] - lines[name]) for name in lines if shares[name] != lines[name]
    )
    return Cost(changed, total - before)
