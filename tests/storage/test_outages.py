"""Times when the API was of no use: one at a time, told once, and told when over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from darkroom.spending.alerts import AlertKind
from darkroom.turns.heartbeat import Beat
from darkroom.turns.outages import Outage, Trouble
from storage.alerts import SqliteAlertBook
from storage.database import Database
from storage.heartbeat import SqlitePulse, last_beat
from storage.outages import SqliteOutageBook
from tests.examples import NOON, TEAM
from tests.fresh import with_books

LATER = NOON + timedelta(hours=3)
OUTAGE = Outage("out_1", Trouble.QUOTA, "You exceeded your current quota", NOON)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    with closing(Database.open(with_books(tmp_path), create=True, inline=True)) as opened:
        yield opened


async def told(database: Database) -> list[AlertKind]:
    return [alert.kind for alert in await SqliteAlertBook(database).unsent(100)]


async def test_an_outage_is_told_once_however_often_it_begins(database: Database) -> None:
    book = SqliteOutageBook(database)
    assert await book.current() is None
    assert await book.begin(OUTAGE, TEAM) == OUTAGE
    other = Outage("out_2", Trouble.KEY, "Incorrect API key", LATER)
    assert await book.begin(other, TEAM) == OUTAGE
    assert await SqliteOutageBook(database).current() == OUTAGE
    assert await told(database) == [AlertKind.QUOTA]


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (Trouble.QUOTA, AlertKind.QUOTA),
        (Trouble.KEY, AlertKind.KEY),
        (Trouble.REGION, AlertKind.REGION),
        (Trouble.FAILING, AlertKind.FAILING),
    ],
)
async def test_each_trouble_is_told_and_so_is_its_end(
    database: Database, trouble: Trouble, kind: AlertKind
) -> None:
    book = SqliteOutageBook(database)
    await book.begin(replace(OUTAGE, trouble=trouble), TEAM)
    await book.end(OUTAGE.id, LATER)
    await book.end(OUTAGE.id, LATER + timedelta(hours=1))
    assert await book.current() is None
    alerts = await SqliteAlertBook(database).unsent(100)
    assert [(alert.kind, alert.raised_at) for alert in alerts] == [(kind, NOON), (AlertKind.RESUMED, LATER)]
    assert alerts[0].details == {"message": OUTAGE.message}
    assert alerts[1].details["trouble"] == trouble


async def test_after_one_has_ended_the_next_is_told_again(database: Database) -> None:
    book = SqliteOutageBook(database)
    await book.begin(OUTAGE, TEAM)
    await book.end(OUTAGE.id, LATER)
    again = Outage("out_2", Trouble.QUOTA, "again", LATER)
    assert await book.begin(again, TEAM) == again
    assert await told(database) == [AlertKind.QUOTA, AlertKind.RESUMED, AlertKind.QUOTA]


async def test_the_end_of_an_outage_that_never_was_tells_nobody(database: Database) -> None:
    await SqliteOutageBook(database).end("out_9", LATER)
    assert await told(database) == []


async def test_the_last_sign_of_life_takes_the_place_of_the_one_before(database: Database) -> None:
    assert await database.report(last_beat) is None
    first, last = Beat(1, NOON, NOON, 0, 0), Beat(2, NOON, LATER, 3, 12, ("turn_1", "turn_2"))
    pulse = SqlitePulse(database)
    for beat in (first, last):
        await pulse.beat(beat)
        assert await database.report(last_beat) == beat
