"""Stories told over HTTP: what works through a socket works there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.scenarios.http_town import HttpTown
from tests.scenarios.story import Town, picture


@pytest.fixture
async def over_http(tmp_path: Path) -> AsyncIterator[HttpTown]:
    """A town with the usual settings, over HTTP."""
    opened = await HttpTown.open(tmp_path / "data")
    yield opened
    await opened.close()


@pytest.fixture
def town(over_http: HttpTown) -> Town:
    """Its town."""
    return over_http.town


async def test_a_command_becomes_a_picture_over_http(town: Town) -> None:
    thread = await town.alice.imagines("a red fox in snow")
    await thread.shows(picture(version=1))
    await town.rests()
    assert len(town.calls) == 1
