"""The socket to Slack when its client has died, its connection hangs, or Slack is gone for a while."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.watchdog import Socket, Times
from sandbox.faults.rules import FaultPlan, Rule
from sandbox.slack.server import RunningServer, serve_slack
from sandbox.slack.workspace import Workspace

WAIT_S = 10.0
TIMES = Times(
    look=0.02, down=0.2, silent=0.3, connect=0.5, close=0.1, pause=0.01, longest_pause=0.04, alarm=0.05
)
"""Everything a hundred times as quick; a ping is answered every 50 ms."""
PATIENT = replace(TIMES, silent=1.2, down=1.2)
"""For a connection that is well on a machine that is not: what runs here may stand still for a while."""


class Watched(Socket):
    """A socket that says how often it was looked at."""

    looks = 0
    looked: asyncio.Event

    async def _trouble(self) -> str | None:
        self.looks += 1
        self.looked.set()
        return await super()._trouble()


class Ear:
    """Hears what arrives by whichever client is the latest."""

    def __init__(self, workspace: Workspace, url: str, times: Times = TIMES) -> None:
        self._workspace, self._url = workspace, url
        self.clients: list[SocketModeClient] = []
        self.heard: list[str] = []
        self.news = asyncio.Event()
        self.socket = Watched(self._make, times)
        self.socket.looked = asyncio.Event()

    def _make(self) -> AsyncSocketModeHandler:
        web = AsyncWebClient(token=self._workspace.app_token, base_url=f"{self._url}/api/")
        app = AsyncApp(token=self._workspace.bot_token, client=web)
        handler = AsyncSocketModeHandler(app, self._workspace.app_token, web_client=web, ping_interval=0.05)
        handler.client.socket_mode_request_listeners = [self._hear]
        self.clients.append(handler.client)
        return handler

    async def _hear(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        await client.send_socket_mode_response(SocketModeResponse(request.envelope_id))
        self.heard.append(str(request.payload["event"]["text"]))
        self.news.set()

    async def hears(self, text: str) -> None:
        """Wait until that was heard."""
        async with asyncio.timeout(WAIT_S):
            while text not in self.heard:
                self.news.clear()
                await self.news.wait()

    async def looked(self, times: int) -> None:
        """Wait until the watchdog has looked so often from now on."""
        until = self.socket.looks + times
        async with asyncio.timeout(WAIT_S):
            while self.socket.looks < until:
                self.socket.looked.clear()
                await self.socket.looked.wait()


def struck_dead(client: SocketModeClient) -> None:
    """Neither reads nor looks after itself any more."""
    for task in (client.message_receiver, client.current_session_monitor):
        assert task is not None
        task.cancel()


@pytest.fixture
async def workspace() -> AsyncIterator[Workspace]:
    """A Slack."""
    made = Workspace(file_processing_s=0)
    yield made
    await made.close()


@pytest.fixture
async def server(workspace: Workspace) -> AsyncIterator[RunningServer]:
    """Its door."""
    started = await serve_slack(workspace)
    yield started
    await started.close()


@pytest.fixture
async def ear(workspace: Workspace, server: RunningServer) -> AsyncIterator[Ear]:
    """Somebody who is connected."""
    made = Ear(workspace, server.url)
    await made.socket.connect()
    yield made
    await made.socket.aclose()
    assert all(client.closed for client in made.clients)


async def test_a_connection_that_is_well_is_left_alone(workspace: Workspace, server: RunningServer) -> None:
    """Also when nobody says anything for long: its pings are answered."""
    ear = Ear(workspace, server.url, PATIENT)
    try:
        await ear.socket.connect()
        await ear.looked(round(1.5 * PATIENT.silent / PATIENT.look))
        await workspace.post("alice", "design", "hello")
        await ear.hears("hello")
        assert len(ear.clients) == 1
    finally:
        await ear.socket.aclose()


async def test_a_connection_whose_client_has_died_is_replaced(
    ear: Ear, workspace: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    struck_dead(ear.clients[0])
    await workspace.post("alice", "design", "hello")
    await ear.hears("hello")
    assert len(ear.clients) == 2
    assert ear.clients[0].closed
    assert "silent for" in caplog.text


async def test_a_connection_that_was_cut_under_a_dead_client_is_replaced(
    ear: Ear, workspace: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    struck_dead(ear.clients[0])
    (socket,) = workspace.delivery.sockets
    assert socket.cut is not None
    await socket.cut()
    await workspace.post("alice", "design", "hello")
    await ear.hears("hello")
    assert len(ear.clients) == 2
    assert "not connected for" in caplog.text


async def test_a_connection_that_hangs_is_replaced_by_whoever_notices_first(
    ear: Ear, workspace: Workspace
) -> None:
    workspace.fault_plan = FaultPlan([Rule("slack", "events_api", "socket hangs", times=1)])
    await workspace.post("alice", "design", "into the void")
    await ear.looked(30)
    await workspace.post("alice", "design", "hello")
    await ear.hears("hello")


async def test_when_slack_is_gone_it_is_tried_until_it_is_back_and_that_is_critical(
    workspace: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    server = await serve_slack(workspace)
    ear = Ear(workspace, server.url)
    await ear.socket.connect()
    await server.close()
    struck_dead(ear.clients[0])
    alarmed: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    class Alarm(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.levelno == logging.CRITICAL and not alarmed.done():
                alarmed.set_result(record.getMessage())

    alarm = Alarm()
    logger = logging.getLogger("darkroom.app")
    logger.addHandler(alarm)
    try:
        async with asyncio.timeout(WAIT_S):
            assert "Slack cannot be reached by Socket Mode" in await alarmed
        again = await serve_slack(workspace, port=int(server.url.rsplit(":", 1)[1]))
        await workspace.post("alice", "design", "hello")
        await ear.hears("hello")
    finally:
        logger.removeHandler(alarm)
        await ear.socket.aclose()
    await again.close()


async def test_a_look_that_breaks_is_not_the_last(ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    async def breaks() -> bool:
        raise RuntimeError("as a client of another version might")

    monkeypatch.setattr(ear.clients[0], "is_connected", breaks)
    await ear.looked(3)


async def test_it_counts_connections_and_says_whether_there_is_one(ear: Ear, workspace: Workspace) -> None:
    """What somebody writes is no greeting, whatever it says."""
    assert await ear.socket.ping() is None
    assert ear.socket.greeted == 1
    await workspace.post("alice", "design", "hello")
    await ear.hears("hello")
    assert ear.socket.greeted == 1
    struck_dead(ear.clients[0])
    await workspace.post("alice", "design", "again")
    await ear.hears("again")
    assert ear.socket.greeted == 2
    await ear.socket.aclose()
    assert await ear.socket.ping() == "not connected to Slack"
