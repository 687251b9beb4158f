"""Darkroom closes everything that it opened, whatever breaks on the way."""

from __future__ import annotations

import pytest

from darkroom.turns.shown_waits import ShownWaits
from storage.database import Database
from tests.scenarios.story import Town


async def test_a_part_that_cannot_be_closed_keeps_no_other_open(
    town: Town, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The lock above all: the next start needs it."""
    close = ShownWaits.aclose

    async def breaks(waits: ShownWaits) -> None:
        await close(waits)
        raise RuntimeError("as a fault of ours might")

    monkeypatch.setattr(ShownWaits, "aclose", breaks)
    await town.stops()
    assert "closing: worker broke: RuntimeError" in caplog.text
    Database.open(town.ledger.data_dir).close()
