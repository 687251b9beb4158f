"""``--faults`` of the demo and of the sandbox: what it takes, what it refuses, and that things go wrong."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import Refused, main
from bot.cli.world import fault_plan, start_world
from sandbox.faults.rules import FaultPlan, Rule
from sandbox.faults.scenario import shipped
from sandbox.images.api import ImageApi
from sandbox.slack.workspace import Workspace

ROOT = Path(__file__).parents[2]
BAD = '[[fault]]\nside = "slack"\nfault = "slov"\ntimes = 0\n'


@pytest.mark.parametrize("name", ["demo", "sandbox"])
def test_every_mistake_in_a_file_is_told_at_once_and_nothing_is_started(name: str, tmp_path: Path) -> None:
    file = tmp_path / "scenario.toml"
    file.write_text(BAD)
    printed = CliRunner().invoke(main, [name, "--port", "0", "--faults", str(file)])
    assert printed.exit_code == 2
    assert "These faults need mending" in printed.output
    assert f"{file}, line 3: fault 1: fault 'slov' is not known. Did you mean \"slow\"?" in printed.output
    assert f"{file}, line 4: fault 1: times must be" in printed.output
    assert "Open:" not in printed.output


@pytest.mark.parametrize("name", ["demo", "sandbox"])
def test_a_missing_file_is_named_and_so_is_what_is_shipped(name: str, tmp_path: Path) -> None:
    printed = CliRunner().invoke(main, [name, "--faults", str(tmp_path / "none.toml")])
    assert printed.exit_code == 2
    assert f"{tmp_path / 'none.toml'}: cannot be read" in printed.output
    for scenario in shipped():
        assert scenario in printed.output


@pytest.mark.parametrize("name", ["demo", "sandbox"])
def test_the_help_names_what_is_shipped(name: str) -> None:
    printed = "".join(CliRunner().invoke(main, [name, "--help"]).output.split())
    for scenario in shipped():
        assert scenario in printed


def test_a_shipped_scenario_needs_no_file_and_a_file_of_its_name_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(fault_plan(Path("bad-day")).standing) > 3
    Path("bad-day").write_text('[[fault]]\nside = "slack"\nfault = "slow"\n')
    assert len(fault_plan(Path("bad-day")).standing) == 1
    assert fault_plan(None).standing == ()
    with pytest.raises(Refused):
        fault_plan(Path("worse-day"))


async def test_both_sides_of_a_world_keep_to_one_plan() -> None:
    workspace, images = Workspace(), ImageApi()
    plan = FaultPlan([Rule("slack", "*", "slow")])
    world = await start_world(workspace, images, faults=plan)
    assert workspace.fault_plan is images.fault_plan is plan
    await world.close()
    workspace.fault_plan = kept = FaultPlan()
    world = await start_world(workspace, images)
    assert workspace.fault_plan is kept
    await world.close()


@pytest.mark.proof
def test_the_sandbox_fails_as_the_file_says_and_shows_it_over_http(tmp_path: Path) -> None:
    file = tmp_path / "scenario.toml"
    file.write_text('[[fault]]\nside = "slack"\nfault = "server error"\non = "auth.test"\n')
    command = [sys.executable, "-u", "-m", "bot", "sandbox", "--port", "0", "--faults", str(file)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            lines = iter(running.stdout.readline, "")
            told = next(line for line in lines if "1 rule is in force" in line)
            address = re.search(r"http://127\S+/control/faults", told)
            assert address is not None
            method = address[0].replace("control/faults", "api/auth.test")
            with pytest.raises(urllib.error.HTTPError, match="500"):
                urllib.request.urlopen(method, b"")  # noqa: S310 -- loopback only
            with urllib.request.urlopen(address[0]) as answer:  # noqa: S310 -- loopback only
                assert json.load(answer)["happened"]["slack"] == {"server error": 1}
        finally:
            running.send_signal(signal.SIGINT)
            running.communicate()
    assert running.returncode == 0
