"""An admin at work on the real books, and people who give them something to decide."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from darkroom.spending.budgets import Caps
from darkroom.spending.changes import (
    Author,
    CannotChange,
    Change,
    Changed,
    Entry,
)
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import Attempt, AttemptState, ThreadReplies, Turn
from storage.admin import SqliteAdminBooks
from storage.database import Database
from storage.requests import SqliteMoneyRequests
from storage.turns import SqliteTurnStore
from tests.examples import ALICE, NOON, TEAM, caps, command, plan, settlement

CAROL, OTHER_TEAM = "U0CAROL001", "T0OTHER001"
USD = 1_000_000_000
USUAL = caps(person=10 * USD, channel=50 * USD)
LATER = datetime(2026, 12, 31, tzinfo=UTC)


class Office:
    """Carol decides; every decision is a new thing that she did, unless it has a key."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.books = SqliteAdminBooks(database)
        self.store = SqliteTurnStore(database)
        self.requests = SqliteMoneyRequests(database)
        self._keys = 0

    async def change(
        self,
        change: Change,
        *,
        by: str = CAROL,
        team: str = TEAM,
        key: str = "",
        at: datetime = NOON,
        limits: Caps = USUAL,
    ) -> Changed:
        """It is done, or cannot be."""
        self._keys += 1
        return await self.books.change(change, Author(team, by, key or f"key_{self._keys}"), limits, at)

    async def does(self, change: Change, **more: Any) -> Entry:
        """It is done, and for the first time."""
        changed = await self.change(change, **more)
        assert not changed.repeat
        return changed.entry

    async def cannot(self, change: Change, **more: Any) -> CannotChange:
        """It cannot be done, and leaves nothing in the journal."""
        before = await self.count("admin_journal")
        with pytest.raises(CannotChange) as problem:
            await self.change(change, **more)
        assert await self.count("admin_journal") == before
        return problem.value

    async def count(self, table: str) -> int:
        """How many rows a table has."""
        query = f"SELECT COUNT(*) FROM {table}"  # noqa: S608 -- names of tables in this file
        return int(await self.database.look(lambda db: db.execute(query).fetchone()[0]))

    async def queue(self, turn_id: str, user: str = ALICE, amount: int = USD) -> object:
        """What somebody hears who asks for a picture."""
        await self.store.arrive(turn_id, command(trigger=turn_id, user=user), NOON, ThreadReplies.JOINED)
        return await self.store.queue(turn_id, plan("none", amount), USUAL, NOON)

    async def unsure(self, turn_id: str = "turn_1", hold: int = USD) -> int:
        """An uncertain charge; gives its number."""
        assert isinstance(await self.queue(turn_id, amount=hold), Turn)
        attempt_id = f"try_{turn_id}"
        assert isinstance(await self.store.hold(turn_id, plan(attempt_id, hold), USUAL, NOON), Attempt)
        assert await self.store.send(attempt_id, NOON)
        await self.store.render(attempt_id, settlement(hold, state=AttemptState.UNCERTAIN), USUAL, NOON)
        return (await self.books.uncertain(TEAM, 100))[-1].number

    async def declined(self, turn_id: str = "turn_1", user: str = ALICE) -> int:
        """Somebody was declined and asked for more; gives the request's number."""
        await self.store.arrive(turn_id, command(trigger=turn_id, user=user), NOON, ThreadReplies.JOINED)
        details: dict[str, str | int] = {"budget": "person", "renews_at": "2026-12-01T00:00:00+00:00"}
        await self.store.end(turn_id, Ending(Outcome.DECLINED, Reason.NO_MONEY, details), NOON)
        asked = await self.requests.ask(turn_id, user, NOON)
        assert asked is not None
        return asked[0].number
