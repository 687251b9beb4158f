"""Reading turns, attempts and pictures: ``darkroom.turns.store.TurnLog``."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta

from darkroom.spending.classes import Cost, Line, TokenClass
from darkroom.spending.policy import Access
from darkroom.turns.model import Attempt, Options, Picture, ThreadReplies, Turn, TurnInput
from storage.arrivals import inputs_of, turn_of_message
from storage.database import Database
from storage.people import known_person_key, preferred_options
from storage.pictures import current_picture, find_picture, last_picture
from storage.policy import Policies
from storage.rows import PICTURES, attempt_from, picture_from, turn_from
from storage.threads import remembered, reply_counts
from storage.times import to_text

BESIDE = timedelta(hours=1)
"""Requests that somebody made so far apart are not taken for each other."""
UNDELIVERED_MAX = 2_000
"""The most turns that are given out at once to be told anew."""


class SqliteTurnLog:
    """``TurnLog`` on a ``Database``: short reads that see every write made before them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._policies = Policies()

    async def turn(self, turn_id: str) -> Turn | None:
        """See ``TurnLog.turn``."""

        def work(db: sqlite3.Connection) -> Turn | None:
            row = db.execute("SELECT * FROM turns WHERE id = ?", (turn_id,)).fetchone()
            return None if row is None else turn_from(row)

        return await self._database.look(work)

    async def turn_of_message(self, team_id: str, channel_id: str, message_ts: str) -> Turn | None:
        """See ``TurnLog.turn_of_message``."""
        return await self._database.look(lambda db: turn_of_message(db, team_id, channel_id, message_ts))

    async def reply_counts(
        self, team_id: str, channel_id: str, thread_ts: str, user_id: str, replies: ThreadReplies
    ) -> bool:
        """See ``TurnLog.reply_counts``."""
        return await self._database.look(
            lambda db: reply_counts(db, team_id, channel_id, thread_ts, user_id, replies)
        )

    async def unfinished(self) -> list[Turn]:
        """See ``TurnLog.unfinished``."""

        def work(db: sqlite3.Connection) -> list[Turn]:
            rows = db.execute(
                """
                SELECT * FROM turns WHERE told_at IS NULL AND undelivered_reason IS NULL
                ORDER BY created_at, id
                """
            )
            return [turn_from(row) for row in rows]

        return await self._database.look(work)

    async def undelivered(self, paid_since: datetime, said_since: datetime) -> list[Turn]:
        """See ``TurnLog.undelivered``."""

        def work(db: sqlite3.Connection) -> list[Turn]:
            rows = db.execute(
                """
                SELECT * FROM turns INDEXED BY turns_undelivered
                WHERE undelivered_reason IS NOT NULL AND state = 'ended'
                    AND created_at > iif(outcome IN ('pictures', 'words'), ?, ?)
                ORDER BY outcome NOT IN ('pictures', 'words'), created_at, id LIMIT ?
                """,
                (to_text(paid_since), to_text(said_since), UNDELIVERED_MAX),
            )
            return [turn_from(row) for row in rows]

        # After a long trouble of Slack's there are many, and nobody waits for them.
        return await self._database.report(work)

    async def undelivered_pictures(self, team_id: str, user_id: str, most: int) -> list[Picture]:
        """See ``TurnLog.undelivered_pictures``."""

        def work(db: sqlite3.Connection) -> list[Picture]:
            rows = db.execute(
                f"""
                {PICTURES} JOIN turns ON turns.id = pictures.turn_id
                WHERE pictures.team_id = ? AND pictures.user_id = ? AND pictures.deleted_at IS NULL
                    AND turns.undelivered_reason IS NOT NULL AND turns.message_ts IS NULL
                ORDER BY pictures.created_at DESC, pictures.id DESC LIMIT ?
                """,
                (team_id, user_id, most),
            )
            return [picture_from(row) for row in rows]

        return await self._database.look(work)

    async def beside_others(self, turn: Turn) -> bool:
        """See ``TurnLog.beside_others``."""
        request, at = turn.request, turn.created_at
        wanted = (
            *(to_text(at - BESIDE), to_text(at + BESIDE)),
            *(request.team_id, request.channel_id, request.user_id, turn.id, to_text(at)),
        )

        def work(db: sqlite3.Connection) -> bool:
            row = db.execute(
                """
                SELECT 1 FROM turns INDEXED BY turns_by_time
                WHERE created_at BETWEEN ? AND ? AND team_id = ? AND channel_id = ? AND user_id = ?
                    AND id != ? AND (told_at IS NULL OR told_at >= ?) LIMIT 1
                """,
                wanted,
            )
            return row.fetchone() is not None

        return await self._database.look(work)

    async def attempts(self, turn_id: str) -> list[Attempt]:
        """See ``TurnLog.attempts``."""

        def work(db: sqlite3.Connection) -> list[Attempt]:
            rows = db.execute("SELECT * FROM attempts WHERE turn_id = ? ORDER BY number", (turn_id,))
            return [attempt_from(row) for row in rows]

        return await self._database.look(work)

    async def charge_of(self, picture_id: str) -> Cost:
        """See ``TurnLog.charge_of``."""

        def work(db: sqlite3.Connection) -> Cost:
            rows = db.execute(
                """
                SELECT token_class, tokens, charge_lines.charged_nano_usd FROM pictures
                JOIN journal ON journal.attempt_id = pictures.attempt_id
                JOIN charge_lines ON charge_lines.journal_id = journal.id
                WHERE pictures.id = ?
                """,
                (picture_id,),
            )
            lines = tuple(Line(TokenClass(name), tokens, amount) for name, tokens, amount in rows)
            order = list(TokenClass)
            in_order = tuple(sorted(lines, key=lambda line: order.index(line.token_class)))
            return Cost(in_order, sum(line.charged_nano_usd for line in lines))

        return await self._database.look(work)

    async def picture(self, picture_id: str) -> Picture | None:
        """See ``TurnLog.picture``."""
        return await self._database.look(lambda db: find_picture(db, picture_id))

    async def pictures(self, turn_id: str) -> list[Picture]:
        """See ``TurnLog.pictures``."""

        def work(db: sqlite3.Connection) -> list[Picture]:
            rows = db.execute(f"{PICTURES} WHERE pictures.turn_id = ? ORDER BY pictures.version", (turn_id,))
            return [picture_from(row) for row in rows]

        return await self._database.look(work)

    async def current_picture(
        self, team_id: str, channel_id: str, thread_ts: str, order: str
    ) -> Picture | None:
        """See ``TurnLog.current_picture``."""
        return await self._database.look(
            lambda db: current_picture(db, team_id, channel_id, thread_ts, order)
        )

    async def last_picture(self, team_id: str, channel_id: str, user_id: str) -> Picture | None:
        """See ``TurnLog.last_picture``."""
        return await self._database.look(lambda db: last_picture(db, team_id, channel_id, user_id))

    async def inputs(self, turn_id: str) -> tuple[TurnInput, ...]:
        """See ``TurnLog.inputs``."""
        return await self._database.look(lambda db: inputs_of(db, turn_id))

    async def manner(self, turn: Turn) -> Options:
        """See ``TurnLog.manner``."""
        request = turn.request
        thread_ts = request.thread_ts
        if thread_ts is None or thread_ts == request.message_ts:
            return await self._database.look(lambda db: preferred_options(db, turn.person_key))
        return await self._database.look(
            lambda db: remembered(db, request.team_id, request.channel_id, thread_ts)
        )

    async def person(self, team_id: str, user_id: str) -> str | None:
        """See ``TurnLog.person``."""
        return await self._database.look(lambda db: known_person_key(db, team_id, user_id))

    async def access(self, turn: Turn) -> Access:
        """See ``TurnLog.access``."""
        request = turn.request
        return await self._database.look(
            lambda db: self._policies.of(db, request.team_id).access_of(
                turn.person_key, request.team_id, request.channel_id
            )
        )
