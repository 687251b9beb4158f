"""The connections of an HTTP server: how many there may be, and how long one may stand that nobody knows."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

CONNECTIONS_MAX: Final = 256
"""At once. A quarter of the files that a process usually may have open; Darkroom needs some for itself."""
STRANGER_S: Final = 15.0
"""How long a connection may stand before a request of Slack's has come over it; Slack waits for 3 seconds."""
IDLE_S: Final = 150.0
"""How long one over which such a request came may stand idle: longer than a proxy keeps its own (Caddy: two
minutes, nginx: one), so that none sends into one that is just being closed."""


class Connection(web.RequestHandler):
    """One connection, of which *among* keeps count."""

    def __init__(self, among: Connections, server: web.Server, options: Mapping[str, Any]) -> None:
        super().__init__(server, loop=asyncio.get_running_loop(), keepalive_timeout=among.idle_s, **options)
        self._among = among

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As aiohttp's."""
        super().connection_made(transport)
        self._among.came(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        """As aiohttp's."""
        self._among.went(self)
        super().connection_lost(exc)

    def cut(self) -> None:
        """End it at once, with what was still to be sent over it."""
        if self.transport is not None:
            self.transport.abort()


class Connections:
    """Everybody who is connected. When there are too many, the oldest stranger goes, or else whoever sent
    nothing for the longest: so those who only stand there cannot keep Slack out."""

    def __init__(
        self, at_most: int = CONNECTIONS_MAX, stranger_s: float = STRANGER_S, idle_s: float = IDLE_S
    ) -> None:
        self._at_most = at_most
        self._stranger_s = stranger_s
        self.idle_s = idle_s
        self._strangers: dict[Connection, asyncio.TimerHandle] = {}
        self._trusted: dict[Connection, None] = {}

    def __len__(self) -> int:
        return len(self._strangers) + len(self._trusted)

    def came(self, one: Connection) -> None:
        """Somebody connected."""
        if len(self) >= self._at_most:
            last = next(iter(self._strangers or self._trusted))
            self.went(last)
            last.cut()
        self._strangers[one] = asyncio.get_running_loop().call_later(self._stranger_s, one.cut)

    def trust(self, one: Connection) -> None:
        """A request of Slack's came over it."""
        self.went(one)
        self._trusted[one] = None

    def went(self, one: Connection) -> None:
        """It ended; it may have been forgotten already."""
        timer = self._strangers.pop(one, None)
        if timer is not None:
            timer.cancel()
        self._trusted.pop(one, None)
