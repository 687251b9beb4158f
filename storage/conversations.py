"""What people do with pictures, in SQL: ``darkroom.turns.conversations.Conversations``."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from darkroom.turns.conversations import Page, Preferences, Share
from darkroom.turns.model import Picture, Turn, Verdict
from storage.database import Database
from storage.people import met
from storage.pictures import built_on, living_picture, shared_picture
from storage.preferences import judge, prefer, preferences_of, private_channel
from storage.rows import PICTURES, picture_from, turn_from
from storage.sharing import begin_share, give_up_share, note_share, unfinished_shares
from storage.threads import choose, join_thread

VERSIONS_MAX = 100
"""The most versions of those that were made in a thread that are listed: its newest."""


class SqliteConversations:
    """``Conversations`` on a ``Database``; what each method promises is written there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def choose(
        self, picture_id: str, channel_id: str, thread_ts: str, user_id: str, order: str, at: datetime
    ) -> Picture | None:
        """See ``Conversations.choose``."""
        thread = (channel_id, thread_ts)
        return await self._database.write(lambda db: _choose(db, picture_id, thread, user_id, order, at))

    async def versions(self, team_id: str, channel_id: str, thread_ts: str) -> Sequence[Picture]:
        """See ``Conversations.versions``."""
        return await self._database.look(lambda db: _versions(db, team_id, channel_id, thread_ts))

    async def built_on(self, picture_id: str) -> int:
        """See ``Conversations.built_on``."""
        return await self._database.look(lambda db: built_on(db, picture_id))

    async def pictures_of_message(self, team_id: str, channel_id: str, ts: str) -> Sequence[Picture]:
        """See ``Conversations.pictures_of_message``."""
        return await self._database.look(lambda db: _pictures_of_message(db, team_id, channel_id, ts))

    async def turn_of_key(self, team_id: str, key: str) -> Turn | None:
        """See ``Conversations.turn_of_key``."""

        def work(db: sqlite3.Connection) -> Turn | None:
            row = db.execute("SELECT * FROM turns WHERE team_id = ? AND key = ?", (team_id, key)).fetchone()
            return None if row is None else turn_from(row)

        return await self._database.look(work)

    async def page_of(self, team_id: str, user_id: str, number: int, size: int) -> Page:
        """See ``Conversations.page_of``; *size* is at least 1. Counting touches every picture of the person,
        so it runs beside the writing."""
        return await self._database.report(lambda db: _page_of(db, team_id, user_id, number, size))

    async def judge(self, picture_id: str, user_id: str, verdict: Verdict, at: datetime) -> bool:
        """See ``Conversations.judge``."""
        return await self._database.write(lambda db: judge(db, picture_id, user_id, verdict, at))

    async def preferences(self, team_id: str, user_id: str) -> Preferences:
        """See ``Conversations.preferences``."""
        return await self._database.look(lambda db: preferences_of(db, team_id, user_id))

    async def prefer(self, team_id: str, user_id: str, preferences: Preferences, at: datetime) -> None:
        """See ``Conversations.prefer``."""
        await self._database.write(lambda db: prefer(db, team_id, user_id, preferences, at))

    async def private_channel(self, team_id: str, user_id: str) -> str | None:
        """See ``Conversations.private_channel``."""
        return await self._database.look(lambda db: private_channel(db, team_id, user_id))

    async def met(self, team_id: str, user_id: str, channel_id: str, at: datetime) -> None:
        """See ``Conversations.met``."""
        await self._database.write(lambda db: met(db, team_id, user_id, channel_id, at))

    async def share(
        self,
        share_id: str,
        key: str,
        picture_id: str,
        channel_id: str,
        user_id: str,
        at: datetime,
        comment: str = "",
    ) -> Share | None:
        """See ``Conversations.share``."""
        return await self._database.write(
            lambda db: begin_share(db, share_id, key, picture_id, channel_id, user_id, at, comment)
        )

    async def note_share(self, share_id: str, file_id: str | None, message_ts: str | None) -> Share:
        """See ``Conversations.note_share``; a ``LedgerFault`` if there is no such share."""
        return await self._database.write(lambda db: note_share(db, share_id, file_id, message_ts))

    async def give_up_share(self, share_id: str, failure: str) -> None:
        """See ``Conversations.give_up_share``."""
        await self._database.write(lambda db: give_up_share(db, share_id, failure))

    async def unfinished_shares(self, since: datetime) -> Sequence[Share]:
        """See ``Conversations.unfinished_shares``."""
        return await self._database.look(lambda db: unfinished_shares(db, since))


def _choose(
    db: sqlite3.Connection, picture_id: str, thread: tuple[str, str], user_id: str, order: str, at: datetime
) -> Picture | None:
    picture = living_picture(db, picture_id)
    if picture is None:
        return None
    place = (picture.team_id, *thread)
    if thread != (picture.channel_id, picture.thread_ts):
        shared = shared_picture(db, *place)
        if shared is None or shared.id != picture_id:
            return None
    choose(db, *place, picture_id, order)
    join_thread(db, *place, user_id, at)
    return picture


def _versions(db: sqlite3.Connection, team_id: str, channel_id: str, thread_ts: str) -> Sequence[Picture]:
    """Those that were made there, after the one that is shared by the thread's root, with its file there."""
    place = (team_id, channel_id, thread_ts)
    rows = db.execute(
        f"""
        {PICTURES}
        WHERE pictures.team_id = ? AND pictures.channel_id = ? AND pictures.thread_ts = ?
        ORDER BY pictures.version DESC LIMIT ?
        """,
        (*place, VERSIONS_MAX),
    ).fetchall()
    made = [picture_from(row) for row in reversed(rows)]
    shared = shared_picture(db, *place)
    return made if shared is None else [shared, *made]


def _pictures_of_message(db: sqlite3.Connection, team_id: str, channel_id: str, ts: str) -> Sequence[Picture]:
    """Those that its turn brought, or the one that it shares."""
    place = (team_id, channel_id, ts)
    for source in (
        """SELECT pictures.id FROM turns JOIN pictures ON pictures.turn_id = turns.id
        WHERE turns.team_id = ? AND turns.channel_id = ? AND turns.message_ts = ?""",
        "SELECT picture_id FROM shares WHERE team_id = ? AND channel_id = ? AND message_ts = ?",
    ):
        rows = db.execute(
            f"""
            {PICTURES} WHERE pictures.id IN ({source}) AND pictures.deleted_at IS NULL
            ORDER BY pictures.version
            """,
            place,
        ).fetchall()
        if rows:
            return [picture_from(row) for row in rows]
    return []


def _page_of(db: sqlite3.Connection, team_id: str, user_id: str, number: int, size: int) -> Page:
    whose = (team_id, user_id)
    where = "pictures.team_id = ? AND pictures.user_id = ? AND pictures.deleted_at IS NULL"
    count = db.execute(f"SELECT COUNT(*) FROM pictures WHERE {where}", whose).fetchone()[0]
    pages = max(1, -(-count // size))
    number = max(0, min(number, pages - 1))
    rows = db.execute(
        f"""
        {PICTURES} WHERE {where}
        ORDER BY pictures.created_at DESC, pictures.id DESC LIMIT ? OFFSET ?
        """,
        (*whose, size, number * size),
    ).fetchall()
    return Page([picture_from(row) for row in rows], number, pages)
