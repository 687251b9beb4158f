"""Attempts in SQL: each begins with a hold and ends once. All of it runs inside the caller's transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime

from darkroom.spending.bound import ask_data
from darkroom.spending.budgets import Caps
from darkroom.spending.policy import Policy
from darkroom.turns.model import Attempt, AttemptState, Picture
from darkroom.turns.store import Plan, Settlement
from storage import ledger
from storage.budgets import LedgerFault, Payer
from storage.grants import Draw
from storage.pictures import add_picture, picture_of_attempt
from storage.raising import after_charge, after_settling
from storage.rows import attempt_from, bound_to, passed_over_to
from storage.times import to_text


def get_attempt(db: sqlite3.Connection, attempt_id: str) -> Attempt:
    """One attempt; raises ``LedgerFault`` if there is none."""
    return attempt_from(_row(db, attempt_id))


def begin(
    db: sqlite3.Connection,
    turn_id: str,
    plan: Plan,
    payer: Payer,
    draws: Sequence[Draw],
    at: datetime,
) -> Attempt:
    """The attempt's row, ``held``, and the journal's entry for its hold, with what grants pay of it
    (*draws*); the counters and grants hold it already."""
    held_at, hold = to_text(at), plan.bound.total_nano_usd
    number = db.execute(
        """
        INSERT INTO attempts (id, turn_id, number, state, endpoint, provider, image_model, host_model, width,
            height, quality, format, parent_id, person_key, team_id, channel_id, hold_nano_usd, bound,
            price_version, ask, background, passed_over, held_at)
        VALUES (?, ?, (SELECT COUNT(*) + 1 FROM attempts WHERE turn_id = ?), 'held',
            ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        RETURNING number
        """,
        (
            plan.attempt_id,
            turn_id,
            turn_id,
            plan.candidate.endpoint,
            plan.provider,
            plan.candidate.image_model,
            plan.candidate.host_model,
            plan.width,
            plan.height,
            plan.quality,
            plan.format,
            plan.parent_id,
            payer.person_key,
            payer.team_id,
            payer.channel_id,
            hold,
            bound_to(plan.bound),
            plan.price_version,
            json.dumps(ask_data(plan.ask)),
            plan.background,
            passed_over_to(plan.passed_over),
            held_at,
        ),
    ).fetchone()[0]
    attempt = _held(turn_id, number, plan, at)
    ledger.enter_hold(db, payer, _movement_of_hold(attempt, held_at), hold, draws)
    return attempt


def _held(turn_id: str, number: int, plan: Plan, at: datetime) -> Attempt:
    """What its row would be read as, without reading it: this runs for every picture, and reading a whole row
    back made a hold a tenth slower (``bench/admission.py``)."""
    return Attempt(
        id=plan.attempt_id,
        turn_id=turn_id,
        number=number,
        state=AttemptState.HELD,
        endpoint=plan.candidate.endpoint,
        provider=plan.provider,
        image_model=plan.candidate.image_model,
        host_model=plan.candidate.host_model,
        width=plan.width,
        height=plan.height,
        quality=plan.quality,
        format=plan.format,
        parent_id=plan.parent_id,
        hold_nano_usd=plan.bound.total_nano_usd,
        charged_nano_usd=0,
        bound=plan.bound,
        price_version=plan.price_version,
        response_id=None,
        held_at=at,
        dispatched_at=None,
        ended_at=None,
        ask=plan.ask,
        background=plan.background,
        passed_over=plan.passed_over,
    )


def _movement_of_hold(attempt: Attempt, held_at: str) -> ledger.Movement:
    return ledger.Movement(
        kind="hold",
        attempt_id=attempt.id,
        held_at=held_at,
        image_model=attempt.image_model,
        host_model=attempt.host_model,
        endpoint=attempt.endpoint,
        provider=attempt.provider,
        price_version=attempt.price_version,
    )


def dispatch(db: sqlite3.Connection, attempt_id: str, at: datetime, response_id: str | None) -> bool:
    """``held → dispatched``; with a *response_id*, note it once dispatched. False if no row changed."""
    if response_id is None:
        changed = db.execute(
            "UPDATE attempts SET state = 'dispatched', dispatched_at = ? WHERE id = ? AND state = 'held'",
            (to_text(at), attempt_id),
        )
    else:
        changed = db.execute(
            "UPDATE attempts SET response_id = ? WHERE id = ? AND state = 'dispatched'",
            (response_id, attempt_id),
        )
    return changed.rowcount == 1


def refuse_open(db: sqlite3.Connection, turn_id: str, *, waiting_only: bool) -> None:
    """A turn whose hold is open cannot end: nobody would ever close it. With *waiting_only*, it does not."""
    found = db.execute(
        "SELECT id FROM attempts WHERE turn_id = ? AND ended_at IS NULL", (turn_id,)
    ).fetchone()
    if found is not None and not waiting_only:
        raise LedgerFault(f"turn {turn_id} cannot end while attempt {found['id']} is open")


def release(db: sqlite3.Connection, attempt_id: str, why: str, at: datetime) -> Attempt:
    """Give the hold back; doing it twice is a no-op, after another end a ``LedgerFault``."""
    row = _row(db, attempt_id)
    if not _claim(db, row, AttemptState.RELEASED, at):
        return attempt_from(row)
    db.execute("UPDATE attempts SET release_reason = ? WHERE id = ?", (why, attempt_id))
    given_back = ledger.Amounts(row["hold_nano_usd"], -row["hold_nano_usd"], 0, 0)
    ledger.move(db, payer_of_attempt(row), movement_of(row, "release"), given_back, None, at)
    return get_attempt(db, attempt_id)


def settle(
    db: sqlite3.Connection,
    attempt_id: str,
    settlement: Settlement,
    policy: Callable[[str], Policy],
    caps: Caps,
    at: datetime,
) -> Picture | None:
    """Charge what the attempt cost, give the rest of its hold back, add its picture if it brought one, and
    raise what alerts come of it. *policy* gives the policy of a team.

    Doing it twice is a no-op that finds the first's picture; after another end it is a ``LedgerFault``.
    """
    row = _row(db, attempt_id)
    if not _claim(db, row, settlement.state, at):
        return picture_of_attempt(db, attempt_id)
    flags = settlement.flags
    if settlement.cost.total_nano_usd > row["hold_nano_usd"]:
        flags |= {"overrun"}
    db.execute(
        "UPDATE attempts SET charged_nano_usd = ?, response_id = COALESCE(?, response_id) WHERE id = ?",
        (settlement.cost.total_nano_usd, settlement.response_id, attempt_id),
    )
    movement = ledger.Movement(
        kind="uncertain" if settlement.state is AttemptState.UNCERTAIN else "settle",
        attempt_id=attempt_id,
        held_at=row["held_at"],
        image_model=settlement.image_model or row["image_model"],
        host_model=settlement.host_model or row["host_model"],
        endpoint=row["endpoint"],
        provider=row["provider"],
        price_version=settlement.price_version,
        pictures=int(settlement.picture is not None),
        host_usage=settlement.host_usage,
        image_usage=settlement.image_usage,
        flags=flags,
    )
    payer, charged = payer_of_attempt(row), settlement.cost.total_nano_usd
    amounts = ledger.Amounts(row["hold_nano_usd"], -row["hold_nano_usd"], 0, charged)
    number = ledger.move(db, payer, movement, amounts, settlement.cost, at)
    after_charge(db, payer, policy(payer.team_id), caps, row, at)
    after_settling(db, row, movement, number, charged, at)
    if settlement.picture is None or settlement.picture_id is None:
        return None
    return add_picture(db, row, settlement, json.dumps(sorted(flags)), at)


def _claim(db: sqlite3.Connection, row: sqlite3.Row, end: AttemptState, at: datetime) -> bool:
    """Whoever changes the row ends the attempt. False: it had ended this way before."""
    needed = "('held', 'dispatched')" if end is AttemptState.RELEASED else "('dispatched')"
    claimed = db.execute(
        f"UPDATE attempts SET state = ?, ended_at = ? WHERE id = ? AND state IN {needed}",
        (end, to_text(at), row["id"]),
    ).rowcount
    if claimed == 1:
        return True
    if row["state"] == end:
        return False
    raise LedgerFault(f"attempt {row['id']} is {row['state']}; it cannot become {end}")


def _row(db: sqlite3.Connection, attempt_id: str) -> sqlite3.Row:
    row: sqlite3.Row | None = db.execute("SELECT * FROM attempts WHERE id = ?", (attempt_id,)).fetchone()
    if row is None:
        raise LedgerFault(f"there is no attempt {attempt_id}")
    return row


def payer_of_attempt(row: sqlite3.Row) -> Payer:
    """Whose budgets an attempt's row is paid from."""
    return Payer(row["team_id"], row["channel_id"], row["person_key"])


def movement_of(row: sqlite3.Row, kind: str, flags: frozenset[str] = frozenset()) -> ledger.Movement:
    """An entry of that kind about an attempt's row, as it was asked for."""
    return ledger.Movement(
        kind=kind,
        attempt_id=row["id"],
        held_at=row["held_at"],
        image_model=row["image_model"],
        host_model=row["host_model"],
        endpoint=row["endpoint"],
        provider=row["provider"],
        price_version=row["price_version"],
        flags=flags,
    )
