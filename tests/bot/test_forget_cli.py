"""``darkroom forget`` at the terminal: who is meant, what is asked, what is said, and how it ends."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from storage.database import DATABASE_NAME, PICTURES_NAME, Database, connect_read_only
from storage.forgetter import found_in
from tests.examples import ALICE, BOB, TEAM
from tests.fresh import with_books
from tests.storage.everything import Everything


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Books with a little of everything, in a folder without settings."""
    monkeypatch.chdir(tmp_path)
    for name in ("SLACK_BOT_TOKEN", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with closing(Database.open(with_books(tmp_path / "data"), create=True, inline=True)) as database:
        asyncio.run(Everything(database).happen())
    return tmp_path / "data"


def forget(*arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(main, ["forget", *arguments], input=typed)


def test_it_asks_for_the_id_to_be_typed_and_takes_nothing_else(data: Path) -> None:
    for typed in ("", "y\n", f"{BOB}\n"):
        refused = forget(ALICE, typed=typed)
        assert refused.exit_code == 2, refused.output
        assert f"Type {ALICE} to go on" in refused.stdout
        assert refused.stderr == "Nothing was done.\n"
    assert found_in(data, [ALICE]).paths != []
    done = forget(ALICE, typed=f"{ALICE}\n")
    assert f"Forgotten: {ALICE} of {TEAM}." in done.stdout
    assert found_in(data, [ALICE]).paths == []


def test_without_tokens_it_says_what_stays_and_ends_with_1(data: Path) -> None:
    done = forget(f"<@{ALICE}>", "--yes")
    assert done.exit_code == 1
    for words in (
        "stay there, because SLACK_BOT_TOKEN is not set",
        "stay there, because OPENAI_API_KEY is not set",
        "stored answer resp_1: OPENAI_API_KEY is not set",
        "OpenAI drops stored answers by itself after 30 days",
    ):
        assert words in done.stdout, done.stdout
    again = forget(ALICE, "--yes")
    assert (again.exit_code, again.stdout) == (0, f"Nothing is kept of {ALICE}.\n")


def test_looking_changes_nothing_and_says_the_same_numbers(data: Path) -> None:
    before = {path: path.read_bytes() for path in data.rglob("*.db")}
    looked = json.loads(forget(ALICE, "--dry-run", "--json").stdout)
    assert {path: path.read_bytes() for path in data.rglob("*.db")} == before
    done = json.loads(forget(ALICE, "--yes", "--json").stdout)
    assert (looked["dry_run"], looked["done"], done["dry_run"], done["done"]) == (True, False, False, True)
    changed = {"dry_run", "done", "left", "files_removed"}
    assert {k: v for k, v in looked.items() if k not in changed} == {
        k: v for k, v in done.items() if k not in changed
    }
    assert len(done["left"]) == looked["messages"] + looked["files"] + looked["responses"]
    assert json.loads(forget(ALICE, "--yes", "--json").stdout) == {"found": False}


def test_the_workspace_by_its_word(data: Path) -> None:
    done = forget("workspace", typed=f"{TEAM}\n")
    assert f"Forgotten: workspace {TEAM}." in done.stdout, done.output
    assert found_in(data, [TEAM, ALICE, BOB]).paths == []


def test_files_that_darkroom_knows_nothing_of_are_named(data: Path) -> None:
    assert CliRunner().invoke(main, ["backup", "data/copy.tar"]).exit_code in (0, 1)
    done = forget(ALICE, "--yes")
    assert done.exit_code == 1
    assert "delete them yourself:\n  data/copy.tar" in done.stdout
    assert found_in(data, [ALICE]).paths == [data / "copy.tar"]


def test_a_reader_in_the_way_is_told_of_and_the_database_is_nothing_to_delete(data: Path) -> None:
    with closing(connect_read_only(data / DATABASE_NAME)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT COUNT(*) FROM turns").fetchone()
        done = forget(ALICE, "--yes")
    assert done.exit_code == 1
    assert "in the files of the database: somebody reads the database. Close" in done.stdout
    assert "delete them yourself" not in done.stdout
    again = forget(ALICE, "--yes")
    assert (again.exit_code, again.stdout) == (0, f"Nothing is kept of {ALICE}.\n")
    assert found_in(data, [ALICE]).paths == []


def test_a_disk_that_takes_nothing_ends_it_with_a_word_and_nothing_is_lost(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.database._BUSY_TIMEOUT_S", 0.01)
    before = json.loads(forget(ALICE, "--dry-run", "--json").stdout)
    with closing(sqlite3.connect(data / DATABASE_NAME, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        failed = forget(ALICE, "--yes")
    assert failed.exit_code == 1, failed.output
    assert "Nothing was deleted here: database is locked." in failed.stdout
    assert json.loads(forget(ALICE, "--dry-run", "--json").stdout) == before


def test_a_picture_that_cannot_be_removed_is_named_and_the_rest_goes(data: Path) -> None:
    """Such as one in a folder that is somebody else's."""
    path = data / PICTURES_NAME / "ff" / f"{'f' * 64}.png"
    (path / "full").mkdir(parents=True)
    done = forget(ALICE, "--yes")
    assert done.exit_code == 1
    assert f"Mend their permissions, and run this again:\n  {path.relative_to(data.parent)}" in done.stdout
    assert found_in(data, [ALICE]).paths == []


def test_a_file_that_cannot_be_looked_into_is_named(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (data / "copy.bin").write_bytes(b"sealed")
    look_into = Path.open

    def open_(path: Path, mode: str = "r", **more: Any) -> Any:
        if path.name == "copy.bin":
            raise PermissionError(13, "Permission denied", str(path))
        return look_into(path, mode, **more)

    monkeypatch.setattr(Path, "open", open_)
    done = forget(ALICE, "--yes")
    assert done.exit_code == 1, done.output
    assert "could not be looked into:\n  data/copy.bin" in done.stdout


def test_who_is_in_two_workspaces_stays_in_the_other_and_that_is_said(data: Path) -> None:
    with closing(sqlite3.connect(data / DATABASE_NAME)) as db:
        db.execute("INSERT INTO people VALUES ('p_2', 'T0OTHER001', ?, '2026', NULL)", (ALICE,))
        db.commit()
    refused = forget(ALICE, "--yes")
    assert refused.exit_code == 2
    assert f"several workspaces: T0OTHER001, {TEAM}. Name one with --team." in refused.stderr
    done = forget(ALICE, "--team", TEAM, "--yes")
    assert done.exit_code == 1
    assert "known in another workspace too: T0OTHER001. Forget them there" in done.stdout
    assert "fault of Darkroom" not in done.stdout
    last = forget(ALICE, "--yes")
    assert found_in(data, [ALICE]).paths == [], last.output


def test_a_workspace_goes_although_another_has_the_same_people(data: Path) -> None:
    with closing(sqlite3.connect(data / DATABASE_NAME)) as db:
        db.execute("INSERT INTO people VALUES ('p_2', 'T0OTHER001', ?, '2026', NULL)", (ALICE,))
        db.commit()
    done = forget("workspace", "--team", TEAM, "--yes")
    assert f"Forgotten: workspace {TEAM}." in done.stdout, done.output
    assert "fault of Darkroom" not in done.stdout
    assert found_in(data, [TEAM, BOB]).paths == []
    assert forget(ALICE, "--dry-run").stdout.startswith(f"{ALICE} of T0OTHER001: 0 requests")


def test_an_admin_in_the_settings_is_pointed_out(data: Path) -> None:
    looked = forget(ALICE, "--dry-run", "--set", f'slack.admins=["{ALICE}"]')
    assert f"{ALICE} is in slack.admins of your settings" in looked.stdout
    assert "slack.admins" not in forget(ALICE, "--dry-run").stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("alice", "--yes"), "neither a person's id such as U0123ABCD, nor @name, nor “workspace”"),
        (("@alice", "--yes"), "cannot be looked up: SLACK_BOT_TOKEN is not set. Give the person's id"),
        ((ALICE, "--json"), "add --yes, or --dry-run"),
        ((ALICE, "--yes", "--data-dir", "nowhere"), "There is no Darkroom data"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_done(
    data: Path, arguments: tuple[str, ...], words: str
) -> None:
    refused = forget(*arguments)
    assert refused.exit_code == 2, refused.output
    assert words in refused.stderr
    assert found_in(data, [ALICE]).paths != []


def test_of_another_workspace_there_is_nothing(data: Path) -> None:
    assert forget(ALICE, "--team", "T0ANOTHER1", "--yes").stdout == f"Nothing is kept of {ALICE}.\n"
    assert found_in(data, [ALICE]).paths != []
