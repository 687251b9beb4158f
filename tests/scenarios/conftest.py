"""A town for each story."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import Any

import httpcore2
import pytest

from darkroom.spending.catalogue_file import read_entries
from handlers import account_rounds
from tests.scenarios.story import Town, close_town, open_town

OpenTown = Callable[..., Awaitable[Town]]

ENTRIES = cache(read_entries)
TLS = cache(httpcore2.default_ssl_context)

A_DAY_S = 86_400.0
QUICK = {"test_a_prompt_becomes_a_priced_picture_and_a_reply_edits_it"}
"""The stories that are told before every commit; the others take a second each and more."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the stories as slow, all but the quick ones."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent) and item.name not in QUICK:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def the_same_at_every_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Darkroom reads our prices at each start, and the certificates for a TLS that no story uses."""
    monkeypatch.setattr("darkroom.spending.catalogue.read_entries", ENTRIES)
    monkeypatch.setattr(httpcore2, "default_ssl_context", TLS)


@pytest.fixture(autouse=True)
def nobody_asks_for_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten seconds after a start: a hurried clock would be that much ahead of Slack's, in the middle of a
    story that is about something else."""
    monkeypatch.setattr(account_rounds, "FIRST_AFTER_S", A_DAY_S)


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
