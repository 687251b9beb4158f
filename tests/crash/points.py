"""Inside a Darkroom that is to die: everything that leaves a trace outside the process has a name, and the
process kills itself at one of them.

Nothing here knows what a turn does. Hooks sit where traces leave a process: what ends a transaction of
SQLite, what the system does with files and folders, every request and answer over HTTP, each event of a
stream, and what goes through the socket. A new step is found by itself.
"""

from __future__ import annotations

import functools
import os
import re
import signal
import sqlite3
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import httpx2

_ID = re.compile(r"[0-9a-f]{8,}|(?<=/)[0-9a-f]{2}(?=/|$)|(?<=[/-])[A-Z][A-Z0-9]{6,}|(?<=/)resp_\w+")
_TYPE = re.compile(rb'"type": ?"([\w.]+)"')
_OUTSIDE = frozenset({"INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP", "VACUUM", "REPLACE"})


class Points:
    """Counts what is reached, by name; *tell* hears the name of the one at which the process dies."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._times: Counter[str] = Counter()
        self._counting = False
        self._die_at: str | None = None
        self.reached: list[str] = []

    def arm(self, die_at: str | None) -> None:
        """Count from now on; die where the name is *die_at*, such as "after COMMIT of hold #2"."""
        with self._lock:
            self._times.clear()
            self.reached = []
            self._counting, self._die_at = True, die_at

    def reach(self, what: str) -> None:
        """The process is at that step, for the next time."""
        with self._lock:
            if not self._counting:
                return
            self._times[what] += 1
            name = f"{what} #{self._times[what]}"
            self.reached.append(name)
            if name == self._die_at:
                self._tell(name)
                os.kill(os.getpid(), signal.SIGKILL)

    def install(self) -> None:
        """From now on everything in this process is noticed."""
        _watch_sqlite(self)
        _watch_files(self)
        _watch_requests(self)
        _watch_socket(self)
        _watch_streams(self)


def _watch_sqlite(points: Points) -> None:
    class Watched(sqlite3.Connection):
        """What opens a transaction, what ends it, and what is one by itself."""

        def execute(self, sql: str, *rest: Any) -> sqlite3.Cursor:
            words = sql.split(maxsplit=2)
            word = words[0].upper() if words else ""
            alone = not self.in_transaction and (word in _OUTSIDE or "wal_checkpoint" in sql)
            begins, ends = word == "BEGIN" and "IMMEDIATE" in sql, word == "COMMIT"
            if not (alone or begins or ends):
                return super().execute(sql, *rest)
            what = f"{' '.join(words[:2]) if alone else word} of {_work_at_hand()}"
            points.reach(f"before {what}")
            done = super().execute(sql, *rest)
            if not begins:
                points.reach(f"after {what}")
            return done

    connect = functools.partial(sqlite3.connect, factory=Watched)
    setattr(sqlite3, "connect", connect)  # noqa: B010 -- a function is replaced on purpose


def _work_at_hand() -> str:
    """What the transaction is for: the name of the function that ``Database`` was given."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        work = frame.f_locals.get("work")
        if callable(work) and frame.f_code.co_filename.endswith("database.py"):
            while isinstance(work, functools.partial):
                work = work.func
            return str(getattr(work, "__qualname__", work)).replace(".<locals>", "").replace(".<lambda>", "")
        frame = frame.f_back
    return "opening"


def _watch_files(points: Points) -> None:
    def watched(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(what: Any, *rest: Any, **more: Any) -> Any:
            place = Path(f"/proc/self/fd/{what}").readlink() if isinstance(what, int) else Path(what)
            step = f"{name} {_ID.sub('*', _inside(place))}"
            points.reach(f"before {step}")
            done = original(what, *rest, **more)
            points.reach(f"after {step}")
            return done

        return call

    for name in ("fsync", "fdatasync", "rename", "replace", "unlink", "remove", "mkdir", "ftruncate"):
        setattr(os, name, watched(name, getattr(os, name)))


def _inside(place: Path) -> str:
    """Where it is in the data folder, or its name."""
    parts = place.parts
    return "/".join(parts[parts.index("data") :] if "data" in parts else parts[-1:])


def _watch_requests(points: Points) -> None:
    original = aiohttp.ClientSession._request

    async def request(self: aiohttp.ClientSession, method: str, url: Any, **more: Any) -> Any:
        step = f"{method} {_ID.sub('*', urlsplit(str(url)).path)}"
        points.reach(f"before {step}")
        answer = await original(self, method, url, **more)
        points.reach(f"after {step}")
        return answer

    setattr(aiohttp.ClientSession, "_request", request)  # noqa: B010 -- a method is replaced on purpose


def _watch_socket(points: Points) -> None:
    send: Callable[..., Awaitable[None]] = aiohttp.ClientWebSocketResponse.send_str
    receive: Callable[..., Awaitable[aiohttp.WSMessage]] = aiohttp.ClientWebSocketResponse.receive

    async def send_str(self: aiohttp.ClientWebSocketResponse, data: str, *rest: Any) -> None:
        points.reach("before an acknowledgement")
        await send(self, data, *rest)
        points.reach("after an acknowledgement")

    async def receive_one(
        self: aiohttp.ClientWebSocketResponse, *rest: Any, **more: Any
    ) -> aiohttp.WSMessage:
        message = await receive(self, *rest, **more)
        if message.type is aiohttp.WSMsgType.TEXT and "envelope_id" in message.data:
            points.reach("after an envelope came")
        return message

    setattr(aiohttp.ClientWebSocketResponse, "send_str", send_str)  # noqa: B010 -- replaced on purpose
    setattr(aiohttp.ClientWebSocketResponse, "receive", receive_one)  # noqa: B010 -- replaced on purpose


def _watch_streams(points: Points) -> None:
    original = httpx2.AsyncHTTPTransport.handle_async_request

    async def handle(self: httpx2.AsyncHTTPTransport, request: httpx2.Request) -> httpx2.Response:
        step = f"{request.method} {_ID.sub('*', request.url.path)}"
        points.reach(f"before {step}")
        response = await original(self, request)
        points.reach(f"after the headers of {step}")
        if isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = _Events(response.stream, points, step)
        return response

    setattr(httpx2.AsyncHTTPTransport, "handle_async_request", handle)  # noqa: B010 -- replaced on purpose


class _Events(httpx2.AsyncByteStream):
    """The body of an answer, event by event however it was cut on the way."""

    def __init__(self, whole: httpx2.AsyncByteStream, points: Points, step: str) -> None:
        self._whole, self._points, self._step = whole, points, step

    async def __aiter__(self) -> AsyncIterator[bytes]:
        rest = b""
        async for chunk in self._whole:
            *events, rest = (rest + chunk).split(b"\n\n")
            for event in events:
                kind = _TYPE.search(event[:500])
                yield event + b"\n\n"
                self._points.reach(f"after event {kind[1].decode() if kind else 'nameless'}")
        if rest:
            yield rest
        self._points.reach(f"after the body of {self._step}")

    async def aclose(self) -> None:
        await self._whole.aclose()
