"""How a turn comes into the database, and is found there. All of it runs inside the caller's transaction."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from darkroom.turns.model import Options, Request, Surface, ThreadReplies, Turn, TurnState
from darkroom.turns.store import Arrival
from storage.budgets import LedgerFault, Payer
from storage.people import person_key
from storage.rows import attachments_to, turn_from
from storage.threads import open_thread, reply_counts
from storage.times import to_text


def get_turn(db: sqlite3.Connection, turn_id: str) -> Turn:
    """One turn; raises ``LedgerFault`` if there is none."""
    row = db.execute("SELECT * FROM turns WHERE id = ?", (turn_id,)).fetchone()
    if row is None:
        raise LedgerFault(f"there is no turn {turn_id}")
    return turn_from(row)


def turn_of_message(db: sqlite3.Connection, team_id: str, channel_id: str, message_ts: str) -> Turn | None:
    """The turn that a message asked for, or None."""
    row = db.execute(
        "SELECT * FROM turns WHERE team_id = ? AND channel_id = ? AND asked_ts = ?",
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
    if request.surface is Surface.MENTION and thread:
        open_thread(db, team, channel, thread, user, at)
    db.execute(
        """
        INSERT INTO turns (id, team_id, key, surface, channel_id, thread_ts, asked_ts, user_id, person_key,
            prompt, width, height, quality, model, format, attachments, order_key, reply_url, state,
            created_at, updated_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'received', ?, ?)
        """,
        (
            turn_id,
            team,
            request.key,
            request.surface,
            channel,
            thread,
            request.message_ts,
            user,
            person_key(db, team, user, at),
            request.prompt,
            *option_columns(request.options),
            attachments_to(request.attachments),
            request.order,
            request.reply_url,
            to_text(at),
            to_text(at),
        ),
    )
    return Arrival(get_turn(db, turn_id), new=True)


def _complete(db: sqlite3.Connection, turn: Turn, request: Request, at: datetime) -> Turn:
    """Of a mention's two events only ``message`` is sure to carry the files: take them from the second."""
    waits = turn.state in (TurnState.RECEIVED, TurnState.QUEUED)
    if not request.attachments or turn.request.attachments or not waits:
        return turn
    db.execute(
        "UPDATE turns SET attachments = ?, updated_at = ? WHERE id = ?",
        (attachments_to(request.attachments), to_text(at), turn.id),
    )
    return get_turn(db, turn.id)


def option_columns(options: Options) -> tuple[int | None, int | None, str | None, str | None, str | None]:
    """Options as the columns of ``turns`` keep them: width, height, quality, model, format."""
    return options.width, options.height, options.quality, options.model, options.format
