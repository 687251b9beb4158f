"""Five hundred commands in one second, of many people and of one, at a Darkroom with its usual settings."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.cli.world import World, start_world
from bot.setting_sections import QueueSettings
from sandbox.images.api import ImageApi
from sandbox.slack.workspace import Workspace
from tests.memory import has_kb
from tests.reliability import kept
from tests.scenarios.bot_process import Bot
from tests.scenarios.flat import FlatPainter
from tests.scenarios.story import Easel, Ledger

COMMANDS = 500
STORMS = 6
"""So many in a row show whether memory grows."""
QUEUE = QueueSettings()
PLACES = QUEUE.waiting + QUEUE.overall
"""How many turns there are at most: in the line, and at work."""
MY_PLACES = QUEUE.waiting_per_person + QUEUE.per_person
"""How many of them one person may have."""
ACK_PATIENCE_S = 30.0
"""Slack waits three seconds before it tells somebody that their command failed. How much of that is taken is
measured, and has to be less on the page; a machine that is busy with other things may take longer."""
TOLD_S = 300.0
POSTS_PER_S = 25.0
"""In the real world every channel has one a second; it is not what is measured here."""
GROWTH_MAX_KB = 4_000
"""What the second half of the storms may leave behind in memory, three thousand commands."""
OBJECTS_MAX = 1_000
"""What it may leave behind in objects: not even one for each command."""


class Crowd:
    """People, each in a direct message of their own with a Darkroom in a process of its own."""

    def __init__(self, world: World, easel: Easel, bot: Bot, ledger: Ledger) -> None:
        self.world, self.easel, self.bot, self.ledger = world, easel, bot, ledger
        self.places: list[tuple[str, str]] = []

    def comes(self, people: int) -> None:
        """So many people, who type from now on."""
        workspace = self.world.workspace
        found = [workspace.add_person(f"person{number}") for number in range(people)]
        self.places = [(person.id, workspace.dm(person.id, workspace.bot_user_id).id) for person in found]

    async def storm(self, name: str) -> float:
        """Five hundred commands at once, while no picture comes to its end; gives how long the slowest
        acknowledgement took, in milliseconds."""
        workspace = self.world.workspace
        # No more than the newest ten thousand are kept.
        workspace.delivery.acks.clear()
        self.easel.hold()
        typed = [
            workspace.type_command(*self.places[number % len(self.places)], f"/imagine {name} {number}")
            for number in range(COMMANDS)
        ]
        seen = await asyncio.gather(*typed)
        assert {one.error for one in seen} == {None}, "Slack told somebody that it failed"
        took = [a.elapsed_ms for a in workspace.delivery.acks if a.kind == "slash_commands"]
        assert len(took) == COMMANDS
        return max(took)

    async def open_turns(self) -> int:
        """How many turns have a place, once everybody who found none was told so."""

        def told(_: Workspace) -> int | None:
            turns = self.ledger.rows("SELECT state, reason, told_at FROM turns WHERE prompt <> ''")
            over = [row for row in turns if row["reason"] == "queue_full"]
            left = [row for row in turns if row["state"] != "ended"]
            all_told = all(row["told_at"] for row in over) and all(row["state"] != "received" for row in left)
            return len(left) if all_told else None

        return await self.world.workspace.until(told, TOLD_S)

    async def calms(self) -> None:
        """Every picture is finished and shown."""
        self.easel.let_go()
        await self.bot.rests(self.world)

    def refusals(self) -> int:
        """How often somebody has read that there is no place in the line."""
        channels = [self.world.workspace.channels[place] for _, place in self.places]
        said = [one.text for one in self.world.workspace.ephemerals]
        said += [message.text for channel in channels for message in channel.messages.values()]
        return sum("waiting" in text and "nothing was" in text.lower() for text in said)

    def ends_as(self, made: int, refused: int) -> None:
        """So many turns have pictures, so many found no place, and the books are right."""
        ends = {("pictures", "pictures"): made, ("declined", "queue_full"): refused}
        assert Counter(self.ledger.turns()) == Counter({end: count for end, count in ends.items() if count})
        self.ledger.adds_up()
        self.ledger.holds_nothing()


@asynccontextmanager
async def _crowd(data_dir: Path, people: int) -> AsyncIterator[Crowd]:
    easel = Easel()
    workspace = Workspace(file_processing_s=0.0)
    workspace.delivery.ack_timeout_s = ACK_PATIENCE_S
    images = ImageApi(seconds_per_picture=1.0, sleep=easel.sleep, paint=FlatPainter())
    world = await start_world(workspace, images)
    # A cap that bites would be seen in how the turns end.
    bot = await Bot.start(world, data_dir, posts_per_s=POSTS_PER_S, caps__person_usd="1000")
    crowd = Crowd(world, easel, bot, Ledger(data_dir))
    crowd.comes(people)
    try:
        yield crowd
    finally:
        easel.let_go()
        await bot.killed()
        await world.close()
        await workspace.close()


@pytest.mark.proof
@pytest.mark.alone
@pytest.mark.timeout(1_700)
async def test_commands_of_fifty_people_at_once_are_acknowledged_in_time_bounded_and_forgotten(
    tmp_path: Path,
) -> None:
    """Five hundred all find a place; of the five hundred after them most find none and are told so. Several
    times: what the process keeps in memory of the first ones is enough for all that follow."""
    async with _crowd(tmp_path, people=50) as crowd:
        memory, objects, slowest, made, refused = list[int](), list[int](), 0.0, 0, 0
        for number in range(STORMS):
            slowest = max(slowest, await crowd.storm(f"storm {number}"))
            assert await crowd.open_turns() == COMMANDS
            slowest = max(slowest, await crowd.storm(f"storm {number}, again"))
            places = await crowd.open_turns()
            assert QUEUE.waiting <= places <= PLACES
            made, refused = made + places, refused + 2 * COMMANDS - places
            assert crowd.refusals() == refused, "each who found no place was told so, once"
            await crowd.calms()
            memory.append(has_kb(crowd.bot.process.pid))
            objects.append(await crowd.bot.objects())
        crowd.ends_as(made, refused)
    growth = memory[-1] - memory[STORMS // 2 - 1]
    assert growth < GROWTH_MAX_KB, memory
    assert objects[-1] - objects[STORMS // 2 - 1] < OBJECTS_MAX, objects
    kept("storm", ["commands at once, and as many again while no picture is finished", COMMANDS])
    kept("storm", ["the slowest acknowledgement, in milliseconds (Slack waits 3,000)", round(slowest)])
    kept("storm", ["places in the line, and pictures made at once", f"{QUEUE.waiting} and {QUEUE.overall}"])
    kept("storm", [f"found a place and got their picture, in {STORMS} storms", made])
    kept("storm", ["found none and were told so", refused])
    kept("storm", ["memory after each storm, in MB", ", ".join(f"{kb / 1_000:.1f}" for kb in memory)])
    kept("storm", [f"more after the last than after storm {STORMS // 2}, in kB", growth])


@pytest.mark.proof
@pytest.mark.alone
@pytest.mark.timeout(900)
async def test_commands_of_one_person_at_once_leave_the_others_their_places(tmp_path: Path) -> None:
    async with _crowd(tmp_path, people=1) as crowd:
        slowest = await crowd.storm("all mine")
        mine = await crowd.open_turns()
        assert QUEUE.waiting_per_person <= mine <= MY_PLACES
        assert crowd.refusals() == COMMANDS - mine, "each that found no place was told so, once"
        await crowd.calms()
        crowd.ends_as(mine, COMMANDS - mine)
    kept("storm", ["the same of one person: the slowest acknowledgement, in milliseconds", round(slowest)])
    kept("storm", ["of one person's, found a place and got their picture", mine])
    kept("storm", ["of one person's, found none and were told so", COMMANDS - mine])
