"""A local world and one Darkroom in it that can be killed at any of its steps and started again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from bot.app import Darkroom
from bot.cli.world import World, start_world
from bot.settings import plain_settings
from sandbox.images.api import ImageApi
from sandbox.slack.workspace import Workspace
from tests.crash.bots import Bot, Ended, Nursery
from tests.scenarios.flat import FlatPainter
from tests.scenarios.story import Easel, Ledger, Town

WAIT_S = 30.0


class Stage:
    """The world is in this process and outlives every Darkroom in it."""

    def __init__(
        self,
        nursery: Nursery,
        world: World,
        easel: Easel,
        folder: Path,
        settings: dict[str, Any],
        *,
        faulty_disk: bool,
    ) -> None:
        self.nursery, self.world, self.easel, self.folder = nursery, world, easel, folder
        self._faulty_disk = faulty_disk
        self.data_dir = folder / "data"
        flags: dict[str, Any] = {name.replace("__", "."): value for name, value in settings.items()}
        self._flags = flags | world.settings() | {"storage.data_dir": str(self.data_dir)}
        # For what people do in the stories; it is never started.
        self.town = Town(world, Darkroom(plain_settings(self._flags)), easel, self.data_dir)
        self.bot: Bot | None = None
        self.number = 0

    @property
    def workspace(self) -> Workspace:
        """Slack."""
        return self.world.workspace

    @property
    def ledger(self) -> Ledger:
        """The books."""
        return self.town.ledger

    def told(self, prompt: str) -> str:
        """*prompt*, such as nobody has said before."""
        self.number += 1
        return f"{prompt} {self.number}"

    @property
    def log(self) -> Path:
        """What the Darkrooms have written about themselves."""
        return self.folder / "log"

    async def begin(self, *, from_start: bool = False, die_at: str | None = None) -> Bot:
        """Start a Darkroom, which may die before it is ready."""
        self.bot = await self.nursery.begin(
            self._flags, self.log, from_start=from_start, die_at=die_at, faulty_disk=self._faulty_disk
        )
        with suppress(Ended):
            await self.bot.ready()
        return self.bot

    async def living(self) -> Bot:
        """The Darkroom that runs, or a new one."""
        if self.bot is None or self.bot.ended.is_set():
            await self.buried()
            await self.begin()
        assert self.bot is not None
        assert not self.bot.ended.is_set(), self.log.read_text()[-3_000:]
        return self.bot

    async def buried(self) -> None:
        """Wait until Slack has noticed that nobody is there any more."""
        if self.bot is not None:
            await self.bot.ended.wait()
            await self.bot.close()
            await self.workspace.until(lambda w: not w.delivery.sockets, WAIT_S)

    async def heard(self) -> None:
        """Wait until every event is acknowledged."""

        def heard(workspace: Workspace) -> bool:
            # A command or a click is never sent again: whoever did it has seen that it failed.
            return all(parcel.kind != "events_api" for parcel in workspace.delivery.unanswered)

        await self.workspace.until(heard, WAIT_S)

    async def rests(self, bot: Bot | None = None) -> None:
        """Wait until everything is acknowledged and nothing is left to do. Raises ``Ended`` if *bot*, which
        may die, has died."""
        living = bot or await self.living()
        for _ in range(3):
            # What Darkroom posts last comes back to it as an event.
            waiting = asyncio.create_task(self.heard())
            dying = asyncio.create_task(living.ended.wait())
            try:
                await first_of(waiting, dying)
            finally:
                for each in (waiting, dying):
                    each.cancel()
                await asyncio.gather(waiting, dying, return_exceptions=True)
            await living.rests()


@asynccontextmanager
async def staged(
    nursery: Nursery, folder: Path, *, faulty_disk: bool = False, **settings: Any
) -> AsyncIterator[Stage]:
    """A stage with a Slack and an image API that take no time; keywords are settings with ``__``. With
    *faulty_disk* its Darkrooms' disk can be made to fail."""
    await asyncio.to_thread(folder.mkdir, parents=True)
    workspace = Workspace(file_processing_s=0.0)
    easel = Easel()
    images = ImageApi(seconds_per_picture=1.0, sleep=easel.sleep, paint=FlatPainter())
    world = await start_world(workspace, images)
    stage = Stage(nursery, world, easel, folder, settings, faulty_disk=faulty_disk)
    try:
        yield stage
    finally:
        easel.let_go()
        if stage.bot is not None:
            with suppress(Ended, TimeoutError):
                await stage.bot.close()
        await world.close()
        await workspace.close()


async def first_of(*works: asyncio.Task[Any]) -> None:
    """Wait until one of them has ended."""
    await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
