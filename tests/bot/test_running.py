"""``darkroom run`` and ``darkroom demo`` as processes of their own, the way people start them."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.cli.world import World, start_world
from sandbox.images.api import ImageApi
from sandbox.slack.model import Message
from sandbox.slack.workspace import Workspace
from tests.fresh import with_books
from tests.scenarios.flat import FlatPainter

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
WAIT_S = 30.0
SHORTCUTS = {
    "new_picture_shortcut": ("global", "New picture"),
    "edit_with_darkroom": ("message", "Edit with Darkroom"),
}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A Slack and an image API to run against."""
    images = ImageApi(seconds_per_picture=0, paint=FlatPainter())
    started = await start_world(Workspace(file_processing_s=0.01), images)
    yield started
    await started.close()
    await started.workspace.close()


class Process:
    """A ``darkroom`` command that runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said = ""

    async def says(self, pattern: str) -> re.Match[str]:
        """Read on until something like *pattern* was said."""
        assert self.process.stdout is not None
        async with asyncio.timeout(WAIT_S):
            while not (found := re.search(pattern, self.said)):
                line = await self.process.stdout.readline()
                assert line, f"it ended without saying {pattern!r}:\n{self.said}"
                self.said += line.decode()
        return found

    async def ends(self, told: signal.Signals | None = None) -> int:
        """Send a signal, if one is named, and wait for the end; gives the exit code."""
        if told is not None:
            self.process.send_signal(told)
        async with asyncio.timeout(WAIT_S):
            assert self.process.stdout is not None
            self.said += (await self.process.stdout.read()).decode()
            return await self.process.wait()


async def darkroom(where: Path, *arguments: str, **environment: str) -> Process:
    """Start a command in *where*, with nothing of this process's tokens and keys."""
    return await started(where, sys.executable, "-m", "bot", *arguments, **environment)


async def started(where: Path, *program: str, **environment: str) -> Process:
    """Start any program of ours the same way."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DARKROOM_", "SLACK_", "OPENAI_"))}
    process = await asyncio.create_subprocess_exec(
        *program,
        cwd=where,
        env={**kept, **environment, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    return Process(process)


def variables(world: World) -> dict[str, str]:
    """What ``darkroom sandbox`` prints for a bot to be started with."""
    return {name.upper(): value for name, value in world.settings().items()}


def _picture(workspace: Workspace) -> Message | None:
    found = workspace.channel_named("design").messages.values()
    return next((m for m in found if any(b["type"] == "image" for b in m.blocks)), None)


async def test_run_serves_a_workspace_and_ends_cleanly_when_told(world: World, tmp_path: Path) -> None:
    assert await (await darkroom(tmp_path, "init")).ends() == 0
    bot = await darkroom(tmp_path, "run", **variables(world))
    await bot.says("Darkroom is connected")
    seen = await world.workspace.type_command("alice", "design", "/imagine a red fox in snow")
    assert seen.error is None
    await world.workspace.until(_picture, WAIT_S)
    assert await bot.ends(signal.SIGTERM) == 0
    assert "Traceback" not in bot.said
    assert "red fox" not in bot.said
    assert "xoxb-" not in bot.said


@pytest.mark.parametrize(
    "name", ["SLACK_BOT_TOKEN", pytest.param("SLACK_APP_TOKEN", marks=pytest.mark.proof)]
)
async def test_a_token_that_slack_does_not_take_is_named(world: World, tmp_path: Path, name: str) -> None:
    with_books(tmp_path / "data")
    wrong = variables(world) | {name: variables(world)[name][:5] + "wrong"}
    bot = await darkroom(tmp_path, "run", **wrong)
    assert await bot.ends() == 2
    assert f"invalid_auth to {name}" in bot.said
    assert "Traceback" not in bot.said
    assert "wrong" not in bot.said


async def shortcuts_on(url: str) -> dict[str, tuple[str, str]]:
    """What the page's menus offer, by ``callback_id``."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{url}control/state", params={"viewer": "alice"}) as answer,
    ):
        shown = (await answer.json())["shortcuts"]
    return {each["callback_id"]: (each["kind"], each["name"]) for each in shown}


async def test_the_demo_ignores_the_environment_serves_its_page_and_leaves_nothing_behind(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "tmp"
    folder.mkdir()
    demo = await darkroom(
        tmp_path,
        "demo",
        "--empty",
        "--no-browser",
        "--port",
        "0",
        SLACK_BOT_TOKEN="xoxb-real",
        OPENAI_API_KEY="sk-real",
        TMPDIR=str(folder),
    )
    url = (await demo.says(r"http://127\.0\.0\.1:\d+/")).group()
    data_dir = (await demo.says(r"--data-dir (\S+)")).group(1)
    async with aiohttp.ClientSession() as session, session.get(url) as page:
        assert page.status == 200
        assert "<html" in (await page.text()).lower()
    assert await shortcuts_on(url) == SHORTCUTS
    spend = await darkroom(tmp_path, "spend", "--json", "--data-dir", data_dir)
    assert await spend.ends() == 0
    assert await demo.ends(signal.SIGINT) == 0
    assert "Traceback" not in demo.said
    assert list(folder.iterdir()) == []


async def test_the_sandbox_prints_what_a_bot_needs_to_find_it(tmp_path: Path) -> None:
    sandbox = await darkroom(tmp_path, "sandbox", "--port", "0")
    slack = (await sandbox.says(r"SLACK_API_URL=(\S+)")).group(1)
    await sandbox.says("Ctrl-C")
    async with aiohttp.ClientSession() as session, session.post(f"{slack}api.test") as answer:
        assert answer.status == 200
    assert await shortcuts_on(slack.removesuffix("api/")) == SHORTCUTS
    assert await sandbox.ends(signal.SIGINT) == 0
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        assert f"{name}=" in sandbox.said
