"""Half real, half local: real pictures in the demo, and a real Slack with pictures that cost nothing. What is
real is here a sandbox, too, found by its address in the environment."""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
from collections.abc import AsyncIterator, Coroutine
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from click.testing import CliRunner

from bot.cli import Refused, main
from bot.cli.demo import _demo
from bot.cli.demo_side import Real
from bot.cli.mixes import Mix, check_demo_books, sandbox_pictures
from bot.cli.run import _run_with_sandbox, sandbox_told
from bot.cli.serving import Stop
from bot.cli.world import World, start_world
from bot.settings import Settings, plain_settings
from sandbox.images.api import ImageApi
from sandbox.slack.workspace import Workspace
from storage.database import DATABASE_NAME, Database
from tests.bot.test_running import WAIT_S, variables
from tests.sandbox_images.support import quick, quick_api

pytestmark = pytest.mark.slow

ALICE, DESIGN = "U0ALICE001", "C0DESIGN01"
KEY = "sk-somebodys-own"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """What stands for the real Slack, and for the real image API, which takes one key only."""
    workspace = Workspace(file_processing_s=0)
    images = ImageApi(seconds_per_picture=0, paint=quick, keys=frozenset({KEY}))
    started = await start_world(workspace, images)
    yield started
    await started.close()
    await workspace.close()


@pytest.fixture
def stop(monkeypatch: pytest.MonkeyPatch) -> Stop:
    """What ends a command that runs in this process, in place of a signal."""
    told = Stop()
    monkeypatch.setattr("bot.cli.serving.stop_signal", lambda: told)
    monkeypatch.setattr("bot.cli.serving.tune_process", lambda: None)
    monkeypatch.setattr("bot.logs.configure_logging", lambda level, form="text": None)
    return told


async def _prepared(
    monkeypatch: pytest.MonkeyPatch, runs: str, *typed: str, **environment: str
) -> tuple[Any, str]:
    """What a command hands to the function that *runs* it, and what it says before."""
    for name in [name for name in os.environ if name.startswith(("DARKROOM_", "SLACK_", "OPENAI_"))]:
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    handed: list[Any] = []

    async def keep(given: object) -> None:
        handed.append(given)

    with monkeypatch.context() as instead:
        instead.setattr(runs, keep)
        ended = await asyncio.to_thread(CliRunner().invoke, main, typed)
    assert ended.exit_code == 0, ended.output
    return handed[0], ended.output


class Command:
    """A command that runs in this process: what it says, and its end."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, runs: Coroutine[Any, Any, None], stop: Stop) -> None:
        self._lines: asyncio.Queue[str] = asyncio.Queue()
        self._stop = stop
        monkeypatch.setattr("click.echo", lambda text="", **_: self._lines.put_nowait(text))
        self._running = asyncio.create_task(runs)
        self._running.add_done_callback(lambda _: self._lines.put_nowait("it has ended"))
        self.said = ""

    async def says(self, pattern: str) -> re.Match[str]:
        """Read on until something like *pattern* was said."""
        async with asyncio.timeout(WAIT_S):
            while not (found := re.search(pattern, self.said)):
                assert "it has ended" not in self.said, self.said
                self.said += await self._lines.get() + "\n"
        return found

    async def ends(self) -> None:
        """Tell it to stop, and wait for its end."""
        self._stop.set()
        await self._running
        while not self._lines.empty():
            self.said += self._lines.get_nowait() + "\n"


async def test_a_demo_with_real_pictures_says_what_they_cost_and_asks_the_real_api(
    world: World, tmp_path: Path, stop: Stop, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = [
        "demo",
        "--no-browser",
        "--images",
        "openai",
        "--port",
        "0",
        "--data-dir",
        str(tmp_path / "demo"),
    ]
    wanted, before = await _prepared(
        monkeypatch,
        "bot.cli.demo._demo",
        *typed,
        "--set",
        "caps.person_usd=2",
        OPENAI_API_KEY=KEY,
        OPENAI_BASE_URL=world.openai_base_url,
        SLACK_BOT_TOKEN="xoxb-real",
    )
    assert "REAL MONEY" in before
    assert "$5.00 for all together, $2.00 for each person" in before
    demo = Command(monkeypatch, _demo(wanted), stop)
    url = (await demo.says(r"http://127\.0\.0\.1:\d+/")).group()
    asked = {"viewer": ALICE, "channel": DESIGN, "text": "/imagine a red fox in snow"}
    async with aiohttp.ClientSession(url) as http:
        async with http.ws_connect("/control/live") as live:
            async with http.post("/control/type", json=asked) as answer:
                assert (await answer.json())["ok"]
            shown = ""
            while '"type": "image"' not in shown:
                await live.receive_json(timeout=WAIT_S)
                async with http.get("/control/state", params={"viewer": ALICE}) as answer:
                    shown = await answer.text()
        async with http.get("/control/switches", params={"viewer": ALICE}) as answer:
            switches = await answer.json()
        async with http.post("/control/reset") as answer:
            assert answer.status == 409, "the books of real money stay"
    assert switches["real"]["images"] is True
    assert "cost money" in switches["real"]["words"]
    assert {switch["group"] for switch in switches["switches"]} == {"Slack", "money"}
    assert "responses" in {call.endpoint for call in world.images.calls} <= {"responses", "models"}
    await demo.ends()
    assert KEY not in before + demo.said
    assert "costs nothing" not in before + demo.said


OURS = "in a demo these are the sandbox's own"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("openai_base_url", f": {OURS}"),
        ("openai_api_key", " is a secret"),
        ("slack_api_url", f": {OURS}"),
        ("SLACK_BOT_TOKEN", " is a secret"),
    ],
)
def test_no_setting_makes_a_demo_real_that_says_it_costs_nothing(tmp_path: Path, name: str, why: str) -> None:
    options = ["--no-browser", "--port", "0", "--data-dir", str(tmp_path / "demo"), "--set", f"{name}=x"]
    ended = CliRunner().invoke(main, ["demo", *options])
    assert ended.exit_code == 2
    assert f"{name}{why}" in ended.output
    assert not (tmp_path / "demo").exists()


def test_without_a_key_there_are_no_real_pictures(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    ended = CliRunner().invoke(main, ["demo", "--images", "openai", "--port", "0"])
    assert ended.exit_code == 2
    assert "OPENAI_API_KEY is missing" in ended.output


async def test_a_real_slack_can_have_pictures_that_cost_nothing_and_need_no_key(
    world: World, tmp_path: Path, stop: Stop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.to_thread(lambda: Database.open(tmp_path / "data", create=True).close())
    tokens = {name: value for name, value in variables(world).items() if name.startswith("SLACK_")}
    monkeypatch.chdir(tmp_path)
    settings, _ = await _prepared(
        monkeypatch,
        "bot.cli.run._run_with_sandbox",
        *("run", "--images", "sandbox"),
        OPENAI_BASE_URL=world.openai_base_url,
        **tokens,
    )
    monkeypatch.setattr("bot.cli.mixes.ImageApi", quick_api)
    bot = Command(monkeypatch, _run_with_sandbox(settings), stop)
    await bot.says("Darkroom is connected")
    assert "Slack is real, pictures are not" in bot.said
    await world.workspace.type_command("alice", "design", "/imagine a red fox in snow")

    def made(workspace: Workspace) -> bool:
        room = workspace.channel_named("design")
        return any(block["type"] == "image" for m in room.messages.values() for block in m.blocks)

    await world.workspace.until(made, WAIT_S)
    assert world.images.calls == [], "the API of the environment was not asked"
    await bot.ends()


def _books(folder: Path, provider: str, team: str = "T0SANDBOX1") -> Settings:
    """A data directory whose books have one call, of *provider*, for *team*."""
    Database.open(folder, create=True).close()
    with closing(sqlite3.connect(folder / DATABASE_NAME)) as db:
        db.execute(
            """
            INSERT INTO journal (at, kind, attempt_id, team_id, channel_id, person_key, held_at,
                held_delta_nano_usd, charged_delta_nano_usd, image_model, host_model, endpoint, provider,
                price_version, flags)
            VALUES ('2026-11-01', 'hold', 'attempt', ?, 'C1', 'person', '2026-11-01', 1, 0, 'gpt-image-2',
                'gpt-5.6-luna', 'responses', ?, 'x', '[]')
            """,
            (team, provider),
        )
        db.commit()
    return plain_settings({"storage.data_dir": folder})


async def test_pictures_that_cost_nothing_are_not_put_into_books_of_real_money(tmp_path: Path) -> None:
    settings = await asyncio.to_thread(_books, tmp_path / "paid", "openai")
    with pytest.raises(Refused, match="have pictures from openai") as refused:
        async with sandbox_pictures(settings):
            raise AssertionError
    assert "darkroom init --data-dir" in refused.value.message


@pytest.mark.parametrize(("provider", "told"), [("openai", False), ("127.0.0.1:4711", True)])
def test_who_makes_real_pictures_with_the_sandboxs_books_is_told(
    tmp_path: Path, provider: str, told: bool
) -> None:
    settings = _books(tmp_path / "books", provider)
    assert (provider in sandbox_told(settings)) is told
    local = settings.model_copy(update={"openai_base_url": "http://127.0.0.1:4712/v1"})
    assert sandbox_told(local) == ""


async def test_books_of_pictures_that_cost_nothing_may_have_more_of_them(tmp_path: Path) -> None:
    settings = await asyncio.to_thread(_books, tmp_path / "local", "127.0.0.1:4711")
    async with sandbox_pictures(settings) as local:
        assert str(local.openai_base_url).startswith("http://127.0.0.1:")
        assert local.storage == settings.storage


@pytest.mark.parametrize(
    ("provider", "team", "said"),
    [
        ("openai", "T0REAL0001", "are of another Slack (T0REAL0001)"),
        ("127.0.0.1:4711", "T0REAL0001", "are of another Slack"),
        ("openai", "T0SANDBOX1", "have pictures from openai"),
    ],
)
def test_a_demo_plays_with_no_books_but_its_own(tmp_path: Path, provider: str, team: str, said: str) -> None:
    folder = tmp_path / "books"
    _books(folder, provider, team)
    ended = CliRunner().invoke(main, ["demo", "--no-browser", "--port", "0", "--data-dir", str(folder)])
    assert ended.exit_code == 2
    assert said in ended.output
    assert not (folder / "sandbox").exists(), "nothing was begun"


def test_real_pictures_are_not_put_into_books_whose_time_could_be_moved(tmp_path: Path) -> None:
    folder, mine = tmp_path / "books", "127.0.0.1:4711"
    _books(folder, mine)
    check_demo_books(folder, Mix(), "T0SANDBOX1")
    with pytest.raises(Refused, match="have pictures from 127"):
        check_demo_books(folder, Mix(Real(images=True), provider="openai"), "T0SANDBOX1")
    check_demo_books(folder, Mix(Real(images=True), provider=mine), "T0SANDBOX1")
    check_demo_books(tmp_path / "nothing", Mix(), "T0SANDBOX1")
