"""``darkroom init`` in a checkout: git is told to leave the secrets and the data alone."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from bot.settings import load_settings
from tests.bot.test_init import SETTINGS, TOKENS, init


@pytest.fixture(autouse=True)
def _an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [*os.environ]:
        if name.startswith(("DARKROOM_", "SLACK_", "OPENAI_", "GIT_")):
            monkeypatch.delenv(name)


def git(*arguments: str) -> int:
    return subprocess.run(["git", *arguments], capture_output=True, check=False).returncode  # noqa: S607 -- git is found by the path, as init finds it


def test_in_a_checkout_git_ignores_the_secrets_and_the_data(tmp_path: Path) -> None:
    git("init", "--quiet")
    (tmp_path / ".gitignore").write_text("*.pyc")
    result = init(*SETTINGS, *TOKENS)
    assert "Added .env and darkroom-data/ to .gitignore" in result.output
    assert (tmp_path / ".gitignore").read_text() == "*.pyc\n/.env\n/darkroom-data/\n"
    assert git("check-ignore", "-q", ".env") == 0
    assert git("check-ignore", "-q", "darkroom-data/darkroom.db") == 0


@pytest.mark.parametrize(
    "name", ["./data", "data/", "a//b/../c", "my*data [x]#", "!data", "#data", "da'ta\"$HOME\\"]
)
def test_git_ignores_the_data_however_its_folder_is_written(tmp_path: Path, name: str) -> None:
    git("init", "--quiet")
    assert init(*SETTINGS[:5], name, *TOKENS).exit_code == 0
    assert load_settings().storage.data_dir == Path(name)
    assert (tmp_path / name / "darkroom.db").exists()
    assert git("check-ignore", "-q", "--", f"{name}/darkroom.db") == 0
    seen = subprocess.run(
        ["git", "status", "--porcelain", "-uall"],  # noqa: S607 -- git is found by the path
        capture_output=True,
        text=True,
        check=True,
    )
    assert seen.stdout == "?? .gitignore\n?? darkroom.toml\n"


def test_git_ignores_the_data_by_its_whole_path_too(tmp_path: Path) -> None:
    git("init", "--quiet")
    assert init(*SETTINGS[:5], str(tmp_path / "mine"), *TOKENS).exit_code == 0
    assert git("check-ignore", "-q", "--", "mine/darkroom.db") == 0


def test_a_gitignore_in_any_encoding_is_kept_and_added_to(tmp_path: Path) -> None:
    git("init", "--quiet")
    (tmp_path / ".gitignore").write_bytes(b"\xfc")
    assert init(*SETTINGS, *TOKENS).exit_code == 0
    assert (tmp_path / ".gitignore").read_bytes() == b"\xfc\n/.env\n/darkroom-data/\n"


def test_what_git_ignores_already_is_not_said_again(tmp_path: Path) -> None:
    git("init", "--quiet")
    (tmp_path / ".gitignore").write_text(".env*\ndarkroom-*/\n")
    assert ".gitignore" not in init(*SETTINGS, *TOKENS).output
    assert (tmp_path / ".gitignore").read_text() == ".env*\ndarkroom-*/\n"


def test_an_env_file_that_git_knows_already_is_warned_of(tmp_path: Path) -> None:
    git("init", "--quiet")
    (tmp_path / ".env").write_text("")
    git("add", "--force", ".env")
    (tmp_path / ".env").unlink()
    assert "git rm --cached .env" in init(*SETTINGS, *TOKENS).output


def test_outside_a_checkout_no_gitignore_appears(tmp_path: Path) -> None:
    init(*SETTINGS, *TOKENS)
    assert not (tmp_path / ".gitignore").exists()


def test_without_git_the_file_itself_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("/.env\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    init(*SETTINGS, *TOKENS)
    assert (tmp_path / ".gitignore").read_text() == "/.env\n/darkroom-data/\n"
