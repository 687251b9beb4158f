"""HTTP mode: Slack posts to an address of ours. What Slack has not signed, or not lately, reaches nothing."""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import Any, Final, cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.signature import Clock as SignatureClock
from slack_sdk.signature import SignatureVerifier

from bot.connections import Connection, Connections
from bot.http_payloads import Refused, asked, payload_of
from bot.preflight import CannotStart
from darkroom.clock import Clock
from handlers.errands import where

logger = logging.getLogger("darkroom.app")

BODY_MAX: Final = 1024 * 1024
"""Bytes of a request. Slack's largest carry a view, of which it takes 250 kB."""
READ_S: Final = 10.0
"""How long a request may take to arrive; Slack waits for 3 seconds in all."""
SMALL_MAX: Final = 64 * 1024
"""Bytes of a request that is read however many there are, as most of Slack's are; connections are counted."""
READING_MAX: Final = 32
"""Larger ones that arrive at once: so many times ``BODY_MAX`` is what strangers can make us keep of those."""
FRESH_S: Final = 300
"""How old a signature may be (docs.slack.dev: verifying requests from Slack)."""
CLOSE_S: Final = 4.0
"""How long a stop waits for the answers that are under way; Slack does not wait longer."""
CUT_S: Final = 0.2
"""How long it then waits for each connection to end by itself, at most twice."""
LINGER_S: Final = 0.5
"""How long the rest of a refused body is thrown away, so that its sender can read the answer."""
TELL_S: Final = 60.0
"""The pause between two lines in the log about refused requests: anybody can send those."""

_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")
_NEVER = (400, 413)
"""What is refused for what it is."""
_OF_SLACK = web.RequestKey("of Slack", bool)
_REMEDIES = {
    "signature": "compare SLACK_SIGNING_SECRET with your app's page (Basic Information → App Credentials)",
    "time": "Slack's clock and this machine's differ, or somebody sends again what Slack sent before",
}


class HttpServer:
    """Listens for what Slack posts to *path*: events, commands, clicks, dialogs. ``start`` it, then
    ``aclose`` it.

    *clock* tells how old a signature is. Port 0 takes any free one, which ``url`` then names.
    """

    def __init__(
        self,
        app: AsyncApp,
        signing_secret: str,
        clock: Clock,
        *,
        host: str,
        port: int,
        path: str,
        connections: Connections | None = None,
    ) -> None:
        self._app = app
        self._connections = Connections() if connections is None else connections
        self._clock = clock
        self._verifier = SignatureVerifier(signing_secret, _Seconds(clock))
        self._host, self._port, self._path = host, port, path
        self._runner: web.AppRunner | None = None
        self._listener: asyncio.Server | None = None
        self._answering: set[asyncio.Task[Any]] = set()
        self._reading = 0
        self._told_at = -TELL_S
        self._untold = 0
        self.refused: Counter[str] = Counter()
        """How many requests were refused, by why."""

    @property
    def listening(self) -> bool:
        """Whether it can be reached."""
        return self._listener is not None

    @property
    def url(self) -> str:
        """Where Slack's requests go, seen from this machine."""
        port = self._listener.sockets[0].getsockname()[1] if self._listener is not None else self._port
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{port}{self._path}"

    async def start(self) -> None:
        """Listen. Raises ``CannotStart`` when the port or the address cannot be had."""
        server = web.Application(client_max_size=BODY_MAX, middlewares=[_strangers_once])
        server.router.add_post(self._path, self._take)
        server.router.add_get("/healthz", _alive)
        runner = web.AppRunner(server, shutdown_timeout=CUT_S)
        await runner.setup()
        # Slack compresses nothing, and what is signed are the bytes as they come.
        options = {
            "access_log": None,
            "auto_decompress": False,
            "lingering_time": LINGER_S,
            "logger": server_log("slack"),
        }
        manager = cast("web.Server", runner.server)
        made = partial(Connection, self._connections, manager, options)
        loop = asyncio.get_running_loop()
        try:
            self._listener = await loop.create_server(made, self._host, self._port)
        except OSError as error:
            await runner.cleanup()
            raise CannotStart([_taken(self._host, self._port, error)]) from error
        self._runner = runner
        logger.info("listening for Slack at %s", self.url)

    async def aclose(self) -> None:
        """Take nothing new, and finish what is being answered."""
        runner, self._runner = self._runner, None
        listener, self._listener = self._listener, None
        if listener is None or runner is None:
            return
        listener.close()
        if self._answering:
            await asyncio.wait(self._answering, timeout=CLOSE_S)
        await runner.cleanup()

    async def _take(self, request: web.Request) -> web.StreamResponse:
        try:
            payload = payload_of(self._signed(await self._read(request), request.headers))
            wanted = asked(payload, request.headers)
            if not self.listening:
                raise Refused(503, "stopping")
        except Refused as refused:
            return self._say_no(refused)
        if isinstance(request.protocol, Connection):
            self._connections.trust(request.protocol)
        answering = asyncio.ensure_future(self._answer(wanted))
        self._answering.add(answering)
        answering.add_done_callback(self._answering.discard)
        response = await answering
        request[_OF_SLACK] = True
        return response

    async def _answer(self, wanted: AsyncBoltRequest) -> web.Response:
        try:
            return await to_aiohttp_response(await self._app.async_dispatch(wanted))
        except Exception as error:  # noqa: BLE001 -- aiohttp would log it with its words, which may be somebody's
            logger.error("a request of Slack's broke: %s", where(error))
            return web.Response(status=500, text="broke\n")

    async def _read(self, request: web.Request) -> bytes:
        """The body, unless what comes before it is enough to refuse it."""
        if (request.content_length or 0) > BODY_MAX:
            raise Refused(413, "too large")
        self._fresh(request.headers)
        length = request.content_length
        if length is not None and length <= SMALL_MAX:
            return await _whole(request)
        if self._reading >= READING_MAX:
            raise Refused(503, "too many at once")
        self._reading += 1
        try:
            return await _whole(request)
        finally:
            self._reading -= 1

    def _fresh(self, headers: Mapping[str, str]) -> None:
        timestamp = headers.get("X-Slack-Request-Timestamp", "")
        signature = headers.get("X-Slack-Signature", "")
        if not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
            raise Refused(401, "not signed")
        if abs(self._clock.now().timestamp() - int(timestamp)) > FRESH_S:
            raise Refused(401, "signed too long ago, or ahead of time", _REMEDIES["time"])

    def _signed(self, body: bytes, headers: Mapping[str, str]) -> str:
        """The body as text, if the signature is Slack's."""
        try:
            text = body.decode()
        except UnicodeDecodeError:
            # The helper would break on it; nobody who has our secret sends such.
            raise Refused(401, "not UTF-8") from None
        timestamp, signature = headers["X-Slack-Request-Timestamp"], headers["X-Slack-Signature"]
        if not self._verifier.is_valid(body, timestamp, signature):
            raise Refused(401, "signed with another secret", _REMEDIES["signature"])
        return text

    def _say_no(self, refused: Refused) -> web.Response:
        self.refused[refused.why] += 1
        self._untold += 1
        now = self._clock.monotonic()
        if now - self._told_at >= TELL_S:
            remedy = f" ({refused.remedy})" if refused.remedy else ""
            logger.warning("requests refused: %d; the last one: %s%s", self._untold, refused.why, remedy)
            self._told_at, self._untold = now, 0
        # The same bytes would be refused again; but who is busy, or has the wrong time or secret, mends that.
        never = {"X-Slack-No-Retry": "1"} if refused.status in _NEVER else {}
        return web.Response(status=refused.status, text="refused\n", headers=never)


class _Seconds(SignatureClock):
    """Our clock, as the signature helper asks for the time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> float:
        return self._clock.now().timestamp()


def server_log(name: str) -> logging.Logger:
    """The log of a server of ours, which says nothing of what is no HTTP: anybody can send that."""
    log = logging.getLogger(f"aiohttp.server.{name}")
    log.addFilter(_is_ours)
    return log


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether a line is about us: what is no HTTP at all is answered with 400."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


async def _whole(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(READ_S):
            return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise Refused(413, "too large") from None
    except TimeoutError:
        raise Refused(408, "too slow") from None
    except (ConnectionError, HttpProcessingError):
        raise Refused(400, "broken off") from None


@web.middleware
async def _strangers_once(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Nobody but Slack sends a second request over a connection."""
    try:
        response = await handler(request)
    except web.HTTPException as none:
        none.force_close()
        raise
    if _OF_SLACK not in request:
        response.force_close()
    return response


async def _alive(request: web.Request) -> web.Response:
    return web.Response(text="ok\n")


def _taken(host: str, port: int, error: OSError) -> str:
    known = error.errno is not None and error.errno > 0
    why = os.strerror(error.errno or 0) if known else error.strerror or str(error)
    return (
        f"slack.host and slack.port: nothing can listen at {host}, port {port} ({why}). "
        "Stop what listens there, or choose another port and tell your proxy."
    )
