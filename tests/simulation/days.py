"""How days go by: people at work in several zones, hours in which all come at once, deploys, nights off,
channels that are closed and opened, weeks in which nobody comes; and the calm in which all must end."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.simulation.keeper import Keeper
from tests.simulation.rooms import Rooms
from tests.simulation.world import WentWrong, World

DAY_S = 86_400.0
HOUR_S = 3_600.0
QUIET_LIMIT_S = 2 * DAY_S
"""How long after the last crash and fault everything must have come to an end."""
OFFICES = (-8, -5, 0, 1, 5.5, 13)
"""Hours that people's clocks are ahead of UTC; the run begins at 6:00 UTC."""
_WORK = (0, 0, 0, 0, 0, 0, 0, 1, 3, 6, 7, 6, 2, 4, 6, 6, 5, 3, 1, 1, 1, 0, 0, 0)
"""How much is done in each hour of somebody's day: a morning, a lunch, an afternoon, and some evenings."""
DAWN_H = 6


async def live(world: World) -> None:
    """All days of a run, then calm until everything has come to an end."""
    rng, keeper, rooms = world.rng, Keeper(world), Rooms(world.workspace, world.people, world.rng)
    day, number = 0.0, 0
    while number < world.plan.days:
        # Between two stops lie some days: a night's rest, a week, a month in which nobody came.
        span = min(rng.choice((1, 1, 2, 3, 5)), world.plan.days - number)
        async with _kept(world, keeper):
            for _ in range(span):
                world.trace.note(f"day {number}")
                world.trace.count("days")
                await _day(world, keeper, rooms, day)
                day, number = day + DAY_S, number + 1
        if rng.random() < 0.12:
            day += DAY_S * round(rng.uniform(3, 25))
        await _until(world, day)
    await _end(world, keeper, rooms)


@asynccontextmanager
async def _kept(world: World, keeper: Keeper) -> AsyncIterator[None]:
    """A Darkroom that is started again whenever it dies, until the evening."""
    await keeper.start()
    keeping = asyncio.ensure_future(keeper.keep())
    yield
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    if world.life is not None and world.life.alive:
        await keeper.stop()
    elif world.life is not None and not world.life.over.is_set():
        raise WentWrong("neither alive nor dead")


async def _day(world: World, keeper: Keeper, rooms: Rooms, began: float) -> None:
    """Things that people do one by one, and an hour in which they come all at once; then the day is over."""
    rng = world.rng
    things = rng.randint(2, world.plan.busiest)
    spread = round(things * rng.choice((0.2, 0.5, 1.0)))
    moments = sorted(began + _moment(rng) for _ in range(spread))
    rush = began + rng.uniform(0, 0.8) * DAY_S
    busy: set[asyncio.Task[None]] = set()
    for at in [moment for moment in moments if moment < rush]:
        await _one(world, rooms, at, busy)
    await _until(world, rush)
    for _ in range(things - spread):
        if rng.random() < 0.15:
            world.weather.changes()
        _does(world, busy)
        await asyncio.sleep(rng.choice((0.0, 0.05, 1.0, 5.0, 30.0, 120.0)) * rng.uniform(0.5, 1.5))
    if rng.random() < 0.3:
        keeper.deploy()
    for at in [moment for moment in moments if moment >= rush]:
        await _one(world, rooms, at, busy)
    if busy:
        await asyncio.wait(busy, timeout=300)
    world.weather.changes()
    rooms.change(world.loop.time())
    for task in busy:
        if task.done() and not task.cancelled() and (error := task.exception()) is not None:
            raise WentWrong("a person broke") from error
    await _until(world, began + rng.choice((0.75, 0.9, 1.0)) * DAY_S)


async def _one(world: World, rooms: Rooms, at: float, busy: set[asyncio.Task[None]]) -> None:
    """Somebody does something then, and perhaps somebody answers some minutes later."""
    await _until(world, at)
    if world.rng.random() < 0.3:
        world.weather.changes()
        rooms.change(world.loop.time())
    _does(world, busy)
    if world.rng.random() < 0.4:
        busy.add(asyncio.ensure_future(_later(world, world.rng.choice((40.0, 120.0, 600.0)))))


def _does(world: World, busy: set[asyncio.Task[None]]) -> None:
    busy.add(asyncio.ensure_future(world.people.something()))


async def _later(world: World, seconds: float) -> None:
    await asyncio.sleep(seconds * world.rng.uniform(0.5, 1.5))
    await world.people.answers()


def _moment(rng: random.Random) -> float:
    """A moment of somebody's working day, in seconds after the day has begun."""
    (hour,) = rng.choices(range(24), _WORK)
    utc = (hour + rng.random() - rng.choice(OFFICES) - DAWN_H) % 24
    return utc * HOUR_S


async def _until(world: World, at: float) -> None:
    await asyncio.sleep(max(0.0, at - world.loop.time()))


async def _end(world: World, keeper: Keeper, rooms: Rooms) -> None:
    """Nothing goes wrong any more: every turn must come to its end."""
    world.weather.calm()
    rooms.open_all()
    world.crashing = False
    await keeper.start()
    await world.people.resume()
    deadline = world.loop.time() + QUIET_LIMIT_S
    while True:
        await asyncio.sleep(60.0)
        left = world.rows(
            "SELECT id, state, outcome FROM turns WHERE told_at IS NULL AND undelivered_reason IS NULL"
        )
        delivery = world.workspace.delivery
        if not left and not any(parcel.kind == "events_api" for parcel in delivery.unanswered):
            break
        if world.loop.time() > deadline:
            raise WentWrong(f"still unfinished after {QUIET_LIMIT_S:g} s: {[tuple(row) for row in left]}")
    await asyncio.sleep(900.0)
    await keeper.stop()
