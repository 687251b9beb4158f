"""However many people there are, there are as many series as before; and nobody's id is in one."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.heart import Heart
from bot.settings import plain_settings
from bot.watch.series import FIRST_MAX
from bot.watch.watch import Watch
from darkroom.rendering.job import Answer, Billed, Failure, FailureKind
from handlers.answering import Kind
from handlers.asking import CallOutcome
from storage.heartbeat import SqlitePulse
from tests.turns.fakes import BROKEN_STREAM, CATALOGUE, Script, ScriptedRenderer, failed, said
from tests.turns.world import World, opened

IDS = re.compile(r"[UCTDWB]0[A-Z0-9]{3,}|turn_|try_|pic_|resp_|\b\d{10}\.\d{6}\b")
"""What ids of Slack's and ours look like."""


class Crowd:
    """Everybody asks once, each in a channel of their own; with some it goes wrong in each way there is."""

    def __init__(self, world: World, watch: Watch) -> None:
        self.world = world
        self.watch = watch

    @classmethod
    async def watched(cls, world: World, watch: Watch) -> Crowd:
        """In a world whose parts are counted."""
        world.store = watch.store(world.database)
        # It is one for whoever calls it.
        plain, world.renderer = world.renderer, cast(ScriptedRenderer, watch.renderer(world.renderer))
        world.start()
        world.renderer = plain
        heart = Heart(world.worker, SqlitePulse(world.database), world.clock)
        watch.look_into(world.database, "T0TEAM0001", world.limits, world.gate, heart)
        await watch.start()
        await watch.ready()
        return cls(world, watch)

    async def ask(self, first: int, last: int) -> None:
        """Those of that number."""
        for begin in range(first, last, 100):
            for number in range(begin, min(begin + 100, last)):
                user, channel = f"U0CROWD{number:05d}", f"C0CROWD{number:05d}"
                prompt = f"a fox for {user}"
                self.world.renderer.scripts[prompt] = _fate(number)
                await self.world.imagine(prompt, user=user, channel=channel)
                self.watch.answered(Kind.COMMAND, number % 9 != 0, 0.1)
                self.watch.slack_called("chat.postMessage", list(CallOutcome)[number % 5], 0.1)
                self.watch.slack_called(f"made.up.{number}", CallOutcome.OK, 0.1)
            await self.world.worker.idle()

    async def series(self) -> dict[str, int]:
        """How many numbers each metric has."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.watch.url}/metrics") as answer:
            text = await answer.text()
        families = list(text_string_to_metric_families(text))
        for family in families:
            for sample in family.samples:
                assert not any(IDS.search(value) for value in sample.labels.values()), sample
        return {family.name: len(family.samples) for family in families}


def _fate(number: int) -> list[Script]:
    """Most are painted; some are answered in words, blocked or broken off, some fail with a code that may be
    anything."""
    fates: list[list[Script]] = [
        [],
        [said("No picture, but words.")],
        [failed(FailureKind.MODERATION)],
        [_coded(_word(number))],
        [_coded(f"U0CROWD{number:05d}")],
        [BROKEN_STREAM] if number % 50 == 5 else [_coded(_word(number))],
    ]
    return fates[number % 6]


def _coded(code: str) -> Answer:
    return Answer(failure=Failure(FailureKind.BAD_REQUEST, Billed.NOTHING, code=code, message="no"))


def _word(number: int) -> str:
    """A number in letters."""
    return "code_" + "".join(chr(ord("a") + int(digit)) for digit in str(number))


@pytest.fixture
async def crowd(tmp_path: Path) -> AsyncIterator[Crowd]:
    async with opened(tmp_path) as database:
        await database.look(lambda db: db.execute("PRAGMA synchronous = OFF"))
        world = World(database, tmp_path / "pictures")
        settings = plain_settings({"storage.data_dir": tmp_path, "watch.port": 0})
        watch = Watch(settings, CATALOGUE, world.clock)
        yield await Crowd.watched(world, watch)
        await watch.aclose()


@pytest.mark.slow
async def test_more_people_make_no_more_series(crowd: Crowd) -> None:
    await crowd.ask(0, 140)
    before = await crowd.series()
    await crowd.ask(140, 200)
    assert await crowd.series() == before
    assert before["darkroom_render_failures"] >= FIRST_MAX, "there were more codes than are told apart"
    assert sum(before.values()) < 1_000


@pytest.mark.proof
async def test_ten_thousand_people_make_no_more_series_than_a_thousand(crowd: Crowd) -> None:
    await crowd.ask(0, 1_000)
    before = await crowd.series()
    await crowd.ask(1_000, 10_000)
    assert await crowd.series() == before
    assert sum(before.values()) < 1_000
