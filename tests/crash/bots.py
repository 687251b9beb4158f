"""From the test's side: the nursery, and the Darkrooms that come out of it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

WAIT_S = 30.0
ROOT = Path(__file__).parents[2]
LINE_MAX = 1024 * 1024


class Ended(Exception):
    """The process is no more."""


class Bot:
    """One Darkroom in a process of its own."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.died_at: str | None = None
        self.code: int | None = None
        self.pid = 0
        self._heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._listening = asyncio.create_task(self._listen())
        self.ended = asyncio.Event()

    async def _listen(self) -> None:
        while text := await self._reader.readline():
            said = json.loads(text)
            if "dies" in said:
                self.died_at = said["dies"]
            elif "ended" in said:
                self.code = said["ended"]
                break
            else:
                self._heard.put_nowait(said)
        self.ended.set()
        self._heard.put_nowait({})

    def _say(self, **words: Any) -> None:
        self._writer.write(json.dumps(words).encode() + b"\n")

    async def _hears(self, key: str) -> Any:
        async with asyncio.timeout(WAIT_S):
            said = await self._heard.get()
        if key not in said:
            self._heard.put_nowait(said)
            raise Ended(key)
        return said[key]

    async def ready(self) -> None:
        """Wait until it is. Raises ``Ended``."""
        self.pid = int(await self._hears("ready"))

    async def arm(self, die_at: str | None) -> None:
        """It counts its steps from now on, and dies at that one."""
        self._say(do="arm", die_at=die_at)
        await self._hears("armed")

    async def rests(self) -> None:
        """Wait until it has nothing left to do. Raises ``Ended``."""
        self._say(do="rest")
        await self._hears("rests")

    async def fail(self, at: int, error: int, *, lasting: bool) -> None:
        """Its disk is to fail: at the operation of that number from now on, and *lasting* from there on."""
        self._say(do="fail", at=at, error=error, lasting=lasting)
        await self._hears("faulty")

    async def mend(self) -> tuple[int, list[str]]:
        """Its disk is well again; how many operations there were, and which of them failed."""
        self._say(do="mend")
        operations, failed = await self._hears("mended")
        return operations, failed

    async def killed(self) -> None:
        """Kill it from outside, and wait for its end."""
        os.kill(self.pid, signal.SIGKILL)
        await self.ended.wait()

    async def points(self) -> list[str]:
        """What it has come past since it was armed."""
        self._say(do="points")
        found: list[str] = await self._hears("points")
        return found

    async def close(self) -> None:
        """Let it stop as it does at a SIGTERM."""
        if not self.ended.is_set():
            self._say(do="stop")
            async with asyncio.timeout(WAIT_S):
                await self.ended.wait()
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)
        self._writer.close()

    @property
    def was_killed(self) -> bool:
        """Whether it ended by SIGKILL."""
        return self.code == -signal.SIGKILL


class Nursery:
    """The program that forks Darkrooms."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def begin(
        self,
        flags: dict[str, Any],
        log: Path,
        *,
        from_start: bool = False,
        die_at: str | None = None,
        faulty_disk: bool = False,
    ) -> Bot:
        """Start one; with *from_start* its steps count from its very beginning. It may not be ready yet."""
        reader, writer = await asyncio.open_unix_connection(str(self._path), limit=LINE_MAX)
        order: dict[str, Any] = {"flags": flags, "log": str(log), "from_start": from_start, "die_at": die_at}
        order["faulty_disk"] = faulty_disk
        writer.write(json.dumps(order).encode() + b"\n")
        return Bot(reader, writer)


@contextmanager
def nursery(folder: Path) -> Iterator[Nursery]:
    """A nursery that listens in *folder*."""
    path = folder / "nursery"
    arguments = [sys.executable, "-m", "tests.crash.nursery", str(path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(arguments, stdin=pipe, stdout=pipe, cwd=ROOT) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        try:
            yield Nursery(path)
        finally:
            process.stdin.close()
