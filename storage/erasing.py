"""Deleting pictures, in SQL: ``darkroom.turns.erasing.Eraser``."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from darkroom.turns.endings import Reason
from darkroom.turns.erasing import TRIES_MAX, Erased, Errand, Recall
from darkroom.turns.model import Picture, Surface, Turn, TurnState
from storage.arrivals import get_turn
from storage.blobs import BlobStore
from storage.database import Database
from storage.forgetting import Ref, bytes_needed, forget, forget_asked, forget_copies
from storage.pictures import built_on, find_picture
from storage.rows import PICTURES, picture_from
from storage.scrubbing import to_be_scrubbed
from storage.times import from_text, to_text

_ANSWERS = ("in-dm:", "edit-or-new:")
"""How the keys of requests begin that only answer where, or whether, an earlier turn is to be made: its id
follows, and its prompt is theirs."""

_OF_PEOPLE = """
    SELECT * FROM erasures INDEXED BY erasures_by_people WHERE done_at IS NULL AND by_user_id <> ''
    ORDER BY tries, created_at, id
"""
_OF_AGE = """
    SELECT * FROM erasures INDEXED BY erasures_open WHERE done_at IS NULL AND by_user_id = ''
    ORDER BY tries, created_at, id
"""


class SqliteEraser:
    """``Eraser`` on a ``Database``; what each method promises is written there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def erase(self, picture_id: str, by_user_id: str, at: datetime) -> Erased | None:
        """See ``Eraser.erase``."""
        return await self._database.write(lambda db: erase(db, picture_id, by_user_id, at))

    async def open_errands(self, limit: int) -> Sequence[Errand]:
        """See ``Eraser.open_errands``."""

        def work(db: sqlite3.Connection) -> Sequence[Errand]:
            # Half of the room at most, as long as there is other: what cannot be recalled keeps nothing else
            # waiting.
            people = db.execute(f"{_OF_PEOPLE} LIMIT ?", (limit,)).fetchall()
            aged = db.execute(f"{_OF_AGE} LIMIT ?", (limit - min(len(people), limit // 2),)).fetchall()
            return [_errand_from(row) for row in [*people[: limit - len(aged)], *aged]]

        return await self._database.look(work)

    async def close_errand(self, errand_id: int, failure: str | None, at: datetime) -> None:
        """See ``Eraser.close_errand``; what is given up keeps its *failure*."""

        def work(db: sqlite3.Connection) -> None:
            db.execute(
                """
                UPDATE erasures SET tries = tries + 1, failure = :failure,
                    done_at = iif(:failure IS NULL OR tries + 1 >= :most, :at, NULL)
                WHERE id = :id AND done_at IS NULL
                """,
                {"failure": failure, "most": TRIES_MAX, "at": to_text(at), "id": errand_id},
            )

        await self._database.write(work)

    async def scrub(self) -> None:
        """See ``Eraser.scrub``."""
        await self._database.scrub()


async def remove_bytes(database: Database, blobs: BlobStore, sha256: str, suffix: str) -> bool:
    """Remove the bytes of a picture from disk, unless something that lives needs them: then that is well too.

    False if that is not possible now: a call that may read them is under way, or they were written once more
    a moment ago, for what may not be in the books yet. Try again later.
    """

    def work(db: sqlite3.Connection) -> bool:
        if bytes_needed(db, sha256):
            return True
        return not _bytes_in_use(db, sha256) and blobs.remove(sha256, suffix)

    return await database.report(work)


def list_recall(
    db: sqlite3.Connection,
    picture: Picture,
    kind: Recall,
    channel_id: str,
    ref: str,
    by_user_id: str,
    at: datetime,
) -> None:
    """Something of *picture* is to be recalled, once. Whoever deleted it first is who it is done for."""
    first = db.execute("SELECT by_user_id FROM erasures WHERE picture_id = ?", (picture.id,)).fetchone()
    db.execute(
        """
        INSERT OR IGNORE INTO erasures (kind, team_id, channel_id, ref, picture_id, by_user_id, created_at)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        """,
        (
            kind,
            picture.team_id,
            channel_id,
            ref,
            picture.id,
            by_user_id if first is None else first["by_user_id"],
            to_text(at),
        ),
    )


def forget_rest(db: sqlite3.Connection, turn_id: str, at: datetime) -> None:
    """Where all pictures of a turn were deleted while it was being made or told, it forgets what it was asked
    now that it has been; so does one that was to vary a picture which was deleted before its turn came."""
    row = db.execute(
        f"{PICTURES} WHERE pictures.turn_id = ? AND pictures.deleted_at IS NOT NULL LIMIT 1", (turn_id,)
    ).fetchone()
    picture = picture_from(row) if row is not None else find_picture(db, _gone(get_turn(db, turn_id)))
    if picture is None:
        return
    own = picture.turn_id == turn_id
    for kind, channel, ref in _refs_of_turn(db, picture) if own else forget(db, turn_id, picture):
        list_recall(db, picture, kind, channel, ref, picture.user_id, at)
    to_be_scrubbed(db)


def _gone(turn: Turn) -> str | None:
    """The picture whose words a button gave to a turn that could not be made any more."""
    gone = turn.ending is not None and turn.ending.reason is Reason.PICTURE_GONE
    return turn.request.chosen_id if gone and turn.request.surface is Surface.BUTTON else None


def erase(db: sqlite3.Connection, picture_id: str, by_user_id: str, at: datetime) -> Erased | None:
    """``Eraser.erase``, inside the caller's transaction; *by_user_id* is empty where nobody did it."""
    before = find_picture(db, picture_id)
    if before is None:
        return None
    db.execute(
        """
        UPDATE pictures SET deleted_at = COALESCE(deleted_at, ?), prompt = '', revised_prompt = NULL
        WHERE id = ?
        """,
        (to_text(at), picture_id),
    )
    db.execute("UPDATE shares SET comment = '' WHERE picture_id = ?", (picture_id,))
    refs = [*_refs_of_picture(db, before), *_refs_of_turn(db, before), *forget_copies(db, before)]
    for kind, channel, ref in refs:
        list_recall(db, before, kind, channel, ref, by_user_id, at)
    to_be_scrubbed(db)
    turn = get_turn(db, before.turn_id)
    return Erased(
        picture=find_picture(db, picture_id) or before,
        first=before.deleted_at is None,
        asked_in_words=turn.request.message_ts is not None,
        built_on=built_on(db, picture_id),
    )


def _refs_of_picture(db: sqlite3.Connection, picture: Picture) -> list[Ref]:
    """What one picture has left elsewhere."""
    turn = get_turn(db, picture.turn_id)
    refs: list[Ref] = []
    if turn.message_ts is not None:
        refs.append((Recall.MESSAGE, turn.request.channel_id, turn.message_ts))
    if picture.file_id is not None:
        refs.append((Recall.FILE, "", picture.file_id))
    refs += _lists_in(db, picture, picture.channel_id, picture.thread_ts)
    for share in db.execute("SELECT * FROM shares WHERE picture_id = ? ORDER BY id", (picture.id,)):
        if share["message_ts"] is not None:
            refs.append((Recall.MESSAGE, share["channel_id"], share["message_ts"]))
            refs += _lists_in(db, picture, share["channel_id"], share["message_ts"])
        if share["file_id"] is not None:
            refs.append((Recall.FILE, "", share["file_id"]))
    attempt = db.execute("SELECT response_id FROM attempts WHERE id = ?", (picture.attempt_id,)).fetchone()
    refs += [
        (Recall.RESPONSE, "", ref) for ref in (picture.response_id, attempt["response_id"]) if ref is not None
    ]
    if not bytes_needed(db, picture.sha256):
        refs.append((Recall.BLOB, "", f"{picture.sha256}.{picture.format}"))
    return refs


def _lists_in(db: sqlite3.Connection, picture: Picture, channel_id: str, thread_ts: str) -> list[Ref]:
    """The lists of versions in a thread that may name a picture: they repeat its prompt."""
    lists = db.execute(
        """
        SELECT message_ts FROM turns WHERE team_id = ? AND channel_id = ? AND thread_ts = ?
            AND intent = 'versions' AND message_ts IS NOT NULL AND updated_at >= ?
        ORDER BY message_ts
        """,
        (picture.team_id, channel_id, thread_ts, to_text(picture.created_at)),
    )
    return [(Recall.MESSAGE, channel_id, row["message_ts"]) for row in lists]


def _refs_of_turn(db: sqlite3.Connection, picture: Picture) -> list[Ref]:
    """What the turn of a deleted picture has left elsewhere, and the turn forgets what it was asked; nothing,
    while another picture of it lives or may still come, nor before it was told: whoever tells has the words
    in hand, and would write them into the placeholder once more after that was recalled."""
    turn = get_turn(db, picture.turn_id)
    living = db.execute(
        "SELECT 1 FROM pictures WHERE turn_id = ? AND deleted_at IS NULL", (turn.id,)
    ).fetchone()
    told = turn.told_at is not None or turn.undelivered_reason is not None
    if living is not None or turn.state is not TurnState.ENDED or not told:
        return []
    refs: list[Ref] = []
    if turn.request.opens_thread and turn.placeholder_ts is not None:
        refs.append((Recall.PLACEHOLDER, turn.request.channel_id, turn.placeholder_ts))
    for row in db.execute(
        "SELECT response_id FROM attempts WHERE turn_id = ? AND response_id IS NOT NULL ORDER BY number",
        (turn.id,),
    ):
        known = (
            "SELECT 1 FROM erasures JOIN pictures ON pictures.id = picture_id WHERE turn_id = ? AND ref = ?"
        )
        if not db.execute(known, (turn.id, row["response_id"])).fetchone():
            refs.append((Recall.RESPONSE, "", row["response_id"]))
    refs += forget(db, turn.id, picture)
    for prefix in _ANSWERS:
        if turn.request.key.startswith(prefix):
            refs += forget_asked(db, turn.request.key.removeprefix(prefix), picture)
    return refs


def _bytes_in_use(db: sqlite3.Connection, sha256: str) -> bool:
    """Whether a turn that builds on these bytes is being made."""
    row = db.execute(
        """
        SELECT 1 FROM turns CROSS JOIN pictures ON pictures.id = turns.parent_id
        WHERE told_at IS NULL AND undelivered_reason IS NULL AND state = 'working' AND sha256 = ?
        LIMIT 1
        """,
        (sha256,),
    ).fetchone()
    return row is not None


def _errand_from(row: sqlite3.Row) -> Errand:
    return Errand(
        id=row["id"],
        kind=Recall(row["kind"]),
        team_id=row["team_id"],
        channel_id=row["channel_id"],
        ref=row["ref"],
        picture_id=row["picture_id"],
        tries=row["tries"],
        created_at=from_text(row["created_at"]),
        by_user_id=row["by_user_id"],
    )
