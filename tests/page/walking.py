"""The real Darkroom behind the page, and one person's way through it."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from playwright.async_api import Locator, Page, expect

from bot.app import Darkroom, Overrides
from bot.cli.demo_clock import DemoClock
from bot.cli.demo_side import DemoSide
from bot.cli.world import World, app_shortcuts, start_world
from bot.settings import plain_settings
from sandbox.slack.workspace import Workspace
from tests.sandbox_images.support import quick_api

START = datetime(2026, 11, 21, 18, 42, tzinfo=UTC)
PATIENCE_MS = 30_000
QUICK = 20


@asynccontextmanager
async def running_demo(data: Path, clock: DemoClock) -> AsyncIterator[World]:
    """What `darkroom demo --empty` runs, with a small and quick image API."""
    workspace = Workspace(now=clock.unix, sleep=clock.sleep, shortcuts=app_shortcuts())
    images = quick_api(now=clock.unix, sleep=clock.sleep)
    side = DemoSide(workspace, clock)
    world = await start_world(workspace, images, bot_side=side)
    own = {"storage.data_dir": data, "slack.admins": ("U0ADMIN001",)}
    settings = plain_settings(world.settings() | own)
    darkroom = Darkroom(settings, create_data=True, overrides=Overrides(clock=clock))
    side.attach(darkroom)
    try:
        await darkroom.start()
        yield world
    finally:
        await darkroom.aclose()
        await world.close()
        await images.close()
        await workspace.close()


class Walk:
    """One person's way through one page."""

    def __init__(self, page: Page, clock: DemoClock) -> None:
        self.page = page
        self._clock = clock
        self.log = page.get_by_label("Messages", exact=True)
        self.thread = page.get_by_label("Messages of the thread")
        self.hood = page.get_by_role("complementary", name="Under the hood")

    @contextmanager
    def quickly(self) -> Iterator[None]:
        """What has to be waited for now takes a twentieth of its time: the pace of a picture, of posts in a
        channel, of trying again. Not for what a person opens: a trigger ends after three seconds."""
        self._clock.fast(QUICK)
        yield
        self._clock.real()

    async def be(self, name: str) -> None:
        """Look as somebody else."""
        await self.page.get_by_role("radio", name=name).check()

    async def send(self, text: str) -> None:
        """Into the channel."""
        await self.page.get_by_label("Message", exact=True).fill(text)
        await self.page.get_by_label("Message", exact=True).press("Enter")

    async def reply(self, text: str) -> None:
        """Into the thread that is open."""
        await self.page.get_by_label("Reply in the thread").fill(text)
        await self.page.get_by_label("Reply in the thread").press("Enter")

    def version(self, number: int) -> Locator:
        """The message of a version in the thread that is open."""
        name = re.compile(rf"^Open the picture: .*version {number}\b")
        picture = self.page.get_by_role("button", name=name)
        return self.thread.get_by_role("article").filter(has=picture)

    async def comes(self, number: int, words: str = "") -> None:
        """A picture of this version is there, with *words* beside its number."""
        with self.quickly():
            await expect(self.version(number)).to_contain_text(f"v{number}{words}", timeout=PATIENCE_MS)

    async def choose(self, number: int, item: str) -> None:
        """From the menu under a version."""
        await self.version(number).get_by_role("button", name="More options").click()
        await self.page.get_by_role("menuitem", name=item).click()

    async def whispered(self, words: str) -> None:
        """A message that only this person sees."""
        note = self.page.locator(".ephemeral").filter(has_text=words).last
        await expect(note).to_be_visible(timeout=PATIENCE_MS)
