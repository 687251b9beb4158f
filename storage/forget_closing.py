"""What is unfinished when somebody is forgotten is brought to its end. Inside the caller's transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime

from darkroom.spending.budgets import Caps
from darkroom.spending.policy import Policy
from darkroom.turns.endings import Outcome, Reason
from darkroom.turns.settling import uncertain
from storage import attempts
from storage.policy import load_policy
from storage.rows import attempt_from
from storage.times import to_text

FORGOTTEN = "forgotten"
"""Why the hold of a call that was never sent is given back."""


def close_calls(db: sqlite3.Connection, caps: Caps, at: datetime) -> None:
    """End every open call of ``gone_turns`` in the books: what was not sent gives its hold back, what was is
    charged in full, as uncertain, because nobody will ever hear what came of it."""
    _close(db, "SELECT * FROM attempts WHERE turn_id IN gone_turns AND ended_at IS NULL", caps, at)


def close_those_built_on(db: sqlite3.Connection, caps: Caps, at: datetime) -> None:
    """What others are waiting for, and that was to be made from a picture of ``gone_pictures``, or is in
    ``lost_turns``, is not made: something else would be bought. They are told at the next start."""
    depends = """
        state <> 'ended' AND id NOT IN gone_turns AND (parent_id IN gone_pictures
            OR chosen_id IN gone_pictures OR inputs_from IN gone_turns OR id IN lost_turns)
    """
    _close(
        db,
        f"""
        SELECT * FROM attempts WHERE ended_at IS NULL AND turn_id IN (SELECT id FROM turns WHERE {depends})
        """,
        caps,
        at,
    )
    db.execute(
        f"""
        UPDATE turns SET state = 'ended', outcome = ?, reason = ?, details = '{{}}', updated_at = ?
        WHERE {depends}
        """,
        (Outcome.DECLINED, Reason.PICTURE_GONE, to_text(at)),
    )


def _close(db: sqlite3.Connection, which: str, caps: Caps, at: datetime) -> None:
    policy: Callable[[str], Policy] = lambda team: load_policy(db, team)  # noqa: E731 -- handed on as it is
    for row in db.execute(which).fetchall():
        attempt = attempt_from(row)
        if row["state"] == "held":
            attempts.release(db, attempt.id, FORGOTTEN, at)
            continue
        settlement = uncertain(attempt, attempt.response_id).settlement
        if settlement is not None:
            attempts.settle(db, attempt.id, settlement, policy, caps, at)
