"""A world for each test, empty again when the test is over."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.turns.world import World, opened

MakeWorld = Callable[..., World]


@pytest.fixture
async def make_world(tmp_path: Path) -> AsyncIterator[MakeWorld]:
    """Makes a ``World`` (its keywords are the World's); at the end of the test nothing may be going on."""
    worlds: list[World] = []
    async with opened(tmp_path) as database:

        def make(*args: Any, **keywords: Any) -> World:
            worlds.append(World(database, tmp_path / "pictures", *args, number=len(worlds), **keywords))
            return worlds[-1]

        yield make
        for world in worlds:
            if world.left_to_recovery:
                await world.worker.aclose(0)
            else:
                await world.rest()
            await world.gate.aclose()


@pytest.fixture
async def threaded(tmp_path: Path) -> AsyncIterator[World]:
    """A world whose storage has its own threads, as in a real Darkroom."""
    async with opened(tmp_path, inline=False) as database:
        made = World(database, tmp_path / "pictures")
        yield made
        await made.rest()


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    """A world without caps."""
    return make_world()
