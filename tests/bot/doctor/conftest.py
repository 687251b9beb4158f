"""A patient for each test, with nothing of this machine's tokens and proxies."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path

import httpcore2
import pytest

from bot.cli.world import start_world
from bot.proxies import PROXY_NAMES
from darkroom.spending.catalogue_file import read_entries
from sandbox.images.api import ImageApi
from sandbox.slack.workspace import Workspace
from tests.bot.doctor.patient import Patient

ENTRIES = cache(read_entries)
TLS = cache(httpcore2.default_ssl_context)


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("DARKROOM_", "SLACK_", "OPENAI_")) or name in PROXY_NAMES:
            monkeypatch.delenv(name)
    monkeypatch.setattr("darkroom.spending.catalogue.read_entries", ENTRIES)
    monkeypatch.setattr(httpcore2, "default_ssl_context", TLS)


@pytest.fixture
async def patient(tmp_path: Path) -> AsyncIterator[Patient]:
    """In whom all is well."""
    world = await start_world(Workspace(), ImageApi(seconds_per_picture=0))
    patient = Patient(tmp_path, world)
    patient.set_up()
    yield patient
    for close in patient.after:
        close()
    await world.close()
    await world.workspace.close()
