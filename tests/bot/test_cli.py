"""The commands: what they print, what they refuse, and with which words."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import COMMANDS, as_typed, main

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def darkroom(*arguments: str) -> Result:
    """What the command line makes of *arguments*."""
    return CliRunner().invoke(main, list(arguments))


def test_help_names_every_command() -> None:
    printed = darkroom("--help")
    assert printed.exit_code == 0
    for name, line in COMMANDS.items():
        assert name in printed.output
        assert line.split(":")[0] in " ".join(printed.output.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself(name: str) -> None:
    printed = darkroom(name, "--help")
    assert printed.exit_code == 0
    assert "Usage" in printed.output


def test_a_mistyped_command_is_refused_by_name() -> None:
    printed = darkroom("spent")
    assert printed.exit_code == 2
    assert "spent" in printed.output
    assert "Did you mean spend?" in printed.output
    assert "Did you mean" not in darkroom("xylophone").output


@pytest.mark.parametrize(
    "name",
    ["slack_bot_token", "SLACK_APP_TOKEN", "slack_signing_secret", "openai_api_key", "openai_admin_key"],
)
@pytest.mark.parametrize("command", ["run", "doctor", "demo", "spend"])
def test_a_secret_on_the_command_line_is_refused_and_not_repeated(command: str, name: str) -> None:
    """Everybody on the machine sees it there."""
    refused = darkroom(command, "--set", f"{name}=abc-hunter2")
    assert refused.exit_code == 2
    assert f"{name} is a secret: put it into .env" in " ".join(refused.output.split())
    assert "hunter2" not in refused.output


def test_help_is_quick_because_it_imports_neither_slack_nor_openai() -> None:
    code = (
        "import sys; from click.testing import CliRunner; from bot.cli import main; "
        "CliRunner().invoke(main, ['--help']); "
        "print([m for m in ('slack_bolt', 'openai') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("command", [("run",), ("spend", "--json"), ("turns",)])
def test_without_a_data_directory_its_absolute_path_and_the_way_out_are_named(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in (
        ("SLACK_BOT_TOKEN", "xoxb-1"),
        ("SLACK_APP_TOKEN", "xapp-1"),
        ("OPENAI_API_KEY", "sk-1"),
    ):
        monkeypatch.setenv(name, value)
    printed = darkroom(*command)
    assert printed.exit_code == 2
    assert str(tmp_path / "data") in printed.output
    assert "darkroom init" in printed.output


def test_init_makes_a_data_directory_once_and_then_leaves_it_alone(tmp_path: Path) -> None:
    assert darkroom("init").exit_code == 0
    assert (tmp_path / "data" / "darkroom.db").exists()
    again = darkroom("init")
    assert again.exit_code == 2
    assert "left as it is" in again.output
    assert darkroom("init", "--data-dir", "a place").output.endswith("run --data-dir 'a place'\n")


def test_an_empty_ledger_has_a_report(tmp_path: Path) -> None:
    darkroom("init")
    report = json.loads(darkroom("spend", "--json").output)
    assert report["total"] == {"charged_nano_usd": 0, "held_nano_usd": 0, "pictures": 0}
    assert set(report["classes"]) == {
        "text_input",
        "cached_text_input",
        "image_input",
        "cached_image_input",
        "image_output",
        "host_input",
        "host_cached_input",
        "host_cache_write",
        "host_output",
    }
    assert json.loads(darkroom("turns", "--json").output) == []
    assert darkroom("spend").exit_code == 0
    assert darkroom("turns").exit_code == 0


def test_run_names_every_missing_token_at_once_and_where_to_find_it() -> None:
    darkroom("init")
    printed = darkroom("run")
    assert printed.exit_code == 2
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "OPENAI_API_KEY"):
        assert f"{name} is missing" in printed.output
    assert "Traceback" not in printed.output


def test_run_tells_one_kind_of_token_from_another(monkeypatch: pytest.MonkeyPatch) -> None:
    darkroom("init")
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxp-a-persons")
    monkeypatch.setenv("SLACK_APP_TOKEN", "xoxb-the-bots")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    printed = darkroom("run")
    assert "SLACK_BOT_TOKEN does not start with xoxb-" in printed.output
    assert "SLACK_APP_TOKEN does not start with xapp-" in printed.output
    assert "a-persons" not in printed.output


def test_run_says_when_slack_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    darkroom("init")
    for name, value in (
        ("SLACK_BOT_TOKEN", "xoxb-1"),
        ("SLACK_APP_TOKEN", "xapp-1"),
        ("OPENAI_API_KEY", "sk-1"),
        ("SLACK_API_URL", "http://127.0.0.1:9/api/"),
    ):
        monkeypatch.setenv(name, value)
    printed = darkroom("run")
    assert printed.exit_code == 2
    assert "Slack cannot be reached at http://127.0.0.1:9/api/" in printed.output


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("image.model=gpt-image-1", "gpt-image-1"),
        ("image.model=no-such-model", "no-such-model"),
        ('image.fallback=["dall-e-3"]', "dall-e-3"),
        ("image.host_model=gpt-9", "gpt-9"),
    ],
)
def test_run_refuses_a_model_that_cannot_be_used_or_priced(
    setting: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    darkroom("init")
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    monkeypatch.setenv("SLACK_APP_TOKEN", "xapp-1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    printed = darkroom("run", "--set", setting)
    assert printed.exit_code == 2
    assert said in printed.output


def test_a_setting_that_makes_no_sense_is_told_with_what_is_allowed() -> None:
    printed = darkroom("spend", "--set", "caps.person_usd=lots")
    assert printed.exit_code == 2
    assert "caps.person_usd" in printed.output
    assert darkroom("spend", "--set", "nonsense").exit_code == 2
    assert darkroom("spend", "--set", "slack.admins=[U1").exit_code == 2


def test_the_manifest_is_json_to_paste() -> None:
    manifest = json.loads(darkroom("manifest").output)
    commands = [command["command"] for command in manifest["features"]["slash_commands"]]
    assert commands == ["/imagine", "/spend"]


@pytest.mark.parametrize("command", ["demo", "sandbox"])
def test_a_taken_port_is_said_plainly(command: str) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        printed = darkroom(command, "--port", str(taken.getsockname()[1]))
    assert printed.exit_code == 2
    assert "--port 0" in printed.output
    assert "Address already in use" in printed.output
    assert "bind on address" not in printed.output


def test_a_program_outside_the_path_is_named_by_where_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "darkroom"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(program)])
    monkeypatch.setenv("PATH", str(tmp_path / "elsewhere"))
    assert as_typed() == str(program)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert as_typed() == "darkroom"
    monkeypatch.setattr(sys, "argv", ["pytest"])
    assert as_typed() == "darkroom"


def test_starting_loads_openai_s_client_only_when_it_can_be_heard() -> None:
    """It takes longer than all else: the render thread loads it, and sqlite-utils is for migrations alone."""
    loaded = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, bot.app, bot.cli.run, bot.cli.serving; "
            "print([m for m in ('openai', 'sqlite_utils', 'PIL.Image') if m in sys.modules])",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert loaded.stdout.strip() == "['PIL.Image']"
