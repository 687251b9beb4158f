"""Faults in settings, secrets and the data directory: each is named, with its remedy, and nothing else is."""

from __future__ import annotations

import errno
import os
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from bot.doctor.finding import Grade
from bot.doctor.setup import look_at_env_file, look_at_settings
from storage.database import Database
from tests.bot.doctor.patient import Patient
from tests.bot.doctor.planted import Planted, each, is_named

WARN = Grade.WARN


def _toml_broken(patient: Patient) -> None:
    patient.write_toml("[caps\n")


def _token_in_toml(patient: Patient) -> None:
    file = patient.folder / "darkroom.toml"
    file.write_text('openai_admin_key = "sk-admin-planted"\n' + file.read_text())


def _a_letter(patient: Patient) -> None:
    patient.database.write_text("a letter " * 1000)


def _git(patient: Patient, *words: str) -> None:
    nobody = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    subprocess.run(["git", *nobody, *words], cwd=patient.folder, check=True, capture_output=True)  # noqa: S607 -- the system's git


def _committed(patient: Patient) -> None:
    _git(patient, "init")
    _git(patient, "add", ".env")
    _git(patient, "commit", "-m", "all of it")


def _missing_directory(patient: Patient) -> None:
    patient.flags["storage.data_dir"] = str(patient.folder / "nowhere")


def _file_for_directory(patient: Patient) -> None:
    (patient.folder / "file").touch()
    patient.flags["storage.data_dir"] = str(patient.folder / "file")


def _damaged(patient: Patient) -> None:
    with patient.database.open("r+b") as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(size // 2 // 4096 * 4096)
        file.write(b"\x00\xff" * 8192)


def _mounted_from_elsewhere(patient: Patient) -> None:
    table = patient.folder / "mounts"
    table.write_text(f"/dev/vda / ext4 rw 0 0\nserver:/share {patient.folder.resolve()} nfs4 rw 0 0\n")
    patient.change(mounts=table)


def _held(patient: Patient) -> None:
    patient.after.append(Database.open(patient.data, inline=True).close)


async def _hangs(patient: Patient) -> None:
    await patient.beat(ago=timedelta(minutes=5))
    _held(patient)


async def _runs_with_a_stuck_turn(patient: Patient) -> None:
    await patient.beat(stuck=("turn_1",))
    _held(patient)


@each(
    Planted(
        "a mistyped setting",
        lambda patient: patient.write_toml("[caps]\npersn_usd = 3\n"),
        "settings",
        "caps.persn_usd: there is no such setting",
        "Did you mean caps.person_usd?",
    ),
    Planted(
        "a mistyped variable",
        lambda patient: patient.write_env(DARKROOM_CAPS__PERSON_USDS="3"),
        "settings",
        "caps.person_usds: there is no such setting",
        "Did you mean caps.person_usd?",
    ),
    Planted(
        "an amount that is none",
        lambda patient: patient.write_toml('[caps]\nperson_usd = "lots"\n'),
        "settings",
        "caps.person_usd (DARKROOM_CAPS__PERSON_USD)",
        "docs/configuration.md",
    ),
    Planted(
        "a time zone that is none",
        lambda patient: patient.write_toml('[caps]\ntimezone = "Mars/Olympus"\n'),
        "settings",
        "Mars/Olympus",
        "Mend it",
    ),
    Planted(
        "two settings at once",
        lambda patient: patient.write_toml('[caps]\nperiod = "year"\n[queue]\noverall = 0\n'),
        "settings",
        "caps.period",
        "Mend it",
        findings=2,
    ),
    Planted("a file that is no TOML", _toml_broken, "settings", "not readable as TOML", "Mend it"),
    Planted(
        "a list that is no JSON",
        lambda patient: patient.write_env(DARKROOM_SLACK__ADMINS="U0123"),
        "settings",
        "slack (DARKROOM_SLACK__…)",
        "Mend it",
    ),
    Planted(
        "a token in darkroom.toml",
        lambda patient: (
            (patient.folder / "darkroom.toml").write_text(
                'openai_admin_key = "sk-admin-planted"\n' + (patient.folder / "darkroom.toml").read_text()
            )
            and None
        ),
        "settings.secrets",
        "holds openai_admin_key",
        "Move openai_admin_key into .env",
        WARN,
    ),
    Planted(
        "a .env that others may read",
        lambda patient: patient.write_env(mode=0o644),
        "secrets.file",
        "mode 644",
        "chmod 600 .env",
        WARN,
    ),
    Planted("a .env in git", _committed, "secrets.git", "is in this git repository", "git rm --cached", WARN),
    Planted(
        "a .env that git does not ignore",
        lambda patient: _git(patient, "init"),
        "secrets.git",
        "git does not ignore .env",
        "echo /.env >> .gitignore",
        WARN,
    ),
    Planted(
        "a line that is no variable",
        lambda patient: patient.write_env("OPENAI_ADMIN_KEY sk-planted"),
        "secrets.lines",
        "not NAME=VALUE: 8",
        "NAME=VALUE",
        WARN,
    ),
    Planted(
        "a variable that nobody asks for",
        lambda patient: patient.write_env(OPENAI_ADMIN_KEYS="sk-planted"),
        "secrets.lines",
        "OPENAI_ADMIN_KEYS",
        "Did you mean OPENAI_ADMIN_KEY?",
        WARN,
    ),
)
async def test_a_fault_of_the_settings(patient: Patient, planted: Planted) -> None:
    await is_named(patient, planted)


@each(
    Planted("no data directory", _missing_directory, "data.directory", "there is no", "darkroom init"),
    Planted("a file in its place", _file_for_directory, "data.directory", "is a file", "storage.data_dir"),
    Planted(
        "a directory without books",
        lambda patient: patient.database.unlink(),
        "data.directory",
        "there is no darkroom.db",
        "darkroom init",
    ),
    Planted(
        "a disk that is as good as full",
        lambda patient: patient.change(free=lambda _: 50 * 1024**2),
        "data.space",
        "only 50 MB free",
        "Free some space",
    ),
    Planted(
        "a disk that will be full",
        lambda patient: patient.change(free=lambda _: 1024**3),
        "data.space",
        "only 1,024 MB free",
        "retention.pictures_days",
        WARN,
    ),
    Planted(
        "a directory that others may look into",
        lambda patient: patient.data.chmod(0o755),
        "data.mode",
        "mode 755",
        "chmod 700",
        WARN,
    ),
    Planted(
        "a network file system",
        _mounted_from_elsewhere,
        "data.filesystem",
        "nfs4",
        "a disk of this machine",
    ),
    Planted(
        "an SQLite that may damage it",
        lambda patient: patient.change(sqlite="3.51.2"),
        "data.sqlite",
        "SQLite 3.51.2 has the WAL-reset fault",
        "3.51.3 or newer",
        WARN,
    ),
    Planted("a damaged database", _damaged, "data.integrity", "damaged", "darkroom restore"),
    Planted(
        "something else in its place",
        _a_letter,
        "data.integrity",
        "not a database",
        "darkroom restore",
    ),
    Planted(
        "an empty database",
        lambda patient: os.truncate(patient.database, 0),
        "data.version",
        "darkroom.db is empty",
        "full cap",
    ),
    Planted(
        "books of a newer Darkroom",
        lambda patient: patient.sql(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) "
            "VALUES ('darkroom', 'm099_tomorrow', '2030-01-01')"
        ),
        "data.version",
        "m099_tomorrow",
        "Start the newer Darkroom",
    ),
    Planted(
        "books of an older Darkroom",
        lambda patient: patient.sql("DELETE FROM _sqlite_migrations WHERE name = 'm007_leaving'"),
        "data.version",
        "m007_leaving",
        "darkroom backup",
        WARN,
    ),
    Planted("a second process that says nothing", _held, "data.process", "another process holds", "stop it"),
    Planted("a Darkroom that hangs", _hangs, "data.process", "process 4711", "stop it"),
    Planted(
        "a turn that is stuck", _runs_with_a_stuck_turn, "data.process", "turn_1", "Look into its log", WARN
    ),
)
async def test_a_fault_of_the_data_directory(patient: Patient, planted: Planted) -> None:
    await is_named(patient, planted)


async def test_a_disk_that_is_full_when_it_is_written_to(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fsync(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fsync)
    full = Planted("full", lambda _: None, "data.writable", "No space left on device", "free some space")
    await is_named(patient, full)


def test_a_folder_that_this_account_may_not_look_into_is_a_finding(tmp_path: Path) -> None:
    """As where the doctor is started by Darkroom's own account in a folder of root's."""
    folder = tmp_path / ("x" * 300)  # Not even root may look for this one.
    settings, findings = look_at_settings(None, {}, folder)
    assert settings is None
    assert {finding.grade for finding in findings} == {Grade.FAIL}
    assert "start in a folder of Darkroom's own" in findings[0].remedy
    assert look_at_env_file(folder) == []
