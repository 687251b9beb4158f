"""What is read of the books for whoever watches: whole, or not at all."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from bot.watch import books, series
from bot.watch.books import BooksCollector
from bot.watch.series import FirstSeen, Known
from darkroom.spending.budgets import Caps
from storage import gauges
from storage.database import Database
from storage.gauges import Moved, SqliteGauges, Standing
from tests.examples import IMAGE_MODEL, NOON, TEAM, StillClock, caps
from tests.turns.world import World, opened


class Slow(SqliteGauges):
    """Books that may take long, or break."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.go = asyncio.Event()
        self.go.set()
        self.looks: list[int] = []
        self.breaks: Exception | None = None

    async def moved(self, after: int) -> Moved:
        """As it is, when it may."""
        self.looks.append(after)
        await self.go.wait()
        if self.breaks is not None:
            raise self.breaks
        return await super().moved(after)

    async def standing(self, team_id: str, caps: Caps, at: datetime) -> Standing:
        """As it is."""
        return await super().standing(team_id, caps, at)


class Seen:
    """A collector and what it says."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.slow = Slow(world.database)
        self.clock = StillClock(NOON)
        self.collector = BooksCollector(self.slow, TEAM, caps(), Known([IMAGE_MODEL]), self.clock)
        self.registry = CollectorRegistry()
        self.registry.register(self.collector)

    def value(self, one: series.Series, **labels: str) -> float | None:
        """One number, None where there is none."""
        return self.registry.get_sample_value(one.name, labels)


@pytest.fixture
async def seen(tmp_path: Path) -> AsyncIterator[Seen]:
    async with opened(tmp_path) as database:
        made = Seen(World(database, tmp_path / "pictures"))
        yield made
        await made.collector.aclose()


async def test_entries_are_added_up_once_and_in_portions(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gauges, "ENTRIES_MAX", 3)
    for number in range(4):
        await seen.world.made(f"fox {number}")
    await seen.collector.refresh()
    assert seen.slow.looks == [0, 3, 6]
    made = {"model": IMAGE_MODEL, "endpoint": "responses"}
    assert seen.value(series.PICTURES, **made) == 4
    assert seen.value(series.ATTEMPTS, **made, end="settled") == 4
    await seen.world.made("one more")
    await seen.collector.refresh()
    await seen.collector.refresh()
    assert seen.value(series.PICTURES, **made) == 5
    charged = sum(
        sample.value
        for family in seen.registry.collect()
        for sample in family.samples
        if sample.name == series.CHARGED.name
    )
    assert charged == await seen.world.charged()


async def test_what_is_not_read_in_time_is_missing_and_is_read_once_for_all(
    seen: Seen, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(books, "READ_S", 0.01)
    await seen.world.made("a fox")
    seen.slow.go.clear()
    await asyncio.gather(*(seen.collector.refresh() for _ in range(3)))
    assert seen.value(series.BOOKS_READABLE) == 0
    assert seen.value(series.HOLDS) is None
    assert seen.slow.looks == [0]
    assert caplog.text.count("no answer within 0.01 s") == 1
    seen.slow.go.set()
    monkeypatch.setattr(books, "READ_S", 5.0)
    await seen.collector.refresh()
    assert seen.value(series.BOOKS_READABLE) == 1
    assert seen.value(series.HOLDS) == 0


async def test_who_asks_a_moment_later_takes_nothing_from_whoever_is_being_answered(seen: Seen) -> None:
    await seen.collector.refresh()
    seen.slow.go.clear()
    later = asyncio.create_task(seen.collector.refresh())
    await asyncio.sleep(0)
    assert seen.value(series.BOOKS_READABLE) == 1
    seen.slow.breaks = OSError(5, "Input/output error")
    seen.slow.go.set()
    await later
    assert seen.value(series.BOOKS_READABLE) == 0


async def test_books_that_cannot_be_read_are_in_the_log_once(
    seen: Seen, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="darkroom.app")
    seen.slow.breaks = OSError(5, "Input/output error")
    for _ in range(3):
        await seen.collector.refresh()
        assert seen.value(series.BOOKS_READABLE) == 0
    assert caplog.text.count("the books could not be read") == 1
    seen.slow.breaks = None
    await seen.collector.refresh()
    assert seen.value(series.BOOKS_READABLE) == 1


async def test_the_age_of_the_queue_is_that_of_the_oldest_that_was_not_begun(seen: Seen) -> None:
    seen.world.gates.shut("guard")
    await seen.world.imagine("a fox")
    await seen.world.gates.reached("guard")
    seen.clock.at = seen.world.clock.now() + timedelta(seconds=90)
    await seen.collector.refresh()
    assert seen.value(series.QUEUE) == seen.value(series.UNFINISHED, state="received") == 1
    assert seen.value(series.QUEUE_AGE) == 90
    seen.world.gates.open("guard")
    await seen.world.rest()
    await seen.collector.refresh()
    assert seen.value(series.QUEUE_AGE) == 0


def test_names_that_nobody_knows_are_one() -> None:
    known = Known(["a", "b"])
    assert [known.of(name) for name in ("a", "U0ALICE001", "b")] == ["a", series.OTHER, "b"]
    assert [FirstSeen().of(name) for name in ("http_502", "http_1234", "x_502")] == [
        "http_502",
        *[series.OTHER] * 2,
    ]
    first = FirstSeen(most=2)
    names = (
        "rate_limit_exceeded",
        "U0ALICE001",
        "req_123",
        "x" * 99,
        "",
        "server_error",
        "third",
        "server_error",
    )
    assert [first.of(name) for name in names] == [
        "rate_limit_exceeded",
        *[series.OTHER] * 4,
        "server_error",
        series.OTHER,
        "server_error",
    ]
