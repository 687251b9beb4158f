"""A real Darkroom is killed with SIGKILL while twenty turns run, started again, and nothing is lost."""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bot.cli.world import World, start_world
from sandbox.images.api import ImageApi
from sandbox.images.painter import Order, paint
from sandbox.slack.model import Message
from sandbox.slack.workspace import Workspace
from storage.blobs import BlobStore
from storage.database import PICTURES_NAME
from tests.scenarios.bot_process import Bot
from tests.scenarios.story import Ledger

KILLS = 20
PACE = 1000.0
"""Posts a second in a channel: everything happens at once, so that a kill may come in the middle of it."""
PROMPT = re.compile(r"picture \d+ \d+ of a fox")
PEOPLE = ("alice", "bob", "carol")


@cache
def _painted(width: int, height: int, kind: str) -> bytes:
    return paint(Order("a picture", width, height, kind))


def _paint(order: Order) -> bytes:
    return _painted(order.width, order.height, order.output_format)


class Round:
    """Twenty things that people do, and how much of what follows is seen before the process is killed."""

    def __init__(self, world: World, number: int) -> None:
        self.world, self.number = world, number
        self.rng = random.Random(number)  # noqa: S311 -- a seeded test
        self.said: dict[str, Message] = {}

    async def played(self, bot: Bot) -> None:
        """Let everybody act at once, and kill *bot* after so many changes of the world outside."""
        moment, seen = self.rng.randrange(1, 330), 0
        now = asyncio.Event()

        def noticed(notice: object) -> None:
            nonlocal seen
            seen += 1
            if seen == moment:
                os.kill(bot.process.pid, signal.SIGKILL)
                now.set()

        workspace = self.world.workspace
        workspace.on_change.append(noticed)
        acts = asyncio.gather(*(self._act(number) for number in range(20)))
        # A moment that never comes is after everything.
        over = asyncio.create_task(self._over(acts, bot))
        killed = asyncio.create_task(now.wait())
        await asyncio.wait({killed, over}, return_when=asyncio.FIRST_COMPLETED)
        workspace.on_change.remove(noticed)
        await bot.killed()
        await acts
        # Nobody acknowledges any more what they would wait for.
        killed.cancel()
        over.cancel()
        await asyncio.gather(killed, over, return_exceptions=True)

    async def _over(self, acts: asyncio.Future[list[None]], bot: Bot) -> None:
        await acts
        await bot.rests(self.world)

    async def _act(self, number: int) -> None:
        workspace, prompt = self.world.workspace, f"picture {self.number} {number} of a fox"
        person, way = self.rng.choice(PEOPLE), self.rng.randrange(4)
        threads = [m for m in workspace.channel_named("design").messages.values() if "v1 is" in m.text]
        if way < 2:
            await workspace.type_command(person, "design", f"/imagine {prompt}")
            return
        if way == 2 and threads:
            root = self.rng.choice(threads).ts
            text = f"<@{workspace.bot_user_id}> {prompt}"
            self.said[prompt] = await workspace.post(person, "design", text, thread_ts=root)
            return
        text = f"<@{workspace.bot_user_id}> {prompt}"
        self.said[prompt] = await workspace.post(person, "design", text)


def _check(world: World, ledger: Ledger, said: dict[str, Message], told: Counter[str]) -> None:
    workspace = world.workspace
    ledger.adds_up()
    ledger.holds_nothing()
    turns = {row["prompt"]: row for row in ledger.rows("SELECT * FROM turns")}
    assert len(turns) == len(ledger.rows("SELECT id FROM turns"))
    assert not [row["prompt"] for row in turns.values() if row["state"] != "ended" or not row["told_at"]]
    assert said.keys() <= turns.keys(), "what somebody wrote is not lost"

    calls = Counter(_prompt(call.body) for call in world.images.calls if call.endpoint == "responses")
    assert not [prompt for prompt, times in calls.items() if times > 1]
    charged = ledger.rows(
        "SELECT prompt, attempts.state, charged_nano_usd FROM attempts JOIN turns ON turns.id = turn_id"
    )
    ends = {row["prompt"]: row["state"] for row in charged if row["charged_nano_usd"] > 0}
    assert calls.keys() <= ends.keys(), "a call was paid for and is in nobody's books"
    # A call that the books have and the API has not was killed on its way out: uncertain, never a picture.
    assert {ends[prompt] for prompt in ends.keys() - calls.keys()} <= {"uncertain"}

    everything = list(workspace.channel_named("design").messages.values())
    shown = Counter(
        m.metadata["event_payload"]["turn_id"] for m in everything if m.metadata and _has_picture(m)
    )
    made = {row["turn_id"] for row in ledger.rows("SELECT turn_id FROM pictures")}
    assert shown == Counter(made), "each picture once, and none too many"
    assert not [m.text for m in everything if "Working on it" in m.text]
    roots = {m.ts for m in everything if m.user == workspace.bot_user_id and not m.is_reply}
    wanted = {row["thread_ts"] for row in turns.values() if row["surface"] == "command" and row["id"] in made}
    assert roots == wanted, "a placeholder for each command that brought a picture, and no other"
    assert not [m.text for m in everything if workspace.bot_user_id in m.reactions.get("eyes", [])]
    for row in turns.values():
        assert row["outcome"] in ("pictures", "uncertain"), dict(row)
    lost = Counter(row["user_id"] for row in turns.values() if row["outcome"] == "uncertain")
    for person, times in lost.items():
        assert sum("nobody can say" in e.text for e in workspace.ephemerals_for(person)) >= times
    told.update(row["outcome"] for row in turns.values())


def _prompt(body: dict[str, Any]) -> str:
    """What a call asks for; a long thread goes on from the saved picture, and then it stands among others."""
    found = PROMPT.search(str(body["input"]))
    assert found is not None
    return found[0]


def _has_picture(message: Message) -> bool:
    return any(block["type"] == "image" for block in message.blocks)


@pytest.mark.proof
@pytest.mark.timeout(600)
async def test_killed_at_any_moment_nothing_is_sent_twice_lost_or_left_behind(tmp_path: Path) -> None:
    """Twenty kills on the same data, each with twenty turns under way, each followed by a new start."""
    workspace = Workspace(file_processing_s=0.0)
    images = ImageApi(seconds_per_picture=0.2, paint=_paint)
    world = await start_world(workspace, images)
    data_dir = tmp_path / "data"
    ledger, told, said = Ledger(data_dir), Counter[str](), dict[str, Message]()
    interrupted = 0
    bot = await Bot.start(world, data_dir, posts_per_s=PACE, queue__per_person=5)
    try:
        for number in range(KILLS):
            played = Round(world, number)
            await played.played(bot)
            said |= played.said
            interrupted += len(ledger.rows("SELECT id FROM attempts WHERE state = 'dispatched'"))
            bot = await Bot.start(world, data_dir, posts_per_s=PACE, queue__per_person=5)
            await bot.rests(world)
            told.clear()
            _check(world, ledger, said, told)
    finally:
        await bot.killed()
        await world.close()
        await workspace.close()
    assert told["pictures"] > 10 * KILLS
    assert interrupted > 0, "no kill came in the middle of a call"
    store = BlobStore(data_dir / PICTURES_NAME)
    assert all(store.path_of(row[0], "png").exists() for row in ledger.rows("SELECT sha256 FROM pictures"))
