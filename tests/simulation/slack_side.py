"""Slack as a life sees it: a session in place of aiohttp's, and a socket that ends in Bolt."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy
from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app, send_async_response
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from yarl import URL

from sandbox.slack.delivery import Socket
from sandbox.slack.workspace import Workspace
from tests.simulation.life import Life
from tests.simulation.loop import in_the_world, inside
from tests.simulation.trace import Trace
from tests.simulation.weather import SlackFault, Weather

SESSION_TIMEOUT_S = 20.0
API = "/api/"
_SAID = ("channel", "thread_ts", "ts", "timestamp", "name", "user", "file")
"""What of a request goes into the trace."""
_ASKED = aiohttp.RequestInfo(URL("http://127.0.0.1:9"), "POST", CIMultiDictProxy(CIMultiDict()))
_LOOKING = frozenset({"conversations.history", "conversations.replies", "files.info"})


@dataclass(frozen=True)
class Looked:
    """Somebody looked for a post in a channel, and could not see."""

    channel: str
    at: float


@dataclass
class Reply:
    """What an HTTP request was answered, in the shape of aiohttp's."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    async def json(self) -> Any:
        """The body as JSON. Raises ContentTypeError when it claims to be something else."""
        if self.content_type != "application/json":
            raise aiohttp.ContentTypeError(_ASKED, (), message=f"unexpected mimetype: {self.content_type}")
        return json.loads(self.body)

    async def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    async def read(self) -> bytes:
        """All of it."""
        return self.body

    @property
    def content(self) -> _Content:
        """The stream of the body."""
        return _Content(self.body)


class _Content:
    def __init__(self, body: bytes) -> None:
        self._body = body

    async def read(self, size: int = -1) -> bytes:
        return self._body if size < 0 else self._body[:size]

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        for start in range(0, len(self._body), size):
            yield self._body[start : start + size]


class SlackSide:
    """The wire between a workspace and the lives: latency, faults, and what could not be seen."""

    def __init__(self, workspace: Workspace, weather: Weather, rng: random.Random, trace: Trace) -> None:
        self.workspace = workspace
        self.weather = weather
        self.rng = rng
        self.trace = trace
        self.unseen: list[Looked] = []
        self.troubled: dict[tuple[str, str], int] = {}
        """How many requests about one message met a fault."""
        self.unclear: set[tuple[str, str]] = set()
        """Messages of ours whose ``ts`` came back late, or never."""

    def session(self) -> Session:
        """What a life has for an HTTP session."""
        return Session(self, Life.current())

    async def connect(self, life: Life, app: AsyncApp) -> Socket:
        """Attach *app*'s socket; it is dropped when the life ends."""
        plug = Plug(self, life, app)
        socket = await in_the_world(self.workspace.attach(plug.send))
        life.on_death.append(lambda: self.workspace.detach(socket))
        return socket

    def latency(self) -> float:
        """Seconds of one way."""
        return self.rng.uniform(0.01, 0.15)


class Session:
    """The part of ``aiohttp.ClientSession`` that Darkroom and Slack's client use."""

    closed = False

    def __init__(self, side: SlackSide, life: Life) -> None:
        self._side = side
        self._life = life

    async def close(self) -> None:
        """Nothing is open."""

    def request(self, method: str, url: object, **more: Any) -> Any:
        """A call of the Web API."""
        return self._exchange(method, str(url), more)

    def post(self, url: object, **more: Any) -> Any:
        """An upload, or an answer to a response_url."""
        return self._exchange("POST", str(url), more)

    def get(self, url: object, **more: Any) -> Any:
        """A download."""
        return self._exchange("GET", str(url), more)

    @asynccontextmanager
    async def _exchange(self, verb: str, url: str, more: dict[str, Any]) -> AsyncIterator[Reply]:
        timeout = more.get("timeout")
        seconds = timeout.total if isinstance(timeout, aiohttp.ClientTimeout) else SESSION_TIMEOUT_S
        path = urlsplit(url).path
        name = path.removeprefix(API) if path.startswith(API) else path.split("/")[1]
        await self._life.step(f"before slack {name}")
        asked = in_the_world(self._answer(verb, url, path, name, more))
        try:
            async with asyncio.timeout(seconds):
                reply = await asyncio.shield(asked)
        finally:
            asked.add_done_callback(_retrieved)
        await self._life.step(f"after slack {name}: {reply.status}")
        yield reply

    async def _answer(self, verb: str, url: str, path: str, name: str, more: dict[str, Any]) -> Reply:
        side = self._side
        await asyncio.sleep(side.latency())
        params = _params(more)
        fault = side.weather.on_slack(name)
        if fault is not None:
            _note(side, name, params)
            side.trace.note(f"slack {name} {_about(params)}: {fault.name}")
        if fault is not None and not fault.takes_effect:
            if fault.lost:
                raise aiohttp.ServerDisconnectedError
            return _refusal(
                fault if path.startswith(API) else replace(fault, status=429 if fault.status == 429 else 503)
            )
        reply = await self._done(verb, url, path, name, params, more)
        if fault is not None and name == "chat.postMessage":
            made = json.loads(reply.body)
            side.unclear.add((str(made.get("channel")), str(made.get("ts"))))
        if fault is not None and fault.lost:
            raise aiohttp.ServerDisconnectedError
        await asyncio.sleep(side.latency() + (fault.late_s if fault is not None else 0.0))
        return reply

    async def _done(
        self, verb: str, url: str, path: str, name: str, params: dict[str, Any], more: dict[str, Any]
    ) -> Reply:
        workspace = self._side.workspace
        token = str((more.get("headers") or {}).get("Authorization", "")).removeprefix("Bearer ") or None
        if path.startswith(API):
            if name == "files.completeUploadExternal":
                workspace.file_processing_s = self._side.weather.scan_s()
            made = await workspace.call(name, params, token)
            ts = made.body.get("ts") or made.body.get("message_ts") or ""
            self._side.trace.note(f"slack {name} {_about(params)}: {made.body.get('error') or 'ok'} {ts}")
            if made.page is not None:
                return Reply(made.status, made.page.encode(), "text/html")
            body = json.dumps(made.body).encode()
            return Reply(made.status, body, headers={**made.headers, "Content-Type": "application/json"})
        if name == "upload":
            answer = await workspace.send_bytes(url, more["data"].read())
        elif verb == "GET":
            answer = await workspace.download(path, token)
        else:
            answer = await workspace.respond(url, dict(more.get("json") or {}))
        kind = answer.content_type
        return Reply(answer.status, answer.body, kind, {**answer.headers, "Content-Type": kind})


def _retrieved(asked: asyncio.Task[Reply]) -> None:
    if not asked.cancelled():
        asked.exception()


def _params(more: dict[str, Any]) -> dict[str, Any]:
    """What the server reads from query, form and JSON together."""
    made: dict[str, Any] = {}
    for part in (more.get("params"), more.get("data"), more.get("json")):
        if isinstance(part, Mapping):
            made |= part
    return made


def _about(params: dict[str, Any]) -> str:
    return " ".join(str(params[key]) for key in _SAID if params.get(key))


def _note(side: SlackSide, name: str, params: dict[str, Any]) -> None:
    channel = str(params.get("channel") or "")
    if name in _LOOKING:
        side.unseen.append(Looked(channel, asyncio.get_running_loop().time()))
    ts = str(params.get("ts") or params.get("timestamp") or "")
    side.troubled[channel, ts] = side.troubled.get((channel, ts), 0) + 1


def _refusal(fault: SlackFault) -> Reply:
    headers = {"Content-Type": "application/json"}
    if fault.retry_after is not None:
        headers["Retry-After"] = str(fault.retry_after)
    return Reply(fault.status, json.dumps({"ok": False, "error": fault.error}).encode(), headers=headers)


class Plug:
    """The life's end of a socket: what comes goes to Bolt, its answer back, both out of order at times."""

    logger = logging.getLogger("simulation.socket")

    def __init__(self, side: SlackSide, life: Life, app: AsyncApp) -> None:
        self._side = side
        self._life = life
        self._app = app

    async def send(self, envelope: dict[str, Any]) -> None:
        """Slack sends; who is dead is not there any more."""
        if not self._life.alive:
            raise ConnectionError
        if envelope["type"] in ("hello", "disconnect"):
            return
        self._later(envelope)
        if self._side.rng.random() < 0.02:
            self._side.trace.count("fault: delivered twice")
            self._later(envelope)

    def _later(self, envelope: dict[str, Any]) -> None:
        rng = self._side.rng
        delay = rng.uniform(0.5, 2.5) if rng.random() < 0.03 else self._side.latency()
        asyncio.get_running_loop().create_task(
            self._arrive(SocketModeRequest.from_dict(envelope), delay), context=inside(self._life)
        )

    async def _arrive(self, request: SocketModeRequest | None, delay: float) -> None:
        if request is None:
            return
        await asyncio.sleep(delay)
        await self._life.step(f"arrival {request.type} {_kind(request.payload)}")
        answer = await run_async_bolt_app(self._app, request)
        await send_async_response(self, request, answer, 0.0)  # type: ignore[arg-type]  # the part it uses

    async def send_socket_mode_response(self, response: SocketModeResponse) -> None:
        """The acknowledgement, on its way."""
        await self._life.step("before ack")
        in_the_world(self._acknowledged(response))

    async def _acknowledged(self, response: SocketModeResponse) -> None:
        await asyncio.sleep(self._side.latency())
        self._side.workspace.acknowledge(response.envelope_id, response.payload)


def _kind(payload: dict[str, Any]) -> str:
    event = payload.get("event") or {}
    kind = payload.get("command") or event.get("type") or payload.get("type")
    return f"{kind} {event.get('subtype') or ''}".strip()


Connect = Callable[[AsyncApp], Awaitable[object]]
