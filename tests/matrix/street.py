"""A Darkroom in one process, between a Slack and an image API that fail as they are told to, in virtual time:
an hour of waiting costs nothing."""

from __future__ import annotations

import asyncio
import gc
import logging
import random
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

import aiohttp

import bot.app
import bot.parts
from bot.app import Darkroom, Overrides
from bot.cli.world import app_shortcuts
from bot.preflight import Identity
from bot.settings import plain_settings
from darkroom.rendering.provider import Provider
from sandbox.images.api import ImageApi
from sandbox.images.painter import Order
from sandbox.slack.model import ApiAnswer, Dropped, HttpAnswer, Json, Message
from sandbox.slack.workspace import Workspace
from storage.database import DATABASE_NAME
from tests.simulation.api_side import ApiSide, Noted
from tests.simulation.clock import SimClock, unix
from tests.simulation.life import Life, SteppedBlobs, SteppedDatabase, look_from_outside
from tests.simulation.loop import VirtualLoop, inside
from tests.simulation.people import tiny_png
from tests.simulation.slack_side import SlackSide
from tests.simulation.town import MEMORY, put_away
from tests.simulation.trace import Trace
from tests.simulation.weather import Weather

T = TypeVar("T")
DESIGN = "C0DESIGN01"
PICTURE_S = 20.0
PATIENCE_S = 30 * 3_600.0
"""How long after it has begun everything must have come to an end: what waits for the API waits a day."""
SETTINGS: Mapping[str, Any] = {"caps.person_usd": "100", "caps.workspace_usd": "1000"}


class WiredWorkspace(Workspace):
    """A workspace whose connections break as aiohttp's do."""

    async def call(self, method: str, params: Mapping[str, Any], token: str | None) -> ApiAnswer:
        """See ``Workspace``."""
        return await _over_the_wire(super().call(method, params, token))

    async def send_bytes(self, url: str, data: bytes) -> HttpAnswer:
        """See ``Workspace``."""
        return await _over_the_wire(super().send_bytes(url, data))

    async def download(self, url: str, token: str | None) -> HttpAnswer:
        """See ``Workspace``."""
        return await _over_the_wire(super().download(url, token))

    async def respond(self, url: str, body: Json) -> HttpAnswer:
        """See ``Workspace``."""
        return await _over_the_wire(super().respond(url, body))


async def _over_the_wire(asked: Coroutine[Any, Any, T]) -> T:
    try:
        return await asked
    except Dropped as dropped:
        raise aiohttp.ServerDisconnectedError from dropped


@dataclass
class Street:
    """Everything there is; ``starts`` and ``stops`` Darkroom, ``dies`` kills it."""

    folder: Path
    loop: VirtualLoop
    trace: Trace
    workspace: WiredWorkspace
    api: ImageApi
    slack_side: SlackSide
    api_side: ApiSide
    settings: Mapping[str, Any]
    darkroom: Darkroom | None = None
    life: Life | None = None
    _lives: int = 0
    _numbers: list[int] = field(default_factory=lambda: [0])

    async def starts(self) -> None:
        """A new life on the same data."""
        self._lives += 1
        life = self.life = Life(self._lives, self.loop, self.trace, None)
        self.darkroom = await self.loop.create_task(self._come_up(life), context=inside(life))

    async def _come_up(self, life: Life) -> Darkroom:
        workspace = self.workspace
        settings = plain_settings(
            {
                "slack_bot_token": workspace.bot_token,
                "slack_app_token": workspace.app_token,
                "slack_api_url": f"{workspace.base_url}/api/",
                "openai_api_key": "sk-sandbox",
                "openai_base_url": "http://127.0.0.1:9/v1",
                "storage.data_dir": self.folder,
                **self.settings,
            }
        )
        overrides = Overrides(
            clock=SimClock(self.loop, life, self._numbers, since=self.loop.time() - 1000.0 * life.number),
            identity=Identity(
                workspace.bot_token,
                workspace.app_token,
                workspace.team_id,
                None,
                workspace.bot_user_id,
                workspace.bot_id,
            ),
            inline=True,
            connect=lambda app: self.slack_side.connect(life, app),
        )
        darkroom = Darkroom(settings, create_data=True, overrides=overrides)
        await darkroom.start()
        return darkroom

    async def stops(self) -> None:
        """As a deploy stops it."""
        life, darkroom = self.life, self.darkroom
        if life is None or darkroom is None or not life.alive:
            return
        for socket in list(self.workspace.delivery.sockets):
            self.workspace.detach(socket)
        await self.loop.create_task(darkroom.aclose(), context=inside(life))
        life.end()

    def dies(self) -> None:
        """As by ``kill -9``."""
        assert self.life is not None
        self.life.crash("here")

    async def rests(self, patience_s: float = PATIENCE_S) -> float:
        """Let time pass until every turn has ended and was told; gives how many seconds that took."""
        began, step = self.loop.time(), 1.0
        while True:
            await asyncio.sleep(step)
            left = self.rows("SELECT id FROM turns WHERE told_at IS NULL OR state <> 'ended'")
            if not left and not self.workspace.delivery.unanswered:
                return self.loop.time() - began
            if self.loop.time() - began > patience_s:
                raise AssertionError(f"unfinished after {patience_s:g} s: {[row['id'] for row in left]}")
            step = min(step * 1.3, 120.0)

    async def passes(self, seconds: float) -> None:
        """Let time pass."""
        await asyncio.sleep(seconds)

    def rows(self, query: str, *given: Any) -> list[sqlite3.Row]:
        """What a query of the books gives, to somebody outside."""
        return look_from_outside(self.folder, DATABASE_NAME, lambda db: db.execute(query, given).fetchall())

    def ours(self) -> list[Message]:
        """Every message of Darkroom's that stands anywhere, in the order of channels."""
        us = self.workspace.bot_user_id
        rooms = self.workspace.channels.values()
        return [message for room in rooms for message in room.messages.values() if message.user == us]


@contextmanager
def many() -> Iterator[None]:
    """Around many streets: what was there before them is not looked through each time one is put away."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        put_away(VirtualLoop())
        gc.unfreeze()


def on_street(
    story: Callable[[Street], Coroutine[Any, Any, T]],
    settings: Mapping[str, Any] = SETTINGS,
    *,
    images_per_minute: int | None = None,
) -> T:
    """Play a story, from its start to its stop; gives what it gives. Raises what went wrong in the background
    as an AssertionError, too."""
    folder = Path(tempfile.mkdtemp(prefix="darkroom-street-", dir=MEMORY if MEMORY.is_dir() else None))
    loop, wrong = VirtualLoop(), list[str]()
    gc.disable()

    def unhandled(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if context.get("exception") is not None:
            wrong.append(f"{context.get('message')}: {context['exception']!r}")

    async def told(street: Street) -> T:
        await street.starts()
        result = await story(street)
        await street.stops()
        return result

    loop.set_exception_handler(unhandled)
    asyncio.set_event_loop(loop)
    try:
        street = _built(folder, loop, settings, images_per_minute)
        with _in_place(street), _quiet(wrong):
            result = loop.run_until_complete(told(street))
    finally:
        put_away(loop)
        gc.enable()
        shutil.rmtree(folder, ignore_errors=True)
    assert not wrong, wrong
    return result


def _built(
    folder: Path, loop: VirtualLoop, settings: Mapping[str, Any], images_per_minute: int | None
) -> Street:
    def now() -> float:
        return unix(loop.time())

    dice = random.Random(0)  # noqa: S311 -- a street is to be the same each time
    trace = Trace(loop.time)
    workspace = WiredWorkspace(
        now=now,
        file_processing_s=0.3,
        base_url="http://127.0.0.1:9",
        commands=frozenset({"/imagine", "/spend"}),
        shortcuts=app_shortcuts(),
    )
    painted = [0]

    def paint(order: Order) -> bytes:
        painted[0] += 1
        return tiny_png(painted[0], transparent=order.transparent, size=(order.width, order.height))

    api = ImageApi(
        now=now,
        seconds_per_picture=PICTURE_S,
        paint=paint,
        offload=False,
        seed=0,
        images_per_minute=images_per_minute,
        keep_calls=10**6,
    )
    weather = Weather(dice, trace)
    weather.calm()
    return Street(
        folder,
        loop,
        trace,
        workspace,
        api,
        SlackSide(workspace, weather, dice, trace),
        ApiSide(api, weather, dice, trace, lambda _: ""),
        settings,
    )


@contextmanager
def _in_place(street: Street) -> Iterator[None]:
    """The few parts of Darkroom that touch what is outside the process are the street's."""

    def provider(url: str, key: str) -> Provider:
        return Provider(url, key, http_client=street.api_side.client())

    with (
        mock.patch.object(bot.app, "Database", SteppedDatabase),
        mock.patch.object(bot.app, "RenderThread", Noted),
        mock.patch.object(bot.app, "slack_session", street.slack_side.session),
        mock.patch.object(bot.parts, "BlobStore", SteppedBlobs),
        mock.patch.object(bot.app, "Provider", provider),
    ):
        yield


class _Ear(logging.Handler):
    """Hears what broke."""

    def __init__(self, wrong: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._wrong = wrong

    def emit(self, record: logging.LogRecord) -> None:
        """One line of the log."""
        said = record.getMessage()
        if " broke" in said and "broke: Slack" not in said:
            self._wrong.append(f"{said}: {record.exc_info[1]!r}" if record.exc_info else said)


@contextmanager
def _quiet(wrong: list[str]) -> Iterator[None]:
    """Keep what Darkroom logs from everybody, and note what broke."""
    ear, logger = _Ear(wrong), logging.getLogger("darkroom")
    before = logger.level, logger.propagate
    logger.addHandler(ear)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(ear)
        logger.level, logger.propagate = before
