"""HTTP mode: Slack posts to an address of ours. What Slack has not signed, or not lately, reaches nothing."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.signature import Clock as SignatureClock
from slack_sdk.signature import SignatureVerifier

from bot.preflight import CannotStart
from darkroom.clock import Clock

logger = logging.getLogger("darkroom.app")

BODY_MAX: Final = 1024 * 1024
"""Bytes of a request. Slack's largest carry a view, of which it takes 250 kB."""
DEPTH_MAX: Final = 64
"""Arrays and objects inside one another: about five times as many as Slack's deepest payload has."""
READ_S: Final = 10.0
"""How long a request may take to arrive; Slack waits for 3 seconds in all."""
READING_MAX: Final = 64
"""Requests that arrive at once: so many times ``BODY_MAX`` is what strangers can make us keep."""
FRESH_S: Final = 300
"""How old a signature may be (docs.slack.dev: verifying requests from Slack)."""
CLOSE_S: Final = 4.0
"""How long a stop waits for the answers that are under way; Slack does not wait longer."""
LINGER_S: Final = 0.5
"""How long the rest of a refused body is thrown away, so that its sender can read the answer."""
TELL_S: Final = 60.0
"""The pause between two lines in the log about refused requests: anybody can send those."""

_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")
_HEADERS = ("x-slack-retry-num", "x-slack-retry-reason")
"""What Bolt is shown of them. It has headers of its own by which a request may name a function to run."""
_REMEDIES = {
    "signature": "compare SLACK_SIGNING_SECRET with your app's page (Basic Information → App Credentials)",
    "time": "Slack's clock and this machine's differ, or somebody sends again what Slack sent before",
}


class Refused(Exception):
    """A request that is not taken. The sender is told *status* and *why*; nothing was done."""

    def __init__(self, status: int, why: str, remedy: str = "") -> None:
        super().__init__(why)
        self.status = status
        self.why = why
        self.remedy = remedy


class HttpServer:
    """Listens for what Slack posts to *path*: events, commands, clicks, dialogs. ``start`` it, then
    ``aclose`` it.

    *clock* tells how old a signature is. Port 0 takes any free one, which ``url`` then names.
    """

    def __init__(
        self, app: AsyncApp, signing_secret: str, clock: Clock, *, host: str, port: int, path: str
    ) -> None:
        self._app = app
        self._clock = clock
        self._verifier = SignatureVerifier(signing_secret, _Seconds(clock))
        self._host, self._port, self._path = host, port, path
        self._runner: web.AppRunner | None = None
        self._reading = 0
        self._told_at = -TELL_S
        self._untold = 0
        self.refused: Counter[str] = Counter()
        """How many requests were refused, by why."""

    @property
    def listening(self) -> bool:
        """Whether it can be reached."""
        return self._runner is not None

    @property
    def url(self) -> str:
        """Where Slack's requests go, seen from this machine."""
        port = self._runner.addresses[0][1] if self._runner is not None else self._port
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{port}{self._path}"

    async def start(self) -> None:
        """Listen. Raises ``CannotStart`` when the port or the address cannot be had."""
        server = web.Application(client_max_size=BODY_MAX)
        server.router.add_post(self._path, self._take)
        server.router.add_get("/healthz", _alive)
        # Slack compresses nothing, and what is signed are the bytes as they come.
        runner = web.AppRunner(
            server,
            access_log=None,
            shutdown_timeout=CLOSE_S,
            auto_decompress=False,
            lingering_time=LINGER_S,
            logger=_server_log(),
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
        except OSError as error:
            await runner.cleanup()
            raise CannotStart([_taken(self._host, self._port, error)]) from error
        self._runner = runner
        logger.info("listening for Slack at %s", self.url)

    async def aclose(self) -> None:
        """Take nothing new, and finish what is being answered."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def _take(self, request: web.Request) -> web.StreamResponse:
        try:
            body = await self._read(request)
            payload = _payload(self._signed(body, request.headers))
            asked = _asked(payload, request.headers)
        except Refused as refused:
            return self._say_no(refused)
        return await to_aiohttp_response(await self._app.async_dispatch(asked))

    async def _read(self, request: web.Request) -> bytes:
        """The body, unless what comes before it is enough to refuse it."""
        if (request.content_length or 0) > BODY_MAX:
            raise Refused(413, "too large")
        self._fresh(request.headers)
        if self._reading >= READING_MAX:
            raise Refused(503, "too many at once")
        self._reading += 1
        try:
            async with asyncio.timeout(READ_S):
                return await request.read()
        except web.HTTPRequestEntityTooLarge:
            raise Refused(413, "too large") from None
        except TimeoutError:
            raise Refused(408, "too slow") from None
        except (ConnectionError, HttpProcessingError):
            raise Refused(400, "broken off") from None
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
            logger.warning("%d requests refused; the last one: %s%s", self._untold, refused.why, remedy)
            self._told_at, self._untold = now, 0
        # The same bytes would be refused again.
        response = web.Response(status=refused.status, text="refused\n", headers={"X-Slack-No-Retry": "1"})
        response.force_close()
        return response


class _Seconds(SignatureClock):
    """Our clock, as the signature helper asks for the time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> float:
        return self._clock.now().timestamp()


def _server_log() -> logging.Logger:
    log = logging.getLogger("aiohttp.server.slack")
    log.addFilter(_is_ours)
    return log


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether a line is about us: what is no HTTP at all is answered with 400, and anybody can send it."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


async def _alive(request: web.Request) -> web.Response:
    return web.Response(text="ok\n")


def _payload(text: str) -> dict[str, Any]:
    """What was sent: JSON, JSON in a form, or a form that is a command.

    Bolt is not left to read it: for that, a command that has the word "payload" anywhere is nothing at all.
    """
    fields: dict[str, Any] = {}
    if not text.startswith("{"):
        fields = dict(parse_qsl(text, keep_blank_values=True))
        if "payload" not in fields:
            if "command" in fields or "ssl_check" in fields:
                return fields
            raise Refused(400, "no payload")
    try:
        value = json.loads(fields.get("payload", text))
    except (ValueError, RecursionError):
        raise Refused(400, "not JSON") from None
    if not isinstance(value, dict) or _is_deep(value):
        raise Refused(400, "not a payload")
    return value


def _asked(payload: dict[str, Any], given: Mapping[str, str]) -> AsyncBoltRequest:
    headers: dict[str, str | Sequence[str]] = {name: given[name] for name in _HEADERS if name in given}
    try:
        # To Bolt it is as from a socket: already read, and nothing to verify any more.
        return AsyncBoltRequest(body=payload, headers=headers, mode="socket_mode")
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        # Bolt looks for ids where Slack puts them, and takes them for what Slack makes of them.
        raise Refused(400, "not a payload") from None


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEPTH_MAX):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, list | dict)
        ]
        if not level:
            return False
    return True


def _taken(host: str, port: int, error: OSError) -> str:
    known = error.errno is not None and error.errno > 0
    why = os.strerror(error.errno or 0) if known else error.strerror or str(error)
    return (
        f"slack.host and slack.port: nothing can listen at {host}, port {port} ({why}). "
        "Stop what listens there, or choose another port and tell your proxy."
    )
