"""What belongs to another account than the one that acts: named with what to do, and nothing is left."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.database import LOCK_NAME
from tests.bot.doctor.patient import Patient, bad
from tests.bot.doctor.planted import Planted, is_named

NOBODY = 65_534


@pytest.fixture
def nobodys(patient: Patient) -> Iterator[Patient]:
    """The patient in a folder that an account without rights may reach, and this process as that account."""
    if os.geteuid() != 0:
        yield patient
        return
    with tempfile.TemporaryDirectory(prefix="darkroom-doctor-") as folder:
        place = Path(folder)
        place.chmod(0o755)
        moved = Patient(place, patient.world)
        moved.set_up()
        for path in (place, *place.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
        os.seteuid(NOBODY)
        try:
            yield moved
        finally:
            os.seteuid(0)


async def test_a_directory_that_may_not_be_written_to(nobodys: Patient) -> None:
    nobodys.data.chmod(0o500)
    try:
        sealed = Planted("sealed", lambda _: None, "data.writable", "Permission denied", "sudo chown")
        await is_named(nobodys, sealed)
    finally:
        nobodys.data.chmod(0o700)


async def test_books_that_may_not_be_written_to(nobodys: Patient) -> None:
    nobodys.database.chmod(0o400)
    sealed = Planted("sealed", lambda _: None, "data.writable", "darkroom.db cannot be written", "sudo chown")
    await is_named(nobodys, sealed)


async def test_a_lock_of_another_account(nobodys: Patient) -> None:
    """As after a command that somebody typed as root."""
    lock = nobodys.data / LOCK_NAME
    lock.touch()
    lock.chmod(0)
    found = bad(await nobodys.looked_at())
    assert [each.check for each in found] == ["data.writable", "data.process"]
    assert all("darkroom.lock cannot be" in each.said and "sudo chown" in each.remedy for each in found), (
        found
    )


async def test_a_directory_that_may_not_be_looked_into(nobodys: Patient) -> None:
    nobodys.data.chmod(0)
    try:
        shut = Planted("shut", lambda _: None, "data.directory", "cannot be read", "sudo chown")
        await is_named(nobodys, shut)
    finally:
        nobodys.data.chmod(0o700)


async def test_an_env_file_that_may_not_be_read(nobodys: Patient) -> None:
    (nobodys.folder / ".env").chmod(0)
    shut = Planted("shut", lambda _: None, "settings", ".env: cannot be read", "Let this account read it")
    await is_named(nobodys, shut)
