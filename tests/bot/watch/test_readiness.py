"""Whether Darkroom is ready: every part is asked, and what hangs holds nobody up."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from bot.watch import readiness
from bot.watch.readiness import PartState, Readiness, disk_ping


class Part:
    """A part that may hang, break, or say what is wrong."""

    def __init__(
        self, says: str | None = None, breaks: Exception | None = None, *, hangs: bool = False
    ) -> None:
        self.says = says
        self.breaks = breaks
        self.asked = 0
        self.go = asyncio.Event()
        if not hangs:
            self.go.set()

    async def ping(self) -> str | None:
        """See ``Ping``."""
        self.asked += 1
        await self.go.wait()
        if self.breaks is not None:
            raise self.breaks
        return self.says


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "PING_S", 0.02)


async def test_each_part_says_for_itself_and_a_note_keeps_nobody_from_being_ready() -> None:
    broken = Part(breaks=OSError(28, "No space left on device: /home/alice"))
    parts = {"well": Part(), "ill": Part("not connected"), "broken": broken}
    notes = {"note": Part("not called"), "broken note": Part(breaks=ValueError("secret"))}
    ready = Readiness(
        {name: part.ping for name, part in parts.items()}, {n: p.ping for n, p in notes.items()}
    )
    states = await ready.look()
    assert states["well"] == PartState(True)
    assert states["ill"] == PartState(False, "not connected")
    assert not states["broken"].ok
    assert "OSError" in (states["broken"].says or "")
    assert states["note"] == PartState(True, "not called")
    assert states["broken note"].ok
    assert "secret" not in str(states)


async def test_what_hangs_is_said_and_is_not_asked_again_until_it_answers() -> None:
    hangs, well = Part(hangs=True), Part()
    ready = Readiness({"hangs": hangs.ping, "well": well.ping})
    for _ in range(3):
        states = await ready.look()
        assert states == {"hangs": PartState(False, "no answer within 0.02 s"), "well": PartState(True)}
    assert (hangs.asked, well.asked) == (1, 3)
    hangs.go.set()
    assert (await ready.look())["hangs"].ok


async def test_it_ends_with_somebody_still_hanging() -> None:
    hangs = Part(hangs=True)
    ready = Readiness({"hangs": hangs.ping})
    await ready.look()
    async with asyncio.timeout(5):
        await ready.aclose()
    assert (await asyncio.wait_for(ready.look(), 5))["hangs"].ok is False


async def test_a_disk_is_well_when_it_can_be_written_and_has_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await disk_ping(tmp_path) is None
    assert os.listdir(tmp_path) == []  # noqa: PTH208 -- pathlib's is refused in a coroutine
    assert "cannot be written" in (await disk_ping(tmp_path / "gone") or "")
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_bavail=3_000, f_frsize=1_000))
    assert await disk_ping(tmp_path) == "3 MB are free on the disk"
