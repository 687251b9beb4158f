"""The socket to Slack and its watchdog: what is not heard from is replaced, for as long as that takes."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import WSMessage
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler

from handlers.errands import unbroken

logger = logging.getLogger("darkroom.app")


@dataclass(frozen=True, slots=True)
class Times:
    """In seconds of the loop's own time.

    The client looks after itself (``slack_sdk``: a ping every ten seconds, a new connection when four in a
    row are not answered), as long as its own tasks live and Slack lets it in with the address it has; these
    are longer.
    """

    look: float = 10.0
    """How often the connection is looked at."""
    down: float = 20.0
    """How long it may say that it is not connected."""
    silent: float = 60.0
    """How long it may not be heard from while it says that it is."""
    connect: float = 30.0
    """How long one try to connect may take; an address that Slack gives out is good for 30 seconds."""
    close: float = 15.0
    """How long the old connection may take to close."""
    pause: float = 5.0
    """The pause after a first try that failed; each is twice the one before."""
    longest_pause: float = 120.0
    alarm: float = 300.0
    """How long nothing may get through before that is critical."""


class Socket:
    """One connection by Socket Mode at a time, made by *make*. Its old client is closed before a new one
    connects, whatever state it is in: nothing of it can be in the way."""

    def __init__(self, make: Callable[[], AsyncSocketModeHandler], times: Times | None = None) -> None:
        self._make = make
        self._times = times or Times()
        self._handler: AsyncSocketModeHandler | None = None
        self._watching: asyncio.Task[None] | None = None
        self._heard_at = 0.0
        self._up_at = 0.0
        self._pong: float | None = None
        self.greeted = 0
        """How often Slack has said hello: once for each connection."""

    async def connect(self) -> None:
        """Connect, however long that takes, and watch from then on."""
        await self._connect()
        self._watching = asyncio.create_task(self._watch(), name="watchdog of the socket")

    async def aclose(self) -> None:
        """Stop watching, and disconnect."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        await unbroken("closing the socket to Slack", self._disconnected())

    async def ping(self) -> str | None:
        """What is wrong with the connection at this moment, or None."""
        connected = self._handler is not None and await self._handler.client.is_connected()
        return None if connected else "not connected to Slack"

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._times.look)
            # A look that breaks is no reason to look no more.
            await unbroken("the watchdog of the socket", self._look())

    async def _look(self) -> bool:
        if (why := await self._trouble()) is not None:
            logger.warning("the socket to Slack is %s: connecting anew", why)
            await self._connect()
            logger.warning("the socket to Slack is connected again")
        return True

    async def _trouble(self) -> str | None:
        """What is wrong with the connection, or None."""
        handler, now = self._handler, _now()
        if handler is None:
            return "closed"
        client = handler.client
        if client.last_ping_pong_time != self._pong:
            self._pong, self._heard_at = client.last_ping_pong_time, now
        if await client.is_connected():
            self._up_at = now
        if now - self._up_at >= self._times.down:
            return f"not connected for {now - self._up_at:.0f} s"
        if now - self._heard_at >= self._times.silent:
            return f"silent for {now - self._heard_at:.0f} s"
        return None

    async def _connect(self) -> None:
        began, pause, alarmed = _now(), self._times.pause, False
        while not await unbroken("connecting to Slack", self._connected()):
            if not alarmed and _now() - began >= self._times.alarm:
                alarmed = True
                logger.critical(
                    "Slack cannot be reached by Socket Mode for %.0f s: nobody is heard. It is tried again; "
                    "see https://status.slack.com, and whether the app-level token is still good",
                    _now() - began,
                )
            await asyncio.sleep(pause)
            pause = min(2 * pause, self._times.longest_pause)

    async def _connected(self) -> bool:
        """One try, from the old connection to a new one; whether it came to one."""
        await unbroken("closing the socket to Slack", self._disconnected())
        handler = self._handler = self._make()
        handler.client.on_message_listeners.append(self._hear)
        try:
            async with asyncio.timeout(self._times.connect):
                # Its client tries for ever, and with an address that may be no good any more.
                await handler.connect_async()  # type: ignore[no-untyped-call]  # untyped in slack_bolt
        except TimeoutError:
            logger.warning("connecting to Slack took longer than %.0f s", self._times.connect)
            return False
        self._pong, self._heard_at, self._up_at = None, _now(), _now()
        return True

    async def _disconnected(self) -> bool:
        """Close what there is; a dead connection may fail to, and is left."""
        handler, self._handler = self._handler, None
        if handler is not None:
            async with asyncio.timeout(self._times.close):
                await handler.close_async()  # type: ignore[no-untyped-call]  # untyped in slack_bolt
        return True

    async def _hear(self, message: WSMessage) -> None:
        self._heard_at = _now()
        self.greeted += _greets(message.data)


def _greets(data: object) -> bool:
    """Whether that is the first message of a connection."""
    # Most messages are somebody's event, and parsed soon enough by the client.
    if not isinstance(data, str) or '"hello"' not in data:
        return False
    try:
        said = json.loads(data)
    except ValueError:
        return False
    return isinstance(said, dict) and said.get("type") == "hello"


def _now() -> float:
    return asyncio.get_running_loop().time()
