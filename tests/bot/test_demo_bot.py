"""The demo's Darkroom begins anew with its Slack, and takes back what a demo that was killed has left."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.cli.demo_bot import DemoBot
from bot.cli.demo_clock import DemoClock
from bot.cli.demo_note import Note, read_note, time_in
from bot.cli.demo_side import DemoSide, Real
from bot.cli.turns import SILENT_S
from bot.cli.world import World, start_world
from bot.settings import plain_settings
from sandbox.slack.workspace import Workspace
from storage.database import DataProblem, read_books
from storage.heartbeat import last_beat
from tests.sandbox_images.support import quick_api

pytestmark = pytest.mark.slow

Json = dict[str, Any]
ALICE, CAROL = "U0ALICE001", "U0ADMIN001"
WAIT_S = 60.0
HARDLY = timedelta(seconds=0.5)
"""A new clock may be microseconds ahead of the machine's. So much is no jump either."""


@dataclass
class Demo:
    """A demo that runs in this process."""

    side: DemoSide
    world: World
    bot: DemoBot

    async def picture(self, prompt: str) -> None:
        """Ask for one as alice, and wait until nothing more comes."""
        seen = await self.world.workspace.type_command("alice", "design", f"/imagine {prompt}")
        assert seen.error is None
        room = self.world.workspace.channel_named("design")
        # Its placeholder is closed: all is in the books.
        await self.world.workspace.until(
            lambda _: [m for m in room.messages.values() if "Done: " in m.text], WAIT_S
        )

    async def post(self, path: str, **given: Any) -> tuple[int, Json]:
        async with (
            aiohttp.ClientSession(self.world.page_url) as http,
            http.post(f"control/{path}", json=given) as answer,
        ):
            return answer.status, await answer.json()

    async def cap(self) -> tuple[int | None, int]:
        """Alice's cap, and what she has spent."""
        services = self.bot.darkroom.services
        assert services is not None
        config, now = services.config, services.clock.now()
        mine = (await services.spend.balances(config.team_id, ALICE, None, config.caps, now))[0]
        return mine.cap_nano_usd, mine.charged_nano_usd


@asynccontextmanager
async def running(folder: Path, *, real: bool = False) -> AsyncIterator[Demo]:
    """One in *folder*, with what was noted there before."""
    clock = DemoClock(datetime.now(UTC) + HARDLY)
    workspace = Workspace(now=clock.unix, sleep=clock.sleep, file_processing_s=0)
    images = quick_api(now=clock.unix, sleep=clock.sleep)
    side = DemoSide(workspace, clock, Real(images=real), read_note(folder))
    world = await start_world(workspace, images, bot_side=side)
    flags = {"storage.data_dir": folder, "slack.admins": (CAROL,), "image.quality": "low"}
    bot = DemoBot(plain_settings(world.settings() | flags), clock, side)
    await bot.start()
    await side.give_back()
    side.note(world.slack_server.url, world.images_port)
    bot.lives()
    try:
        yield Demo(side, world, bot)
    finally:
        await bot.aclose()
        await world.close()
        await workspace.close()


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Demo]:
    async with running(tmp_path) as made:
        yield made


async def test_a_reset_is_one_of_the_books_and_their_pictures_too(demo: Demo, tmp_path: Path) -> None:
    await demo.picture("a red fox in snow")
    await demo.post("switch", id="fill_cap", value=True, viewer="alice")
    cap, spent = await demo.cap()
    assert cap == spent + 1_000_000
    assert spent > 0
    assert await demo.post("reset") == (200, {"ok": True, "connections": 1})
    assert await demo.cap() == (10_000_000_000, 0)
    assert not [file for file in (tmp_path / "pictures").rglob("*") if file.is_file()]
    assert (tmp_path / "sandbox" / "demo.json").exists(), "what is no book stays"
    async with aiohttp.ClientSession(demo.world.page_url) as http:
        answer = await http.get("control/switches", params={"viewer": "alice"})
        switches = {each["id"]: each["value"] for each in (await answer.json())["switches"]}
    assert switches["fill_cap"] is False
    await demo.picture("a fox in the new books")
    assert 0 < (await demo.cap())[1] < 2 * spent


async def test_a_reset_that_makes_no_sense_empties_nothing(demo: Demo) -> None:
    await demo.picture("a red fox in snow")
    before, darkroom = await demo.cap(), demo.bot.darkroom
    status, told = await demo.post("reset", everything=True)
    assert (status, told["ok"]) == (400, False)
    assert demo.bot.darkroom is darkroom, "nothing that runs was broken off"
    assert await demo.cap() == before
    assert "a red fox" in demo.world.workspace.transcript("#design")


async def test_books_of_real_money_are_not_emptied(tmp_path: Path) -> None:
    async with running(tmp_path, real=True) as demo:
        await demo.world.workspace.post("alice", "design", "// still here")
        status, told = await demo.post("reset")
        assert (status, "real money" in told["error"]) == (409, True)
        assert "still here" in demo.world.workspace.transcript("#design")


async def test_while_a_demo_ends_the_page_is_answered_and_nothing_begins_anew(demo: Demo) -> None:
    await demo.picture("a red fox in snow")
    room = demo.world.workspace.channel_named("design")
    root = next(iter(room.messages))
    assert (await demo.side.ledger(room.id, root))["budgets"]
    await demo.bot.aclose()
    books = await demo.side.ledger(room.id, root)
    assert [each["state"] for each in books["attempts"]] == ["settled"], "it stands in the file"
    assert books["budgets"] == []
    assert (await demo.side.fill_cap(ALICE))["ok"] is False
    await demo.side.jump("hour")
    assert (await demo.post("reset"))[0] == 409


async def test_a_socket_that_closes_amid_an_answer_is_nobodys_trouble(
    demo: Demo, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bolt, close = logging.getLogger("slack_bolt.AsyncApp"), demo.bot.darkroom.aclose

    async def closes() -> None:
        for error in (ConnectionResetError("gone"), ValueError("a real one")):
            try:
                raise error
            except (ConnectionError, ValueError):
                bolt.exception("not sent")
        await close()

    monkeypatch.setattr(demo.bot.darkroom, "aclose", closes)
    await demo.bot.aclose()
    told = [record.exc_info for record in caplog.records if record.name == bolt.name]
    assert [error[0] for error in told if error] == [ValueError]
    bolt.warning("said again")
    assert "said again" in caplog.text


async def test_a_sign_of_life_is_of_the_time_to_which_the_clock_has_jumped(
    demo: Demo, tmp_path: Path
) -> None:
    await demo.side.jump("day")
    beat = await asyncio.to_thread(read_books, tmp_path, last_beat)
    assert beat is not None
    assert abs(time_in(tmp_path) - beat.at).total_seconds() < SILENT_S


async def test_books_are_not_closed_while_somebody_reads_them(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = demo.bot.darkroom.services
    assert services is not None
    reads, goes_on = asyncio.Event(), asyncio.Event()
    balances: Callable[..., Awaitable[Any]] = services.spend.balances

    async def slowly(*given: Any) -> Any:
        reads.set()
        await goes_on.wait()
        return await balances(*given)

    monkeypatch.setattr(type(services.spend), "balances", lambda _, *given: slowly(*given))
    closed, close = asyncio.Event(), demo.bot.darkroom.aclose

    async def closes() -> None:
        closed.set()
        await close()

    monkeypatch.setattr(demo.bot.darkroom, "aclose", closes)
    filling = asyncio.create_task(demo.side.fill_cap(ALICE))
    await reads.wait()
    ending = asyncio.create_task(demo.bot.aclose())
    for _ in range(20):
        await asyncio.sleep(0)
    assert not closed.is_set()
    goes_on.set()
    assert (await filling)["ok"] is True
    await ending
    assert closed.is_set()


async def test_what_starts_no_more_after_a_reset_is_told(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_: object) -> None:
        raise DataProblem("the disk is full")

    monkeypatch.setattr("bot.app.Darkroom.start", broken)
    assert await demo.post("reset") == (409, {"ok": False, "error": "the disk is full"})
    assert (await demo.side.fill_cap(ALICE))["ok"] is False


async def test_a_cap_that_a_killed_demo_has_left_filled_is_given_back(tmp_path: Path) -> None:
    async with running(tmp_path) as demo:
        assert (await demo.side.fill_cap(ALICE))["ok"]
        assert list(read_note(tmp_path).filled) == [ALICE]
        assert (await demo.cap())[0] == 1_000_000
    async with running(tmp_path) as demo:
        assert (await demo.cap())[0] == 10_000_000_000
        assert read_note(tmp_path) == Note(0, demo.world.slack_server.url, demo.world.images_port)
