"""A data directory that cannot be used, and a disk that fills up in the middle."""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.cli.world import World, start_world
from sandbox.images.api import ImageApi
from sandbox.images.painter import Order
from sandbox.slack.delivery import Parcel
from sandbox.slack.workspace import Workspace
from storage.database import DATABASE_NAME, Database, DataDirectoryInUse
from tests.rendering.support import png
from tests.scenarios.bot_process import WAIT_S, Bot
from tests.scenarios.story import Ledger

ROOT = Path(__file__).parents[2]
TOKENS = {
    "SLACK_BOT_TOKEN": "xoxb-1",
    "SLACK_APP_TOKEN": "xapp-1",
    "OPENAI_API_KEY": "sk-1",
    "SLACK_API_URL": "http://127.0.0.1:9/api/",
}


def _says(command: str, data_dir: Path) -> tuple[int, str]:
    """What a command says about a data directory, and how it ends: by itself, not by what broke in it."""
    done = CliRunner(env=TOKENS).invoke(main, [command, "--data-dir", str(data_dir)])
    assert isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def _runs(command: str, data_dir: Path) -> tuple[int, str]:
    """What a command says about a data directory, and how it ends, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bot", command, "--data-dir", str(data_dir)],
        cwd=ROOT,
        env={**os.environ, **TOKENS},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def _with_database(folder: Path, data: bytes) -> Path:
    folder.mkdir()
    (folder / DATABASE_NAME).write_bytes(data)
    return folder


@pytest.mark.parametrize("command", ["run", "spend", "turns"])
@pytest.mark.parametrize("data", [b"", b"this is no database" * 1_000], ids=["empty", "broken"])
def test_a_database_that_is_none_is_refused_in_words_and_left_as_it_is(
    tmp_path: Path, command: str, data: bytes
) -> None:
    """An empty file would be an empty ledger, and that is full caps for everybody."""
    folder = _with_database(tmp_path / "data", data)
    code, said = _says(command, folder)
    assert code == 2
    assert str(folder) in said
    assert (folder / DATABASE_NAME).read_bytes() == data


def test_a_place_that_cannot_be_made_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    code, said = _says("init", tmp_path / "file" / "data")
    assert code == 2
    assert "cannot be made" in said


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A world whose pictures have two megabytes."""
    picture = png(1024, 1024, padding=2_000_000)

    def painted(order: Order) -> bytes:
        return picture

    workspace = Workspace(file_processing_s=0.0)
    workspace.delivery.retry_delays_s = (0.0, 0.5, 0.5)
    world = await start_world(workspace, ImageApi(seconds_per_picture=0.0, paint=painted))
    yield world
    await world.close()
    await workspace.close()


@pytest.mark.proof
async def test_a_second_bot_on_the_same_data_is_refused_and_the_first_goes_on(
    world: World, tmp_path: Path
) -> None:
    bot = await Bot.start(world, tmp_path / "data")
    try:
        with pytest.raises(DataDirectoryInUse):
            Database.open(tmp_path / "data")
        code, said = _runs("run", tmp_path / "data")
        assert code == 2
        assert "Traceback" not in said
        assert "Another Darkroom" in said
        await world.workspace.type_command("alice", "design", "/imagine a red fox")
        await bot.rests(world)
        assert Ledger(tmp_path / "data").turns() == [("pictures", "pictures")]
    finally:
        await bot.killed()


def _files_up_to(bot: Bot, size: int) -> None:
    """No file of the bot's may grow beyond that: for it, the disk is full."""
    hard = resource.prlimit(bot.process.pid, resource.RLIMIT_FSIZE)[1]
    resource.prlimit(bot.process.pid, resource.RLIMIT_FSIZE, (size, hard))


@pytest.mark.proof
@pytest.mark.timeout(300)
async def test_no_room_for_a_picture_ends_the_turn_and_the_next_one_is_made(
    world: World, tmp_path: Path
) -> None:
    bot = await Bot.start(world, tmp_path / "data")
    ledger = Ledger(tmp_path / "data")
    try:
        _files_up_to(bot, 1_000_000)
        await world.workspace.type_command("alice", "design", "/imagine a red fox")

        def told(workspace: Workspace) -> bool:
            return bool(workspace.ephemerals_for("alice"))

        await world.workspace.until(told, 90)
        await bot.rests(world)
        ledger.adds_up()
        ledger.holds_nothing()
        assert ledger.turns()[0][0] in ("uncertain", "failed")
        assert ledger.charged() > 0
        assert len([c for c in world.images.calls if c.endpoint == "responses"]) == 1
        assert world.workspace.channel_named("design").messages == {}
        _files_up_to(bot, resource.RLIM_INFINITY)
        await world.workspace.type_command("alice", "design", "/imagine a red fox again")
        await bot.rests(world)
        assert ledger.turns()[1] == ("pictures", "pictures")
    finally:
        await bot.killed()


@pytest.mark.proof
async def test_no_room_in_the_books_takes_nothing_in_and_slack_sends_it_again(
    world: World, tmp_path: Path
) -> None:
    """What cannot be written down is not acknowledged; a command says that it failed."""
    bot = await Bot.start(world, tmp_path / "data")
    ledger = Ledger(tmp_path / "data")
    workspace = world.workspace
    try:
        _files_up_to(bot, 4_096)
        seen = await workspace.type_command("alice", "design", "/imagine a red fox")
        assert "failed" in seen.text
        text = f"<@{workspace.bot_user_id}> a blue fox"
        message = await workspace.post("alice", "design", text)

        def again(parcels: list[Parcel]) -> bool:
            return any(parcel.attempt > 0 for parcel in parcels)

        while not again(workspace.delivery.unanswered):  # noqa: ASYNC110 -- a delivery is no change to wait for
            await asyncio.sleep(0)
        assert world.images.calls == []
        _files_up_to(bot, resource.RLIM_INFINITY)
        async with asyncio.timeout(WAIT_S):
            await bot.rests(world)
        assert ledger.turns() == [("pictures", "pictures")]
        assert len(workspace.thread("design", message.ts)) == 2
        ledger.adds_up()
        ledger.holds_nothing()
    finally:
        await bot.killed()
