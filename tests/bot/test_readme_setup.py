"""The README's way to a Darkroom of one's own, followed word by word in a new folder: its commands as they
stand there, with the sandbox in the place of Slack and OpenAI."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.cli.world import World, start_world
from sandbox.images.api import ImageApi
from sandbox.slack.declared import declare, in_force
from sandbox.slack.model import Message
from sandbox.slack.request_url import RequestUrl
from sandbox.slack.workspace import Workspace
from tests.bot.terminal import type_into
from tests.bot.test_running import started
from tests.scenarios.flat import FlatPainter

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
SECTION = README.partition("## Use it in your own Slack\n")[2].partition("\n## ")[0]
STEPS, VARIATIONS = SECTION.split("### Variations\n")
CHANNEL = "lobby"
ENTER = ("between them", ""), ("person spend", ""), ("everybody", ""), ("begin in", ""), ("Which?", "")


def commands(text: str) -> list[str]:
    """What stands in the boxes of the text: the lines to type."""
    boxes = re.findall(r"^ *```\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return [line.strip() for box in boxes for line in box.splitlines()]


INSTALL, MANIFEST, INIT, DOCTOR, RUN = commands(STEPS)
(MANIFEST_HTTP,) = commands(VARIATIONS)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Slack and OpenAI; the app is not declared yet and in no channel but its own."""
    made = await start_world(
        Workspace(file_processing_s=0.01), ImageApi(seconds_per_picture=0, paint=FlatPainter())
    )
    yield made
    await made.close()
    await made.workspace.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkout after step 1: programs in .venv, and what git ignores."""
    place = tmp_path / "darkroom"
    place.mkdir()
    shutil.copy(ROOT / ".gitignore", place)
    (place / ".venv").mkdir()
    (place / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    subprocess.run(["git", "init", "--quiet"], cwd=place, check=True)  # noqa: S607 -- found by the path
    return place


def addresses(world: World) -> dict[str, str]:
    """The environment: nothing of this process's settings, and the two addresses."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DARKROOM_", "SLACK_", "OPENAI_"))}
    return {**kept, "SLACK_API_URL": world.slack_api_url, "OPENAI_BASE_URL": world.openai_base_url}


async def says(command: str, folder: Path, environment: dict[str, str]) -> str:
    """What one of the README's lines prints on its way to a good end."""
    done = await asyncio.create_subprocess_exec(
        *shlex.split(command),
        cwd=folder,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await done.communicate()
    assert done.returncode == 0, said.decode()
    return said.decode()


async def answers(folder: Path, environment: dict[str, str], *typed: tuple[str, str]) -> str:
    """Step 7, in a terminal."""
    return await asyncio.to_thread(type_into, shlex.split(INIT), folder, environment, typed)


def picture(workspace: Workspace) -> Message | None:
    found = workspace.channel_named(CHANNEL).messages.values()
    return next((m for m in found if any(b["type"] == "image" for b in m.blocks)), None)


async def in_slack(world: World) -> None:
    """Step 10."""
    for typed in re.findall(r"`(/[^`]+)`", STEPS.partition("10. ")[2]):
        seen = await world.workspace.type_command("alice", CHANNEL, typed)
        assert seen.error is None, (typed, seen)
    await world.workspace.until(picture, 30)


def secrets_outside(folder: Path, world: World) -> list[Path]:
    """The files with a token or the key in them, but for ``.env``."""
    secrets = [value for name, value in world.settings().items() if not name.endswith("url")]
    files = [file for file in folder.rglob("*") if file.is_file() and ".venv" not in file.parts]
    assert any(file.name == "darkroom.db" for file in files)
    return [
        file
        for file in files
        if file.name != ".env" and any(secret.encode() in file.read_bytes() for secret in secrets)
    ]


def test_the_first_step_is_one_that_make_knows() -> None:
    """Installing itself is what ``make test`` begins with, and what the wheel's test does."""
    done = subprocess.run([*shlex.split(INSTALL), "--dry-run"], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0


@pytest.mark.proof
async def test_step_by_step_in_socket_mode(world: World, folder: Path) -> None:
    environment = addresses(world)
    declare(world.workspace, json.loads(await says(MANIFEST, folder, environment)))
    given = world.settings()
    shown = await answers(
        folder,
        environment,
        ("http?", ""),
        *ENTER,
        ("BOT_TOKEN: ", given["slack_bot_token"]),
        ("APP_TOKEN: ", given["slack_app_token"]),
        ("API_KEY: ", given["openai_api_key"]),
    )
    assert not any(given[name] in shown for name in ("slack_bot_token", "slack_app_token", "openai_api_key"))
    assert (folder / ".env").stat().st_mode & 0o777 == 0o600
    checked = await says(DOCTOR, folder, environment)
    assert given["openai_api_key"] not in checked
    bot = await started(folder, *shlex.split(RUN), **environment)
    await bot.says("Darkroom is connected")
    await in_slack(world)
    assert await bot.ends(signal.SIGINT) == 0
    assert secrets_outside(folder, world) == []


@pytest.mark.proof
async def test_step_by_step_over_http(world: World, folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {**addresses(world), "DARKROOM_SLACK__PORT": str(port)}
    manifest = json.loads(await says(MANIFEST_HTTP, folder, environment))
    declare(world.workspace, manifest)
    given = world.settings()
    await answers(
        folder,
        environment,
        ("http?", "http"),
        *ENTER,
        ("BOT_TOKEN: ", given["slack_bot_token"]),
        ("SIGNING_SECRET: ", given["slack_signing_secret"]),
        ("API_KEY: ", given["openai_api_key"]),
    )
    await says(DOCTOR, folder, environment)
    bot = await started(folder, *shlex.split(RUN), **environment)
    await bot.says("Darkroom is ")
    # What a proxy does: from the address in the manifest to the port here, on the same path.
    path = manifest["settings"]["event_subscriptions"]["request_url"].partition("example.com")[2]
    posts = RequestUrl(world.workspace, lambda: f"http://127.0.0.1:{port}{path}")
    await posts.open()
    try:
        await in_slack(world)
    finally:
        await posts.close()
    assert await bot.ends(signal.SIGINT) == 0
    assert secrets_outside(folder, world) == []


async def test_what_the_app_may_do_is_what_the_printed_manifest_says(world: World, folder: Path) -> None:
    manifest = json.loads(await says(MANIFEST, folder, addresses(world)))
    declare(world.workspace, manifest)
    assert in_force(world.workspace)["scopes"] == sorted(manifest["oauth_config"]["scopes"]["bot"])


@pytest.mark.proof
async def test_the_rehearsal_leads_to_what_the_sandbox_prints(folder: Path) -> None:
    """The addresses and tokens that it prints are those that init asks for."""
    (line,) = re.findall(r"`(\.venv/bin/darkroom sandbox)`", VARIATIONS)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DARKROOM_", "SLACK_", "OPENAI_"))}
    running = await started(folder, *shlex.split(line), "--port", "0", **kept)
    await running.says("Stop it with Ctrl-C")
    printed = dict(re.findall(r"^([A-Z_]+)=(\S+)$", running.said, re.MULTILINE))
    assert await running.ends(signal.SIGINT) == 0
    environment = {**kept, **{name: printed[name] for name in ("SLACK_API_URL", "OPENAI_BASE_URL")}}
    tokens = ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "OPENAI_API_KEY")
    typed = [(f"{name}: ", printed[name]) for name in tokens]
    await answers(folder, environment, ("http?", ""), *ENTER, *typed)
    assert all(f"{name}={printed[name]}" in (folder / ".env").read_text() for name in tokens)
