"""Where the money went: every way of splitting it adds up to the same."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from darkroom.spending.budgets import BudgetKind
from darkroom.spending.classes import Cost, Line, TokenClass
from darkroom.spending.periods import PeriodKind
from darkroom.spending.reports import SpendReport, Spent
from darkroom.spending.spans import Span, span_of
from darkroom.turns.model import AttemptState, ThreadReplies, Turn
from storage.database import Database
from storage.reports import SqliteSpendReader
from storage.turns import SqliteTurnStore
from tests.examples import ALICE, BOB, DESIGN, NOON, TEAM, caps, command, plan, settlement
from tests.storage.books import check_books

OTHER_TEAM = "T0OTHER001"
FREE = caps()
MONTH = span_of(FREE.period_at(NOON))


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database.open(tmp_path, create=True, inline=True)
    yield opened
    await opened.look(check_books)
    opened.close()


@dataclass(frozen=True)
class Where:
    """Whose call it is."""

    team: str = TEAM
    user: str = ALICE
    channel: str = DESIGN
    model: str = "gpt-image-2"


HERE = Where()


class Books:
    """Writes pictures into the books."""

    def __init__(self, database: Database) -> None:
        self._store = SqliteTurnStore(database)
        self._number = 0

    async def hold(self, at: datetime = NOON, where: Where = HERE) -> str:
        """A call that was sent; gives its attempt."""
        self._number += 1
        turn_id, attempt_id = f"turn_{self._number}", f"try_{self._number}"
        request = command(user=where.user, trigger=str(self._number), channel=where.channel)
        request = replace(request, team_id=where.team)
        await self._store.arrive(turn_id, request, at, ThreadReplies.JOINED)
        assert isinstance(await self._store.queue(turn_id, 100, FREE, at), Turn)
        planned = plan(attempt_id, 100)
        planned = replace(planned, candidate=replace(planned.candidate, image_model=where.model))
        await self._store.hold(turn_id, planned, FREE, at)
        await self._store.send(attempt_id, at)
        return attempt_id

    async def spend(self, cost: Cost, at: datetime = NOON, where: Where = HERE) -> None:
        """A call that cost *cost*."""
        attempt_id = await self.hold(at, where)
        await self._store.render(attempt_id, replace(settlement(0), cost=cost), at)

    async def lose(self, where: Where = HERE) -> None:
        """A call that nobody can say anything about."""
        attempt_id = await self.hold(NOON, where)
        await self._store.render(attempt_id, settlement(100, state=AttemptState.UNCERTAIN), NOON)


def spread(rng: random.Random) -> Cost:
    """A cost over some classes."""
    lines = tuple(
        Line(token_class, rng.randrange(1, 50), rng.randrange(10**9))
        for token_class in TokenClass
        if rng.random() < 0.5
    )
    return Cost(lines, sum(line.charged_nano_usd for line in lines))


def sums(parts: list[Spent]) -> Spent:
    """All of them together."""
    return Spent(
        sum(part.charged_nano_usd for part in parts),
        sum(part.held_nano_usd for part in parts),
        sum(part.pictures for part in parts),
    )


def check(report: SpendReport) -> None:
    """Each split adds up to the total."""
    for parts in (report.people, report.channels, report.models):
        assert sums([part.spent for part in parts]) == report.total
    assert sum(each.charged_nano_usd for each in report.classes.values()) == report.total.charged_nano_usd
    assert set(report.classes) == set(TokenClass)


@pytest.mark.parametrize("seed", range(5))
async def test_people_channels_models_and_classes_each_add_up(database: Database, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 -- a seeded test
    books = Books(database)
    for _ in range(40):
        where = Where(
            team=rng.choice([TEAM, OTHER_TEAM]),
            user=rng.choice([ALICE, BOB]),
            channel=rng.choice([DESIGN, "C0OTHER001"]),
            model=rng.choice(["gpt-image-2", "gpt-image-2.5-flare"]),
        )
        what = rng.randrange(4)
        if what == 0:
            await books.hold(NOON, where)
        elif what == 1:
            await books.lose(where)
        else:
            await books.spend(spread(rng), NOON, where)
    reader = SqliteSpendReader(database)
    every = await reader.report(None, MONTH, FREE, NOON)
    parts = [await reader.report(team, MONTH, FREE, NOON) for team in (TEAM, OTHER_TEAM)]
    for report in (every, *parts):
        check(report)
    assert sums([part.total for part in parts]) == every.total
    assert every.total.held_nano_usd > 0
    assert {person.team_id for person in parts[0].people} == {TEAM}
    charged = [person.spent.charged_nano_usd for person in every.people]
    assert charged == sorted(charged, reverse=True)


async def test_an_empty_database_has_an_empty_report(database: Database) -> None:
    report = await SqliteSpendReader(database).report(None, MONTH, FREE, NOON)
    assert report.total == Spent(0, 0, 0)
    assert (report.people, report.channels, report.models) == ((), (), ())
    check(report)


async def test_a_person_who_never_asked_has_spent_nothing(database: Database) -> None:
    reader = SqliteSpendReader(database)
    limits = caps(person=5, channel=6, workspace=7)
    found = await reader.balances(TEAM, ALICE, DESIGN, limits, NOON)
    assert [(balance.kind, balance.left_nano_usd) for balance in found] == [
        (BudgetKind.PERSON, 5),
        (BudgetKind.CHANNEL, 6),
        (BudgetKind.WORKSPACE, 7),
    ]
    without = await reader.balances(TEAM, ALICE, None, limits, NOON)
    assert [balance.kind for balance in without] == [BudgetKind.PERSON, BudgetKind.WORKSPACE]
    assert await reader.pictures_of(TEAM, ALICE, MONTH) == 0


async def test_another_workspaces_people_are_other_people(database: Database) -> None:
    books = Books(database)
    await books.spend(Cost((Line(TokenClass.image_output, 1, 7),), 7), NOON, Where(team=OTHER_TEAM))
    reader = SqliteSpendReader(database)
    found = await reader.balances(TEAM, ALICE, DESIGN, FREE, NOON)
    assert {balance.charged_nano_usd for balance in found} == {0}
    assert (await reader.report(TEAM, MONTH, FREE, NOON)).total == Spent(0, 0, 0)


@pytest.mark.parametrize("period", list(PeriodKind))
async def test_a_period_has_its_first_moment_and_not_its_last(database: Database, period: PeriodKind) -> None:
    """In a zone, too: what is held a microsecond before the end is in it, what is held at the end is not."""
    books = Books(database)
    limits = caps(period=period, timezone="America/New_York")
    span = span_of(limits.period_at(datetime(2026, 11, 3, 12, tzinfo=UTC)))
    tick = timedelta(microseconds=1)
    for number, at in enumerate([span.start - tick, span.start, span.end - tick, span.end]):
        amount = 10**number
        await books.spend(Cost((Line(TokenClass.image_output, 1, amount),), amount), at)

    def around(moment: datetime) -> Span:
        return span_of(limits.period_at(moment))

    reader = SqliteSpendReader(database)
    at = span.start + (span.end - span.start) / 2
    assert (await reader.report(None, span, limits, at)).total.charged_nano_usd == 110
    assert [
        balance.charged_nano_usd for balance in await reader.balances(TEAM, ALICE, DESIGN, limits, at)
    ] == [110] * 3
    before = await reader.report(None, around(span.start - tick), limits, at)
    after = await reader.report(None, around(span.end), limits, at)
    assert (before.total.charged_nano_usd, after.total.charged_nano_usd) == (1, 1000)


async def test_a_release_leaves_nothing_in_the_report(database: Database) -> None:
    books = Books(database)
    attempt_id = await books.hold()
    await SqliteTurnStore(database).fall_back(attempt_id, "refused", None, FREE, NOON)
    report = await SqliteSpendReader(database).report(None, MONTH, FREE, NOON)
    assert report.total == Spent(0, 0, 0)
    check(report)


async def test_who_was_erased_is_still_in_the_sums(database: Database) -> None:
    books = Books(database)
    await books.spend(Cost((Line(TokenClass.image_output, 1, 7),), 7))
    await database.write(lambda db: db.execute("DELETE FROM people").rowcount)
    report = await SqliteSpendReader(database).report(None, MONTH, FREE, NOON)
    check(report)
    assert [person.user_id for person in report.people] == [""]
