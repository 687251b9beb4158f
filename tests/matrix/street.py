"""A Darkroom in one process, between a Slack and an image API that fail as they are told to, in virtual time:
an hour of waiting costs nothing."""

from __future__ import annotations

import asyncio
import gc
import logging
import random
import shutil
import tempfile
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from bot.app import Darkroom
from sandbox.images.api import ImageApi
from sandbox.slack.model import Message
from tests.simulation.api_side import ApiSide
from tests.simulation.clock import unix
from tests.simulation.house import (
    MEMORY,
    House,
    Housed,
    heard,
    image_api_of,
    in_place,
    put_away,
    workspace_of,
)
from tests.simulation.life import Life
from tests.simulation.loop import VirtualLoop, inside
from tests.simulation.slack_side import SlackSide
from tests.simulation.trace import Trace
from tests.simulation.weather import Weather

T = TypeVar("T")
DESIGN = "C0DESIGN01"
PATIENCE_S = 30 * 3_600.0
"""How long after it has begun everything must have come to an end: what waits for the API waits a day."""
SETTINGS: Mapping[str, Any] = {"caps.person_usd": "100", "caps.workspace_usd": "1000"}


@dataclass
class Street(Housed):
    """Everything there is; ``starts`` and ``stops`` Darkroom, ``dies`` kills it."""

    house: House
    trace: Trace
    api: ImageApi
    api_side: ApiSide
    darkroom: Darkroom | None = None
    life: Life | None = None
    _lives: int = 0

    async def starts(self) -> None:
        """A new life on the same data."""
        self._lives += 1
        life = self.life = Life(self._lives, self.loop, self.trace, None)
        self.darkroom = await self.house.comes_up(life)

    async def stops(self) -> None:
        """As a deploy stops it."""
        life, darkroom = self.life, self.darkroom
        if life is None or darkroom is None or not life.alive:
            return
        self.slack_side.hang_up()
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
    rate_limits: bool = False,
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
        street = _built(folder, loop, settings, images_per_minute, rate_limits=rate_limits)
        with in_place(street.slack_side, street.api_side), heard(_Ear(wrong)):
            result = loop.run_until_complete(told(street))
    finally:
        put_away(loop)
        gc.enable()
        shutil.rmtree(folder, ignore_errors=True)
    assert not wrong, wrong
    return result


def _built(
    folder: Path,
    loop: VirtualLoop,
    settings: Mapping[str, Any],
    images_per_minute: int | None,
    *,
    rate_limits: bool,
) -> Street:
    def now() -> float:
        return unix(loop.time())

    dice = random.Random(0)  # noqa: S311 -- a street is to be the same each time
    trace = Trace(loop.time)
    workspace = workspace_of(now, rate_limits=rate_limits)
    api = image_api_of(now, seed=0, images_per_minute=images_per_minute, whole=True)
    weather = Weather(dice, trace, loop.time)
    weather.calm()
    slack_side = SlackSide(workspace, weather, dice, trace)
    house = House(folder, loop, workspace, slack_side, settings)
    return Street(house, trace, api, ApiSide(api, weather, dice, trace, lambda _: ""))


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
