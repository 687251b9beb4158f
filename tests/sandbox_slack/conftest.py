"""A workspace on a free port, and the official clients against it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.slack.server import RunningServer, serve_slack
from sandbox.slack.workspace import Workspace

Connect = Callable[[AsyncApp], Awaitable[AsyncSocketModeHandler]]


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
    await handler.connect_async()  # type: ignore[no-untyped-call] # Bolt leaves it unannotated
    await workspace.until(lambda w: w.delivery.sockets)
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
