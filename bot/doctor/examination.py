"""All checks in the order of the table; what waits for others waits side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from bot.cli.demo_note import read_note
from bot.doctor.books import BooksSeen, look_at_sqlite, look_into_books
from bot.doctor.called import look_at_calls
from bot.doctor.data import MOUNTS, free_bytes, look_at_directory, place_of
from bot.doctor.finding import Finding, skip, warn
from bot.doctor.setup import look_at_env_file, look_at_settings
from bot.proxies import in_the_way
from bot.settings import Settings
from darkroom.clock import Clock, SystemClock
from darkroom.rendering.address import provider_name
from handlers.errands import where
from storage.checkup import SQLITE_VERSION

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Machine:
    """What of the machine the checks ask, so that another may be put in its place."""

    clock: Clock = field(default_factory=SystemClock)
    mounts: Path = MOUNTS
    sqlite: str = SQLITE_VERSION
    free: Callable[[Path], int] = free_bytes


async def examine(
    config: Path | None, flags: Mapping[str, Any], folder: Path, machine: Machine | None = None
) -> tuple[Settings | None, list[Finding]]:
    """Every check there is, for the settings of *folder*. What cannot be looked at is skipped, with why."""
    machine = machine or Machine()
    settings, findings = look_at_settings(config, flags, folder)
    findings += await asyncio.to_thread(look_at_env_file, folder)
    if settings is None:
        why = "the settings have to be mended first"
        later = [skip(part, why) for part in ("data", "clock", "slack", "models", "openai")]
        return None, [*findings, look_at_sqlite(machine.sqlite), *later]
    looking = asyncio.to_thread(_data, settings, machine)
    data, books = await _unbroken("data", looking, lambda broke: ([broke], BooksSeen([])))
    return settings, [*findings, *data, *books.findings, *await _outside(settings, machine, books)]


def _data(settings: Settings, machine: Machine) -> tuple[list[Finding], BooksSeen]:
    folder, provider = place_of(settings.storage.data_dir), provider_name(settings.openai_base_url)
    there, findings = look_at_directory(folder, machine.mounts, machine.free)
    findings.append(look_at_sqlite(machine.sqlite))
    if not there:
        return findings, BooksSeen([])
    # The books of a demo have its time, which may be ahead.
    now = machine.clock.now() + timedelta(seconds=read_note(folder).ahead_s)
    return findings, look_into_books(folder, provider, now)


async def _outside(settings: Settings, machine: Machine, books: BooksSeen) -> list[Finding]:
    """Ports, the network, Slack and the API."""
    # What speaks to them takes a second to import: settings that are wrong are told without.
    from bot.doctor.api import ApiSeen, look_at_api
    from bot.doctor.models import look_at_models
    from bot.doctor.network import look_at_clock, look_at_proxies
    from bot.doctor.ports import look_at_ports
    from bot.doctor.slack import SlackSeen, look_at_slack

    now, alive = machine.clock.now, books.alive is not None
    candidates, models = look_at_models(settings, now().date())
    if in_the_way(slack_url=settings.slack_url, api_url=settings.openai_url):
        later = [skip(part, "network.proxy comes first") for part in ("clock", "slack", "openai")]
        called = look_at_calls(books.known, candidates, now(), alive=alive)
        ports = await _unbroken("ports", look_at_ports(settings, alive=alive), _alone)
        return [*ports, *await look_at_proxies(), *later, *models, *called]
    ports, proxies, slack, api = await asyncio.gather(
        _unbroken("ports", look_at_ports(settings, alive=alive), _alone),
        _unbroken("network", look_at_proxies(), _alone),
        _unbroken("slack", look_at_slack(settings, now, alive=alive), lambda broke: SlackSeen([broke])),
        _unbroken("openai", look_at_api(settings, candidates, now), lambda broke: ApiSeen([broke])),
    )
    clock = look_at_clock([*slack.times, *api.times], settings.caps.timezone)
    called = look_at_calls(books.known, candidates, now(), alive=alive)
    return [*ports, *proxies, clock, *slack.findings, *models, *api.findings, *called]


async def _unbroken(part: str, work: Coroutine[Any, Any, T], instead: Callable[[Finding], T]) -> T:
    """What *work* comes to, or *instead* with that it broke."""
    try:
        return await work
    except Exception as error:  # noqa: BLE001 -- one check that breaks must not hide what the others found
        remedy = "That is a fault of the doctor's own: please tell the project, with this line."
        return instead(warn(part, f"this check broke: {where(error)}", remedy))


def _alone(broke: Finding) -> list[Finding]:
    return [broke]
