"""Where a Darkroom lives in one process: a workspace, an image API, and what stands in place of the few parts
that touch what is outside."""

from __future__ import annotations

import asyncio
import gc
import logging
import sqlite3
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import bot.app
import bot.heart
import bot.parts
import bot.render_thread
import darkroom.rendering.provider
from bot.app import Darkroom, Overrides
from bot.cli.world import app_shortcuts
from bot.preflight import Identity
from bot.settings import plain_settings
from darkroom.rendering.provider import Provider
from sandbox.images.api import ImageApi
from sandbox.images.painter import Order
from sandbox.slack.workspace import Workspace
from storage.database import DATABASE_NAME
from tests.simulation.api_side import ApiSide, Noted
from tests.simulation.clock import SimClock
from tests.simulation.life import Life, SteppedBlobs, SteppedDatabase, look_from_outside
from tests.simulation.loop import VirtualLoop, inside
from tests.simulation.people import tiny_png
from tests.simulation.slack_side import SlackSide

MEMORY = Path("/dev/shm")  # noqa: S108 -- a folder in memory, made with mkdtemp
NOWHERE = "http://127.0.0.1:9"
PICTURE_S = 20.0
COLLECTIONS = 4
"""How often what stopped in the middle is let go of: some of it clings to the next."""


def workspace_of(now: Callable[[], float], *, rate_limits: bool = False) -> Workspace:
    """A workspace with the app's commands and shortcuts."""
    return Workspace(
        now=now,
        file_processing_s=0.3,
        base_url=NOWHERE,
        commands=frozenset({"/imagine", "/spend"}),
        shortcuts=app_shortcuts(),
        rate_limits=rate_limits,
    )


def image_api_of(
    now: Callable[[], float], *, seed: int, images_per_minute: int | None, whole: bool = False
) -> ImageApi:
    """An image API whose pictures are of one colour each, no two the same; *whole* ones have the size that
    was asked for, the others are tiny."""
    painted = [0]

    def paint(order: Order) -> bytes:
        painted[0] += 1
        size = (order.width, order.height) if whole else (16, 16)
        return tiny_png(seed * 1_000_003 + painted[0], transparent=order.transparent, size=size)

    return ImageApi(
        now=now,
        seconds_per_picture=PICTURE_S,
        paint=paint,
        offload=False,
        seed=seed,
        keep_calls=10**6,
        images_per_minute=images_per_minute,
    )


@dataclass
class House:
    """One folder and one workspace, in which a Darkroom comes up again and again."""

    folder: Path
    loop: VirtualLoop
    workspace: Workspace
    slack_side: SlackSide
    settings: Mapping[str, Any]
    numbers: list[int] = field(default_factory=lambda: [0])
    """What ids are counted with: those of all lives."""

    def comes_up(self, life: Life) -> asyncio.Task[Darkroom]:
        """Start *life*; the task is the life's."""
        return self.loop.create_task(self._come_up(life), context=inside(life))

    async def _come_up(self, life: Life) -> Darkroom:
        workspace = self.workspace
        settings = plain_settings(
            {
                "slack_bot_token": workspace.bot_token,
                "slack_app_token": workspace.app_token,
                "slack_api_url": f"{workspace.base_url}/api/",
                "openai_api_key": "sk-sandbox",
                "openai_base_url": f"{NOWHERE}/v1",
                "storage.data_dir": self.folder,
                **self.settings,
            }
        )
        overrides = Overrides(
            clock=SimClock(self.loop, life, self.numbers, since=self.loop.time() - 1000.0 * life.number),
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


class Housed:
    """What has a Darkroom in a ``house``, seen from outside."""

    house: House

    @property
    def folder(self) -> Path:
        """Where the books are."""
        return self.house.folder

    @property
    def loop(self) -> VirtualLoop:
        """What everything runs on."""
        return self.house.loop

    @property
    def workspace(self) -> Workspace:
        """The one that Darkroom is in."""
        return self.house.workspace

    @property
    def slack_side(self) -> SlackSide:
        """The wire to it."""
        return self.house.slack_side

    def rows(self, query: str, *given: Any) -> list[sqlite3.Row]:
        """What a query of the books gives, to somebody outside."""
        return look_from_outside(self.folder, DATABASE_NAME, lambda db: db.execute(query, given).fetchall())


@contextmanager
def in_place(
    slack_side: SlackSide, api_side: ApiSide, *, beat_s: float = bot.heart.EVERY_S
) -> Iterator[None]:
    """The few parts of Darkroom that touch what is outside the process are of this world; its heart beats
    every *beat_s*."""

    def provider(url: str, key: str) -> Provider:
        return Provider(url, key, http_client=api_side.client())

    with (
        mock.patch.object(bot.app, "Database", SteppedDatabase),
        mock.patch.object(bot.render_thread, "RenderThread", Noted),
        mock.patch.object(bot.app, "slack_session", slack_side.session),
        mock.patch.object(bot.parts, "BlobStore", SteppedBlobs),
        mock.patch.object(darkroom.rendering.provider, "Provider", provider),
        mock.patch.object(bot.heart, "EVERY_S", beat_s),
    ):
        yield


@contextmanager
def heard(handler: logging.Handler, level: int | None = None) -> Iterator[None]:
    """Let *handler* hear what Darkroom logs, and nobody else."""
    logger = logging.getLogger("darkroom")
    before = logger.level, logger.propagate
    logger.addHandler(handler)
    if level is not None:
        logger.setLevel(level)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
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
