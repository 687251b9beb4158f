"""Where the money went: every way of splitting it adds up to the same."""

from __future__ import annotations

import asyncio
import random
import re
import sqlite3
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain
from pathlib import Path

import pytest

from darkroom.spending.budgets import BudgetKind, Caps
from darkroom.spending.changes import Author, Change, Channel, Correct, GiveGrant, Person, SetCap, SetExempt
from darkroom.spending.classes import Cost, Line, TokenClass
from darkroom.spending.periods import PeriodKind
from darkroom.spending.reports import SpendReport, Spent
from darkroom.spending.spans import Span, parse_span, span_of
from darkroom.turns.model import Attempt, AttemptState, ThreadReplies, Told, Turn
from darkroom.turns.store import Settlement
from storage import schema_003
from storage.admin import SqliteAdminBooks
from storage.database import Database
from storage.reports import SqliteSpendReader, spend_report
from storage.turns import SqliteTurnStore
from tests.examples import ALICE, BOB, DESIGN, NOON, TEAM, caps, command, plan, settlement
from tests.fresh import with_books

OTHER_TEAM = "T0OTHER001"
FREE = caps()
MONTH = span_of(FREE.period_at(NOON))


@dataclass(frozen=True)
class Where:
    """Whose call it is."""

    team: str = TEAM
    user: str = ALICE
    channel: str = DESIGN
    model: str = "gpt-image-2"
    provider: str = "openai"


HERE = Where()


class Books:
    """Writes pictures into the books."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._store = SqliteTurnStore(database)
        self._admin = SqliteAdminBooks(database)
        self._number = 0

    async def hold(self, at: datetime = NOON, where: Where = HERE, limits: Caps = FREE) -> str:
        """A call that was sent; gives its attempt."""
        self._number += 1
        turn_id, attempt_id = f"turn_{self._number}", f"try_{self._number}"
        request = command(user=where.user, trigger=str(self._number), channel=where.channel)
        request = replace(request, team_id=where.team)
        await self._store.arrive(turn_id, request, at, ThreadReplies.JOINED)
        planned = plan(attempt_id, 100)
        candidate = replace(planned.candidate, image_model=where.model)
        planned = replace(planned, candidate=candidate, provider=where.provider)
        assert isinstance(await self._store.queue(turn_id, planned, limits, at), Turn)
        await self._store.tell(turn_id, Told.PLACEHOLDER, f"1763640000.{self._number:06}", at)
        assert isinstance(await self._store.hold(turn_id, planned, limits, at), Attempt)
        await self._store.send(attempt_id, at)
        return attempt_id

    async def settle(self, attempt_id: str, settled: Settlement, at: datetime = NOON) -> None:
        """What a call came to."""
        await self._store.render(attempt_id, settled, FREE, at)

    async def spend(
        self, charge: Cost, at: datetime = NOON, where: Where = HERE, called: str | None = None
    ) -> None:
        """A call that cost *charge*, made by the model *called*, and its picture."""
        attempt_id = await self.hold(at, where)
        made = settlement(0, picture_id=f"pic_{attempt_id}")
        await self.settle(attempt_id, replace(made, cost=charge, image_model=called), at)

    async def refuse(self, where: Where = HERE) -> None:
        """A call whose hold was given back."""
        await self._store.fall_back(await self.hold(NOON, where), "refused", None, FREE, NOON)

    async def lose(self, where: Where = HERE, charged: int | None = None) -> None:
        """A call that nobody can say anything about; with *charged*, until an admin says what it was."""
        attempt_id = await self.hold(NOON, where)
        await self.settle(attempt_id, settlement(100, state=AttemptState.UNCERTAIN))
        if charged is not None:
            number = await self._database.look(
                lambda db: db.execute("SELECT MAX(id) FROM journal").fetchone()[0]
            )
            await self.decide(Correct(number, charged), team=where.team)

    async def decide(self, change: Change, team: str = TEAM, limits: Caps = FREE) -> None:
        """An admin's decision."""
        self._number += 1
        await self._admin.change(change, Author(team, BOB, str(self._number)), limits, NOON)


def spread(rng: random.Random) -> Cost:
    """A cost over some classes."""
    lines = tuple(
        Line(token_class, rng.randrange(1, 50), rng.randrange(10**9))
        for token_class in TokenClass
        if rng.random() < 0.5
    )
    return Cost(lines, sum(line.charged_nano_usd for line in lines))


def amount(nano_usd: int) -> Cost:
    """A cost of one line."""
    return Cost((Line(TokenClass.image_output, 1, nano_usd),), nano_usd)


def sums(parts: list[Spent]) -> Spent:
    """All of them together."""
    return Spent(
        sum(part.charged_nano_usd for part in parts),
        sum(part.held_nano_usd for part in parts),
        sum(part.pictures for part in parts),
    )


def spent_by(report: SpendReport) -> list[list[Spent]]:
    """What each person, channel, model and day has spent."""
    return [
        [person.spent for person in report.people],
        [channel.spent for channel in report.channels],
        [model.spent for model in report.models],
        [day.spent for day in report.days],
    ]


def check(report: SpendReport) -> None:
    """Each split adds up to the total."""
    splits = spent_by(report)
    for parts in splits:
        assert sums(parts) == report.total
    assert sum(each.charged_nano_usd for each in report.classes.values()) == report.total.charged_nano_usd
    assert set(report.classes) == set(TokenClass)
    for day in report.days:
        assert sum(day.classes.values()) == day.spent.charged_nano_usd
    for name, each in report.classes.items():
        assert sum(day.classes[name] for day in report.days) == each.charged_nano_usd
    for part in chain.from_iterable(splits):
        assert part != Spent(0, 0, 0)
        assert part.held_nano_usd >= 0


@pytest.mark.parametrize("seed", range(5))
async def test_people_channels_models_days_and_classes_each_add_up(database: Database, seed: int) -> None:
    """With charges above their holds, corrections that give money back, and models other than those asked
    for."""
    rng = random.Random(seed)  # noqa: S311 -- a seeded test
    books = Books(database)
    for _ in range(40):
        where = Where(
            team=rng.choice([TEAM, OTHER_TEAM]),
            user=rng.choice([ALICE, BOB]),
            channel=rng.choice([DESIGN, "C0OTHER001"]),
            model=rng.choice(["gpt-image-2", "gpt-image-2.5-flare"]),
            provider=rng.choice(["openai", "images.example"]),
        )
        what = rng.randrange(6)
        if what == 0:
            await books.hold(NOON, where)
        elif what == 1:
            await books.lose(where, rng.choice([None, 0, 30, 100, 250]))
        elif what == 2:
            await books.refuse(where)
        else:
            at = MONTH.start + rng.random() * (MONTH.end - MONTH.start)
            await books.spend(spread(rng), at, where, rng.choice([None, "gpt-image-2-2026-04-21"]))
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
    for person in parts[0].people:
        assert await reader.person(TEAM, person.user_id, MONTH) == person.spent
        assert await reader.pictures_of(TEAM, person.user_id, MONTH) == person.spent.pictures
    for channel in parts[0].channels:
        assert await reader.channel(TEAM, channel.channel_id, MONTH) == channel.spent
    await database.look(make_views)
    await database.look(partial(check_views, every=every))


def make_views(db: sqlite3.Connection) -> None:
    """The views as they are written, for this connection alone: the file may have them or not."""
    for statement in schema_003.STATEMENTS:
        db.execute(statement.replace("CREATE VIEW", "CREATE TEMP VIEW", 1))


def check_views(db: sqlite3.Connection, every: SpendReport) -> None:
    """The views, over everything, say what the report of everything says."""
    people = db.execute("SELECT * FROM spend_by_person").fetchall()
    assert {(row["team_id"], row["user_id"], spent_of(row)) for row in people} == {
        (each.team_id, each.user_id, each.spent) for each in every.people
    }
    models = db.execute("SELECT * FROM spend_by_model").fetchall()
    assert [(row["image_model"], row["endpoint"], row["provider"], spent_of(row)) for row in models] == [
        (each.image_model, each.endpoint, each.provider, each.spent) for each in every.models
    ]
    days = db.execute("SELECT * FROM spend_by_day").fetchall()
    assert [(row["day"], spent_of(row)) for row in days] == [
        (each.day.isoformat(), each.spent) for each in every.days
    ]
    for row in (*people, *models, *days):
        assert row["charged_usd"] == pytest.approx(row["charged_nano_usd"] / 1e9, abs=5e-7)
        assert row["held_usd"] == pytest.approx(row["held_nano_usd"] / 1e9, abs=5e-7)


def spent_of(row: sqlite3.Row) -> Spent:
    """The amounts of a view's row."""
    return Spent(row["charged_nano_usd"], row["held_nano_usd"], row["pictures"])


async def test_the_model_that_was_called_has_its_charge_and_the_other_nothing(database: Database) -> None:
    """Also nothing held: what was held for the model that was asked for is given back there."""
    books = Books(database)
    await books.spend(amount(7), called="gpt-image-2-2026-04-21")
    report = await SqliteSpendReader(database).report(None, MONTH, FREE, NOON)
    assert [(model.image_model, model.spent) for model in report.models] == [
        ("gpt-image-2-2026-04-21", Spent(7, 0, 1))
    ]


async def test_a_waived_charge_is_gone_and_its_day_too(database: Database) -> None:
    books = Books(database)
    await books.lose(charged=0)
    report = await SqliteSpendReader(database).report(None, MONTH, FREE, NOON)
    assert report.total == Spent(0, 0, 0)
    check(report)
    assert report.days == ()


async def test_an_empty_database_has_an_empty_report(database: Database) -> None:
    report = await SqliteSpendReader(database).report(None, MONTH, FREE, NOON)
    assert report.total == Spent(0, 0, 0)
    assert (report.people, report.channels, report.models, report.days) == ((), (), (), ())
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
    await books.spend(amount(7), NOON, Where(team=OTHER_TEAM))
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
        await books.spend(amount(10**number), at)

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
    await Books(database).refuse()
    report = await SqliteSpendReader(database).report(None, MONTH, FREE, NOON)
    assert report.total == Spent(0, 0, 0)
    assert (report.people, report.channels, report.models, report.days) == ((), (), (), ())


async def test_who_was_erased_is_still_in_the_sums(database: Database) -> None:
    books = Books(database)
    await books.spend(amount(7))
    await database.write(lambda db: db.execute("DELETE FROM people").rowcount)
    report = await SqliteSpendReader(database).report(None, MONTH, FREE, NOON)
    check(report)
    assert [person.user_id for person in report.people] == [""]
    await database.look(make_views)
    row = await database.look(lambda db: db.execute("SELECT * FROM spend_by_person").fetchone())
    assert (row["user_id"], row["charged_nano_usd"], row["charged_usd"]) == (None, 7, 0.0)


@pytest.mark.parametrize(
    ("zone", "month", "days"),
    [
        ("UTC", "2026-11", ["2026-11-01", "2026-11-02"]),
        ("Asia/Kathmandu", "2026-11", ["2026-11-01", "2026-11-02"]),
        ("Pacific/Auckland", "2026-09", ["2026-09-26", "2026-09-27"]),  # an hour is left out on the 27th
        ("Pacific/Auckland", "2026-04", ["2026-04-05", "2026-04-06"]),  # an hour comes twice on the 5th
        ("America/New_York", "2026-03", ["2026-03-08", "2026-03-09"]),
        ("America/New_York", "2026-11", ["2026-11-01", "2026-11-02"]),
        ("America/Santiago", "2026-09", ["2026-09-05", "2026-09-06"]),  # the 6th begins at 01:00
        ("America/Havana", "2026-11", ["2026-10-31", "2026-11-01"]),  # midnight comes twice
    ],
)
async def test_a_local_day_has_its_first_moment_and_not_its_last(
    database: Database, zone: str, month: str, days: list[str]
) -> None:
    """Either side of a midnight, in zones of every kind, on both daylight saving days."""
    books = Books(database)
    first, second = (parse_span(day, zone, NOON) for day in days)
    assert first.end == second.start
    tick = timedelta(microseconds=1)
    for number, at in enumerate([first.start, first.end - tick, second.start, second.end - tick]):
        await books.spend(amount(10**number), at)
    both = Span(zone, first.start, second.end)
    report = await SqliteSpendReader(database).report(TEAM, both, FREE, NOON)
    check(report)
    assert [(day.day.isoformat(), day.spent.charged_nano_usd) for day in report.days] == [
        (days[0], 11),
        (days[1], 1100),
    ]
    whole = await SqliteSpendReader(database).report(TEAM, parse_span(month, zone, NOON), FREE, NOON)
    check(whole)


async def test_each_budget_shows_its_own_cap_with_what_grants_add(database: Database) -> None:
    """An exception by the week, a grant half used, somebody exempt, and the usual cap of everybody else."""
    books = Books(database)
    limits = caps(person=150, channel=1_000)
    carol, other = "U0CAROL001", "C0OTHER001"
    for user in (ALICE, BOB, carol):
        await books.spend(amount(100), NOON, Where(user=user))
    await books.decide(SetCap(Person(BOB), 500, PeriodKind.week), limits=limits)
    await books.decide(SetExempt(Person(carol), True), limits=limits)
    await books.decide(GiveGrant(Person(ALICE), 80, NOON + timedelta(days=3)), limits=limits)
    await books.decide(SetCap(Channel(other), None), limits=limits)
    await books.settle(await books.hold(NOON, Where(channel=other), limits), settlement(100))
    reader = SqliteSpendReader(database)

    async def shown(at: datetime) -> tuple[dict[str, int | None], dict[str, int | None]]:
        report = await reader.report(TEAM, MONTH, limits, at)
        people = {person.user_id: person.cap_nano_usd for person in report.people}
        return people, {channel.channel_id: channel.cap_nano_usd for channel in report.channels}

    people, channels = await shown(NOON)
    assert people == {ALICE: 230, BOB: 500, carol: None}
    assert channels == {DESIGN: 1_000, other: None}
    mine = (await reader.balances(TEAM, ALICE, None, limits, NOON))[0]
    assert (mine.cap_with_grants_nano_usd, mine.left_nano_usd) == (230, 30)
    # When the grant has ended, only what it paid counts.
    assert (await shown(NOON + timedelta(days=4)))[0][ALICE] == 200
    assert (await shown(NOON + timedelta(days=40)))[0][ALICE] == 150


async def test_the_newest_pictures_come_first_with_what_they_really_cost(database: Database) -> None:
    books = Books(database)
    for number in range(1, 6):
        await books.spend(amount(number), NOON + timedelta(minutes=number))
    await books.spend(amount(9), NOON, Where(user=BOB))
    await books.spend(amount(9), NOON, Where(team=OTHER_TEAM))
    found = await SqliteSpendReader(database).recent_pictures(TEAM, ALICE, 3)
    assert [each.charged_nano_usd for each in found] == [5, 4, 3]
    newest = found[0]
    assert newest.created_at == NOON + timedelta(minutes=5)
    assert (newest.version, newest.prompt) == (1, command().prompt)
    assert await SqliteSpendReader(database).recent_pictures(TEAM, "U0NOBODY01", 3) == []


async def test_no_query_of_a_report_reads_a_growing_table_from_end_to_end(database: Database) -> None:
    """Each of them, as SQLite would run it. The books are never analysed: it has no figures to go by."""
    reader = SqliteSpendReader(database)
    books = Books(database)
    await books.spend(amount(7))
    await books.decide(GiveGrant(Person(ALICE), 80, NOON + timedelta(days=3)))
    limited = caps(person=5, channel=5, workspace=5)
    queries: set[str] = set()
    database._reader.set_trace_callback(queries.add)
    for team in (TEAM, None):
        await reader.report(team, MONTH, limited, NOON)
    await reader.balances(TEAM, ALICE, DESIGN, limited, NOON)
    await reader.recent_pictures(TEAM, ALICE, 10)
    await reader.person(TEAM, ALICE, MONTH)
    await reader.channel(TEAM, DESIGN, MONTH)
    database._reader.set_trace_callback(None)
    plans = {
        query: await database.look(partial(plan_of, query=query)) for query in queries if "SELECT" in query
    }
    assert len(plans) > 12
    scans = {
        step: query
        for query, steps in plans.items()
        for step in steps
        if "AUTOMATIC" in step or re.match(r"SCAN (?!day VIRTUAL TABLE|CONSTANT)", step)
    }
    assert scans == {}


def plan_of(db: sqlite3.Connection, query: str) -> list[str]:
    """The steps by which SQLite would answer *query*."""
    return [row["detail"] for row in db.execute(f"EXPLAIN QUERY PLAN {query}")]


async def test_a_report_waits_for_nobody_who_writes_and_nobody_waits_for_it(tmp_path: Path) -> None:
    """While it is read, a picture is paid; the report says what was true when it began."""
    threaded = Database.open(with_books(tmp_path), create=True)
    try:
        books = Books(threaded)
        await books.spend(amount(7))
        begun, go_on = threading.Event(), threading.Event()

        def slowly(db: sqlite3.Connection) -> SpendReport:
            before = spend_report(db, None, MONTH, FREE, NOON)
            begun.set()
            go_on.wait(20)
            assert spend_report(db, None, MONTH, FREE, NOON) == before
            return before

        report = asyncio.create_task(threaded.report(slowly))
        await asyncio.to_thread(begun.wait, 20)
        await books.spend(amount(5))
        go_on.set()
        assert (await report).total == Spent(7, 0, 1)
        assert (await SqliteSpendReader(threaded).report(None, MONTH, FREE, NOON)).total == Spent(12, 0, 2)
    finally:
        threaded.close()
