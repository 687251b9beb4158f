"""A world with its lives: one seed, some days, crashes and deploys in between, and the end of it all."""

from __future__ import annotations

import asyncio
import gc
import logging
import random
import shutil
import sys
import tempfile
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import bot.app
import bot.parts
from bot.app import Darkroom, Overrides
from bot.cli.world import app_shortcuts
from bot.preflight import Identity
from bot.settings import plain_settings
from darkroom.rendering.provider import Provider
from sandbox.images.api import ImageApi
from sandbox.images.painter import Order
from sandbox.slack.model import Json
from sandbox.slack.workspace import Workspace
from storage.database import DATABASE_NAME
from tests.simulation.api_side import ApiSide, Noted
from tests.simulation.checks import check, is_opening
from tests.simulation.clock import SimClock, unix
from tests.simulation.life import Life, SteppedBlobs, SteppedDatabase, look_from_outside
from tests.simulation.loop import LIFE, Crashed, VirtualLoop, inside
from tests.simulation.people import People, tiny_png
from tests.simulation.slack_side import SlackSide
from tests.simulation.trace import Trace
from tests.simulation.weather import Weather

MEMORY = Path("/dev/shm")  # noqa: S108 -- a folder in memory, made with mkdtemp
DAY_S = 86_400.0
START_LIMIT_S = 600.0
QUIET_LIMIT_S = 2 * DAY_S
"""How long after the last crash and fault everything must have come to an end."""
CRASHES_EACH = 700
"""Steps between two crashes, on the average."""
COLLECTIONS = 4
"""How often what stopped in the middle is let go of: some of it clings to the next."""


class WentWrong(AssertionError):
    """Something that must never be."""


@dataclass(frozen=True)
class Post:
    """A message of ours as it appeared in Slack: the ``id`` in its metadata (a turn's, or nothing), and the
    digests of the pictures in it. ``opening`` ones say that something is being made."""

    id: str
    channel: str
    ts: str
    pictures: tuple[str, ...]
    opening: bool
    at: float
    thread_ts: str | None = None


@dataclass(frozen=True)
class Plan:
    """How much happens in a run."""

    days: int
    people: int = 150
    channels: int = 6
    busiest: int = 30
    """Most things that people do on a day."""


@dataclass
class World:
    """Everything there is in a run."""

    plan: Plan
    seed: int
    folder: Path
    loop: VirtualLoop
    trace: Trace
    rng: random.Random
    workspace: Workspace
    api: ImageApi
    weather: Weather
    slack_side: SlackSide
    api_side: ApiSide
    people: People
    posts: list[Post] = field(default_factory=list)
    lives: list[Life] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    late: set[str] = field(default_factory=set)
    """Turns that could not be told when it was their turn, and may be told later."""
    numbers: list[int] = field(default_factory=lambda: [0])
    darkroom: Darkroom | None = None
    life: Life | None = None
    crashing: bool = True

    def rows(self, query: str, *given: Any) -> list[Any]:
        """What a query of the books gives, to somebody outside."""
        return look_from_outside(self.folder, DATABASE_NAME, lambda db: db.execute(query, given).fetchall())


def build(seed: int, plan: Plan, folder: Path, loop: VirtualLoop) -> World:
    """A world in which nothing has happened yet."""
    rng = random.Random(seed)  # noqa: S311 -- a simulation is to be repeated
    dice = [random.Random(rng.getrandbits(64)) for _ in range(5)]  # noqa: S311 -- the same
    trace = Trace(loop.time)

    def now() -> float:
        return unix(loop.time())

    workspace = Workspace(
        now=now,
        file_processing_s=0.3,
        base_url="http://127.0.0.1:9",
        commands=frozenset({"/imagine", "/spend"}),
        shortcuts=app_shortcuts(),
        rate_limits=True,
    )
    painted = [0]

    def paint(order: Order) -> bytes:
        painted[0] += 1
        return tiny_png(seed * 1_000_003 + painted[0], transparent=order.transparent)

    api = ImageApi(
        now=now, seconds_per_picture=20.0, paint=paint, offload=False, seed=seed, keep_calls=10**6,
        images_per_minute=40,
    )  # fmt: skip
    weather = Weather(dice[0], trace)

    def attempt_state(attempt_id: str) -> str:
        found = look_from_outside(
            folder,
            DATABASE_NAME,
            lambda db: db.execute("SELECT state FROM attempts WHERE id = ?", (attempt_id,)).fetchone(),
        )
        return str(found[0]) if found else "unknown"

    people = People(workspace, dice[3], trace, how_many=plan.people, channels=plan.channels)
    world = World(
        plan, seed, folder, loop, trace, dice[4], workspace, api, weather,
        SlackSide(workspace, weather, dice[1], trace), ApiSide(api, weather, dice[2], trace, attempt_state),
        people,
    )  # fmt: skip
    workspace.on_change.append(lambda notice: _see(world, notice))
    return world


def _see(world: World, notice: Json) -> None:
    """Note what appears in Slack of ours."""
    if notice["kind"] != "message":
        return
    message = world.workspace.channels[notice["channel"]].messages[notice["ts"]]
    if message.user != world.workspace.bot_user_id:
        return
    payload = (message.metadata or {}).get("event_payload") or {}
    images = [block["slack_file"]["id"] for block in message.blocks if block["type"] == "image"]
    pictures = tuple(world.workspace.files[file].sha256 for file in [*images, *message.files])
    name, at = str(payload.get("turn_id") or ""), world.loop.time()
    world.posts.append(
        Post(name, message.channel, message.ts, pictures, is_opening(message), at, message.thread_ts)
    )


@contextmanager
def in_place(world: World) -> Iterator[None]:
    """The few parts of Darkroom that touch what is outside the process are the simulation's."""
    with (
        mock.patch.object(bot.app, "Database", SteppedDatabase),
        mock.patch.object(bot.app, "RenderThread", Noted),
        mock.patch.object(bot.app, "slack_session", world.slack_side.session),
        mock.patch.object(bot.parts, "BlobStore", SteppedBlobs),
        mock.patch.object(
            bot.app,
            "Provider",
            lambda url, key: Provider(url, key, http_client=world.api_side.client()),
        ),
    ):
        yield


class Keeper:
    """Starts Darkroom, and starts it again."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def start(self) -> None:
        """A new life, again and again until one has come up."""
        world = self._world
        while True:
            until = None
            if world.crashing:
                until = 1 + int(
                    world.rng.expovariate(1 / world.rng.choice((40, CRASHES_EACH, 3 * CRASHES_EACH)))
                )
            life = Life(len(world.lives) + 1, world.loop, world.trace, until)
            world.lives.append(life)
            world.life = life
            came_up = asyncio.get_running_loop().create_task(self._come_up(life), context=inside(life))
            dying = asyncio.ensure_future(life.over.wait())
            await asyncio.wait({came_up, dying}, return_when=asyncio.FIRST_COMPLETED, timeout=START_LIMIT_S)
            dying.cancel()
            if life.alive and not came_up.done():
                raise WentWrong(f"life {life.number} did not come up in {START_LIMIT_S:g} s")
            if life.alive:
                world.darkroom = came_up.result()
                world.trace.note(f"life {life.number} is up")
                return
            world.trace.count("crashes")
            world.trace.count("crashes while starting")
            await asyncio.sleep(world.rng.uniform(1, 20))

    async def _come_up(self, life: Life) -> Darkroom:
        world, workspace = self._world, self._world.workspace
        clock = SimClock(world.loop, life, world.numbers, since=world.loop.time() - 1000.0 * life.number)
        identity = Identity(
            workspace.bot_token, workspace.app_token, workspace.team_id, None, workspace.bot_user_id,
            workspace.bot_id,
        )  # fmt: skip
        settings = plain_settings(
            {
                "slack_bot_token": workspace.bot_token,
                "slack_app_token": workspace.app_token,
                "slack_api_url": f"{workspace.base_url}/api/",
                "openai_api_key": "sk-sandbox",
                "openai_base_url": "http://127.0.0.1:9/v1",
                "storage.data_dir": world.folder,
                "slack.admins": (world.people.admin,),
                "caps.person_usd": "2",
                "caps.workspace_usd": "60",
                "queue.waiting": 60,
                "queue.overall": 8,
            }
        )
        connect = Overrides(
            clock=clock,
            identity=identity,
            inline=True,
            connect=lambda app: world.slack_side.connect(life, app),
        )
        darkroom = Darkroom(settings, create_data=True, overrides=connect)
        await darkroom.start()
        return darkroom

    async def stop(self) -> None:
        """A deploy or the evening: the socket first, then Darkroom, which may die of it."""
        world, life, darkroom = self._world, self._world.life, self._world.darkroom
        if life is None or darkroom is None or not life.alive:
            return
        for socket in list(world.workspace.delivery.sockets):
            world.workspace.detach(socket)
        closing = asyncio.get_running_loop().create_task(darkroom.aclose(), context=inside(life))
        dying = asyncio.ensure_future(life.over.wait())
        await asyncio.wait({closing, dying}, return_when=asyncio.FIRST_COMPLETED)
        dying.cancel()
        if life.alive:
            await closing
            life.alive = False
            world.loop.bury(life)
            world.trace.count("stops")
        else:
            world.trace.count("crashes")
        world.trace.note(f"life {life.number} has stopped")

    async def keep(self) -> None:
        """Start it again whenever it dies, after a while."""
        world = self._world
        while True:
            if world.life is not None:
                await world.life.over.wait()
                world.trace.count("crashes")
                down = world.rng.choice((1.0, 5.0, 5.0, 60.0, 600.0, 5000.0))
                await asyncio.sleep(down * world.rng.uniform(0.5, 1.5))
            await self.start()


async def live(world: World) -> None:
    """All days of a run, then calm until everything has come to an end."""
    keeper = Keeper(world)
    rng = world.rng
    for day in range(world.plan.days):
        world.trace.note(f"day {day}")
        world.trace.count("days")
        until = (day + 1) * DAY_S if rng.random() < 0.9 else None
        await keeper.start()
        keeping = asyncio.ensure_future(keeper.keep())
        await _busy_day(world, rng)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        if world.life is not None and world.life.alive:
            await keeper.stop()
        elif world.life is not None and not world.life.over.is_set():
            raise WentWrong("neither alive nor dead")
        await asyncio.sleep(
            max(0.0, (until or world.loop.time() + DAY_S * rng.uniform(3, 20)) - world.loop.time())
        )
    await _end(world, keeper)


async def _busy_day(world: World, rng: random.Random) -> None:
    """A burst of things, some deploys in between, and an hour at most to finish."""
    busy: set[asyncio.Task[None]] = set()
    for _ in range(rng.randint(2, world.plan.busiest)):
        if rng.random() < 0.15:
            world.weather.changes()
        busy.add(asyncio.ensure_future(world.people.something()))
        await asyncio.sleep(rng.choice((0.0, 0.05, 1.0, 5.0, 30.0, 120.0)) * rng.uniform(0.5, 1.5))
    if busy:
        await asyncio.wait(busy, timeout=300)
    world.weather.changes()
    await asyncio.sleep(rng.choice((5.0, 60.0, 300.0, 900.0)))
    for task in busy:
        if task.done() and not task.cancelled() and (error := task.exception()) is not None:
            raise WentWrong("a person broke") from error


async def _end(world: World, keeper: Keeper) -> None:
    """Nothing goes wrong any more: every turn must come to its end."""
    world.weather.calm()
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


class _Listener(logging.Handler):
    """What Darkroom says in its log: to read beside the trace, and its own faults are what went wrong."""

    def __init__(self, world: World) -> None:
        super().__init__(logging.INFO)
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        """One line."""
        life = LIFE.get()
        if life is not None and not life.alive:
            return
        said = record.getMessage()
        self._world.trace.remark(f"[{record.levelname}] {said}")
        if said.startswith("turn ") and "could not be told" in said:
            self._world.late.add(said.split()[1].rstrip(":"))
        if record.levelno >= logging.ERROR and record.exc_info and record.exc_info[1] is not None:
            lines = traceback.format_exception(record.exc_info[1])
            self._world.trace.remark("".join(lines[-12:]))
        slacks = any(f"broke: {name}" in said for name in ("Slack", "TooFast"))
        if record.levelno >= logging.ERROR and " broke" in said and not slacks:
            self._world.wrong.append(f"at {self._world.loop.time():.4f}: {said}")


@dataclass
class Run:
    """What became of a run: what went wrong, if anything; what was counted; and its trace."""

    seed: int
    plan: Plan
    wrong: list[str]
    trace: Trace


def run(seed: int, plan: Plan) -> Run:
    """Let a world live from its beginning to its end. The same seed gives the same digest in any process with
    the same ``PYTHONHASHSEED``."""
    random.seed(seed)
    folder = Path(tempfile.mkdtemp(prefix="darkroom-sim-", dir=MEMORY if MEMORY.is_dir() else None))
    loop = VirtualLoop()
    gc.disable()
    try:
        return _run(seed, plan, folder, loop)
    finally:
        put_away(loop)
        shutil.rmtree(folder, ignore_errors=True)


def _run(seed: int, plan: Plan, folder: Path, loop: VirtualLoop) -> Run:
    world = build(seed, plan, folder, loop)
    wrong = world.wrong

    def unhandled(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is not None and not isinstance(error, Crashed):
            wrong.append(f"unhandled: {context.get('message')}: {error!r}")

    loop.set_exception_handler(unhandled)
    asyncio.set_event_loop(loop)
    with in_place(world), _listening(world):
        try:
            loop.run_until_complete(live(world))
            wrong += check(world)
        except Exception as error:  # noqa: BLE001 -- whatever it is, the run has failed
            wrong.append("".join(traceback.format_exception(error)[-6:]))
    world.trace.close()
    return Run(seed, plan, wrong, world.trace)


@contextmanager
def _listening(world: World) -> Iterator[None]:
    """Hear what Darkroom logs, and keep it from everybody else."""
    listener, logger = _Listener(world), logging.getLogger("darkroom")
    before = logger.level, logger.propagate
    logger.addHandler(listener)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(listener)
        logger.level, logger.propagate = before


def put_away(loop: VirtualLoop) -> None:
    """Let go of what stopped in the middle, without a word about it."""
    loop.set_exception_handler(lambda *_: None)
    for task in asyncio.all_tasks(loop):
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # what the C task calls it
    hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            loop.close()
            for _ in range(COLLECTIONS):
                loop.buried.clear()
                gc.collect()
    finally:
        sys.unraisablehook = hook
        logging.disable(logging.NOTSET)
        asyncio.set_event_loop(None)
        gc.enable()
