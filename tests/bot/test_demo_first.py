"""The mark of a month that is being played: whoever is ended amid it has it whole the next time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.cli.demo_first import Playing, begin_again, broke_off, lives_already
from sandbox.keeping.folder import Folder, Shelf
from sandbox.keeping.keeper import Keeper


@pytest.mark.parametrize(
    ("there", "lives"),
    [
        (["darkroom.db"], True),
        (["sandbox/state.json"], True),
        (["sandbox/lock"], False),
        (["notes.txt"], False),
        (["darkroom.db", "sandbox/state.json", "sandbox/playing"], False),
    ],
)
def test_where_anything_was_done_no_past_is_played(tmp_path: Path, there: list[str], lives: bool) -> None:
    assert not lives_already(tmp_path / "missing")
    for name in there:
        (tmp_path / name).mkdir(parents=True)
    assert lives_already(tmp_path) is lives


def test_of_half_a_month_nothing_stays_and_of_other_people_s_files_all(tmp_path: Path) -> None:
    half = ["darkroom.db", "darkroom.db-wal", "pictures/ab/cd", "sandbox/state.json", "sandbox/playing"]
    others = ["notes.txt", "sandbox/lock", "sandbox/notes.txt"]
    for name in (*half, *others):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    begin_again(tmp_path)
    left = sorted(str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file())
    assert left == others


@pytest.mark.parametrize("ends", [False, True])
async def test_the_mark_stays_until_all_was_played_and_is_on_the_disk(tmp_path: Path, ends: bool) -> None:
    keeper = Keeper(Folder(tmp_path / "sandbox"), {}, sleep=lambda _: asyncio.sleep(0))
    keeper.folder.take()
    playing = Playing(tmp_path, keeper)
    keeper.begin()
    if ends:
        playing.ends()
    assert broke_off(tmp_path)
    await playing.aclose()
    assert keeper.folder.exists()
    assert broke_off(tmp_path) is not ends
    keeper.folder.release()


async def _lives_once_kept(place: Path, keeper: Keeper) -> None:
    """The month ends and is written; whoever is killed then has it."""
    playing = Playing(place, keeper)
    keeper.begin()
    playing.ends()
    async with asyncio.timeout(20):
        await keeper.settled()
    for _ in range(10):
        await asyncio.sleep(0)
    assert lives_already(place)
    await playing.aclose()
    keeper.folder.release()


async def test_who_is_killed_once_the_month_is_kept_has_it(tmp_path: Path) -> None:
    keeper = Keeper(Folder(tmp_path / "sandbox"), {}, sleep=lambda _: asyncio.sleep(0))
    keeper.folder.take()
    await _lives_once_kept(tmp_path, keeper)


def test_the_mark_is_its_owners_alone_and_is_made_nowhere_else(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "sandbox")
    folder.take()
    (tmp_path / "sandbox" / "playing").symlink_to(tmp_path / "elsewhere")
    Playing(tmp_path, Keeper(folder, {}))
    assert not (tmp_path / "elsewhere").exists()
    assert (tmp_path / "sandbox" / "playing").stat().st_mode & 0o077 == 0
    folder.release()


class Busy:
    """A part that changes whenever it is looked at."""

    keeper: Keeper

    def kept(self, shelf: Shelf) -> None:
        self.keeper.stir()

    def restore(self, kept: Any, fetch: Callable[[str], bytes]) -> None:
        """It has nothing."""


async def test_who_goes_on_at_once_and_is_killed_keeps_the_month(tmp_path: Path) -> None:
    busy = Busy()
    busy.keeper = keeper = Keeper(
        Folder(tmp_path / "sandbox"), {"busy": busy}, sleep=lambda _: asyncio.sleep(0)
    )
    keeper.folder.take()
    await _lives_once_kept(tmp_path, keeper)


async def test_a_month_that_cannot_be_written_stays_marked(tmp_path: Path) -> None:
    keeper = Keeper(Folder(tmp_path / "sandbox"), {}, sleep=lambda _: asyncio.sleep(0))
    keeper.folder.take()
    playing = Playing(tmp_path, keeper)
    (tmp_path / "sandbox" / "state.json.new").mkdir()
    keeper.begin()
    playing.ends()
    await playing.aclose()
    assert broke_off(tmp_path)
    keeper.folder.release()
