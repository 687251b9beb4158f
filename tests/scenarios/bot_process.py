"""Darkroom in a process of its own, which can be killed, starved and asked whether it rests."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from bot.cli.world import World
from handlers.pacing import POSTS_PER_S
from sandbox.slack.workspace import Workspace

WAIT_S = 300.0

BOT = """
import asyncio, gc, json, sys

from bot.app import Darkroom
from bot.settings import plain_settings
from handlers import pacing


async def main():
    pacing.POSTS_PER_S = float(sys.argv[2])
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with Darkroom(plain_settings(json.loads(sys.argv[1])), create_data=True) as darkroom:
        print("ready", flush=True)
        while line := await reader.readline():
            if line == b"count\\n":
                gc.collect()
                print(len(gc.get_objects()), flush=True)
                continue
            await darkroom.worker.idle()
            await darkroom.errands.idle()
            print("rests", flush=True)


asyncio.run(main())
"""
"""A whole Darkroom in a process of its own; to each line it hears it says when it has nothing left to do, or
how many objects it has."""


class Bot:
    """The process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    @classmethod
    async def start(
        cls, world: World, data_dir: Path, *, posts_per_s: float = POSTS_PER_S, **settings: Any
    ) -> Bot:
        """Start one that posts so fast in a channel; keywords are settings with ``__`` for the dot. Returns
        when it is ready."""
        flags = {name.replace("__", "."): value for name, value in settings.items()}
        flags |= world.settings() | {"storage.data_dir": str(data_dir)}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            BOT,
            json.dumps(flags),
            str(posts_per_s),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONPATH": "."},
        )
        bot = cls(process)
        await bot.says(b"ready\n")
        return bot

    async def says(self, line: bytes) -> None:
        """Wait for its next line, which must be this one."""
        assert self.process.stdout is not None
        async with asyncio.timeout(WAIT_S):
            assert await self.process.stdout.readline() == line

    async def rests(self, world: World) -> None:
        """Wait until everything is acknowledged and nothing is left to do."""
        assert self.process.stdin is not None

        def heard(workspace: Workspace) -> bool:
            # A command is never sent again: whoever typed it has seen that it failed.
            return all(parcel.kind != "events_api" for parcel in workspace.delivery.unanswered)

        await world.workspace.until(heard, WAIT_S)
        self.process.stdin.write(b"rest\n")
        await self.says(b"rests\n")

    async def objects(self) -> int:
        """How many objects of Python's it keeps that may hold others."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(b"count\n")
        async with asyncio.timeout(WAIT_S):
            return int(await self.process.stdout.readline())

    async def killed(self) -> None:
        """Kill it, if it still lives, and wait for its end."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)
        await self.process.wait()
