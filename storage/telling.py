"""How far telling a person has come, in SQL. Every function runs inside its caller's transaction."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from darkroom.turns.endings import Reason
from darkroom.turns.erasing import Recall
from darkroom.turns.model import Told, Turn
from storage.arrivals import get_turn
from storage.erasing import forget_rest, list_recall
from storage.ledger import LedgerFault
from storage.people import met
from storage.pictures import current_picture, note_file
from storage.rows import PICTURES, picture_from
from storage.threads import open_thread
from storage.times import to_text

MADE_ELSEWHERE = (Reason.NOT_IN_CHANNEL, Reason.CANNOT_POST)
"""Endings that are told with the way to have the same made in our direct message."""


def tell(
    db: sqlite3.Connection,
    turn_id: str,
    step: Told,
    value: str | None,
    at: datetime,
    picture_id: str | None,
) -> Turn:
    """Note one step of telling. See ``TurnStore.tell``."""
    kept = value if value is not None else to_text(at)
    match step:
        case Told.FILE if picture_id is not None:
            note_file(db, turn_id, picture_id, kept)
            db.execute("UPDATE turns SET updated_at = ? WHERE id = ?", (to_text(at), turn_id))
        case Told.FILE:
            raise LedgerFault(f"a file of turn {turn_id} is no picture's")
        case Told.PLACE:
            _move(db, get_turn(db, turn_id), kept, at)
        case _:
            db.execute(
                f"UPDATE turns SET {step.value} = ?, updated_at = ? WHERE id = ?",
                (kept, to_text(at), turn_id),
            )
    turn = get_turn(db, turn_id)
    if step in (Told.FILE, Told.MESSAGE):
        _recall_deleted(db, turn, step, kept, at)
    if step is Told.PLACEHOLDER and turn.request.opens_thread:
        db.execute("UPDATE turns SET thread_ts = ? WHERE id = ?", (kept, turn_id))
        open_thread(db, turn.request.team_id, turn.request.channel_id, kept, turn.request.user_id, at)
        return get_turn(db, turn_id)
    if step is Told.DONE and turn.undelivered_reason is not None:
        # It came later, after all.
        db.execute("UPDATE turns SET undelivered_reason = NULL WHERE id = ?", (turn_id,))
        turn = get_turn(db, turn_id)
    if step in (Told.DONE, Told.UNDELIVERED):
        forget_rest(db, turn_id, at)
        _leave_inputs(db, turn)
        # Good for 30 minutes at most, and of no use to anybody afterwards.
        db.execute("UPDATE turns SET reply_url = NULL WHERE id = ?", (turn_id,))
    return turn


def _leave_inputs(db: sqlite3.Connection, turn: Turn) -> None:
    """What went along with a turn that brought no picture is of no use to anybody, unless it may yet be made
    in our direct message."""
    if turn.ending is None or turn.ending.reason not in MADE_ELSEWHERE:
        db.execute(
            """
            DELETE FROM inputs WHERE turn_id = :id
                AND NOT EXISTS (SELECT 1 FROM pictures WHERE turn_id = :id)
            """,
            {"id": turn.id},
        )


def _recall_deleted(db: sqlite3.Connection, turn: Turn, step: Told, ref: str, at: datetime) -> None:
    """What came to Slack of a picture that was deleted on its way there is to be recalled, too."""
    rows = db.execute(
        f"{PICTURES} WHERE pictures.turn_id = ? AND pictures.deleted_at IS NOT NULL", (turn.id,)
    ).fetchall()
    for picture in map(picture_from, rows):
        if step is Told.MESSAGE:
            channel, user = turn.request.channel_id, turn.request.user_id
            list_recall(db, picture, Recall.MESSAGE, channel, ref, user, at)
        elif picture.file_id == ref:
            list_recall(db, picture, Recall.FILE, "", ref, turn.request.user_id, at)


def _move(db: sqlite3.Connection, turn: Turn, channel_id: str, at: datetime) -> None:
    """A private turn goes on in the direct message with its person, in a thread of its own there. What it
    would build on in the thread where it was asked comes with it."""
    request = turn.request
    met(db, request.team_id, request.user_id, channel_id, at)
    if channel_id == request.channel_id:
        return
    chosen = request.chosen_id
    if chosen is None and not request.fresh and request.thread_ts is not None:
        parent = current_picture(db, request.team_id, request.channel_id, request.thread_ts, request.order)
        chosen = None if parent is None else parent.id
    db.execute(
        """
        UPDATE turns SET channel_id = ?, opens_thread = 1, thread_ts = NULL, chosen_id = ?, updated_at = ?
        WHERE id = ?
        """,
        (channel_id, chosen, to_text(at), turn.id),
    )
