"""``darkroom run``, watched and logging for programs, the way somebody operates it."""

from __future__ import annotations

import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.cli.world import World, start_world
from sandbox.images.api import ImageApi
from sandbox.slack.workspace import Workspace
from tests.bot.test_running import WAIT_S, darkroom, variables
from tests.fresh import with_books
from tests.scenarios.flat import FlatPainter

pytestmark = pytest.mark.slow


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A Slack and an image API to run against."""
    images = ImageApi(seconds_per_picture=0, paint=FlatPainter())
    started = await start_world(Workspace(file_processing_s=0.01), images)
    yield started
    await started.close()
    await started.workspace.close()


async def test_it_is_ready_counts_and_logs_one_object_a_line(world: World, tmp_path: Path) -> None:
    with_books(tmp_path / "data")
    environment = {"DARKROOM_WATCH__PORT": "0", "DARKROOM_LOG__FORMAT": "json"}
    bot = await darkroom(tmp_path, "run", **variables(world), **environment)
    url = (await bot.says(r"watched at (http://127\.0\.0\.1:\d+):")).group(1)
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{url}/healthz") as answer:
            assert await answer.json() == {"alive": True}
        await bot.says("Darkroom is connected")
        seen = await world.workspace.type_command("alice", "design", "/imagine a crimson fox")
        assert seen.error is None
        await world.workspace.until(
            lambda workspace: next(iter(workspace.channel_named("design").messages), None), WAIT_S
        )
        await bot.says("ended: pictures")
        async with session.get(f"{url}/readyz") as answer:
            assert answer.status == 200, await answer.text()
        async with session.get(f"{url}/metrics") as answer:
            counted = await answer.text()
    assert 'darkroom_turns_ended_total{outcome="pictures",reason="pictures"} 1.0' in counted
    assert await bot.ends(signal.SIGTERM) == 0
    # What the command itself says is for people, and goes to standard output.
    said = [
        line for line in bot.said.splitlines() if line and not line.startswith(("Darkroom is", "Stopping"))
    ]
    lines = [json.loads(line) for line in said]
    assert all({"time", "level", "logger", "message"} <= set(line) for line in lines)
    assert len({line["turn"] for line in lines if "turn" in line}) == 1
    assert "crimson" not in bot.said + counted
