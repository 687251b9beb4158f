"""The probes as a person runs them: by the command, and stopped with Ctrl-C."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.cli.world import World, start_world
from bot.doctor.probes import LIVE, LIVE_SLACK
from sandbox.images.api import ImageApi
from sandbox.slack.workspace import Workspace
from tests.scenarios.flat import FlatPainter

pytestmark = pytest.mark.slow


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A quick Slack and a quick image API."""
    world = await start_world(
        Workspace(file_processing_s=0.0), ImageApi(seconds_per_picture=0.0, paint=FlatPainter())
    )
    yield world
    await world.close()
    await world.workspace.close()


async def doctor(world: World, folder: Path, *options: str) -> asyncio.subprocess.Process:
    """The command in a process of its own, in a folder with nothing in it."""
    ours = ("SLACK_", "OPENAI_", "DARKROOM_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    settings = world.settings()
    environment |= {
        name.upper(): settings[name]
        for name in ("slack_bot_token", "slack_app_token", "slack_api_url", "openai_api_key")
    }
    environment |= {
        "OPENAI_BASE_URL": settings["openai_base_url"],
        "PYTHONPATH": str(Path(__file__).parents[3]),
    }
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bot", "doctor", *options),
        cwd=folder,
        env=environment,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        preexec_fn=_with_ctrl_c,
    )


def _with_ctrl_c() -> None:
    """A shell lets what it runs in the background ignore Ctrl-C, and that is inherited."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def inside(folder: Path) -> list[Path]:
    """What is in a folder."""
    return list(folder.iterdir())


@pytest.mark.proof
async def test_all_probes_go_by_the_command_and_nothing_is_written(world: World, tmp_path: Path) -> None:
    channel = world.workspace.channel_named("design").id
    process = await doctor(world, tmp_path, "--json", "--live", "--limit", "0.10", "--live-slack", channel)
    out, err = await process.communicate(b"skip\n" * 20)
    printed = json.loads(out)
    checks = [finding["check"] for finding in printed["findings"]]
    assert [check for check in checks if check.startswith("live")] == [*LIVE, *LIVE_SLACK]
    assert b"Spent: $0.0" in err
    assert inside(tmp_path) == []


async def test_ctrl_c_at_a_question_takes_everything_away_at_once(world: World, tmp_path: Path) -> None:
    process = await doctor(world, tmp_path, "--live-slack", "#design")
    assert process.stderr is not None
    await process.stderr.readuntil(b"Done? [y/n/skip]")
    process.send_signal(signal.SIGINT)
    _, err = await process.communicate()
    assert b"Everything that was put there is gone again." in err
    assert b"Traceback" not in err
    assert process.returncode != 0
    bot = world.workspace.bot_id
    rooms = world.workspace.channels.values()
    assert [m for room in rooms for m in room.messages.values() if m.bot_id == bot] == []
