"""Playing a story on a disk that fails at one operation, or from one on, and looking at what came of it."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.slack.workspace import Workspace
from tests.crash.bots import Bot, Ended, Nursery
from tests.crash.promise import After, Before
from tests.crash.stage import WAIT_S, Stage, staged
from tests.crash.steps import LANES
from tests.crash.stories import Story

RUNS_A_STAGE = 40
ACK_S = 0.5
"""How long the sandbox's Slack waits before it sends an event again."""
ENDS = ("pictures", "uncertain", "failed")
SAID = ("disk is full", "disk I/O error", "No space left", "Input/output error")
"""What the log has to say of a disk that brought something down."""


@dataclass(frozen=True)
class Trouble:
    """The operation at which the disk begins to fail, how, and whether it goes on failing."""

    at: int
    error: int
    lasting: bool

    def __str__(self) -> str:
        how = "from operation" if self.lasting else "operation"
        return f"{errno.errorcode[self.error]}, {how} {self.at}"


@dataclass
class Starved:
    """What became of every trouble."""

    met: int = 0
    unmet: list[Trouble] = field(default_factory=list)
    ends: dict[str, int] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)


async def operations_of(nursery: Nursery, story: Story, folder: Path) -> int:
    """How often a story changes the disk when nothing fails."""
    async with staged(nursery, folder, faulty_disk=True, **story.settings) as stage:
        operations, _, before = await _play(stage, story, Trouble(0, 0, lasting=False))
        story.after(After(stage, before))
        return operations


async def _play(stage: Stage, story: Story, trouble: Trouble) -> tuple[int, list[str], Before]:
    """Act it on that disk, until nothing more can be done; the disk is well again afterwards."""
    await stage.living()
    stage.workspace.delivery.ack_timeout_s = ACK_S
    scene = await story.before(stage)
    await stage.rests()
    bot, before = await stage.living(), Before.at(stage)
    await bot.fail(trouble.at, trouble.error, lasting=trouble.lasting)
    await story.act(stage, scene)

    def tried(workspace: Workspace) -> bool:
        # What was not taken in is not acknowledged, and Slack sends it again, in vain while the disk is full.
        parcels = workspace.delivery.unanswered
        return all(parcel.kind != "events_api" or parcel.attempt > 0 for parcel in parcels)

    for _ in range(3):
        # That an event is sent again is no change in the workspace.
        for times in (1.2, 2.4, 6):
            asyncio.get_running_loop().call_later(times * ACK_S, stage.workspace.changed, {"kind": "again"})
        await stage.workspace.until(tried, WAIT_S)
        await bot.rests()
    operations, failed = await bot.mend()
    return operations, failed, before


async def _starve(stage: Stage, story: Story, trouble: Trouble) -> tuple[bool, str]:
    """Whether the disk came to fail at all, and how it ended once the disk was well and Darkroom new."""
    start = len(stage.log.read_text()) if stage.log.exists() else 0
    _, failed, before = await _play(stage, story, trouble)
    log = stage.log.read_text()[start:]
    await _stop(await stage.living(), kill=trouble.at % 2 == 0)
    await stage.rests()
    after = After(stage, before)
    _check(after, story, log)
    return bool(failed), after.turns[0]["outcome"] if after.turns else "not taken in"


async def _stop(bot: Bot, *, kill: bool) -> None:
    if kill:
        await bot.killed()
    else:
        with suppress(Ended):
            await bot.close()


def _check(after: After, story: Story, log: str) -> None:
    """No money is lost, the person was told, and the books are whole."""
    assert after.stage.ledger.rows("PRAGMA integrity_check")[0][0] == "ok"
    after.holds(*ENDS)
    assert len(after.turns) <= 1
    if story.sent_again:
        assert len(after.turns) == 1, "Slack has sent it until it was taken in"
    ended = after.turns[0]["outcome"] if after.turns else None
    if ended == "pictures":
        return
    assert any(words in log for words in SAID), "the log does not say what is wrong with the disk"
    assert after.told_privately > 0, "nobody was told anything"


async def starve_all(nursery: Nursery, story: Story, troubles: Iterable[Trouble], folder: Path) -> Starved:
    """Every trouble, each followed by a new start on the same file, on two stages side by side."""
    starved, todo = Starved(), list(troubles)[::-1]

    async def some(stage: Stage) -> None:
        for _ in range(RUNS_A_STAGE):
            if not todo:
                return
            trouble = todo.pop()
            try:
                met, ended = await _starve(stage, story, trouble)
            except (AssertionError, TimeoutError, Ended) as fault:
                starved.broken.append(f"{story.name}, {trouble}: {fault!r:.1500}")
                return
            starved.ends[ended] = starved.ends.get(ended, 0) + 1
            starved.met += met
            if not met:
                starved.unmet.append(trouble)

    async def lane(number: int) -> None:
        part = 0
        while todo:
            part += 1
            place = folder / f"{number}-{part}"
            async with staged(nursery, place, faulty_disk=True, **story.settings) as stage:
                await some(stage)

    async with asyncio.TaskGroup() as group:
        for number in range(LANES):
            group.create_task(lane(number))
    return starved
