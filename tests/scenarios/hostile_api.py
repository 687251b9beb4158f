"""An image API that means harm: one answer, byte by byte, to every request for a picture."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bot.app import Overrides
from bot.cli.world import World, start_world
from darkroom.clock import SystemClock
from sandbox.images.api import ImageApi
from sandbox.slack.workspace import Workspace
from tests.scenarios.story import Easel, Town, move_in

Say = Callable[[asyncio.StreamWriter], Awaitable[None]]


SELDOM_S = 43_200.0
"""Half a day."""


class HastyClock(SystemClock):
    """A moment stands for every pause, a second for every limit of ten seconds and more.

    Only *keeps* is waited in full: the limit of something that goes on meanwhile, in real time, however busy
    the machine is. And so is what comes once in half a day or more seldom: what is told anew for a day must
    not be given up in the second that such a wait would take.
    """

    def __init__(self, keeps: float | None = None) -> None:
        self._keeps = keeps
        self._ahead = timedelta()

    def now(self) -> datetime:
        """The real time, and what was not really waited."""
        return super().now() + self._ahead

    def monotonic(self) -> float:
        """Seconds, moving with ``now``."""
        return super().monotonic() + self._ahead.total_seconds()

    async def sleep(self, seconds: float) -> None:
        """A second of it at most, but for what is kept."""
        task = asyncio.current_task()
        # Who pauses waits for this; a limit, and the time between two rounds, is a task beside something.
        beside = task is not None and getattr(task.get_coro(), "cr_code", None) is HastyClock.sleep.__code__
        kept = seconds == self._keeps or seconds >= SELDOM_S
        real = seconds if kept else min(seconds, 1.0 if beside and seconds >= 10 else 0.02)
        await super().sleep(real)
        self._ahead += timedelta(seconds=seconds - real)


class HostileApi:
    """Takes requests, remembers their heads and says what it was told to; ``404`` to whoever asks again."""

    def __init__(self, say: Say) -> None:
        self.say = say
        self.heads: list[str] = []
        self.url = ""
        self._server: asyncio.Server | None = None

    @property
    def posts(self) -> list[str]:
        """The heads of requests for a picture."""
        return [head for head in self.heads if head.startswith("POST")]

    async def open(self) -> HostileApi:
        """Listen on loopback."""
        self._server = await asyncio.start_server(self._meet, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"
        return self

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            self.heads.append(head)
            lengths = [line for line in head.lower().split("\r\n") if line.startswith("content-length:")]
            if lengths:
                await reader.readexactly(int(lengths[0].partition(":")[2]))
            if head.startswith("POST"):
                await self.say(writer)
            else:
                writer.write(plainly({"error": {"message": "no", "code": None}}, status=404))
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            # The other side has had enough.
            return
        finally:
            writer.close()


def plainly(body: object, status: int = 200, **headers: str) -> bytes:
    """An answer in one JSON object."""
    data = json.dumps(body).encode()
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {len(data)}\r\n"
    return f"{head}{more}connection: close\r\n\r\n".encode() + data


STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"


def streamed(*events: Mapping[str, Any]) -> bytes:
    """A stream of events, and its end."""
    return STREAM + b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)


def saying(data: bytes) -> Say:
    """Says just that."""

    async def say(writer: asyncio.StreamWriter) -> None:
        writer.write(data)

    return say


@dataclass(frozen=True, slots=True)
class Elsewhere(World):
    """The local world, only that pictures come from somewhere else."""

    url: str = ""

    @property
    def openai_base_url(self) -> str:
        """The hostile one."""
        return self.url


async def besieged(api: HostileApi, data_dir: Path, **settings: Any) -> Town:
    """A town whose pictures come from *api*; then ``close_town``, and close *api*."""
    easel = Easel()
    world = await start_world(Workspace(file_processing_s=0.0), ImageApi(sleep=easel.sleep))
    url = (await api.open()).url
    hostile = Elsewhere(
        world.workspace, world.images, world.slack_server, world.image_server, world.hood, url=url
    )
    flags = {"image__timeout_s": 10} | settings
    return await move_in(hostile, easel, data_dir, flags, Overrides(clock=HastyClock()))
