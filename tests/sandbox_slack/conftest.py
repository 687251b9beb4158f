"""A workspace on a free port with the official clients against it; and one on a clock that tests turn."""

import asyncio
import heapq
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from typing import Any

import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.slack.model import ApiAnswer
from sandbox.slack.server import RunningServer, serve_slack
from sandbox.slack.workspace import Workspace

Connect = Callable[[AsyncApp], Awaitable[AsyncSocketModeHandler]]


def png(width: int = 3, height: int = 2) -> bytes:
    """A small, valid, black PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = b"".join(b"\0" + bytes(width) for _ in range(height))
    packed = zlib.compress(rows)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


class Clock:
    """Time that stands still until a test moves it."""

    def __init__(self) -> None:
        self.time = 1_795_000_000.0
        self._order = count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        waking: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.time + seconds, next(self._order), waking))
        await waking

    async def settle(self) -> None:
        """Let everything run that is not waiting for time."""
        for _ in range(25):
            await asyncio.sleep(0)

    async def advance(self, seconds: float) -> None:
        """Move time on, waking sleepers on the way in their order."""
        end = self.time + seconds
        await self.settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            self.time, _, waking = heapq.heappop(self._sleepers)
            if not waking.done():
                waking.set_result(None)
            await self.settle()
        self.time = end


class App:
    """The app's end of a socket without a network: keeps envelopes, acknowledges when told to."""

    def __init__(self, workspace: Workspace, *, acks: bool = True) -> None:
        self.workspace, self.acks = workspace, acks
        self.answer: dict[str, Any] | None = None
        self.got: list[dict[str, Any]] = []

    async def send(self, message: dict[str, Any]) -> None:
        self.got.append(message)
        if self.acks and "envelope_id" in message:
            self.workspace.acknowledge(message["envelope_id"], self.answer)

    @property
    def envelopes(self) -> list[dict[str, Any]]:
        return [message for message in self.got if "envelope_id" in message]

    @property
    def events(self) -> list[dict[str, Any]]:
        return [e["payload"]["event"] for e in self.envelopes if e["type"] == "events_api"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def still(clock: Clock) -> AsyncIterator[Workspace]:
    """A workspace without a network, on a clock that the test turns; file scans are ended by hand."""
    made = Workspace(now=clock.now, sleep=clock.sleep, file_processing_s=5)
    yield made
    await made.close()


@pytest.fixture
async def workspace() -> AsyncIterator[Workspace]:
    made = Workspace(file_processing_s=0.01)
    yield made
    await made.close()


@pytest.fixture
async def server(workspace: Workspace) -> AsyncIterator[RunningServer]:
    running = await serve_slack(workspace)
    yield running
    await running.close()


@pytest.fixture
def client(workspace: Workspace, server: RunningServer) -> AsyncWebClient:
    return AsyncWebClient(token=workspace.bot_token, base_url=f"{server.url}/api/", retry_handlers=[])


@pytest.fixture
def bolt(client: AsyncWebClient) -> AsyncApp:
    """An app that acknowledges an event only once its listener is through."""
    return AsyncApp(client=client, process_before_response=True)


@asynccontextmanager
async def _running(workspace: Workspace, app: AsyncApp, url: str) -> AsyncIterator[AsyncSocketModeHandler]:
    web_client = AsyncWebClient(token=workspace.app_token, base_url=f"{url}/api/")
    handler = AsyncSocketModeHandler(app, workspace.app_token, web_client=web_client, ping_interval=1)
    before = len(workspace.delivery.sockets)
    await handler.connect_async()  # type: ignore[no-untyped-call] # Bolt leaves it unannotated
    await workspace.until(lambda w: len(w.delivery.sockets) > before)
    try:
        yield handler
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call] # Bolt leaves it unannotated


@pytest.fixture
async def connect(workspace: Workspace, server: RunningServer) -> AsyncIterator[Connect]:
    """Connects Bolt apps over Socket Mode; they are closed at the end."""
    async with AsyncExitStack() as stack:

        async def start(app: AsyncApp) -> AsyncSocketModeHandler:
            return await stack.enter_async_context(_running(workspace, app, server.url))

        yield start


async def api(workspace: Workspace, method: str, **params: Any) -> ApiAnswer:
    """A Web API call with the bot's token, without a network."""
    return await workspace.call(method, params, workspace.bot_token)


async def ok(workspace: Workspace, method: str, **params: Any) -> dict[str, Any]:
    """A call that must succeed; its body."""
    answer = await api(workspace, method, **params)
    assert answer.ok, answer.body
    return answer.body


async def uploaded(workspace: Workspace, data: bytes, name: str = "fox.png") -> str:
    """The three steps of an upload, without a channel; the file id."""
    begun = await ok(workspace, "files.getUploadURLExternal", filename=name, length=len(data))
    assert (await workspace.send_bytes(begun["upload_url"], data)).status == 200
    await ok(workspace, "files.completeUploadExternal", files=[{"id": begun["file_id"], "title": name}])
    return str(begun["file_id"])
