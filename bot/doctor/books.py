"""The database: its SQLite, whether it is whole and of this Darkroom, and who works on it."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from bot.cli.turns import in_a_line, is_alive
from bot.doctor.data import own, us
from bot.doctor.finding import Finding, fail, good, skip, warn
from darkroom.turns.heartbeat import Beat
from storage.checkup import Checkup, has_wal_reset_fault, is_locked, look_at_books
from storage.database import DATABASE_NAME, LOCK_NAME

READ_S = 60.0
"""The longest that the books are read through."""
_RESTORE = "Stop Darkroom, keep the file, and make a data directory from the last backup: darkroom restore"


@dataclass(frozen=True, slots=True)
class BooksSeen:
    """What was said of the books, the last sign of life of the bot that runs on them now, and what they know
    of the API."""

    findings: list[Finding]
    alive: Beat | None = None
    known: Checkup = field(default_factory=lambda: Checkup(0))


def look_at_sqlite(version: str) -> Finding:
    """SQLite's version, and the one fault of it that concerns Darkroom."""
    if not has_wal_reset_fault(version):
        return good("data.sqlite", f"SQLite {version}")
    return warn(
        "data.sqlite",
        f"SQLite {version} has the WAL-reset fault: two connections that write at the same instant can "
        "damage the database. Darkroom writes through one alone",
        "Let no other program write into darkroom.db; take a Python with SQLite 3.51.3 or newer (or 3.50.7, "
        "3.44.6) when your system has one. See sqlite.org/wal.html.",
    )


def look_into_books(folder: Path, provider: str, now: datetime) -> BooksSeen:
    """What is said of the database in *folder*, and what it knows of *provider*. Blocks for the disk, for
    ``READ_S`` at most; changes nothing."""
    try:
        seen = look_at_books(folder, provider, _after(READ_S))
    except OSError as error:
        said = f"{folder / DATABASE_NAME} cannot be read: {error}"
        return BooksSeen([fail("data.integrity", said, _RESTORE)])
    beat = seen.beat if seen.beat is not None and is_alive(seen.beat, now) else None
    holder, held = _holder(folder, seen.beat, beat, now)
    findings = [_integrity(seen), _steps(seen), holder]
    return BooksSeen(findings, beat if held else None, seen)


def _after(seconds: float) -> Callable[[], bool]:
    until = time.monotonic() + seconds
    return lambda: time.monotonic() > until


def _integrity(seen: Checkup) -> Finding:
    check = "data.integrity"
    if seen.complaint is None:
        return skip(check, f"it takes longer than {READ_S:.0f} s to read the database through")
    if seen.complaint:
        return fail(check, f"the database is damaged: {seen.complaint}", _RESTORE)
    return good(check, "the database was read through, and is whole")


def _steps(seen: Checkup) -> Finding:
    check = "data.version"
    if not seen.applied:
        remedy = f"{_RESTORE}. Empty books would give everybody their full cap again."
        return fail(check, f"{DATABASE_NAME} is empty", remedy)
    if seen.unknown:
        return fail(
            check,
            f"the books were written by a newer Darkroom ({', '.join(seen.unknown)})",
            "Start the newer Darkroom again, or restore the backup of before it.",
        )
    if seen.pending:
        return warn(
            check,
            f"the books are an older Darkroom's: the next start brings them up to date "
            f"({', '.join(seen.pending)})",
            "Copy them first: darkroom backup",
        )
    return good(check, f"up to date, {seen.applied} steps")


def _holder(folder: Path, last: Beat | None, alive: Beat | None, now: datetime) -> tuple[Finding, bool]:
    """Who works on the books, and whether anybody holds them."""
    check = "data.process"
    try:
        held = is_locked(folder)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM):
            return fail(check, f"{folder / LOCK_NAME} cannot be opened by {us()}", own(folder)), False
        said = f"a lock cannot be had there: {error.strerror}"
        remedy = "Set storage.data_dir to a disk of this machine: without locks two bots would spend twice."
        return fail(check, said, remedy), False
    if held and alive is not None:
        return _alive(alive, now), True
    if held:
        pid = f" (the last one that wrote there was process {last.pid})" if last is not None else ""
        return fail(
            check,
            f"another process holds the data directory and has given no sign of life for a minute{pid}",
            "If a Darkroom has just been started, look again in a minute; else it hangs: stop it, or set "
            "storage.data_dir to another directory.",
        ), True
    if last is not None and last.stuck:
        said = f"not running; when it last was, these turns did not move: {', '.join(last.stuck)}"
        return warn(check, said, "Start it: darkroom run. It takes up what was left."), False
    return good(check, "no Darkroom is running on it"), False


def _alive(beat: Beat, now: datetime) -> Finding:
    said = in_a_line(beat, now)
    if beat.stuck:
        remedy = "Look into its log for what these turns wait for; a restart takes them up again."
        return warn("data.process", said, remedy)
    return good("data.process", said)
