"""The doctor as a whole: where all is well, with nothing set up, and beside a Darkroom that runs."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.app import Darkroom
from bot.cli.demo_note import Note, write_note
from bot.doctor import network, slack_calls
from bot.doctor.finding import Grade
from bot.settings import load_settings
from sandbox.faults.rules import Rule
from sandbox.slack.model import Fault
from storage.database import Database
from tests.bot.doctor.patient import Patient, bad
from tests.bot.doctor.planted import Planted, is_named
from tests.bot.doctor.strange import free_port

ROOT = Path(__file__).parents[3]


async def test_nothing_is_said_against_a_set_up_in_which_all_is_well(patient: Patient) -> None:
    findings = await patient.looked_at()
    assert bad(findings) == []
    assert [each.check for each in findings if each.grade is Grade.SKIP] == ["openai.rates"]


async def test_with_nothing_set_up_it_says_what_to_begin_with(patient: Patient) -> None:
    for name in ("darkroom.toml", ".env"):
        (patient.folder / name).unlink()
    patient.flags["storage.data_dir"] = str(patient.folder / "nothing")
    found = {each.check: each for each in await patient.looked_at()}
    failing = [name for name, each in found.items() if each.grade is Grade.FAIL]
    assert failing == ["data.directory", "slack.bot_token", "slack.app_token", "openai.key"]
    assert "darkroom init" in found["data.directory"].remedy
    assert not (patient.folder / "nothing").exists()


async def test_settings_that_are_wrong_leave_the_rest_for_later(patient: Patient) -> None:
    patient.write_toml('[queue]\nnonsense = "xoxb-1111-2222-planted"\n')
    findings = await patient.looked_at()
    assert [each.check for each in bad(findings)] == ["settings"]
    skipped = [each for each in findings if each.grade is Grade.SKIP]
    assert {each.said for each in skipped} == {"the settings have to be mended first"}


@pytest.fixture
async def running(patient: Patient) -> Any:
    """A Darkroom that runs with the patient's settings."""
    async with Darkroom(load_settings(folder=patient.folder)) as darkroom:
        assert darkroom.heart is not None
        await darkroom.heart.beat()
        yield darkroom


async def test_beside_a_running_darkroom_it_opens_no_connection_of_its_own(
    patient: Patient, running: Darkroom
) -> None:
    found = {each.check: each for each in await patient.looked_at()}
    assert bad(list(found.values())) == []
    assert "Running since" in found["data.process"].said
    assert found["slack.socket"].grade is Grade.SKIP
    assert len(patient.world.workspace.delivery.sockets) == 1
    # It goes on as before.
    await running.heart.beat()  # type: ignore[union-attr]  # it has started


async def test_settings_that_the_running_darkroom_does_not_have_yet(
    patient: Patient, running: Darkroom
) -> None:
    port = free_port()
    patient.flags["watch.port"] = str(port)
    found = bad(await patient.looked_at())
    assert [(each.check, each.grade) for each in found] == [("watch.port", Grade.WARN)]
    assert f"does not listen on 127.0.0.1:{port}" in found[0].said
    assert "Start it again" in found[0].remedy


HTTP = {"slack.mode": "http", "slack.path": "/behind/slack"}


@pytest.fixture
async def listening(patient: Patient) -> AsyncIterator[Patient]:
    """The patient in HTTP mode, with a Darkroom that runs."""
    patient.flags |= HTTP | {"slack.port": str(free_port())}
    async with Darkroom(load_settings(folder=patient.folder, flags=patient.flags)) as darkroom:
        assert darkroom.heart is not None
        await darkroom.heart.beat()
        yield patient


async def test_a_darkroom_that_listens_is_known_by_its_port_and_its_secret(listening: Patient) -> None:
    found = {each.check: each for each in await listening.looked_at()}
    assert bad(list(found.values())) == []
    assert "is the running Darkroom's" in found["slack.port"].said
    assert "at /behind/slack" in found["slack.endpoint"].said


async def test_a_signing_secret_that_the_running_darkroom_does_not_have(listening: Patient) -> None:
    listening.write_env(SLACK_SIGNING_SECRET="f" * 32)
    wrong = "the running Darkroom has another signing secret"
    await is_named(listening, Planted("", lambda _: None, "slack.endpoint", wrong, "start Darkroom again"))


async def test_a_path_that_the_running_darkroom_does_not_have(listening: Patient) -> None:
    listening.flags["slack.path"] = "/elsewhere"
    other = "answers HTTP 404 at /elsewhere"
    await is_named(listening, Planted("", lambda _: None, "slack.endpoint", other, "Start it again"))


async def test_the_books_of_a_demo_that_runs_have_its_own_time(patient: Patient) -> None:
    write_note(patient.data, Note(ahead_s=86_400.0))
    await patient.beat(ago=-timedelta(days=1))
    patient.after.append(Database.open(patient.data, inline=True).close)
    found = {each.check: each for each in await patient.looked_at()}
    assert found["data.process"].grade is Grade.PASS


async def test_a_check_that_breaks_hides_nothing_of_the_others(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(*_: object, **__: object) -> None:
        raise RuntimeError("xoxb-1111-2222-planted")

    monkeypatch.setattr("bot.doctor.slack.look_at_app", breaks)
    patient.write_env(OPENAI_API_KEY=None)
    findings = [each for each in await patient.examined() if each.grade in (Grade.WARN, Grade.FAIL)]
    assert [each.check for each in findings] == ["slack", "openai.key"]
    assert "RuntimeError at" in findings[0].said


@pytest.mark.slow
async def test_an_organisation_that_was_found_to_be_unverified_by_a_call(
    patient: Patient, running: Darkroom
) -> None:
    """A model may be listed to an account that may not call it."""
    model = running.settings.image.model
    rule = Rule("openai", "*", "unverified organisation", args={"model": model})
    patient.world.images.fault_plan.add(rule)
    seen = await patient.world.workspace.type_command("alice", "design", "/imagine a red fox")
    assert seen.error is None
    assert running.worker is not None
    async with asyncio.timeout(20):
        await patient.world.workspace.until(lambda w: not w.delivery.unanswered or None, 10)
        await running.errands.idle()
        await running.worker.idle()
    found = bad(await patient.looked_at())
    assert [(each.check, each.grade) for each in found] == [("image.model.called", Grade.WARN)]
    assert f"the last call of {model} with {running.settings.image.host_model}" in found[0].said
    assert "Verify Organization" in found[0].remedy


async def test_what_does_not_answer_keeps_nobody_waiting(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (network, slack_calls):
        monkeypatch.setattr(module, "CONNECT_S", 0.2)
    patient.world.workspace.faults.append(Fault("auth.test", delay_s=3600))
    began = time.monotonic()
    found = bad(await patient.looked_at())
    assert time.monotonic() - began < 5
    assert [each.check for each in found] == ["slack.bot_token"]
    assert "TimeoutError" in found[0].said


@pytest.mark.slow
class TestCommand:
    """``darkroom doctor`` as people start it."""

    async def _run(self, folder: Path, *words: str) -> tuple[int, str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("DARKROOM_", "SLACK_", "OPENAI_"))}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "bot", "doctor", *words),
            cwd=folder,
            env={**kept, "PYTHONPATH": str(ROOT), "COLUMNS": "100"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return process.returncode or 0, out.decode(), err.decode()

    async def test_where_all_is_well_its_exit_code_is_0(self, patient: Patient) -> None:
        code, out, err = await self._run(patient.folder, "--json")
        told = json.loads(out)
        assert (code, err) == (0, "")
        assert told["summary"]["fail"] == 0
        assert {*told["findings"][0]} == {"check", "grade", "said", "remedy"}
        assert sum(told["summary"].values()) == len(told["findings"])

    async def test_a_fault_is_in_the_table_with_its_remedy_and_the_exit_code_is_1(
        self, patient: Patient
    ) -> None:
        patient.world.workspace.scopes -= {"files:write"}
        code, out, err = await self._run(patient.folder)
        table = " ".join(out.replace("│", " ").split())
        assert (code, err) == (1, "")
        assert "slack.scopes fail files:write is missing: no picture reaches Slack" in table
        assert "Reinstall to Workspace" in table
        assert "Begin with slack.scopes." in table
        assert "planted" not in out

    @pytest.mark.parametrize(
        ("words", "told"),
        [
            (("--live",), "--limit 0.50"),
            (("--limit", "1"), "there is no --live"),
            (("--live", "--limit", "much"), "--limit"),
            (("--set", "nonsense"), "NAME=VALUE"),
        ],
    )
    async def test_what_makes_no_sense_is_refused_with_exit_code_2(
        self, patient: Patient, words: tuple[str, ...], told: str
    ) -> None:
        code, out, err = await self._run(patient.folder, *words)
        assert (code, out) == (2, "")
        assert told in err
