"""Playing a story until it dies at a step, starting again, and looking at what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.crash.bots import Bot, Ended, Nursery
from tests.crash.promise import After, Before
from tests.crash.stage import Stage, first_of, staged
from tests.crash.stories import Story

LANES = 2
Point = tuple[int, str]
"""The number of a step, and its name."""
Dies = Callable[[Stage, str], Awaitable[bool]]
"""Lets a Darkroom die at the step of that name, start again, and looks; whether it came by that step."""


@dataclass
class Played:
    """What became of a story's points."""

    points: int = 0
    died: int = 0
    outlived: list[Point] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


async def play(stage: Stage, story: Story, die_at: str | None) -> tuple[Bot, Before]:
    """Act it until it is over or the process has died."""
    await stage.living()
    before = Before.at(stage)
    scene = await story.before(stage)
    if not story.unfinished:
        await stage.rests()
    bot, now = await stage.living(), Before.at(stage)
    before = replace(before, envelopes=now.envelopes) if story.unfinished else now
    await bot.arm(die_at)

    async def over() -> None:
        await story.act(stage, scene)
        await stage.rests()

    acting = asyncio.create_task(over())
    dying = asyncio.create_task(bot.ended.wait())
    await first_of(acting, dying)
    if not bot.ended.is_set() and bot.died_at is None and acting.done():
        acting.result()
    else:
        await stage.buried()
    acting.cancel()
    dying.cancel()
    await asyncio.gather(acting, dying, return_exceptions=True)
    return bot, before


async def points_of(nursery: Nursery, story: Story, folder: Path) -> list[str]:
    """The names of a story's steps, as they come when nobody dies."""
    async with staged(nursery, folder, **story.settings) as stage:
        bot, before = await play(stage, story, None)
        points = await bot.points()
        story.after(After(stage, before))
        return points


async def died_at(stage: Stage, story: Story, point: str) -> bool:
    """Die at that step, start again, and look; whether it came by that step at all."""
    bot, before = await play(stage, story, point)
    if not bot.ended.is_set():
        try:
            await stage.rests()
        except Ended:
            # What goes on after an acknowledgement is nothing that a resting Darkroom knows of yet.
            await stage.buried()
    dead = bot.ended.is_set()
    assert not dead or (bot.was_killed and bot.died_at == point), (bot.code, bot.died_at)
    stage.easel.let_go()
    await stage.rests()
    stage.world.images.faults.clear()
    stage.workspace.faults.clear()
    story.after(After(stage, before))
    return dead


async def play_all(nursery: Nursery, story: Story, points: Sequence[str], folder: Path) -> Played:
    """Die at each of *points*, on two stages side by side."""
    played = Played(points=len(points))
    todo = list(enumerate(points, start=1))

    async def dies(stage: Stage, point: str) -> bool:
        return await died_at(stage, story, point)

    await in_lanes(nursery, story, todo, played, folder / "first", dies, story.on_one_stage)
    # Some steps a Darkroom takes only once, such as asking for somebody's name: a new one each.
    again, played.outlived = played.outlived, []
    await in_lanes(nursery, story, again, played, folder / "again", dies, 1)
    return played


async def in_lanes(
    nursery: Nursery,
    story: Story,
    points: Sequence[Point],
    played: Played,
    folder: Path,
    dies: Dies,
    a_stage: int,
) -> None:
    """Die at each of *points* as *dies* does, *a_stage* of them on the same data; noted in *played*."""
    todo = list(reversed(points))

    async def some(stage: Stage) -> None:
        for _ in range(a_stage):
            if not todo:
                return
            number, point = todo.pop()
            try:
                if await dies(stage, point):
                    played.died += 1
                else:
                    played.outlived.append((number, point))
            except (AssertionError, TimeoutError, Ended) as fault:
                played.broken.append(f"{story.name}, point {number} ({point}): {fault!r:.1500}")
                # What is wrong here would be wrong for every point after it.
                return

    async def lane(name: str) -> None:
        part = 0
        while todo:
            part += 1
            async with staged(nursery, folder / f"{name}-{part}", **story.settings) as stage:
                await some(stage)

    async with asyncio.TaskGroup() as group:
        for number in range(LANES):
            group.create_task(lane(str(number)))
