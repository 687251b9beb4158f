"""Darkroom closes everything that it opened, whatever breaks on the way."""

from __future__ import annotations

import pytest

from storage.database import Database
from tests.scenarios.story import Town


async def test_a_part_that_cannot_be_closed_keeps_no_other_open(
    town: Town, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The lock above all: the next start needs it."""
    worker = town.darkroom.worker
    assert worker is not None
    close = worker.aclose

    async def breaks(grace_s: float) -> None:
        await close(grace_s)
        raise RuntimeError("as a fault of ours might")

    monkeypatch.setattr(worker, "aclose", breaks)
    await town.stops()
    assert "closing: worker broke: RuntimeError" in caplog.text
    Database.open(town.ledger.data_dir).close()
