"""What 1,000 messages with pictures cost the sandbox in memory: in a process of its own, over its own doors.

An app uploads pictures that are all different, 1 to 2 MB each, and posts each in a message; then every
picture is looked at once, as by somebody who scrolls through the channel. What counts is the highest the
process has ever been (Linux: ``VmHWM``), beyond what it had after its first picture, beside the bytes posted.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
import struct
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

DESIGN = "C0DESIGN01"
SMALLEST, LARGEST = 1_000_000, 2_000_000
_MB = 1024**2
_SCAN_S = 0.1
_TRIES = 100


@dataclass(frozen=True)
class Memory:
    """MB: what was posted, what the process had before, had at most, and has in the end."""

    posted: float
    before: float
    most: float
    after: float


def measurable() -> bool:
    """Whether this system tells how much memory a process has and had."""
    return Path("/proc/self/status").exists()


def noise(number: int) -> bytes:
    """The head of a PNG and then what nothing can compress: 1 to 2 MB, other bytes for each number."""
    chance = random.Random(number)  # noqa: S311 -- the same in each run, and no secret
    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 1024, 1024, 8, 2, 0, 0, 0)
    return head + chance.randbytes(chance.randint(SMALLEST, LARGEST))


class Bot:
    """An app that uploads and posts, with a token that opens nothing but a sandbox."""

    def __init__(self, http: aiohttp.ClientSession, base: str) -> None:
        self._http, self._base = http, base

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """A call of the Web API; its answer, refused or not."""
        headers = {"Authorization": "Bearer xoxb-sandbox"}
        async with self._http.post(f"{self._base}api/{method}", json=params, headers=headers) as answer:
            return dict(await answer.json())

    async def upload(self, number: int) -> tuple[str, int]:
        """The id of a new file, and how many bytes it has."""
        data = noise(number)
        begun = await self.call("files.getUploadURLExternal", filename=f"v{number}.png", length=len(data))
        async with self._http.post(begun["upload_url"], data=data) as answer:
            assert answer.status == 200, await answer.text()
        await self.call("files.completeUploadExternal", files=[{"id": begun["file_id"]}])
        return str(begun["file_id"]), len(data)

    async def post(self, number: int, file: str) -> None:
        """A message with that picture, once it can be shown."""
        image = {"type": "image", "slack_file": {"id": file}, "alt_text": "a red fox in snow"}
        for _ in range(_TRIES):
            said = await self.call(
                "chat.postMessage", channel=DESIGN, text=f"message {number}", blocks=[image]
            )
            if said["ok"]:
                return
            await asyncio.sleep(_SCAN_S)
        raise AssertionError(said)

    async def look(self, file: str) -> int:
        """How many bytes the page gets."""
        async with self._http.get(f"{self._base}control/files/{file}") as answer:
            return len(await answer.read())


async def measure(messages: int) -> Memory:
    """Post so many pictures to a sandbox of its own and look at each."""
    async with _sandbox() as (process, base), aiohttp.ClientSession() as http:
        bot = Bot(http, base)
        first, _ = await bot.upload(messages)
        await bot.post(messages, first)
        before = _status(process.pid, "VmHWM")
        files = [await bot.upload(number) for number in range(messages)]
        for number, (file, _) in enumerate(files):
            await bot.post(number, file)
        for file, size in files:
            assert await bot.look(file) == size
        posted = sum(size for _, size in files) / _MB
        return Memory(posted, before, _status(process.pid, "VmHWM"), _status(process.pid, "VmRSS"))


@asynccontextmanager
async def _sandbox() -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """`darkroom sandbox` in its own process, and the address of its page."""
    command = (sys.executable, "-m", "bot", "sandbox", "--port", "0", "--images-port", "0")
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    )
    assert process.stdout is not None
    try:
        async for line in process.stdout:
            if found := re.fullmatch(rb"SLACK_API_URL=(\S+)api/\s*", line):
                yield process, found[1].decode()
                break
        else:
            raise AssertionError("the sandbox did not start")
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


def _status(pid: int, name: str) -> float:
    """A number of a process's memory, MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))
