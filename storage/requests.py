"""Requests for more money: ``darkroom.spending.requests.MoneyRequests``."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime

from darkroom.spending.budgets import BudgetKind
from darkroom.spending.requests import MoneyRequest, Posted, RequestState
from darkroom.turns.endings import Reason
from storage.budgets import Payer
from storage.database import Database
from storage.times import from_text, maybe_from_text, to_text

_REQUESTS = """
    SELECT money_requests.*, asker.user_id, answerer.user_id AS answerer_id, grants.amount_nano_usd
    FROM money_requests
        LEFT JOIN people AS asker ON asker.person_key = money_requests.person_key
        LEFT JOIN people AS answerer ON answerer.person_key = money_requests.answered_by
        LEFT JOIN grants ON grants.id = money_requests.grant_id
"""


class SqliteMoneyRequests:
    """``MoneyRequests`` on a ``Database``; what each method promises is written there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ask(self, turn_id: str, user_id: str, at: datetime) -> tuple[MoneyRequest, bool] | None:
        """See ``MoneyRequests.ask``."""
        return await self._database.write(lambda db: _ask(db, turn_id, user_id, at))

    async def request(self, number: int) -> MoneyRequest | None:
        """See ``MoneyRequests.request``."""
        return await self._database.look(lambda db: _one(db, "money_requests.id = ?", number))

    async def posts(self, number: int) -> list[Posted]:
        """See ``MoneyRequests.posts``."""

        def work(db: sqlite3.Connection) -> list[Posted]:
            rows = db.execute(
                "SELECT * FROM money_request_posts WHERE request_id = ? ORDER BY recipient", (number,)
            )
            return [Posted(row["recipient"], row["channel_id"], row["message_ts"]) for row in rows]

        return await self._database.look(work)

    async def posted(self, number: int, post: Posted) -> None:
        """See ``MoneyRequests.posted``; a later message takes the place of the recipient's first."""

        def work(db: sqlite3.Connection) -> None:
            db.execute(
                """
                INSERT OR REPLACE INTO money_request_posts (request_id, recipient, channel_id, message_ts)
                VALUES (?, ?, ?, ?)
                """,
                (number, post.recipient, post.channel_id, post.message_ts),
            )

        await self._database.write(work)

    async def untold(self) -> list[MoneyRequest]:
        """See ``MoneyRequests.untold``."""

        def work(db: sqlite3.Connection) -> list[MoneyRequest]:
            rows = db.execute(
                f"{_REQUESTS} WHERE told_state IS NULL OR told_state <> state ORDER BY money_requests.id"
            )
            return [_request_from(row) for row in rows]

        return await self._database.look(work)

    async def told(self, number: int, at: datetime) -> None:
        """See ``MoneyRequests.told``."""

        def work(db: sqlite3.Connection) -> None:
            db.execute(
                "UPDATE money_requests SET told_state = state, told_at = ? WHERE id = ?",
                (to_text(at), number),
            )

        await self._database.write(work)


def _ask(
    db: sqlite3.Connection, turn_id: str, user_id: str, at: datetime
) -> tuple[MoneyRequest, bool] | None:
    turn = db.execute(
        "SELECT * FROM turns WHERE id = ? AND user_id = ? AND reason = ?", (turn_id, user_id, Reason.NO_MONEY)
    ).fetchone()
    if turn is None:
        return None
    first = _one(db, "money_requests.turn_id = ?", turn_id)
    if first is not None:
        return first, False
    details = json.loads(turn["details"])
    ends_at = datetime.fromisoformat(details["renews_at"])
    if ends_at <= at:
        return None
    payer = Payer(turn["team_id"], turn["channel_id"], turn["person_key"])
    budget = payer.budgets()[BudgetKind(details["budget"])]
    number = db.execute(
        """
        INSERT INTO money_requests
            (team_id, turn_id, person_key, channel_id, budget, asked_at, ends_at, state)
        VALUES (?, ?, ?, ?, ?, ?, ?, 'open') ON CONFLICT DO NOTHING RETURNING id
        """,
        (
            turn["team_id"],
            turn_id,
            turn["person_key"],
            turn["channel_id"],
            budget,
            to_text(at),
            to_text(ends_at),
        ),
    ).fetchone()
    if number is not None:
        made = _one(db, "money_requests.id = ?", number["id"])
        return None if made is None else (made, True)
    other = _one(
        db,
        "money_requests.budget = ? AND money_requests.ends_at = ? AND state = 'open'",
        budget,
        to_text(ends_at),
    )
    return None if other is None else (other, False)


def _one(db: sqlite3.Connection, which: str, *values: str | int) -> MoneyRequest | None:
    row = db.execute(f"{_REQUESTS} WHERE {which}", values).fetchone()
    return None if row is None else _request_from(row)


def _request_from(row: sqlite3.Row) -> MoneyRequest:
    return MoneyRequest(
        number=row["id"],
        team_id=row["team_id"],
        user_id=row["user_id"] or "",
        channel_id=row["channel_id"],
        turn_id=row["turn_id"],
        budget=BudgetKind(row["budget"].partition(":")[0]),
        asked_at=from_text(row["asked_at"]),
        ends_at=from_text(row["ends_at"]),
        state=RequestState(row["state"]),
        answered_by=None if row["answered_by"] is None else row["answerer_id"] or "",
        answered_at=maybe_from_text(row["answered_at"]),
        amount_nano_usd=row["amount_nano_usd"],
    )
