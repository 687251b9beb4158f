"""Changes reach the disk a moment later, several at once, and nothing is written that nobody began."""

import asyncio
import json
import logging
import queue
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.keeping.folder import Folder, Shelf, Unreadable, Written
from sandbox.keeping.keeper import PAUSE_S, Keeper


class Number:
    """A part that is a number; it counts how often it was put together."""

    def __init__(self, number: int = 0) -> None:
        self.number = number
        self.times = 0

    def kept(self, shelf: Shelf) -> int:
        self.times += 1
        return self.number

    def restore(self, kept: Any, fetch: Callable[[str], bytes]) -> None:
        if not isinstance(kept, int):
            raise ValueError(f"{kept!r} is no number")
        self.number = kept


class Desk:
    """A keeper of one number, whose pauses end when a test lets them."""

    def __init__(self, place: Path) -> None:
        self.part = Number()
        self.folder = Folder(place)
        self.keeper = Keeper(self.folder, {"part": self.part}, sleep=self.sleep)
        self.pauses: asyncio.Queue[float] = asyncio.Queue()
        self.over = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.pauses.put_nowait(seconds)
        await self.over.wait()
        self.over.clear()

    async def moment(self) -> float:
        """The pause that is being made comes to its end; how long it is."""
        pause = await self.pauses.get()
        self.over.set()
        await self.keeper.settled()
        return pause

    def set(self, number: int) -> None:
        """Change the number."""
        self.part.number = number
        self.keeper.stir()

    @property
    def stored(self) -> Any:
        """The number on the disk."""
        return json.loads(self.folder.state.read_text())["part"]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path / "sandbox")
    yield made
    made.over.set()
    await made.keeper.close()


async def test_what_changes_within_a_moment_is_written_once(desk: Desk) -> None:
    desk.keeper.begin()
    desk.set(1)
    desk.set(2)
    assert await desk.moment() == PAUSE_S
    assert (desk.stored, desk.part.times) == (2, 1)
    desk.set(3)
    await desk.moment()
    assert (desk.stored, desk.part.times) == (3, 2)


async def test_whoever_waits_for_a_change_waits_for_no_later_one(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, write = asyncio.get_running_loop(), desk.folder.write

    async def change() -> None:
        desk.set(2)

    def meanwhile(written: Written) -> None:
        asyncio.run_coroutine_threadsafe(change(), loop).result(20)
        write(written)

    monkeypatch.setattr(desk.folder, "write", meanwhile)
    desk.set(1)
    desk.keeper.begin()
    async with asyncio.timeout(20):
        await desk.moment()
    assert desk.stored == 1
    monkeypatch.undo()
    async with asyncio.timeout(20):
        await desk.moment()
    assert desk.stored == 2


async def test_how_things_stand_is_written_when_it_begins(desk: Desk) -> None:
    desk.part.number = 7
    desk.keeper.begin()
    desk.keeper.begin()
    await desk.moment()
    assert desk.stored == 7


async def test_what_was_not_written_yet_is_at_the_end(desk: Desk) -> None:
    desk.keeper.begin()
    desk.set(5)
    await desk.keeper.close()
    assert desk.stored == 5


async def test_without_a_beginning_nothing_is_ever_written(desk: Desk) -> None:
    desk.set(5)
    await desk.keeper.close()
    assert not desk.folder.place.exists()


async def test_a_restart_brings_it_back(desk: Desk, tmp_path: Path) -> None:
    assert not desk.keeper.restore()
    desk.keeper.begin()
    desk.set(5)
    await desk.keeper.close()
    again = Desk(tmp_path / "sandbox")
    assert again.keeper.restore()
    assert again.part.number == 5


@pytest.mark.parametrize("text", ['{"format": 1}', '{"format": 1, "part": "five"}'])
async def test_a_state_that_does_not_fit_is_named(desk: Desk, text: str) -> None:
    desk.folder.place.mkdir()
    desk.folder.state.write_text(text)
    with pytest.raises(Unreadable) as raised:
        desk.keeper.restore()
    assert raised.value.path == desk.folder.state
    assert desk.folder.state.read_text() == text


async def test_a_disk_that_takes_nothing_is_told_once_and_tried_again(
    desk: Desk, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: queue.SimpleQueue[Written] = queue.SimpleQueue()

    def full(written: Written) -> None:
        tries.put(written)
        raise OSError("no space left on device")

    monkeypatch.setattr(desk.folder, "write", full)
    caplog.set_level(logging.WARNING)
    desk.keeper.begin()
    for number in (1, 2):
        desk.set(number)
        await desk.pauses.get()
        desk.over.set()
        await asyncio.to_thread(tries.get, timeout=20)
    desk.set(3)
    await desk.pauses.get()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    monkeypatch.undo()
    desk.over.set()
    await desk.keeper.settled()
    assert desk.stored == 3


async def test_what_cannot_be_kept_ends_the_keeping_aloud(
    desk: Desk, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = asyncio.Event()
    monkeypatch.setattr(desk.part, "kept", lambda shelf: b"bytes")
    desk.keeper.begin()
    (task,) = asyncio.all_tasks() - {asyncio.current_task()}
    task.add_done_callback(lambda _: ended.set())
    desk.over.set()
    async with asyncio.timeout(20):
        await ended.wait()
    assert "is no longer written, because of TypeError('bytes cannot be kept')" in caplog.text
    monkeypatch.undo()
