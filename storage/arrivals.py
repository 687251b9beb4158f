"""How a turn comes into the database, and is found there. All of it runs inside the caller's transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from darkroom.turns.model import Request, Surface, ThreadReplies, Turn, TurnInput, TurnState
from darkroom.turns.store import Arrival, NotWaiting
from storage.budgets import LedgerFault, Payer
from storage.people import person_key, prefers_private
from storage.rows import OPTIONS, attachments_to, input_from, options_to, turn_from
from storage.threads import open_thread, reply_counts
from storage.times import to_text


def get_turn(db: sqlite3.Connection, turn_id: str) -> Turn:
    """One turn; raises ``LedgerFault`` if there is none."""
    row = db.execute("SELECT * FROM turns WHERE id = ?", (turn_id,)).fetchone()
    if row is None:
        raise LedgerFault(f"there is no turn {turn_id}")
    return turn_from(row)


def turn_of_message(db: sqlite3.Connection, team_id: str, channel_id: str, message_ts: str) -> Turn | None:
    """The turn that a message asked for, or None; *channel_id* is the message's, not its turn's."""
    row = db.execute(
        "SELECT * FROM turns WHERE team_id = ? AND asked_channel_id = ? AND asked_ts = ?",
        (team_id, channel_id, message_ts),
    ).fetchone()
    return None if row is None else turn_from(row)


def payer_of(db: sqlite3.Connection, turn_id: str) -> Payer:
    """Whose budgets a turn is paid from."""
    row = db.execute("SELECT team_id, channel_id, person_key FROM turns WHERE id = ?", (turn_id,)).fetchone()
    if row is None:
        raise LedgerFault(f"there is no turn {turn_id}")
    return Payer(row["team_id"], row["channel_id"], row["person_key"])


def arrive(
    db: sqlite3.Connection, turn_id: str, request: Request, at: datetime, replies: ThreadReplies
) -> Arrival:
    """Write a turn as ``received``, or find what it is a repeat of. See ``TurnStore.arrive``."""
    first = db.execute(
        "SELECT * FROM turns WHERE team_id = ? AND key = ?", (request.team_id, request.key)
    ).fetchone()
    if first is not None:
        return Arrival(_complete(db, turn_from(first), request, at), new=False)
    team, channel, thread, user = request.team_id, request.channel_id, request.thread_ts, request.user_id
    if request.surface is Surface.REPLY and not (
        thread and reply_counts(db, team, channel, thread, user, replies)
    ):
        return Arrival(None, new=False)
    if request.surface is not Surface.REPLY and thread:
        open_thread(db, team, channel, thread, user, at)
    key = person_key(db, team, user, at)
    private = request.private
    if private is None:
        private = request.opens_thread and prefers_private(db, key)
    db.execute(
        f"""
        INSERT INTO turns (id, team_id, key, surface, intent, channel_id, asked_channel_id, opens_thread,
            private, thread_ts, asked_ts, user_id, person_key, prompt, wanted, {OPTIONS}, attachments,
            inputs_from, order_key, reply_url, chosen_id, fresh, state, created_at, updated_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
            'received', ?, ?)
        """,
        (
            turn_id,
            team,
            request.key,
            request.surface,
            request.intent,
            channel,
            channel,
            request.opens_thread,
            private,
            thread,
            request.message_ts,
            user,
            key,
            request.prompt,
            request.wanted,
            *options_to(request.options),
            attachments_to(request.attachments),
            request.inputs_from,
            request.order,
            request.reply_url,
            request.chosen_id,
            request.fresh,
            to_text(at),
            to_text(at),
        ),
    )
    if request.inputs_from is not None:
        _copy_inputs(db, turn_id, request.inputs_from)
    return Arrival(get_turn(db, turn_id), new=True)


def _copy_inputs(db: sqlite3.Connection, turn_id: str, inputs_from: str) -> None:
    """Where nothing was brought, the turn's own attachments are still to be."""
    copied = db.execute(
        """
        INSERT INTO inputs
            (turn_id, position, role, sha256, format, width, height, size_bytes, name, covers_ppm)
        SELECT ?, position, role, sha256, format, width, height, size_bytes, name, covers_ppm
        FROM inputs WHERE turn_id = ?
        """,
        (turn_id, inputs_from),
    ).rowcount
    if copied:
        db.execute("UPDATE turns SET brought_revision = 0 WHERE id = ?", (turn_id,))


def _complete(db: sqlite3.Connection, turn: Turn, request: Request, at: datetime) -> Turn:
    """Of a mention's two events only ``message`` is sure to carry the files: take them from the second.

    A new revision, since what was planned or brought without them is not what was asked for."""
    waits = turn.state in (TurnState.RECEIVED, TurnState.QUEUED)
    if not request.attachments or turn.request.attachments or not waits:
        return turn
    db.execute(
        "UPDATE turns SET attachments = ?, revision = revision + 1, updated_at = ? WHERE id = ?",
        (attachments_to(request.attachments), to_text(at), turn.id),
    )
    return get_turn(db, turn.id)


def bring(
    db: sqlite3.Connection, turn_id: str, revision: int, inputs: Sequence[TurnInput], at: datetime
) -> tuple[TurnInput, ...]:
    """What goes along with a turn's prompt in that revision. See ``TurnStore.bring``."""
    changed = db.execute(
        """
        UPDATE turns SET brought_revision = revision, updated_at = ?
        WHERE id = ? AND revision = ? AND state <> 'ended'
        """,
        (to_text(at), turn_id, revision),
    ).rowcount
    if not changed:
        raise NotWaiting
    db.execute("DELETE FROM inputs WHERE turn_id = ?", (turn_id,))
    db.executemany(
        """
        INSERT INTO inputs
            (turn_id, position, role, sha256, format, width, height, size_bytes, name, covers_ppm)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        [
            (
                turn_id,
                position,
                one.role,
                one.sha256,
                one.format,
                one.width,
                one.height,
                one.size_bytes,
                one.name,
                one.covers_ppm,
            )
            for position, one in enumerate(inputs)
        ],
    )
    return inputs_of(db, turn_id)


def inputs_of(db: sqlite3.Connection, turn_id: str) -> tuple[TurnInput, ...]:
    """What goes along with a turn's prompt, in its order."""
    rows = db.execute("SELECT * FROM inputs WHERE turn_id = ? ORDER BY position", (turn_id,))
    return tuple(input_from(row) for row in rows)
