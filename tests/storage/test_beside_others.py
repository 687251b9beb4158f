"""Whether somebody could take what is said of one of their requests for what is said of another."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import ThreadReplies, Told, Turn
from storage.database import Database
from storage.turn_log import BESIDE, SqliteTurnLog
from storage.turns import SqliteTurnStore
from tests.examples import ALICE, BOB, DESIGN, NOON, command
from tests.fresh import with_books

MINUTE = timedelta(minutes=1)
ELSEWHERE = "C0ELSEWHERE"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    with closing(Database.open(with_books(tmp_path), create=True, inline=True)) as opened:
        yield opened


async def asked(
    database: Database, name: str, at: datetime, user: str = ALICE, channel: str = DESIGN
) -> Turn:
    request = replace(command(trigger=name, user=user), channel_id=channel)
    arrival = await SqliteTurnStore(database).arrive(name, request, at, ThreadReplies.JOINED)
    assert arrival.turn is not None
    return arrival.turn


async def told(database: Database, turn: Turn, at: datetime) -> None:
    store = SqliteTurnStore(database)
    await store.end(turn.id, Ending(Outcome.DECLINED, Reason.GUEST), at)
    await store.tell(turn.id, Told.DONE, None, at)


async def beside(database: Database, turn: Turn) -> bool:
    return await SqliteTurnLog(database).beside_others(turn)


async def test_of_two_at_once_each_is_beside_the_other_also_when_one_was_told(database: Database) -> None:
    first = await asked(database, "one", NOON)
    assert not await beside(database, first)
    second = await asked(database, "two", NOON + MINUTE)
    assert await beside(database, first)
    await told(database, first, NOON + 2 * MINUTE)
    assert await beside(database, second)
    assert await beside(database, first)


async def test_what_was_told_before_is_not_taken_for_it(database: Database) -> None:
    first = await asked(database, "one", NOON)
    await told(database, first, NOON + MINUTE)
    assert not await beside(database, await asked(database, "two", NOON + 2 * MINUTE))


async def test_others_and_other_channels_and_other_times_do_not_count(database: Database) -> None:
    turn = await asked(database, "one", NOON)
    await asked(database, "another's", NOON, user=BOB)
    await asked(database, "elsewhere", NOON, channel=ELSEWHERE)
    await asked(database, "before", NOON - BESIDE - MINUTE)
    await asked(database, "after", NOON + BESIDE + MINUTE)
    assert not await beside(database, turn)
