"""Dying once more: at every step of a start that takes up what the last death left, of one that brings what
Slack had not taken, and of the very first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from sandbox.slack.model import Fault
from tests.crash.bots import Bot, Ended, Nursery
from tests.crash.promise import After, Before
from tests.crash.stage import Stage, staged
from tests.crash.steps import Played, in_lanes, play, points_of
from tests.crash.stories import FOR_EVER, Story

WRECKS = 4
"""So many steps of a story, evenly spread, at which the first death leaves something to be taken up."""

UNDELIVERED = "SELECT id FROM turns WHERE outcome = 'pictures' AND undelivered_reason IS NOT NULL"

Start = Callable[[Stage, str | None], Awaitable[tuple[Bot, Before]]]
"""Lets a Darkroom start whose steps are counted, and die at one; with what had been before."""


async def play_recovery(nursery: Nursery, story: Story, wreck: int, folder: Path) -> Played:
    """Die in the middle of *story*, then at each step of the next start."""
    steps = await points_of(nursery, story, folder / "dry")
    at = steps[(wreck + 1) * len(steps) // (WRECKS + 1)]

    async def start(stage: Stage, die_at: str | None) -> tuple[Bot, Before]:
        first, before = await play(stage, story, at)
        assert first.was_killed, f"it never came to {at}"
        return await _start(stage, die_at), before

    return await _play_starts(nursery, story, start, folder)


async def play_redelivery(nursery: Nursery, story: Story, folder: Path) -> Played:
    """*story* ends with a picture that Slack did not take; die at each step of the start that brings it."""

    async def start(stage: Stage, die_at: str | None) -> tuple[Bot, Before]:
        stage.workspace.faults[:] = [
            Fault("files.getUploadURLExternal", error="team_added_to_org", times=FOR_EVER)
        ]
        first, before = await play(stage, story, None)
        assert len(stage.ledger.rows(UNDELIVERED)) == 1
        await first.killed()
        stage.workspace.faults.clear()
        return await _start(stage, die_at), before

    async def then(stage: Stage) -> None:
        assert stage.ledger.rows(UNDELIVERED) == []

    return await _play_starts(nursery, story, start, folder, then)


async def first_start(nursery: Nursery, story: Story, folder: Path) -> Played:
    """Die at each step of the start that makes the data; then *story* is played to its end."""

    async def start(stage: Stage, die_at: str | None) -> tuple[Bot, Before]:
        bot = await _start(stage, die_at)
        if bot.ended.is_set():
            await stage.living()
        before = Before.at(stage)
        return bot, before

    async def then(stage: Stage) -> None:
        await play(stage, story, None)

    return await _play_starts(nursery, story, start, folder, then, a_stage=1)


async def _start(stage: Stage, die_at: str | None) -> Bot:
    await stage.buried()
    bot = await stage.begin(from_start=True, die_at=die_at)
    with suppress(Ended):
        await stage.rests(bot)
    return bot


async def _nothing(_: Stage) -> None:
    return


async def _play_starts(
    nursery: Nursery,
    story: Story,
    start: Start,
    folder: Path,
    then: Callable[[Stage], Awaitable[None]] = _nothing,
    a_stage: int = 60,
) -> Played:
    async with staged(nursery, folder / "start", **story.settings) as stage:
        bot, _ = await start(stage, None)
        points = await bot.points()

    async def died_at(stage: Stage, point: str) -> bool:
        bot, before = await start(stage, point)
        dead = bot.ended.is_set()
        assert not dead or (bot.was_killed and bot.died_at == point), (bot.code, bot.died_at)
        await stage.rests()
        await then(stage)
        story.after(After(stage, before))
        return dead

    played = Played(points=len(points))
    todo = list(enumerate(points, start=1))
    await in_lanes(nursery, story, todo, played, folder / "starts", died_at, a_stage)
    again, played.outlived = played.outlived, []
    await in_lanes(nursery, story, again, played, folder / "starts-again", died_at, 1)
    return played
