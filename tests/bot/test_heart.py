"""Signs of life: when they are given, what they say, and how they are read."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot import heart
from bot.cli import main
from bot.cli.turns import SILENT_S, in_a_line
from bot.heart import Heart
from darkroom.turns.heartbeat import Beat
from storage.database import Database
from storage.heartbeat import SqlitePulse
from tests.examples import NOON, StillClock
from tests.turns.world import World, opened, turns_of_the_loop


class Recorded:
    """What was written down; ``faults`` are raised instead."""

    def __init__(self) -> None:
        self.beats: list[Beat] = []
        self.faults: list[BaseException] = []
        self.written = asyncio.Event()

    async def beat(self, beat: Beat) -> None:
        """See ``Pulse``."""
        if self.faults:
            raise self.faults.pop()
        self.beats.append(beat)
        self.written.set()

    async def beaten(self, times: int) -> None:
        """Wait for so many."""
        async with asyncio.timeout(10):
            while len(self.beats) < times:
                self.written.clear()
                await self.written.wait()


async def test_it_beats_at_once_and_again_also_when_the_disk_is_full_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heart, "EVERY_S", 0.005)
    async with opened(tmp_path) as database:
        world, recorded = World(database, tmp_path / "pictures"), Recorded()
        recorded.faults = [OSError(28, "no space left on device")] * 2
        beating = Heart(world.worker, recorded, world.clock)
        world.gates.shut("render")
        turn_id = await world.imagine("a fox")
        await world.gates.reached("render")
        beating.start()
        await recorded.beaten(2)
        assert recorded.beats[0] == Beat(os.getpid(), NOON, NOON, running=1, waiting=0)
        world.clock.at += timedelta(seconds=900)
        await recorded.beaten(len(recorded.beats) + 2)
        assert recorded.beats[-1].at == NOON + timedelta(seconds=900)
        assert recorded.beats[-1].stuck == (turn_id,)
        world.gates.open("render")
        await world.rest()
        await beating.aclose()
        before = len(recorded.beats)
        await turns_of_the_loop()
        assert len(recorded.beats) == before


async def test_a_trouble_that_lasts_is_in_the_log_once_and_that_it_is_over_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="darkroom.app")
    monkeypatch.setattr(heart, "EVERY_S", 0.001)
    async with opened(tmp_path) as database:
        world, recorded = World(database, tmp_path / "pictures"), Recorded()
        recorded.faults = [OSError(5, "Input/output error"), *[OSError(28, "No space left on device")] * 5]
        beating = Heart(world.worker, recorded, world.clock)
        beating.start()
        await recorded.beaten(2)
        await beating.aclose()
    said = [record.getMessage() for record in caplog.records]
    assert [line.partition(" (")[2].partition(")")[0] for line in said[:2]] == [
        "No space left on device",
        "Input/output error",
    ]
    assert said[2:] == ["heartbeat: all is well again"]


async def test_a_beat_that_does_not_come_to_its_end_is_in_the_log_and_none_other_is_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As on a disk that hangs; waiting turns have their rounds all the same."""
    monkeypatch.setattr(heart, "EVERY_S", 0.001)
    monkeypatch.setattr(heart, "SLOW_S", 0.001)
    hangs, begun, rounds, three = asyncio.Event(), 0, 0, asyncio.Event()

    async def beat(_: Beat) -> None:
        nonlocal begun
        begun += 1
        await hangs.wait()

    async def counted() -> None:
        nonlocal rounds
        rounds += 1
        if "heartbeat has not come to its end" in caplog.text and rounds >= 3:
            three.set()

    async with opened(tmp_path) as database:
        world, recorded = World(database, tmp_path / "pictures"), Recorded()
        monkeypatch.setattr(recorded, "beat", beat)
        monkeypatch.setattr(world.worker, "round", counted)
        beating = Heart(world.worker, recorded, world.clock)
        beating.start()
        async with asyncio.timeout(10):
            await three.wait()
        assert begun == 1
        hangs.set()
        await beating.aclose()


async def test_a_turn_that_gets_stuck_is_an_error_in_the_log_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, logger="darkroom.app")
    async with opened(tmp_path) as database:
        world = World(database, tmp_path / "pictures")
        beating = Heart(world.worker, Recorded(), world.clock)
        world.gates.shut("render")
        turn_id = await world.imagine("a fox")
        await world.gates.reached("render")
        await beating.beat()
        world.clock.at += timedelta(seconds=900)
        await beating.beat()
        await beating.beat()
        assert [record.getMessage() for record in caplog.records] == [
            f"turns that should have come a step further long ago: {turn_id}"
        ]
        world.gates.open("render")
        await world.rest()


async def test_a_round_goes_on_from_where_an_event_was_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may start is started after all."""
    monkeypatch.setattr(heart, "EVERY_S", 0.005)
    async with opened(tmp_path) as database:
        world = World(database, tmp_path / "pictures")
        turn_id = await world.imagine("a fox")
        entry = world.line.get(turn_id)
        assert entry is not None
        entry.shut = True
        await turns_of_the_loop(60)
        assert await world.outcome(turn_id) is None
        beating = Heart(world.worker, Recorded(), world.clock)
        beating.start()
        await world.rest()
        await beating.aclose()
        assert await world.outcome(turn_id) == "pictures"


async def _written(folder: Path, beat: Beat) -> None:
    database = await asyncio.to_thread(Database.open, folder, create=True)
    await SqlitePulse(database).beat(beat)
    database.close()


def test_turns_prints_the_last_sign_of_life_above_the_table(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    beat = Beat(7, now - timedelta(minutes=5), now, 3, 12, ("turn_1", "turn_2"))
    asyncio.run(_written(tmp_path, beat))
    printed = CliRunner().invoke(main, ["turns", "--data-dir", str(tmp_path)])
    assert printed.output.splitlines()[0] == (
        f"Running since {beat.started_at:%Y-%m-%d %H:%M:%S}, last sign of life {now:%Y-%m-%d %H:%M:%S} UTC "
        "(process 7): 3 running, 12 waiting; stuck: turn_1, turn_2."
    )
    assert CliRunner().invoke(main, ["turns", "--json", "--data-dir", str(tmp_path)]).output == "[]\n"
    alone = CliRunner().invoke(main, ["turns", "--alive", "--data-dir", str(tmp_path)])
    assert alone.output.splitlines() == printed.output.splitlines()[:1]


@pytest.mark.parametrize(
    ("age_s", "stuck", "alive", "code"),
    [(0, (), True, 0), (0, ("turn_1",), True, 1), (SILENT_S + 5, (), False, 1)],
)
def test_programs_read_the_sign_of_life_and_see_by_the_exit_code_whether_somebody_should_look(
    tmp_path: Path, age_s: float, stuck: tuple[str, ...], alive: bool, code: int
) -> None:
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=age_s)
    asyncio.run(_written(tmp_path, Beat(7, at - timedelta(minutes=5), at, 3, 12, stuck)))
    printed = CliRunner().invoke(main, ["turns", "--alive", "--json", "--data-dir", str(tmp_path)])
    assert printed.exit_code == code
    assert json.loads(printed.output) == {
        "alive": alive,
        "pid": 7,
        "started_at": (at - timedelta(minutes=5)).isoformat(),
        "beat_at": at.isoformat(),
        "running": 3,
        "waiting": 12,
        "stuck": list(stuck),
    }


@pytest.mark.parametrize(("age_s", "stuck"), [(0, True), (SILENT_S + 5, False)])
async def test_a_turn_says_that_it_is_stuck_as_long_as_the_bot_says_so(
    tmp_path: Path, age_s: float, stuck: bool
) -> None:
    async with opened(tmp_path) as database:
        world = World(database, tmp_path / "pictures")
        turn_id = await world.imagine("a fox")
        other_id = await world.imagine("an owl")
        await world.rest()
        at = datetime.now(UTC) - timedelta(seconds=age_s)
        await SqlitePulse(database).beat(Beat(7, at, at, 1, 0, (turn_id,)))
        printed = CliRunner().invoke(main, ["turns", "--json", "--data-dir", str(tmp_path)])
    found = {turn["id"]: turn["stuck"] for turn in json.loads(printed.output)}
    assert found == {turn_id: stuck, other_id: False}


def test_a_bot_that_has_been_silent_for_a_minute_is_not_called_running() -> None:
    at = StillClock().now()
    beat = Beat(7, at - timedelta(minutes=5), at, 3, 12)
    assert in_a_line(beat, at + timedelta(seconds=SILENT_S)).startswith("Running since")
    assert in_a_line(beat, at - timedelta(seconds=5)).startswith("Running since")
    assert in_a_line(beat, at - timedelta(hours=1)).startswith("Not running"), "the clock was put back"
    assert in_a_line(beat, at + timedelta(seconds=SILENT_S + 1)) == (
        "Not running: no sign of life since 2026-11-20 12:00:00 UTC (process 7, started "
        "2026-11-20 11:55:00). Then: 3 running, 12 waiting."
    )


def test_turns_says_nothing_of_a_bot_that_never_ran(tmp_path: Path) -> None:
    Database.open(tmp_path, create=True).close()
    printed = CliRunner().invoke(main, ["turns", "--data-dir", str(tmp_path)])
    assert printed.exit_code == 0
    assert "Running" not in printed.output
    alone = CliRunner().invoke(main, ["turns", "--alive", "--data-dir", str(tmp_path)])
    assert (alone.exit_code, alone.output) == (1, "Not running: there was never a sign of life.\n")
    as_json = CliRunner().invoke(main, ["turns", "--alive", "--json", "--data-dir", str(tmp_path)])
    assert json.loads(as_json.output)["alive"] is False


async def test_it_says_for_how_long_nothing_could_be_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path) as database:
        world, recorded = World(database, tmp_path / "pictures"), Recorded()
        beating = Heart(world.worker, recorded, world.clock)
        assert await beating.ping() == "no sign of life yet"
        recorded.faults = [OSError(28, "no space left on device")]
        with pytest.raises(OSError, match="no space"):
            await beating.beat()
        assert beating.silent_s is None
        await beating.beat()
        assert await beating.ping() is None
        monkeypatch.setattr(heart, "SLOW_S", -1.0)
        assert await beating.ping() == "no sign of life for 0 s"
