"""``darkroom forget`` at the terminal: who is meant, what is asked, what is said, and how it ends."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from storage.database import Database
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
