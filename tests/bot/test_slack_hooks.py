"""The hooks by which Slack's own command line runs Darkroom, asked as that asks: by the words of
``.slack/hooks.json``, split at spaces, in the project's folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.cli.world import start_world
from bot.slack_hooks import TOKENS
from handlers.manifest import build_manifest
from sandbox.images.api import ImageApi
from sandbox.slack.workspace import Workspace
from tests.bot.test_running import started
from tests.fresh import with_books

TOP = Path(__file__).parents[2]
BOUNDARY = "9f2c1e"

pytestmark = pytest.mark.slow


def script(line: str) -> list[str]:
    """A hook's command line as it is started, with this environment's Python."""
    program, *arguments = line.split()
    assert Path(program).name.startswith("python")
    return [sys.executable, *arguments]


def asked(line: str, *more: str, where: Path = TOP) -> str:
    """What a hook prints."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DARKROOM_", "SLACK_", "OPENAI_"))}
    done = subprocess.run(
        [*script(line), *more],
        cwd=where,
        env={**kept, "PYTHONPATH": str(TOP)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.fixture(scope="module")
def known() -> dict[str, Any]:
    """What ``get-hooks`` answers."""
    first = json.loads((TOP / ".slack" / "hooks.json").read_text())["hooks"]["get-hooks"]
    answer: dict[str, Any] = json.loads(asked(first))
    return answer


def test_get_hooks_names_what_slack_run_needs(known: dict[str, Any]) -> None:
    assert set(known["hooks"]) == {"get-manifest", "start"}
    config = known["config"]
    assert config["sdk-managed-connection-enabled"] is True
    assert config["protocol-version"][0] == "message-boundaries"
    # Without a file to watch, slack run would end as soon as it had begun.
    for path in config["watch"]["manifest"]["paths"] + config["watch"]["paths"]:
        assert (TOP / path).is_file()


def test_the_other_hooks_are_started_by_the_python_that_answered(known: dict[str, Any]) -> None:
    assert known["hooks"]["start"].split()[0] == sys.executable


def test_the_manifest_stands_between_the_boundaries(known: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "darkroom.toml").write_text('[slack]\nmode = "http"\ncommand_prefix = "test"\n')
    options = ("--protocol=message-boundaries", f"--boundary={BOUNDARY}", "--something-newer=1")
    said = asked(known["hooks"]["get-manifest"], *options, where=tmp_path)
    before, answer, after = said.split(BOUNDARY)
    assert (before, after) == ("", "\n")
    assert json.loads(answer) == build_manifest("/test-imagine", "/test-spend")


def test_settings_that_make_no_sense_are_named_in_place_of_a_manifest(
    known: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "darkroom.toml").write_text("[slack]\nmode = 7\n")
    with pytest.raises(subprocess.CalledProcessError) as failed:
        asked(known["hooks"]["get-manifest"], where=tmp_path)
    assert failed.value.returncode == 2
    assert failed.value.stdout == ""
    assert failed.value.stderr.startswith("These settings need mending:\n  slack.mode")


def test_without_boundaries_the_manifest_is_all_that_is_said(known: dict[str, Any], tmp_path: Path) -> None:
    assert json.loads(asked(known["hooks"]["get-manifest"], where=tmp_path)) == build_manifest()


async def test_start_is_the_bot_with_the_tokens_that_slack_run_hands_over(
    known: dict[str, Any], tmp_path: Path
) -> None:
    """Whatever other app's tokens are about."""
    assert set(TOKENS.values()) == {"SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"}
    with_books(tmp_path / "data")
    (tmp_path / "darkroom.toml").write_text('[slack]\nmode = "http"\n')
    world = await start_world(Workspace(), ImageApi())
    given = world.settings()
    try:
        running = await started(
            tmp_path,
            *script(known["hooks"]["start"]),
            SLACK_CLI_XOXB=given["slack_bot_token"],
            SLACK_CLI_XAPP=given["slack_app_token"],
            SLACK_BOT_TOKEN="xoxb-another-apps",
            SLACK_API_URL=given["slack_api_url"],
            OPENAI_API_KEY=given["openai_api_key"],
            OPENAI_BASE_URL=given["openai_base_url"],
        )
        await running.says("Darkroom is connected")
        assert await running.ends(signal.SIGTERM) == 0
    finally:
        await world.close()
        await world.workspace.close()
