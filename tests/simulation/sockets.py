"""A life's end of its socket: what comes goes to Bolt, its answer back. A connection that is cut, told to go,
or silent is replaced, as Slack's client and the watchdog of a real process do."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import Any

from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app, send_async_response
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from sandbox.slack.delivery import Socket
from sandbox.slack.workspace import Workspace
from tests.simulation.life import Life
from tests.simulation.loop import in_the_world, inside

SILENT_S = 75.0
"""After so long a connection that hangs has been replaced."""


class Connection:
    """One at a time, from ``open`` until ``close``."""

    logger = logging.getLogger("simulation.socket")

    def __init__(self, workspace: Workspace, life: Life, app: AsyncApp, rng: random.Random) -> None:
        self._workspace = workspace
        self._life = life
        self._app = app
        self._rng = rng
        self._socket: Socket | None = None
        self.closed = False

    async def open(self) -> None:
        """Connect, in place of what there was."""
        if self.closed or not self._life.alive:
            return
        before = self._socket
        self._socket = await self._workspace.attach(self.send, self._again, self._again)
        if before is not None:
            await asyncio.sleep(self._rng.uniform(0.1, 2.0))
            self._workspace.detach(before)

    def close(self) -> None:
        """Let go of it, and connect no more."""
        self.closed = True
        if self._socket is not None:
            self._workspace.detach(self._socket)

    async def looked_after(self) -> None:
        """Replace it if it turns out to hang."""
        await asyncio.sleep(SILENT_S)
        if self._socket is not None and self._socket.hung and not self.closed:
            await self.open()

    async def _again(self) -> None:
        """It was ended."""
        await asyncio.sleep(self._rng.uniform(0.5, 8.0))
        await self.open()

    async def send(self, envelope: dict[str, Any]) -> None:
        """Slack sends; who is dead is not there any more."""
        if not self._life.alive:
            raise ConnectionError
        if envelope["type"] == "disconnect":
            in_the_world(self._again())
        elif envelope["type"] != "hello":
            asyncio.get_running_loop().create_task(
                self._arrive(SocketModeRequest.from_dict(envelope)), context=inside(self._life)
            )

    async def _arrive(self, request: SocketModeRequest | None) -> None:
        if request is None:
            return
        await asyncio.sleep(self._latency())
        await self._life.step(f"arrival {request.type} {_kind(request.payload)}")
        answer = await run_async_bolt_app(self._app, request)
        await send_async_response(self, request, answer, 0.0)  # type: ignore[arg-type]  # the part it uses

    async def send_socket_mode_response(self, response: SocketModeResponse) -> None:
        """The acknowledgement, on its way."""
        await self._life.step("before ack")
        in_the_world(self._acknowledged(response))

    async def _acknowledged(self, response: SocketModeResponse) -> None:
        await asyncio.sleep(self._latency())
        self._workspace.acknowledge(response.envelope_id, response.payload)

    def _latency(self) -> float:
        return self._rng.uniform(0.01, 0.15)


def _kind(payload: dict[str, Any]) -> str:
    event = payload.get("event") or {}
    kind = payload.get("command") or event.get("type") or payload.get("type")
    return f"{kind} {event.get('subtype') or ''}".strip()
