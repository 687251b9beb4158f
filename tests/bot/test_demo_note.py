"""What a demo notes beside its books, and the commands that read the books with it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from bot.cli.demo_note import Filled, Note, read_note, time_in, time_told, write_note
from darkroom.spending.changes import DropCap, Person, SetCap
from darkroom.spending.periods import PeriodKind
from darkroom.turns.heartbeat import Beat
from storage.database import Database
from storage.heartbeat import SqlitePulse

AHEAD = timedelta(days=100)


def test_what_was_noted_is_read_again(tmp_path: Path) -> None:
    filled = {
        "U1": Filled(5),
        "U2": Filled(6, (None, PeriodKind.week), 99.5),
        "U3": Filled(7, (8, PeriodKind.day)),
    }
    note = Note(2.5, "http://127.0.0.1:1", 4711, filled)
    write_note(tmp_path / "new", note)
    assert read_note(tmp_path / "new") == note
    assert filled["U1"].undone("U1") == DropCap(Person("U1"))
    assert filled["U2"].undone("U2") == SetCap(Person("U2"), None, PeriodKind.week)


def test_a_note_is_its_owners_alone_and_is_written_nowhere_else(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_text("mine")
    write_note(tmp_path / "data", Note())
    for name in ("demo.json", "demo.json.new"):
        file = tmp_path / "data" / "sandbox" / name
        file.unlink(missing_ok=True)
        file.symlink_to(mine)
    write_note(tmp_path / "data", Note(5.0))
    assert mine.read_text() == "mine"
    assert read_note(tmp_path / "data") == Note(5.0)
    made = [tmp_path / "data", *(tmp_path / "data").rglob("*")]
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in made} == {
        "data": "0o700",
        "sandbox": "0o700",
        "demo.json": "0o600",
    }


@pytest.mark.parametrize(
    "spoiled",
    [
        "",
        "[]",
        "{}",
        json.dumps({"ahead_s": 1e300, "slack_url": "", "images_port": 0, "filled": {}}),
        json.dumps({"ahead_s": float("nan"), "slack_url": "", "images_port": 0, "filled": {}}),
        json.dumps({"ahead_s": 0, "slack_url": "", "images_port": 0, "filled": {"U1": {"cap_nano_usd": 1}}}),
        json.dumps({"ahead_s": 0, "slack_url": "", "images_port": 0, "filled": []}),
    ],
)
def test_a_note_that_cannot_be_read_counts_for_nothing(tmp_path: Path, spoiled: str) -> None:
    write_note(tmp_path, Note(5.0))
    (tmp_path / "sandbox" / "demo.json").write_text(spoiled)
    assert read_note(tmp_path) == Note()


def test_where_no_note_can_be_written_the_demo_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "sandbox").write_text("no folder")
    write_note(tmp_path, Note())
    assert "cannot be written" in caplog.text


def test_books_of_no_demo_have_the_machines_time(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    assert time_in(tmp_path, now) == now
    assert time_told(now) == ""
    write_note(tmp_path, Note(AHEAD.total_seconds()))
    assert time_in(tmp_path, now) == now + AHEAD
    assert f"{now + AHEAD:%B %Y}" in time_told(now + AHEAD)


def _asked(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "--data-dir", str(folder)])


async def test_commands_know_what_time_it_is_in_a_demo(tmp_path: Path) -> None:
    database = Database.open(tmp_path, create=True, inline=True)
    there = datetime.now(UTC) + AHEAD
    await SqlitePulse(database).beat(Beat(1, there, there, 0, 0, ()))
    database.close()
    alive = _asked(tmp_path, "turns", "--alive")
    assert (alive.exit_code, "Not running" in alive.output) == (1, True)
    assert json.loads(_asked(tmp_path, "spend", "--json").output)["period"]["end"] <= there.isoformat()

    write_note(tmp_path, Note(AHEAD.total_seconds()))
    alive = _asked(tmp_path, "turns", "--alive")
    assert (alive.exit_code, "Running since" in alive.output) == (0, True)
    before = time_in(tmp_path).isoformat()
    period = json.loads(_asked(tmp_path, "spend", "--json").stdout)["period"]
    after = time_in(tmp_path).isoformat()
    # A month ends now and then, and may do so in between.
    assert any(period["start"] <= moment < period["end"] for moment in (before, after))
    shown = _asked(tmp_path, "spend")
    assert "a demo's books, and there it is" in shown.stderr
    assert "a demo's books" not in shown.stdout
