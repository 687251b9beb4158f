"""A town for each story."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.story import Town, close_town, open_town

OpenTown = Callable[..., Awaitable[Town]]


@pytest.fixture
async def towns(tmp_path: Path) -> AsyncIterator[OpenTown]:
    """Opens towns with settings of their own, such as ``caps__person_usd="1"``, and closes them."""
    opened: list[Town] = []

    async def make(**settings: Any) -> Town:
        town = await open_town(tmp_path / f"data{len(opened)}", **settings)
        opened.append(town)
        return town

    yield make
    for town in opened:
        await close_town(town)


@pytest.fixture
async def town(towns: OpenTown) -> Town:
    """A town with the usual settings."""
    return await towns()
