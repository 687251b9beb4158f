"""All checks in the order of the table; what waits for others waits side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.doctor.books import BooksSeen, look_at_sqlite, look_into_books
from bot.doctor.data import MOUNTS, look_at_directory
from bot.doctor.finding import Finding, skip
from bot.doctor.setup import look_at_env_file, look_at_settings
from bot.settings import Settings
from darkroom.clock import Clock, SystemClock
from storage.checkup import SQLITE_VERSION


@dataclass(frozen=True, slots=True)
class Machine:
    """What of the machine the checks ask, so that another may be put in its place."""

    clock: Clock = field(default_factory=SystemClock)
    mounts: Path = MOUNTS
    sqlite: str = SQLITE_VERSION


async def examine(
    config: Path | None, flags: Mapping[str, Any], folder: Path, machine: Machine | None = None
) -> tuple[Settings | None, list[Finding]]:
    """Every check there is, for the settings of *folder*. What cannot be looked at is skipped, with why."""
    machine = machine or Machine()
    settings, findings = look_at_settings(config, flags, folder)
    findings += await asyncio.to_thread(look_at_env_file, folder)
    if settings is None:
        why = "the settings have to be mended first"
        later = [skip(part, why) for part in ("data", "network", "slack", "openai")]
        return None, [*findings, look_at_sqlite(machine.sqlite), *later]
    data, books = await asyncio.to_thread(_data, settings, machine)
    return settings, [*findings, *data, *books.findings]


def _data(settings: Settings, machine: Machine) -> tuple[list[Finding], BooksSeen]:
    folder = settings.storage.data_dir.resolve()
    there, findings = look_at_directory(folder, machine.mounts)
    findings.append(look_at_sqlite(machine.sqlite))
    return findings, look_into_books(folder, machine.clock.now()) if there else BooksSeen([])
