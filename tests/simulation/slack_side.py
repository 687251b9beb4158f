"""Slack as a life sees it: a session in place of aiohttp's, and a socket that ends in Bolt."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy
from slack_bolt.async_app import AsyncApp
from yarl import URL

from sandbox.faults.rules import Met
from sandbox.slack.happenings import pointless
from sandbox.slack.model import Dropped
from sandbox.slack.named_faults import fault_of
from sandbox.slack.workspace import Workspace
from tests.simulation.life import Life
from tests.simulation.loop import in_the_world
from tests.simulation.sockets import Connection
from tests.simulation.trace import Trace
from tests.simulation.weather import Weather

SESSION_TIMEOUT_S = 20.0
DONE_FIRST = 0.8
"""Of what is slow so much is done at once and answered late; the rest is done late."""
API = "/api/"
_SAID = ("channel", "thread_ts", "ts", "timestamp", "name", "user", "file")
"""What of a request goes into the trace."""
_ASKED = aiohttp.RequestInfo(URL("http://127.0.0.1:9"), "POST", CIMultiDictProxy(CIMultiDict()))
_LOOKING = frozenset({"conversations.history", "conversations.replies", "files.info"})
_TOUCHING = frozenset({"chat.update", "chat.delete", "reactions.remove"})
_PASSING = frozenset(
    {
        "ratelimited", "internal_error", "fatal_error", "request_timeout", "service_unavailable",
        "server_error", "token_revoked", "token_expired", "invalid_auth", "account_inactive",
    }
)  # fmt: skip
"""What may be otherwise the next time."""


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
        self.belated: set[tuple[str, str]] = set()
        """Messages of ours that stood there only when whoever had sent them had given up: who looked before
        that could not see them."""
        self.late_signs: dict[tuple[str, str], float] = {}
        """When Slack put a reaction on a message for somebody who had given up waiting for that."""
        self.refused: set[tuple[str, str]] = set()
        """Messages that Slack would not let us change, delete or take a reaction from, for good."""
        self._connections: list[Connection] = []
        workspace.fault_plan = weather.deliveries
        weather.listeners.append(self._heard)

    def session(self, _base_url: str) -> Session:
        """What a life has for an HTTP session."""
        return Session(self, Life.current())

    async def connect(self, life: Life, app: AsyncApp) -> Connection:
        """Attach *app*'s socket; it is dropped when the life ends."""
        connection = Connection(self.workspace, life, app, self.rng)
        self._connections = [one for one in self._connections if not one.closed] + [connection]
        life.on_death.append(connection.close)
        await in_the_world(connection.open())
        return connection

    def hang_up(self) -> None:
        """Close every connection, as who stops does first."""
        for connection in self._connections:
            connection.close()

    def _heard(self, met: Met) -> None:
        """What goes wrong with a socket."""
        if met.fault == "socket hangs":
            for connection in self._connections:
                in_the_world(connection.looked_after())

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
        name = path.removeprefix(API) if path.startswith(API) else _door(verb, path)
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
        late_s = 0.0
        met = side.weather.take("slack", name, lambda: pointless(side.workspace, name, params))
        asked_at = asyncio.get_running_loop().time()
        before = _standing(side, name, params) if met is not None else set()
        if met is not None:
            _note(side, name, params)
            side.trace.note(f"slack {name} {_about(params)}: {met.fault}")
            late_s = met.number("seconds") if met.fault == "slow" and side.rng.random() < DONE_FIRST else 0.0
            if not late_s:
                side.workspace.faults.append(fault_of(met))
        try:
            reply = await self._done(verb, url, path, name, params, more)
        except Dropped as dropped:
            raise aiohttp.ServerDisconnectedError from dropped
        finally:
            if met is not None:
                came = _standing(side, name, params) - before
                side.unclear |= came
                came_at = asyncio.get_running_loop().time()
                if came_at - asked_at > SESSION_TIMEOUT_S:
                    side.belated |= came
                    if name == "reactions.add":
                        side.late_signs[params["channel"], params["timestamp"]] = came_at
        await asyncio.sleep(side.latency() + late_s)
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
            _heed(self._side, name, params, str(made.body.get("error") or ""))
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


def _door(verb: str, path: str) -> str:
    """Slack's other doors, by the sandbox's names."""
    if verb == "GET":
        return "download"
    return "upload" if path.startswith("/upload") else "response_url"


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


def _standing(side: SlackSide, name: str, params: dict[str, Any]) -> set[tuple[str, str]]:
    """The messages in the channel in which something is posted."""
    if name not in ("chat.postMessage", "files.completeUploadExternal"):
        return set()
    workspace, place = side.workspace, str(params.get("channel") or params.get("channel_id"))
    # A person's id stands for our direct message with them.
    theirs = {place, workspace.bot_user_id}
    rooms = [room for room in workspace.channels.values() if room.id == place or set(room.members) == theirs]
    return {(room.id, ts) for room in rooms for ts in room.messages}


def _heed(side: SlackSide, name: str, params: dict[str, Any], error: str) -> None:
    """Note what Slack will not do, for good."""
    if not error or error in _PASSING:
        return
    channel = str(params.get("channel") or "")
    if name in _LOOKING:
        side.unseen.append(Looked(channel, asyncio.get_running_loop().time()))
    if name in _TOUCHING:
        side.refused.add((channel, str(params.get("ts") or params.get("timestamp") or "")))


def _note(side: SlackSide, name: str, params: dict[str, Any]) -> None:
    channel = str(params.get("channel") or "")
    if name in _LOOKING:
        side.unseen.append(Looked(channel, asyncio.get_running_loop().time()))
    ts = str(params.get("ts") or params.get("timestamp") or "")
    side.troubled[channel, ts] = side.troubled.get((channel, ts), 0) + 1
