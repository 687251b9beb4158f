"""Stopping a Darkroom that runs as a process of its own, and starting a second one beside it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.cli.world import World, start_world
from bot.setting_sections import QueueSettings
from sandbox.images.api import ImageApi
from sandbox.slack.model import Fault, Message
from sandbox.slack.workspace import Workspace
from tests.bot.test_running import WAIT_S, Process, darkroom, variables
from tests.fresh import with_books
from tests.scenarios.flat import FlatPainter
from tests.scenarios.story import Easel, Ledger

pytestmark = pytest.mark.slow


@pytest.fixture
def easel() -> Easel:
    """Where the pictures of this world are painted."""
    return Easel()


@pytest.fixture
async def world(easel: Easel) -> AsyncIterator[World]:
    """A Slack and an image API to run against."""
    started = await start_world(
        Workspace(file_processing_s=0.01), ImageApi(sleep=easel.sleep, paint=FlatPainter())
    )
    yield started
    await started.close()
    await started.workspace.close()


async def running(world: World, where: Path, *arguments: str) -> Process:
    """A bot that is connected."""
    with_books(where / "data")
    bot = await darkroom(where, "run", *arguments, **variables(world))
    await bot.says("Darkroom is connected")
    return bot


async def being_made(world: World, prompt: str) -> None:
    """A picture that the image API has begun."""
    begun = asyncio.Event()

    def called(call: object) -> None:
        begun.set()

    world.images.on_call = called
    assert (await world.workspace.type_command("alice", "design", f"/imagine {prompt}")).error is None
    async with asyncio.timeout(WAIT_S):
        await begun.wait()


async def named(ledger: Ledger) -> None:
    """Return when the call under way can be asked for after a stop."""
    async with asyncio.timeout(WAIT_S):
        known = "SELECT id FROM attempts WHERE response_id IS NOT NULL"
        while not ledger.rows(known):  # noqa: ASYNC110 -- another process writes it
            await asyncio.sleep(0)


def pictures(workspace: Workspace) -> list[Message]:
    """The messages with a picture."""
    everything = workspace.channel_named("design").messages.values()
    return [message for message in everything if any(block["type"] == "image" for block in message.blocks)]


async def the_next_start_brings_it(world: World, folder: Path, ledger: Ledger) -> None:
    """What was under way is asked for, not bought again, and shown; the books are right."""
    again = await running(world, folder)
    await world.workspace.until(pictures, WAIT_S)
    assert await again.ends(signal.SIGTERM) == 0
    assert len(pictures(world.workspace)) == 1
    assert len([call for call in world.images.calls if call.endpoint == "responses"]) == 1
    assert ledger.turns() == [("pictures", "pictures")]
    ledger.holds_nothing()


async def test_a_stop_takes_nothing_more_in_and_finishes_what_runs(
    world: World, easel: Easel, tmp_path: Path
) -> None:
    easel.hold()
    bot = await running(world, tmp_path)
    await being_made(world, "a red fox")
    bot.process.send_signal(signal.SIGTERM)
    await bot.says("Stopping")
    await world.workspace.until(lambda workspace: not workspace.delivery.sockets, WAIT_S)
    assert bot.process.returncode is None
    easel.let_go()
    assert await bot.ends() == 0
    assert len(pictures(world.workspace)) == 1
    assert "Traceback" not in bot.said
    ledger = Ledger(tmp_path / "data")
    assert ledger.turns() == [("pictures", "pictures")]
    ledger.holds_nothing()


@pytest.mark.proof
async def test_a_second_signal_does_not_wait_and_the_next_start_goes_on(
    world: World, easel: Easel, tmp_path: Path
) -> None:
    easel.hold()
    bot = await running(world, tmp_path)
    await being_made(world, "a red fox")
    ledger = Ledger(tmp_path / "data")
    await named(ledger)
    bot.process.send_signal(signal.SIGTERM)
    await bot.says("Stopping")
    async with asyncio.timeout(QueueSettings().grace_s / 2):
        assert await bot.ends(signal.SIGINT) == 0
    assert "Traceback" not in bot.said
    assert "did not close in time" not in bot.said
    assert ledger.turns() == [("working", "")]

    easel.let_go()
    await the_next_start_brings_it(world, tmp_path, ledger)


@pytest.mark.proof
async def test_one_time_ends_a_slow_call_a_hung_errand_and_a_slack_that_does_not_answer(
    world: World, easel: Easel, tmp_path: Path
) -> None:
    easel.hold()
    bot = await running(world, tmp_path, "--set", "queue.grace_s=1")
    await being_made(world, "a red fox")
    ledger = Ledger(tmp_path / "data")
    await named(ledger)
    hung = asyncio.Event()

    def asked(params: object) -> bool:
        hung.set()
        return True

    world.workspace.faults.append(Fault("*", delay_s=3_600.0, drop="before", times=10_000, when=asked))
    await world.workspace.type_command("bob", "design", "/imagine last")
    async with asyncio.timeout(WAIT_S):
        await hung.wait()
    async with asyncio.timeout(QueueSettings().grace_s / 2):
        assert await bot.ends(signal.SIGTERM) == 0
    assert "for 1 seconds at most" in bot.said
    assert "stopping: no time is left after worker; the rest is for the next start" in bot.said
    assert "Traceback" not in bot.said
    assert "did not close in time" not in bot.said
    assert ledger.turns() == [("working", "")]
    assert ledger.attempts() == ["dispatched"]
    ledger.adds_up()

    world.workspace.faults.clear()
    easel.let_go()
    await the_next_start_brings_it(world, tmp_path, ledger)
    ledger.adds_up()


async def test_a_second_bot_beside_the_first_is_refused_and_the_first_goes_on(
    world: World, tmp_path: Path
) -> None:
    first = await running(world, tmp_path)
    second = await darkroom(tmp_path, "run", **variables(world))
    assert await second.ends() == 2
    assert second.said == (
        f"Another Darkroom is running on {tmp_path / 'data'}. Stop it first, or set storage.data_dir to "
        "another directory.\n"
    )
    await world.workspace.type_command("alice", "design", "/imagine a red fox")
    await world.workspace.until(pictures, WAIT_S)
    turns = await darkroom(tmp_path, "turns")
    assert await turns.ends() == 0
    assert f"(process {first.process.pid}): " in turns.said
    assert await first.ends(signal.SIGTERM) == 0
