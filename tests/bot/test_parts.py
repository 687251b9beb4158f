"""Parts of the bot that the settings and the clock make."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from bot.parts import blobs_of
from bot.settings import plain_settings
from storage.blobs import WRITTEN_AGAIN_S
from tests.examples import StillClock


def test_how_long_bytes_are_kept_is_told_by_the_same_clock_as_everything(tmp_path: Path) -> None:
    clock = StillClock()
    blobs = blobs_of(plain_settings({"storage.data_dir": tmp_path}), clock)
    for _ in range(2):
        file = blobs.begin()
        file.write(b"logo")
        digest, _ = file.finish("png")
    assert not blobs.remove(digest, "png")
    clock.at += timedelta(seconds=WRITTEN_AGAIN_S + 1)
    assert blobs.remove(digest, "png")
