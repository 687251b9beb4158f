"""What Slack has not taken: what was paid for is never hidden by what nobody waits for any more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import ThreadReplies, Told
from storage import turn_log
from storage.blobs import BlobStore
from storage.database import PICTURES_NAME, Database
from storage.turn_log import SqliteTurnLog
from storage.turns import SqliteTurnStore
from tests.examples import NOON, command
from tests.fresh import with_books
from tests.storage.gallery import Asked, Gallery

DAY, WEEK = timedelta(days=1), timedelta(days=7)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    with closing(Database.open(with_books(tmp_path), create=True, inline=True)) as opened:
        yield opened


async def refused(database: Database, number: int, days_ago: float) -> str:
    """A turn that was declined so long ago, and whose person could not be told."""
    store, at = SqliteTurnStore(database), NOON - timedelta(days=days_ago)
    turn_id = f"turn_refused_{number:03}"
    await store.arrive(turn_id, command(trigger=turn_id), at, ThreadReplies.JOINED)
    await store.end(turn_id, Ending(Outcome.DECLINED, Reason.GUEST), at)
    await store.tell(turn_id, Told.UNDELIVERED, "ratelimited", at)
    return turn_id


async def painted(database: Database, folder: Path, days_ago: float) -> str:
    """A picture of so long ago that Slack has not taken."""
    gallery = Gallery(database, BlobStore(folder / PICTURES_NAME))
    asked = Asked(at=NOON - timedelta(days=days_ago))
    turn = await gallery.begun(asked)
    await gallery.render(turn, asked)
    store = SqliteTurnStore(database)
    await store.end(turn.id, Ending(Outcome.PICTURES, Reason.PICTURES), asked.at)
    await store.tell(turn.id, Told.UNDELIVERED, "ratelimited", asked.at)
    return turn.id


async def listed(database: Database) -> list[str]:
    return [turn.id for turn in await SqliteTurnLog(database).undelivered(NOON - WEEK, NOON - DAY)]


async def test_pictures_come_first_and_count_for_a_week_and_all_else_for_a_day(
    database: Database, tmp_path: Path
) -> None:
    young, old = await refused(database, 1, 0.5), await refused(database, 2, 2)
    picture = await painted(database, tmp_path, 6)
    assert await listed(database) == [picture, young]
    assert old not in await listed(database)


async def test_however_many_refusals_there_are_a_picture_is_among_what_is_given_out(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn_log, "UNDELIVERED_MAX", 10)
    for number in range(20):
        await refused(database, number, 0.9)
    picture = await painted(database, tmp_path, 0.1)
    assert (await listed(database))[0] == picture
    assert len(await listed(database)) == 10
