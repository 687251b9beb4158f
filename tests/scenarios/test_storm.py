"""Everything at once, seeded: people who act, a Slack and an API that fail at random, sockets that change."""

from __future__ import annotations

import asyncio
import logging
import random
import re
from collections import Counter
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from bot.app import Overrides
from bot.cli.world import World, start_world
from sandbox.images.api import ImageApi
from sandbox.images.mishaps import MISHAPS, mishap
from sandbox.slack.model import Fault
from sandbox.slack.workspace import Workspace
from tests.reliability import kept
from tests.scenarios.bot_process import Bot
from tests.scenarios.conftest import OpenTown
from tests.scenarios.flat import FlatPainter
from tests.scenarios.hostile_api import HastyClock
from tests.scenarios.story import WAIT_S, Easel, Ledger, Person, Thread, Town

STEPS = 30
METHODS = (
    "chat.postMessage",
    "chat.update",
    "chat.delete",
    "chat.postEphemeral",
    "chat.getPermalink",
    "conversations.history",
    "conversations.replies",
    "users.info",
    "files.getUploadURLExternal",
    "upload",
    "files.completeUploadExternal",
    "files.info",
    "reactions.add",
    "reactions.remove",
    "response_url",
)
HOW: tuple[dict[str, Any], ...] = (
    {"drop": "before"},
    {"drop": "after"},
    {"status": 500},
    {"status": 429, "headers": {"Retry-After": "2"}, "error": "ratelimited"},
)


class Storm:
    """A town in which one random thing happens after another."""

    def __init__(self, town: Town, seed: int) -> None:
        self.town = town
        self.rng = random.Random(seed)  # noqa: S311 -- a seeded test
        self.threads: list[Thread] = []

    async def step(self, number: int) -> None:
        """Some faults to come, and one act."""
        workspace, rng = self.town.workspace, self.rng
        for _ in range(rng.randrange(4)):
            workspace.faults.append(Fault(rng.choice(METHODS), **rng.choice(HOW)))
        if rng.random() < 0.5:
            self.town.images.faults.append(mishap(rng.choice(list(MISHAPS))))
        acts: list[Callable[[Person, str], Coroutine[Any, Any, None]]] = [
            self._command,
            self._command,
            self._mention,
            self._reply,
            self._second_thoughts,
            self._refresh,
        ]
        person = rng.choice([self.town.alice, self.town.bob, self.town.carol])
        await rng.choice(acts)(person, f"picture {number}")

    async def _command(self, person: Person, prompt: str) -> None:
        # It may find no socket, and then its person is told so.
        await self.town.workspace.type_command(person.id, "design", f"/imagine {prompt}")

    async def _mention(self, person: Person, prompt: str) -> None:
        self.threads.append(await person.mentions(prompt))

    async def _reply(self, person: Person, prompt: str) -> None:
        if self.threads:
            await person.replies(self.rng.choice(self.threads), prompt)

    async def _second_thoughts(self, person: Person, prompt: str) -> None:
        workspace = self.town.workspace
        us = f"<@{workspace.bot_user_id}>"
        message = await person.writes(f"{us} {prompt}")
        await workspace.edit_message(person.id, "design", message.ts, f"{us} {prompt} in blue")
        if self.rng.random() < 0.5:
            await workspace.delete_message(person.id, "design", message.ts)

    async def _refresh(self, person: Person, prompt: str) -> None:
        await self.town.workspace.refresh_sockets()


def _check(town: Town) -> None:
    town.ledger.holds_nothing()
    for turn in town.ledger.rows("SELECT * FROM turns"):
        assert turn["state"] == "ended", dict(turn)
        assert turn["told_at"] or turn["undelivered_reason"], dict(turn)
    made = [call.body["input"] for call in town.calls if call.outcome in ("picture", "words", "nothing")]
    assert len(made) == len({str(asked) for asked in made}), "bought twice"
    everything, us = town.messages(), town.workspace.bot_user_id
    shown = [m for m in everything if any(block["type"] == "image" for block in m.blocks)]
    of_turns = [m.metadata["event_payload"]["turn_id"] for m in shown if m.metadata]
    delivered = town.ledger.rows(
        """SELECT turn_id FROM pictures JOIN turns ON turns.id = turn_id WHERE undelivered_reason IS NULL"""
    )
    assert sorted(of_turns) == sorted(row["turn_id"] for row in delivered), "each picture once"
    assert not [m.text for m in everything if "Working on it" in m.text]
    assert not [m.text for m in everything if us in m.reactions.get("eyes", [])]
    assert {n.user for n in town.workspace.notifications} <= {town.alice.id, town.bob.id, town.carol.id, us}
    caps = town.ledger.rows(
        """SELECT MAX(charged_nano_usd) FROM counters WHERE budget LIKE 'person:%'""",
    )
    assert (caps[0][0] or 0) <= 2_000_000_000


async def _settles(town: Town) -> None:
    """Slack gives an event up whose acknowledgements were lost with their sockets, while Darkroom is still at
    it: that Slack waits for nothing is not yet rest."""

    def all_ended(_: Workspace) -> bool:
        return not town.ledger.rows("SELECT id FROM turns WHERE state <> 'ended'")

    async with asyncio.timeout(WAIT_S):
        await town.rests()
        while not all_ended(town.workspace):
            await town.workspace.until(all_ended, WAIT_S)
            await town.rests()


@pytest.mark.proof
@pytest.mark.parametrize("seed", range(20))
async def test_whatever_happens_every_turn_ends_once_and_the_books_are_right(
    towns: OpenTown, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    town = await towns(
        overrides=Overrides(clock=HastyClock()), caps__person_usd="2", queue__waiting=30, image__timeout_s=10
    )
    storm = Storm(town, seed)
    for number in range(STEPS):
        await storm.step(number)
    await _settles(town)
    _check(town)
    ours = [record for record in caplog.records if record.name.startswith(("darkroom", "handlers"))]
    # That the account has no money left is no fault of ours, and an admin's log says so.
    told = [record.getMessage() for record in ours if record.levelno >= logging.ERROR]
    assert not [each for each in told if not each.startswith("the image API is not called")]


COMMANDS, STORMS = 500, 3
WAITING, OVERALL = 40, 8
ACK_MAX_MS = 3_000.0
"""How long Slack waits before it tells somebody that their command failed."""
GROWTH_MAX_KB = 4_000
"""What a storm may leave behind in memory that the storm before it had not needed."""


class Crowd:
    """Fifty people, each in a direct message of their own with a Darkroom in a process of its own."""

    def __init__(self, world: World, easel: Easel, bot: Bot, ledger: Ledger) -> None:
        self.world, self.easel, self.bot, self.ledger = world, easel, bot, ledger
        workspace = world.workspace
        people = [workspace.add_person(f"person{number}") for number in range(50)]
        self.places = [(person.id, workspace.dm(person.id, workspace.bot_user_id).id) for person in people]

    async def storm(self, name: str) -> list[float]:
        """Everybody types ten commands at once, while no picture comes to its end; gives how long each
        acknowledgement took, in milliseconds."""
        workspace, before = self.world.workspace, len(self.world.workspace.delivery.acks)
        self.easel.hold()
        typed = [
            workspace.type_command(*self.places[number % 50], f"/imagine {name} {number}")
            for number in range(COMMANDS)
        ]
        seen = await asyncio.gather(*typed)
        assert {one.error for one in seen} == {None}, "Slack told somebody that it failed"
        acks = list(workspace.delivery.acks)[before:]
        return [ack.elapsed_ms for ack in acks if ack.kind == "slash_commands"]

    async def open_turns(self) -> int:
        """How many turns are in the line, once everybody who found no place in it was told so."""

        def told(_: Workspace) -> int | None:
            turns = self.ledger.rows("SELECT state, reason, told_at FROM turns WHERE prompt <> ''")
            over = [row for row in turns if row["reason"] == "queue_full"]
            left = [row for row in turns if row["state"] != "ended"]
            all_told = all(row["told_at"] for row in over) and all(row["state"] != "received" for row in left)
            return len(left) if all_told and len(left) <= WAITING + OVERALL else None

        return await self.world.workspace.until(told, 60)

    def refusals(self) -> int:
        """How often somebody has read that there is no place in the line."""
        channels = [self.world.workspace.channels[place] for _, place in self.places]
        said = [one.text for one in self.world.workspace.ephemerals]
        said += [message.text for channel in channels for message in channel.messages.values()]
        return sum("waiting" in text and "nothing was" in text.lower() for text in said)

    def memory_kb(self) -> int:
        """What the process has in memory."""
        status = Path(f"/proc/{self.bot.process.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0])


@pytest.mark.proof
@pytest.mark.alone
@pytest.mark.timeout(300)
async def test_five_hundred_commands_at_once_are_acknowledged_in_time_bounded_and_forgotten(
    tmp_path: Path,
) -> None:
    """Three times: the third leaves nothing in memory that was not there after the second."""
    easel = Easel()
    workspace = Workspace(file_processing_s=0.0)
    images = ImageApi(seconds_per_picture=1.0, sleep=easel.sleep, paint=FlatPainter())
    world = await start_world(workspace, images)
    bot = await Bot.start(world, tmp_path, queue__waiting=WAITING, queue__overall=OVERALL)
    crowd = Crowd(world, easel, bot, Ledger(tmp_path))
    memory, slowest, refused = list[int](), 0.0, 0
    try:
        for number in range(STORMS):
            took = await crowd.storm(f"storm {number}")
            assert len(took) == COMMANDS
            assert max(took) < ACK_MAX_MS
            slowest = max(slowest, *took)
            waiting = await crowd.open_turns()
            assert WAITING <= waiting <= WAITING + OVERALL
            refused += COMMANDS - waiting
            assert crowd.refusals() == refused, "each who found no place was told so, once"
            easel.let_go()
            await bot.rests(world)
            memory.append(crowd.memory_kb())
        ends = Counter(crowd.ledger.turns())
        made = STORMS * COMMANDS - refused
        assert ends == {("declined", "queue_full"): refused, ("pictures", "pictures"): made}
        crowd.ledger.adds_up()
        crowd.ledger.holds_nothing()
    finally:
        easel.let_go()
        await bot.killed()
        await world.close()
        await workspace.close()
    assert memory[-1] - memory[-2] < GROWTH_MAX_KB, memory
    kept("storm", ["commands at once", COMMANDS])
    kept("storm", ["the slowest acknowledgement, in milliseconds (Slack waits 3,000)", round(slowest)])
    kept("storm", ["places in the line, and pictures made at once", f"{WAITING} and {OVERALL}"])
    kept("storm", ["found no place and were told so, of three storms together", refused])
    kept("storm", ["more memory after the third storm than after the second, in kB", memory[-1] - memory[-2]])
