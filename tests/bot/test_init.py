"""``darkroom init``: a few questions, checked answers, two files, and nothing of a secret anywhere else."""

from __future__ import annotations

import os
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from bot.cli import main
from bot.cli.init_asking import (
    ALLOWED,
    APP_TOKEN,
    BOT_TOKEN,
    OPENAI_KEY,
    SIGNING_SECRET,
    Answers,
    fault_in,
    local_zone,
)
from bot.cli.init_writing import env_of, toml_of, write_new
from bot.settings import load_settings
from tests.bot.terminal import type_into

ROOT = Path(__file__).parents[2]
TOKENS = ("xoxb-1-abc", "xapp-1-def", "sk-proj-ghi")
SETTINGS = ("socket", "U0ALICE01, U0BOB0001", "7.50", "none", "Europe/Berlin", "darkroom-data")


@pytest.fixture(autouse=True)
def _an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [*os.environ]:
        if name.startswith(("DARKROOM_", "SLACK_", "OPENAI_", "GIT_")):
            monkeypatch.delenv(name)


def init(*answers: str, options: tuple[str, ...] = ("--ask",)) -> Result:
    """What comes of it when somebody types these, each with Enter."""
    return CliRunner().invoke(main, ["init", *options], input="".join(f"{one}\n" for one in answers))


def test_what_was_answered_is_what_the_next_start_reads(tmp_path: Path) -> None:
    assert init(*SETTINGS, *TOKENS).exit_code == 0
    settings = load_settings()
    assert settings.slack.admins == ("U0ALICE01", "U0BOB0001")
    assert (settings.caps.person_usd, settings.caps.workspace_usd) == (7_500_000_000, None)
    assert (settings.slack.mode, settings.caps.timezone) == ("socket", "Europe/Berlin")
    secrets = (settings.slack_bot_token, settings.slack_app_token, settings.openai_api_key)
    assert tuple(one.get_secret_value() for one in secrets if one) == TOKENS
    assert (tmp_path / "darkroom-data" / "darkroom.db").exists()


def test_enter_all_the_way_takes_the_defaults_and_leaves_the_tokens_for_later() -> None:
    result = init(*[""] * 9)
    assert result.exit_code == 0
    settings = load_settings()
    assert (settings.caps.person_usd, settings.slack.admins) == (10_000_000_000, ())
    assert settings.slack_bot_token is None
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "OPENAI_API_KEY"):
        assert f"Still to come: {name}" in result.output
    assert "darkroom doctor" in result.output
    assert "darkroom run" in result.output


def test_for_http_the_signing_secret_is_asked_for_instead_of_the_app_token() -> None:
    result = init("http", *[""] * 5, "xoxb-1", "0123456789abcdef" * 2, "sk-1")
    settings = load_settings()
    assert settings.slack.mode == "http"
    assert settings.slack_signing_secret is not None
    assert settings.slack_app_token is None
    assert "manifest --http" in result.output


@pytest.mark.parametrize(
    ("place", "wrong", "said"),
    [
        (0, "sockets", "socket"),
        (1, "alice", "user id"),
        (2, "plenty", "none"),
        (3, "-1", "none"),
        (4, "Middle/Earth", "Middle/Earth"),
        (6, "xoxp-a-persons", "SLACK_BOT_TOKEN begins with xoxb-"),
        (7, "xoxb-the-bots", "SLACK_APP_TOKEN begins with xapp-"),
        (8, "sk-admin-1", "OPENAI_API_KEY begins with sk-"),
        (8, "sk-with a space", "no token or key has"),
    ],
)
def test_an_answer_that_cannot_be_right_is_asked_for_again_at_once(place: int, wrong: str, said: str) -> None:
    answers = [*SETTINGS, *TOKENS]
    result = init(*answers[:place], wrong, *answers[place:])
    assert result.exit_code == 0
    assert said in result.output
    assert load_settings().caps.timezone == "Europe/Berlin"


def test_whoever_stops_half_way_has_written_nothing(tmp_path: Path) -> None:
    assert init(*SETTINGS, TOKENS[0]).exit_code == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_only_its_owner_may_read_the_secrets_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        init(*SETTINGS, *TOKENS)
    finally:
        os.umask(before)
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600


def test_no_secret_is_said_or_written_anywhere_but_into_the_env_file(tmp_path: Path) -> None:
    said = init(*SETTINGS, *TOKENS, *TOKENS).output
    for file in tmp_path.rglob("*"):
        if file.is_file() and file.name != ".env":
            assert not any(token.encode() in file.read_bytes() for token in TOKENS), file
    # What a pipe brings is shown by nobody; the test's runner repeats it as a terminal would that echoes.
    assert not any(f"Wrote {token}" in said for token in TOKENS)
    assert "xoxb" not in repr(Answers(secrets={"SLACK_BOT_TOKEN": TOKENS[0]}))


@pytest.mark.parametrize("there", [".env", "darkroom.toml"])
def test_a_file_that_is_there_is_left_as_it_is_and_not_asked_about(tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("# mine\n")
    result = init(*(TOKENS if there == "darkroom.toml" else SETTINGS))
    assert result.exit_code == 0
    assert (tmp_path / there).read_text() == "# mine\n"
    assert f"{there} is there already" in result.output
    assert {".env", "darkroom.toml"} <= {file.name for file in tmp_path.iterdir()}


def test_a_link_that_leads_nowhere_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / ".env").symlink_to(tmp_path / "elsewhere")
    assert init(*SETTINGS).exit_code == 0
    assert not (tmp_path / "elsewhere").exists()


def test_what_the_environment_has_is_neither_asked_for_nor_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-from-outside")
    assert init(*SETTINGS, *TOKENS[:2]).exit_code == 0
    assert "sk-from-outside" not in (tmp_path / ".env").read_text()


def test_another_providers_key_may_look_as_it_likes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "https://images.example.com/v1")
    assert init(*SETTINGS, *TOKENS[:2], "k$y#1").exit_code == 0
    key = load_settings().openai_api_key
    assert key is not None
    assert key.get_secret_value() == "k$y#1"


def test_a_token_of_slacks_is_no_providers_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "https://images.example.com/v1")
    result = init(*SETTINGS, *TOKENS[:2], TOKENS[0], "key")
    assert "OPENAI_API_KEY is no token of Slack's" in result.output
    key = load_settings().openai_api_key
    assert key is not None
    assert key.get_secret_value() == "key"


def test_whoever_is_asked_nothing_is_told_how_an_answer_is_changed() -> None:
    init(*SETTINGS, *TOKENS)
    assert "To change an answer" in init().output


def test_a_folder_that_is_a_number_or_under_home_is_that_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert init(*SETTINGS[:5], "2024", *TOKENS).exit_code == 0
    assert (tmp_path / "2024" / "darkroom.db").exists()
    (tmp_path / "darkroom.toml").unlink()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert init(*SETTINGS[:5], "~/pictures").exit_code == 0
    assert (tmp_path / "home" / "pictures" / "darkroom.db").exists()
    assert not (tmp_path / "~").exists()


def test_the_data_gets_a_folder_of_its_own_and_not_this_one(tmp_path: Path) -> None:
    result = init(*SETTINGS[:5], ".", "", *TOKENS)
    assert "a folder of its own" in result.output
    assert load_settings().storage.data_dir == Path("data")


def test_a_folder_that_nobody_may_write_into_is_said_before_anything_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_, **__: False)
    result = init(*SETTINGS, *TOKENS)
    assert result.exit_code == 2
    assert "socket or http?" not in result.output
    assert f"{tmp_path} cannot be written into" in result.output
    assert "--no-ask" in result.output


def test_a_data_directory_that_is_there_is_kept_and_said(tmp_path: Path) -> None:
    init(*SETTINGS, *TOKENS)
    (tmp_path / ".env").unlink()
    again = init(*TOKENS)
    assert again.exit_code == 0
    assert "left as it is" in again.output
    assert "was left as it is" in init().output
    assert init().exit_code == 2


def test_without_a_terminal_nothing_is_asked(tmp_path: Path) -> None:
    assert init(options=()).exit_code == 0
    assert [file.name for file in tmp_path.iterdir()] == ["data"]


def test_a_folder_that_cannot_be_written_into_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "darkroom.toml")

    monkeypatch.setattr("bot.cli.init_writing.write_new", full)
    result = init(*SETTINGS, *TOKENS)
    assert result.exit_code == 2
    assert "darkroom.toml cannot be written: No space left on device" in result.output


def test_a_write_that_breaks_off_leaves_no_half_of_a_file(tmp_path: Path) -> None:
    with pytest.raises(UnicodeEncodeError):
        write_new(tmp_path / ".env", "KEY=1\n\ud800", 0o600)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / ".env").write_text("mine")
    with pytest.raises(FileExistsError):
        write_new(tmp_path / ".env", "theirs", 0o600)
    assert (tmp_path / ".env").read_text() == "mine"


@given(st.from_regex(ALLOWED, fullmatch=True).filter(lambda text: not {"'", "\\"} & set(text)))
def test_whatever_a_key_looks_like_it_is_read_as_it_was_typed(key: str) -> None:
    Path(".env").write_text(env_of({"OPENAI_API_KEY": key}, [APP_TOKEN]))
    read = load_settings().openai_api_key
    assert read is not None
    assert read.get_secret_value() == key


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_whatever_a_setting_looks_like_it_stands_so_in_the_file(text: str) -> None:
    made = tomllib.loads(toml_of({"storage.data_dir": text, "slack.admins": [text]}))
    assert made["slack"]["admins"] == [text]
    assert made["storage"]["data_dir"] == text


@pytest.mark.parametrize("secret", [BOT_TOKEN, APP_TOKEN, SIGNING_SECRET, OPENAI_KEY])
def test_what_is_wrong_with_a_secret_is_said_without_it(secret: object) -> None:
    assert isinstance(secret, type(BOT_TOKEN))
    fault = fault_in(secret, "hunter2")
    assert secret.name in fault
    assert "hunter2" not in fault


@pytest.mark.parametrize(
    ("file", "offered"),
    [
        ("/usr/share/zoneinfo/Europe/Rome", "Europe/Rome"),
        ("/usr/share/zoneinfo/Etc/UTC", "UTC"),
        ("/usr/share/zoneinfo/Middle/Earth", "UTC"),
        ("/etc/of-no-use", "UTC"),
    ],
)
def test_the_zone_of_the_machine_is_offered(tmp_path: Path, file: str, offered: str) -> None:
    link = tmp_path / "localtime"
    link.symlink_to(file)
    assert local_zone(link) == offered


@pytest.mark.slow
def test_in_a_terminal_it_asks_by_itself_and_shows_no_secret(tmp_path: Path) -> None:
    """A real terminal, which would echo what is typed into it."""
    questions = ("http?", "between them", "person spend", "everybody", "begin in", "Which?")
    secrets = ("BOT_TOKEN: ", "APP_TOKEN: ", "API_KEY: ")
    said = type_into(
        [sys.executable, "-m", "bot", "init"],
        tmp_path,
        {**os.environ, "PYTHONPATH": str(ROOT)},
        list(zip((*questions, *secrets), (*SETTINGS, *TOKENS), strict=True)),
    )
    assert not any(token in said for token in TOKENS), said
    assert "Europe/Berlin" in said
    assert TOKENS[0] in (tmp_path / ".env").read_text()
