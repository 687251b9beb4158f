"""A process that is killed with SIGKILL, between what Slack sent and what is on disk."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from bot.app import Darkroom
from bot.cli.world import start_world
from bot.settings import plain_settings
from sandbox.images.api import ImageApi
from sandbox.slack.workspace import Workspace
from tests.scenarios.flat import FlatPainter
from tests.scenarios.story import WAIT_S, Easel, Ledger, Thread, Town, picture

BOT_THAT_DIES = """
import asyncio, json, os, signal, sys
from pathlib import Path

from bot.app import Darkroom
from bot.settings import plain_settings
from storage import turns

moment, flags = sys.argv[1], json.loads(sys.argv[2])
arrive = turns.arrive


def die(*args):
    if moment == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    arrive(*args)
    os.kill(os.getpid(), signal.SIGKILL)


async def main():
    turns.arrive = die
    async with Darkroom(plain_settings(flags), create_data=True):
        print("ready", flush=True)
        await asyncio.Event().wait()


asyncio.run(main())
"""
"""A real Darkroom in a process of its own; only, it dies the moment that something arrives: before the
transaction has written anything, or with everything written and nothing committed."""


@pytest.mark.proof
@pytest.mark.parametrize("moment", ["before", "inside"])
async def test_killed_between_arrival_and_commit_slack_sends_again_and_the_turn_is_made(
    tmp_path: Path, moment: str
) -> None:
    easel = Easel()
    workspace = Workspace(file_processing_s=0.01)
    world = await start_world(workspace, ImageApi(sleep=easel.sleep, paint=FlatPainter()))
    flags = world.settings() | {"storage.data_dir": str(tmp_path / "data")}
    try:
        bot = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            BOT_THAT_DIES,
            moment,
            json.dumps(flags),
            stdout=asyncio.subprocess.PIPE,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONPATH": "."},
        )
        assert bot.stdout is not None
        async with asyncio.timeout(WAIT_S):
            assert await bot.stdout.readline() == b"ready\n"
        message = await workspace.post("alice", "design", f"<@{workspace.bot_user_id}> a red fox")
        async with asyncio.timeout(WAIT_S):
            assert await bot.wait() == -signal.SIGKILL
        assert Ledger(tmp_path / "data").turns() == []

        async with Darkroom(plain_settings(flags)) as darkroom:
            town = Town(world, darkroom, easel, tmp_path / "data")
            thread = Thread(town, workspace.channel_named("design"), message.ts)
            await thread.shows(picture(version=1))
            await town.rests()
            assert len(town.calls) == 1
            assert town.ledger.turns() == [("pictures", "pictures")]
    finally:
        await world.close()
        await workspace.close()
