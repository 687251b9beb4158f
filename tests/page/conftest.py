"""A sandbox with its page on a free port, a stand-in for the bot, and pages of Debian's Chromium.

All tests of this folder run in one event loop of the worker, because the browser's driver lives in it: one
for each test would cost half a second each. So an async fixture here says `loop_scope="session"`.
"""

import asyncio
import struct
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from sandbox.images.api import ImageApi
from sandbox.page.routes import add_page
from sandbox.slack.control import add_control
from sandbox.slack.server import RunningServer, serve_app, slack_app
from sandbox.slack.workspace import Workspace
from tests.page.chromium import MISSING, Chromium, find_chromium

NAMELESS = """() => [...document.querySelectorAll('button, a[href], input, select, textarea')]
    .filter((n) => !n.hidden && !(n.getAttribute('aria-label') || n.textContent.trim()
        || [...(n.labels ?? [])].some((label) => label.textContent.trim())))
    .map((n) => n.outerHTML)"""
"""A script that finds everything a person can use and a screen reader has no name for."""

DESIGN = "C0DESIGN01"
ALICE, BOB = "U0ALICE001", "U0BOB00001"
_PATIENCE_MS = 30_000
_END_S = 10


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every coroutine of this folder runs in the loop of the session."""
    for item in items:
        if item.path.parent == Path(__file__).parent and item.get_closest_marker("asyncio"):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def nothing_goes_on() -> AsyncIterator[None]:
    """The loop outlives a test: what a test has begun in it must be over with the test."""
    before = asyncio.all_tasks()
    yield
    begun = asyncio.all_tasks() - before - {asyncio.current_task()}
    left = (await asyncio.wait(begun, timeout=_END_S))[1] if begun else set()
    assert not left


def png(width: int = 30, height: int = 20) -> bytes:
    """A small, valid, black PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + bytes(width) for _ in range(height)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


class Bot:
    """The app's end of the socket: acknowledges all with `answer`, keeps it, posts by the Web API."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.got: list[dict[str, Any]] = []
        self.answer: dict[str, Any] | None = None

    async def send(self, message: dict[str, Any]) -> None:
        self.got.append(message)
        if "envelope_id" in message:
            self.workspace.acknowledge(message["envelope_id"], self.answer)

    def payloads(self, kind: str) -> list[dict[str, Any]]:
        """What came in envelopes of this kind."""
        return [message["payload"] for message in self.got if message["type"] == kind]

    def pressed(self) -> list[str]:
        """The action ids of the buttons that were pressed."""
        return [p["actions"][0]["action_id"] for p in self.payloads("interactive")]

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """A Web API call that must succeed; its body."""
        answer = await self.workspace.call(method, params, self.workspace.bot_token)
        assert answer.ok, answer.body
        return answer.body

    async def say(self, text: str = "words", channel: str = DESIGN, **more: Any) -> str:
        """Post a message; its ts."""
        return str((await self.call("chat.postMessage", channel=channel, text=text, **more))["ts"])

    async def file(self, data: bytes, name: str) -> str:
        """Upload a file without a channel; its id."""
        begun = await self.call("files.getUploadURLExternal", filename=name, length=len(data))
        assert (await self.workspace.send_bytes(begun["upload_url"], data)).status == 200
        await self.call("files.completeUploadExternal", files=[{"id": begun["file_id"], "title": name}])
        return str(begun["file_id"])


@pytest_asyncio.fixture(loop_scope="session")
async def workspace() -> AsyncIterator[Workspace]:
    made = Workspace(file_processing_s=0)
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="session")
async def images() -> AsyncIterator[ImageApi]:
    made = ImageApi(seconds_per_picture=4)
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="session")
async def server(workspace: Workspace, images: ImageApi) -> AsyncIterator[RunningServer]:
    app = slack_app(workspace)
    add_control(app)
    add_page(app, workspace, images)
    running = await serve_app(app)
    yield running
    await running.close()


@pytest_asyncio.fixture(loop_scope="session")
async def bot(workspace: Workspace) -> Bot:
    """A connected bot."""
    made = Bot(workspace)
    await workspace.attach(made.send)
    return made


class OpenPage:
    """Opens pages in a running browser, and keeps what went wrong in them and whom they asked."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._sessions: list[BrowserContext] = []
        self.errors: list[str] = []
        self.hosts: set[str | None] = set()

    async def __call__(
        self,
        url: str,
        *,
        width: int = 1280,
        height: int = 800,
        scheme: Literal["light", "dark"] = "light",
        touch: bool = False,
    ) -> Page:
        """A page in a session of its own, with the composer ready."""
        context = await self._browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            has_touch=touch,
            # A click waits until its button stands still, and each frame on the way there is drawn anew.
            reduced_motion="reduce",
        )
        self._sessions.append(context)
        context.set_default_timeout(_PATIENCE_MS)
        page = await context.new_page()
        page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).hostname))
        await page.goto(url)
        await page.locator("#channel-text").wait_for()
        return page

    async def close(self) -> None:
        """Close the sessions; the browser goes on."""
        for context in self._sessions:
            await context.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """The browser that this worker's tests share; skips without one."""
    path = find_chromium()
    if path is None:
        pytest.skip(MISSING)
    shared = Chromium(path)
    yield shared
    shared.close()


class Driven:
    """Playwright's driver with its connection to the browser, made when it is first needed; one that was lost
    is made anew."""

    def __init__(self, chromium: Chromium) -> None:
        self._chromium = chromium
        self._browser: Browser | None = None
        self._open = AsyncExitStack()

    async def browser(self) -> Browser:
        """The browser, connected."""
        if self._browser is None or not self._browser.is_connected():
            await self.close()
            driver = await self._open.enter_async_context(async_playwright())
            self._browser = await driver.chromium.connect_over_cdp(self._chromium.address())
        return self._browser

    async def close(self) -> None:
        """Let the browser go, and end the driver."""
        if self._browser is not None:
            await self._browser.close()
        await self._open.aclose()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def driven(chromium: Chromium) -> AsyncIterator[Driven]:
    """The driver that this worker's tests share."""
    expect.set_options(timeout=_PATIENCE_MS)
    made = Driven(chromium)
    await made.browser()
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="session")
async def browser_page(driven: Driven) -> AsyncIterator[OpenPage]:
    """Opens pages: `await browser_page(url, width=1280, height=800, scheme="light", touch=False)`.

    Afterwards no page may have logged an error (a violation of its content policy is one) or asked any
    other host for anything. Skips without a Chromium.
    """
    open_page = OpenPage(await driven.browser())
    yield open_page
    await open_page.close()
    assert not open_page.errors
    assert open_page.hosts <= {"127.0.0.1", "localhost", None}
