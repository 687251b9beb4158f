"""A charge belongs to the period of its hold, and no change of period or zone gives the same money twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from darkroom.spending.budgets import Balance, Barred, BudgetKind, Caps, MustWait, NoMoney
from darkroom.spending.changes import (
    Author,
    Change,
    Channel,
    Correct,
    DropCap,
    EveryPerson,
    GiveGrant,
    Person,
    SetCap,
    SetExempt,
    Workspace,
)
from darkroom.spending.periods import PeriodKind
from darkroom.turns.model import Attempt, AttemptState, ThreadReplies, Turn
from storage.admin import SqliteAdminBooks
from storage.database import Database
from storage.turn_log import SqliteTurnLog
from storage.turns import SqliteTurnStore
from tests.examples import ALICE, BOB, DESIGN, TEAM, caps, command, plan, settlement
from tests.fresh import with_books
from tests.storage.balances import balances
from tests.storage.books import check_books

ZONES = ("Pacific/Auckland", "Asia/Kathmandu", "America/New_York", "UTC")
USD = 1_000_000_000
FREE = caps()


class Books:
    """Alice buys; every call has its own turn."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.store = SqliteTurnStore(database)
        self.log = SqliteTurnLog(database)
        self.admin = SqliteAdminBooks(database)
        self._number = 0

    async def ask(self, amount: int, limits: Caps, at: datetime) -> Attempt | MustWait | NoMoney | Barred:
        """One more turn, which asks for its money."""
        self._number += 1
        turn_id = f"turn_{self._number}"
        await self.store.arrive(turn_id, command(trigger=turn_id), at, ThreadReplies.JOINED)
        queued = await self.store.queue(turn_id, plan("none", 0), FREE, at)
        assert isinstance(queued, Turn)
        return await self.store.hold(turn_id, plan(f"try_{self._number}", amount), limits, at)

    async def holds(self, amount: int, limits: Caps, at: datetime) -> str:
        """One that has its money, and was sent."""
        held = await self.ask(amount, limits, at)
        assert isinstance(held, Attempt), held
        assert await self.store.send(held.id, at)
        return held.id

    async def ends(self, attempt_id: str, amount: int, at: datetime, *, unsure: bool = False) -> None:
        """It was charged that much."""
        state = AttemptState.UNCERTAIN if unsure else AttemptState.SETTLED
        await self.store.render(attempt_id, settlement(amount, state=state), FREE, at)

    async def buys(self, amount: int, limits: Caps, at: datetime) -> None:
        """Held and charged at once."""
        await self.ends(await self.holds(amount, limits, at), amount, at)

    async def balance(self, limits: Caps, at: datetime) -> Balance:
        """Alice's own."""
        turn = await self.log.turn("turn_1")
        assert turn is not None
        return (await balances(self.database, turn, limits, at))[0]

    async def charged(self, limits: Caps, at: datetime) -> int:
        """What Alice was charged in the period that *at* lies in."""
        return (await self.balance(limits, at)).charged_nano_usd

    async def decides(self, change: Change, at: datetime, limits: Caps = FREE) -> None:
        """Bob, an admin, changes something."""
        self._number += 1
        await self.admin.change(change, Author(TEAM, BOB, f"key_{self._number}"), limits, at)


@pytest.fixture
async def books(tmp_path: Path) -> AsyncIterator[Books]:
    database = Database.open(with_books(tmp_path), create=True, inline=True)
    yield Books(database)
    await database.look(check_books)
    database.close()


def local(zone: str, *when: int) -> datetime:
    """A moment on the clocks of *zone*, in UTC."""
    year, month, day, hour, minute = when
    return datetime(year, month, day, hour, minute, tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("what", ["settled", "uncertain", "corrected"])
async def test_a_charge_after_midnight_of_the_months_end_lands_in_the_month_of_its_hold(
    books: Books, zone: str, what: str
) -> None:
    limits = caps(person=100, timezone=zone)
    before, after = local(zone, 2026, 11, 30, 23, 59), local(zone, 2026, 12, 1, 0, 1)
    attempt_id = await books.holds(60, limits, before)
    # In December's own counters, which are there before the charge comes.
    await books.buys(10, limits, after)
    await books.ends(attempt_id, 60 if what != "settled" else 50, after, unsure=what != "settled")
    if what == "corrected":
        charge = (await books.admin.uncertain(TEAM, 10))[0]
        assert charge.held_at == before
        await books.decides(Correct(charge.number, 45), after + timedelta(days=3))
    ended = {"settled": 50, "uncertain": 60, "corrected": 45}[what]
    assert await books.charged(limits, before) == ended
    assert await books.charged(limits, after) == 10
    # And what it gave back is November's: December has its own, whole.
    assert isinstance(await books.ask(91, limits, after), NoMoney)
    assert isinstance(await books.ask(90, limits, after), Attempt)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Pacific/Auckland", (2026, 9, 27), 23),
        ("Pacific/Auckland", (2027, 4, 4), 25),
        ("Asia/Kathmandu", (2026, 9, 27), 24),
        ("America/New_York", (2026, 11, 1), 25),
        ("America/New_York", (2027, 3, 14), 23),
        ("UTC", (2026, 11, 1), 24),
    ],
)
async def test_on_the_days_when_clocks_change_each_moment_is_in_one_day(
    books: Books, zone: str, day: tuple[int, int, int], hours: int
) -> None:
    """A purchase in each hour of that day and of its neighbours; a cap a day counts each in one day."""
    limits = caps(person=1000, period=PeriodKind.day, timezone=zone)
    midnight = local(zone, *day, 0, 0)
    day_before, day_after = midnight - timedelta(hours=1), midnight + timedelta(hours=hours)
    attempt_id = await books.holds(500, limits, day_after - timedelta(seconds=1))
    for hour in range(-1, hours + 1):
        await books.buys(1, limits, midnight + timedelta(hours=hour))
    await books.ends(attempt_id, 500, day_after + timedelta(minutes=5))
    assert await books.charged(limits, midnight) == hours + 500
    assert await books.charged(limits, day_after - timedelta(microseconds=1)) == hours + 500
    assert await books.charged(limits, day_before) == 1
    assert await books.charged(limits, day_after) == 1


async def test_in_the_hour_that_comes_twice_both_belong_to_the_day_and_its_cap_holds(books: Books) -> None:
    limits = caps(person=100, period=PeriodKind.day, timezone="America/New_York")
    first = datetime(2026, 11, 1, 1, 30, tzinfo=ZoneInfo("America/New_York"))
    second = first.replace(fold=1)
    assert second.astimezone(UTC) - first.astimezone(UTC) == timedelta(hours=1)
    await books.buys(60, limits, first.astimezone(UTC))
    assert isinstance(await books.ask(41, limits, second.astimezone(UTC)), NoMoney)
    assert isinstance(await books.ask(40, limits, second.astimezone(UTC)), Attempt)


MIDDLE = datetime(2026, 11, 18, 12, tzinfo=UTC)
"""A Wednesday: the month, the week and the day all began before the purchases of that day."""


@pytest.mark.parametrize(
    "start",
    [
        *product([PeriodKind.month], ZONES),
        (PeriodKind.week, "Pacific/Auckland"),
        (PeriodKind.day, "America/New_York"),
    ],
)
async def test_switching_the_settings_in_mid_month_never_gives_money_twice(
    books: Books, start: tuple[PeriodKind, str]
) -> None:
    """From any period and zone to any other: what was charged and held today leaves only the rest."""
    await books.buys(50, _limits(*start), MIDDLE)
    await books.holds(30, _limits(*start), MIDDLE + timedelta(minutes=1))
    now = MIDDLE + timedelta(minutes=2)
    for period, zone in product(PeriodKind, ZONES):
        assert isinstance(await books.ask(21, _limits(period, zone), now), MustWait), (period, zone)
        balance = await books.balance(_limits(period, zone), now)
        assert (balance.charged_nano_usd, balance.held_nano_usd, balance.left_nano_usd) == (50, 30, 20)
    # The last 20 go once, whatever the settings are by then.
    await books.buys(20, _limits(PeriodKind.week, "Asia/Kathmandu"), now)
    for period, zone in product(PeriodKind, ZONES):
        assert isinstance(await books.ask(1, _limits(period, zone), now), MustWait), (period, zone)


async def test_there_and_back_again_every_period_still_has_all_that_was_spent(books: Books) -> None:
    month, day = _limits(PeriodKind.month, "UTC"), _limits(PeriodKind.day, "UTC")
    for number in range(3):
        await books.buys(30, month, MIDDLE + timedelta(days=number))
        assert isinstance(await books.ask(71, day, MIDDLE + timedelta(days=number)), NoMoney)
    # A day's cap may be spent each day; the month then knows all of it.
    await books.buys(70, day, MIDDLE + timedelta(days=2))
    after = MIDDLE + timedelta(days=3)
    await books.buys(100, day, after)
    assert await books.charged(month, after) == 260
    assert isinstance(await books.ask(1, month, after), NoMoney)


async def test_a_persons_own_period_never_gives_their_money_twice(books: Books) -> None:
    limits = caps(person=100)
    await books.buys(60, limits, MIDDLE)
    for period in (PeriodKind.day, PeriodKind.week, PeriodKind.month, PeriodKind.day):
        await books.decides(SetCap(Person(ALICE), 100, period), MIDDLE, limits)
        assert isinstance(await books.ask(41, limits, MIDDLE), NoMoney), period
        balance = await books.balance(limits, MIDDLE)
        assert (balance.period.kind, balance.left_nano_usd) == (period, 40)
    tomorrow = MIDDLE + timedelta(days=1)
    await books.buys(90, limits, tomorrow)
    await books.decides(DropCap(Person(ALICE)), tomorrow, limits)
    assert await books.charged(limits, tomorrow) == 150
    assert isinstance(await books.ask(1, limits, tomorrow), NoMoney)


async def test_a_period_of_everybodys_and_a_time_without_a_cap_count_as_well(books: Books) -> None:
    limits = caps(person=100)
    await books.buys(60, limits, MIDDLE)
    await books.decides(SetExempt(Person(ALICE), True), MIDDLE)
    await books.buys(500, limits, MIDDLE)
    await books.decides(SetExempt(Person(ALICE), False), MIDDLE)
    assert isinstance(await books.ask(1, limits, MIDDLE), NoMoney)
    await books.decides(SetCap(EveryPerson(), 100, PeriodKind.day), MIDDLE, limits)
    assert isinstance(await books.ask(1, limits, MIDDLE), NoMoney)
    assert isinstance(await books.ask(100, limits, MIDDLE + timedelta(days=1)), Attempt)


async def test_a_hold_open_over_a_switch_is_given_back_in_every_period(books: Books) -> None:
    month = _limits(PeriodKind.month, "UTC")
    attempt_id = await books.holds(100, month, MIDDLE)
    everywhere = [_limits(period, zone) for period, zone in product(PeriodKind, ZONES)]
    for limits in everywhere:
        assert isinstance(await books.ask(1, limits, MIDDLE), MustWait)
    await books.ends(attempt_id, 40, MIDDLE + timedelta(days=40))
    for limits in everywhere:
        balance = await books.balance(limits, MIDDLE)
        assert (balance.charged_nano_usd, balance.held_nano_usd) == (40, 0)
        assert isinstance(await books.ask(61, limits, MIDDLE), NoMoney)


@pytest.mark.parametrize("owner", [Person(ALICE), Channel(DESIGN), Workspace()])
async def test_a_grant_of_15_dollars_over_four_months_pays_15_after_each_months_cap(
    books: Books, owner: Person | Channel | Workspace
) -> None:
    kind = {Person: BudgetKind.PERSON, Channel: BudgetKind.CHANNEL, Workspace: BudgetKind.WORKSPACE}[
        type(owner)
    ]
    limits = Caps({**caps().limits, kind: 10 * USD}, PeriodKind.month, "America/New_York")
    await books.decides(GiveGrant(owner, 15 * USD, local("America/New_York", 2027, 3, 1, 0, 0)), MIDDLE)
    months = [local("America/New_York", *month, 28, 23, 0) for month in FIVE_MONTHS]
    spent = [0] * len(months)
    for number, wanted in enumerate((16, 8, 14, 99, 99)):
        for _ in range(wanted):
            held = await books.ask(USD, limits, months[number])
            if isinstance(held, NoMoney):
                break
            assert isinstance(held, Attempt)
            await books.store.send(held.id, months[number])
            # Every other one is charged in the month after.
            late = timedelta(days=5 * (spent[number] // USD % 2))
            await books.ends(held.id, USD, months[number] + late)
            spent[number] += USD
            paid = sum(max(0, month - 10 * USD) for month in spent)
            assert await _paid_by_grants(books) == paid, (number, spent)
    assert [month // USD for month in spent] == [16, 8, 14, 15, 10]


FIVE_MONTHS = ((2026, 11), (2026, 12), (2027, 1), (2027, 2), (2027, 3))
"""The last one is after the grant's end."""


def _limits(period: PeriodKind, zone: str) -> Caps:
    return caps(person=100, period=period, timezone=zone)


async def _paid_by_grants(books: Books) -> int:
    query = "SELECT SUM(charged_nano_usd) + SUM(held_nano_usd) FROM grants"
    return int(await books.database.look(lambda db: db.execute(query).fetchone()[0]))


_OLDER_COUNTER = """
    INSERT INTO counters
    SELECT 'person:' || person_key, 'month', 'UTC',
        '2026-10-31T23:00:00.000000Z', '2026-12-01T00:00:00.000000Z', 0, 90
    FROM people
"""


async def test_a_counter_of_a_zone_whose_rules_changed_since_stands_in_nobodys_way(books: Books) -> None:
    """A newer time zone database begins the month an hour later; the old month's counter is still there, and
    what was bought in that hour is in both."""
    limits = caps(person=100)
    hour_before = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)
    await books.buys(90, limits, hour_before)
    await books.database.write(lambda db: db.execute(_OLDER_COUNTER).rowcount)
    await books.buys(60, limits, MIDDLE)
    assert await books.charged(limits, MIDDLE) == 60
    assert isinstance(await books.ask(41, limits, MIDDLE), NoMoney)
