"""Everything there is in a run: a workspace, an image API, people, weather, and what was seen of them."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.app import Darkroom
from sandbox.images.api import ImageApi
from sandbox.slack.model import Json, Message
from storage.database import DATABASE_NAME
from tests.simulation.api_side import ApiSide
from tests.simulation.checks import is_opening
from tests.simulation.clock import unix
from tests.simulation.house import House, Housed, image_api_of, workspace_of
from tests.simulation.life import Life, look_from_outside
from tests.simulation.loop import VirtualLoop
from tests.simulation.people import People
from tests.simulation.slack_side import SlackSide
from tests.simulation.trace import Trace
from tests.simulation.weather import Weather

PERIODS = ("month", "month", "week", "day")
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland")
IMAGES_PER_MINUTE = 40


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
    busiest: int = 17
    """Most things that people do on a day."""


@dataclass
class World(Housed):
    """One of them."""

    plan: Plan
    seed: int
    house: House
    trace: Trace
    rng: random.Random
    api: ImageApi
    weather: Weather
    api_side: ApiSide
    people: People
    period: str
    """How long a cap lasts where admins have decided nothing else."""
    zone: str
    """Where its days begin."""
    posts: list[Post] = field(default_factory=list)
    lives: list[Life] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    late: set[str] = field(default_factory=set)
    """Turns that could not be told when it was their turn, and may be told later."""
    darkroom: Darkroom | None = None
    life: Life | None = None
    crashing: bool = True


def build(seed: int, plan: Plan, folder: Path, loop: VirtualLoop) -> World:
    """A world in which nothing has happened yet."""
    rng = random.Random(seed)  # noqa: S311 -- a simulation is to be repeated
    dice = [random.Random(rng.getrandbits(64)) for _ in range(5)]  # noqa: S311 -- the same
    trace = Trace(loop.time)

    def now() -> float:
        return unix(loop.time())

    def attempt_state(attempt_id: str) -> str:
        found = look_from_outside(
            folder,
            DATABASE_NAME,
            lambda db: db.execute("SELECT state FROM attempts WHERE id = ?", (attempt_id,)).fetchone(),
        )
        return str(found[0]) if found else "unknown"

    workspace = workspace_of(now, rate_limits=True)
    api = image_api_of(now, seed=seed, images_per_minute=IMAGES_PER_MINUTE)
    weather = Weather(dice[0], trace, loop.time)
    people = People(workspace, dice[3], trace, how_many=plan.people, channels=plan.channels)
    slack_side = SlackSide(workspace, weather, dice[1], trace)
    period, zone = dice[4].choice(PERIODS), dice[4].choice(ZONES)
    settings = {
        "slack.admins": (people.admin,),
        "caps.person_usd": "2",
        "caps.workspace_usd": "60",
        "caps.period": period,
        "caps.timezone": zone,
        "queue.waiting": 60,
        "queue.overall": 8,
    }
    world = World(
        plan,
        seed,
        House(folder, loop, workspace, slack_side, settings),
        trace,
        dice[4],
        api,
        weather,
        ApiSide(api, weather, dice[2], trace, attempt_state),
        people,
        period,
        zone,
    )
    workspace.on_change.append(lambda notice: _see(world, notice))
    return world


def _see(world: World, notice: Json) -> None:
    """Note what appears in Slack of ours, and whose it is where that is said later."""
    if notice["kind"] not in ("message", "changed"):
        return
    message = world.workspace.channels[notice["channel"]].messages[notice["ts"]]
    if message.user != world.workspace.bot_user_id:
        return
    payload = (message.metadata or {}).get("event_payload") or {}
    name, at = str(payload.get("turn_id") or ""), world.loop.time()
    if notice["kind"] == "changed":
        _named(world, message, name)
        return
    images = [block["slack_file"]["id"] for block in message.blocks if block["type"] == "image"]
    pictures = tuple(world.workspace.files[file].sha256 for file in [*images, *message.files])
    world.posts.append(
        Post(name, message.channel, message.ts, pictures, is_opening(message), at, message.thread_ts)
    )


def _named(world: World, message: Message, name: str) -> None:
    """A private post that may stand twice gets its name only when it is known to be the one that stays."""
    for number, post in enumerate(world.posts):
        if not post.id and (post.channel, post.ts) == (message.channel, message.ts):
            world.posts[number] = replace(post, id=name)
