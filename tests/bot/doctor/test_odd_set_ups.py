"""Set-ups that are odd rather than usual: what is in the way is named, and no check breaks at it."""

from __future__ import annotations

import shutil

import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.doctor.finding import Grade
from bot.doctor.slack import look_at_address
from bot.settings import BadSettings, load_settings
from storage.database import LOCK_NAME, PICTURES_NAME
from tests.bot.doctor.patient import Patient, bad
from tests.bot.doctor.planted import Planted, each, is_named

WARN = Grade.WARN


def _file_for_pictures(patient: Patient) -> None:
    (patient.data / PICTURES_NAME).rmdir()
    (patient.data / PICTURES_NAME).touch()


def _directory_for_lock(patient: Patient) -> None:
    (patient.data / LOCK_NAME).unlink(missing_ok=True)
    (patient.data / LOCK_NAME).mkdir()


def _circle(patient: Patient) -> None:
    shutil.rmtree(patient.data)
    patient.data.symlink_to(patient.data.name)


def _capitals_in_toml(patient: Patient) -> None:
    file = patient.folder / "darkroom.toml"
    file.write_text('OPENAI_ADMIN_KEY = "sk-admin-planted"\n' + file.read_text())


@each(
    Planted(
        "a file in place of the pictures", _file_for_pictures, "data.writable", "no directory", "Move it away"
    ),
    Planted(
        "a directory in place of the lock", _directory_for_lock, "data.writable", "no file", "Move it away"
    ),
    Planted(
        "a directory that leads to itself", _circle, "data.directory", "leads to itself", "storage.data_dir"
    ),
    Planted(
        "a key in darkroom.toml, in capitals",
        _capitals_in_toml,
        "settings.secrets",
        "OPENAI_ADMIN_KEY",
        "Move",
        WARN,
    ),
)
async def test_something_odd(patient: Patient, planted: Planted) -> None:
    await is_named(patient, planted)


@pytest.mark.parametrize("name", ["SLACK_API_URL", "OPENAI_BASE_URL"])
@pytest.mark.parametrize("url", ["http://127.0.0.1:99999/x", "http://u:hunter2@[::1/x", "http://x:port/x"])
async def test_an_address_that_can_be_none_is_a_fault_of_the_settings(
    patient: Patient, name: str, url: str
) -> None:
    env = patient.folder / ".env"
    env.write_text("".join(f"{key}={value}\n" for key, value in (patient.env | {name: url}).items()))
    [found] = bad(await patient.looked_at())
    assert (found.check, found.grade) == ("settings", Grade.FAIL)
    assert f"{name}: it is no address" in found.said
    assert url not in found.said
    with pytest.raises(BadSettings) as refused:
        load_settings(folder=patient.folder)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("name", [".env", "darkroom.toml"])
async def test_a_file_of_settings_that_leads_to_itself(
    patient: Patient, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (patient.folder / name).unlink()
    (patient.folder / name).symlink_to(name)
    [found] = bad(await patient.looked_at())
    assert (found.check, found.grade) == ("settings", Grade.FAIL)
    assert f"{patient.folder / name}: cannot be read" in found.said
    monkeypatch.chdir(patient.folder)
    assert CliRunner().invoke(main, ["manifest"]).exit_code == 2


@pytest.mark.parametrize(
    ("url", "grade"),
    [
        ("https://slack.com/api", Grade.PASS),
        ("https://slack.com/api/", Grade.PASS),
        ("http://slack.com/api/", Grade.FAIL),
        ("https://slack.com.example/api/", WARN),
        ("https://slack.com@example.com/api/", WARN),
    ],
)
def test_slack_is_known_by_its_host_alone(url: str, grade: Grade) -> None:
    assert look_at_address(url).grade is grade
