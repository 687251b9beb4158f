"""What is unfinished when somebody is forgotten is brought to its end. Inside the caller's transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime

from darkroom.spending.budgets import Caps
from darkroom.spending.policy import Policy
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.settling import uncertain
from darkroom.turns.together import in_the_books, together
from storage import attempts
from storage.policy import load_policy
from storage.rows import attempt_from
from storage.times import to_text

FORGOTTEN = "forgotten"
"""Why the hold of a call that was never sent is given back."""


def close_calls(db: sqlite3.Connection, caps: Caps, at: datetime) -> None:
    """End every open call of ``gone_turns`` in the books: what was not sent gives its hold back, what was is
    charged in full, as uncertain, because nobody will ever hear what came of it."""
    which = "SELECT * FROM attempts WHERE turn_id IN gone_turns AND ended_at IS NULL"
    _close(db, which, caps, at, {})


def close_those_built_on(db: sqlite3.Connection, caps: Caps, at: datetime) -> None:
    """What others are waiting for, and that was to be made from a picture of ``gone_pictures``, or is in
    ``lost_turns``, is not made: something else would be bought. They are told at the next start."""
    rows = db.execute(
        """
        SELECT id, wanted FROM turns WHERE state <> 'ended' AND id NOT IN gone_turns
            AND (parent_id IN gone_pictures OR chosen_id IN gone_pictures OR inputs_from IN gone_turns
                OR id IN lost_turns)
        """
    ).fetchall()
    for row in rows:
        _close(
            db,
            "SELECT * FROM attempts WHERE ended_at IS NULL AND turn_id = :turn",
            caps,
            at,
            {"turn": row["id"]},
        )
        ending = _ending_of(db, row["id"], row["wanted"])
        db.execute(
            """
            UPDATE turns SET state = 'ended', outcome = ?, reason = ?, details = ?, updated_at = ?
            WHERE id = ?
            """,
            (ending.outcome, ending.reason, json.dumps(dict(ending.details)), to_text(at), row["id"]),
        )


def _ending_of(db: sqlite3.Connection, turn_id: str, wanted: int) -> Ending:
    """What was made of it already is theirs, and what was sent may have cost something."""
    rows = db.execute(
        """
        SELECT attempts.*, EXISTS (SELECT 1 FROM pictures WHERE attempt_id = attempts.id) AS has_picture
        FROM attempts WHERE turn_id = ? AND state <> 'released' ORDER BY number
        """,
        (turn_id,),
    )
    ended = [in_the_books(attempt_from(row), has_picture=bool(row["has_picture"])) for row in rows]
    rest = [Ending(Outcome.DECLINED, Reason.PICTURE_GONE)] * (wanted - len(ended))
    return together([*ended, *rest])


def _close(db: sqlite3.Connection, which: str, caps: Caps, at: datetime, values: Mapping[str, str]) -> None:
    policy: Callable[[str], Policy] = lambda team: load_policy(db, team)  # noqa: E731 -- handed on as it is
    for row in db.execute(which, values).fetchall():
        attempt = attempt_from(row)
        if row["state"] == "held":
            attempts.release(db, attempt.id, FORGOTTEN, at)
            continue
        settlement = uncertain(attempt, attempt.response_id).settlement
        if settlement is not None:
            attempts.settle(db, attempt.id, settlement, policy, caps, at)
