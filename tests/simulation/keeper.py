"""Who starts Darkroom, stops it, and starts it again whenever it has died."""

from __future__ import annotations

import asyncio

from tests.simulation.life import Life
from tests.simulation.loop import inside
from tests.simulation.world import WentWrong, World

START_LIMIT_S = 600.0
CRASHES_EACH = 1_200
"""Steps between two crashes, on the average."""


class Keeper:
    """Of one world's Darkroom."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._deploy = asyncio.Event()

    def deploy(self) -> None:
        """Let whoever keeps it put a new process in place of the old one."""
        self._deploy.set()

    async def start(self) -> None:
        """A new life, again and again until one has come up."""
        world = self._world
        while True:
            until = None
            if world.crashing:
                until = 1 + int(
                    world.rng.expovariate(1 / world.rng.choice((40, CRASHES_EACH, 3 * CRASHES_EACH)))
                )
            life = Life(len(world.lives) + 1, world.loop, world.trace, until)
            world.lives.append(life)
            world.life = life
            came_up = world.house.comes_up(life)
            dying = asyncio.ensure_future(life.over.wait())
            await asyncio.wait({came_up, dying}, return_when=asyncio.FIRST_COMPLETED, timeout=START_LIMIT_S)
            dying.cancel()
            if life.alive and not came_up.done():
                raise WentWrong(f"life {life.number} did not come up in {START_LIMIT_S:g} s")
            if life.alive:
                world.darkroom = came_up.result()
                world.trace.note(f"life {life.number} is up")
                return
            world.trace.count("crashes")
            world.trace.count("crashes while starting")
            await asyncio.sleep(world.rng.uniform(1, 20))

    async def stop(self) -> None:
        """A deploy or the evening: the socket first, then Darkroom, which may die of it."""
        world, life, darkroom = self._world, self._world.life, self._world.darkroom
        if life is None or darkroom is None or not life.alive:
            return
        world.trace.note(f"life {life.number} is asked to stop")
        world.slack_side.hang_up()
        closing = world.loop.create_task(darkroom.aclose(), context=inside(life))
        dying = asyncio.ensure_future(life.over.wait())
        await asyncio.wait({closing, dying}, return_when=asyncio.FIRST_COMPLETED)
        dying.cancel()
        if life.alive:
            await closing
            life.alive = False
            world.loop.bury(life)
            world.trace.count("stops")
        else:
            world.trace.count("crashes")
        world.trace.note(f"life {life.number} has stopped")

    async def keep(self) -> None:
        """Start it again whenever it dies, after a while, and at once after a deploy."""
        world = self._world
        while True:
            life = world.life
            if life is not None:
                await asyncio.wait(
                    {asyncio.ensure_future(life.over.wait()), asyncio.ensure_future(self._deploy.wait())},
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if self._deploy.is_set() and life.alive:
                    await self.stop()
                else:
                    world.trace.count("crashes")
                    down = world.rng.choice((1.0, 5.0, 5.0, 60.0, 600.0, 5000.0))
                    await asyncio.sleep(down * world.rng.uniform(0.5, 1.5))
                self._deploy.clear()
            await self.start()
