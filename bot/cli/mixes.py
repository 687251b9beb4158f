"""Half real, half local: the demo with OpenAI's pictures, and a real Slack with the sandbox's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.cli import Refused, settings_for
from bot.cli.demo_side import Real
from bot.cli.run import LOCAL
from bot.settings import Settings
from darkroom.rendering.address import provider_name
from darkroom.spending.money import format_usd
from sandbox.images.api import ImageApi
from sandbox.images.server import serve_images
from storage.database import DataProblem
from storage.providers import read_providers, read_teams

DEMO_CAP_USD = "5"
"""What a demo with real pictures spends in a month at most, where no setting says otherwise."""
KEY = "sk-sandbox"  # opens nothing but the sandbox


@dataclass(frozen=True, slots=True)
class Mix:
    """What of a demo is real, and the settings that come of it (``defaults`` give way to ``--set``)."""

    real: Real = field(default_factory=Real)
    settings: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    provider: str | None = None
    """Who makes real pictures, as the books name them."""


def demo_with(images: str) -> Mix:
    """The mix for ``--images sandbox`` or ``openai``. Raises ``Refused`` without a key for the latter."""
    if images == "sandbox":
        return Mix()
    given = settings_for(None, {})
    if given.openai_api_key is None:
        raise Refused(
            "OPENAI_API_KEY is missing. Put the key of your OpenAI project into the environment or .env.\n"
            "Without --images openai the demo needs no key and costs nothing."
        )
    where = provider_name(given.openai_base_url)
    whose = "OpenAI" if where == "openai" else where
    return Mix(
        Real(images=True, words=f"Slack is made on this machine. Pictures come from {whose} and cost money."),
        {
            "openai_api_key": given.openai_api_key,
            "openai_admin_key": given.openai_admin_key,
            "openai_base_url": given.openai_base_url,
        },
        {"caps.workspace_usd": DEMO_CAP_USD},
        where,
    )


def check_demo_flags(flags: dict[str, Any]) -> dict[str, Any]:
    """The same. Raises ``Refused`` for one that would make a demo talk to somebody else than it says."""
    if own := sorted(name for name in flags if name.lower().startswith(("openai_", "slack_"))):
        raise Refused(
            f"{', '.join(own)}: in a demo these are the sandbox's own, so that nothing real is touched.\n"
            "For real pictures: darkroom demo --images openai, with OPENAI_* in the environment."
        )
    return flags


def check_demo_books(folder: Path, mix: Mix, team_id: str) -> None:
    """Raise ``Refused`` for a data directory whose books are no such demo's: of another Slack than *team_id*,
    or with pictures that cost money where these cost none, or the other way round. Blocks for the file."""
    try:
        teams, paid = read_teams(folder), read_providers(folder)
    except DataProblem:
        return  # It is made, or refused with its reason, when Darkroom opens it.
    if others := sorted(teams - {team_id}):
        why = f"are of another Slack ({', '.join(others)}), whose turns and money the demo would mix up"
    elif strangers := sorted(_not_of(paid, mix)):
        why = f"have pictures from {', '.join(strangers)}: real money and what costs nothing do not mix"
    else:
        return
    raise Refused(f"The books in {folder.resolve()} {why}. Name another folder: --data-dir DIR")


def _not_of(paid: frozenset[str], mix: Mix) -> frozenset[str]:
    """The providers whose pictures do not belong into the same books."""
    local = frozenset(name for name in paid if name.startswith(LOCAL))
    return local - {mix.provider} if mix.real.images else paid - local


def costs_told(mix: Mix, settings: Settings, *, kept: bool) -> str:
    """What is said before a demo starts that costs money."""
    caps = settings.caps
    person = "no cap" if caps.person_usd is None else format_usd(caps.person_usd)
    everybody = "no cap" if caps.workspace_usd is None else format_usd(caps.workspace_usd)
    again = (
        "" if kept else "\nThe books go when the demo ends: the caps begin anew each time (--data-dir keeps)."
    )
    return (
        f"REAL PICTURES, REAL MONEY. {mix.real.words} The key's account pays.\n"
        f"Caps in force, each {caps.period.value}: {everybody} for all together, {person} for each person; "
        f"--set caps.workspace_usd=… changes that.{again}\n"
    )


@asynccontextmanager
async def sandbox_pictures(settings: Settings) -> AsyncIterator[Settings]:
    """Settings with a local image API in place of OpenAI's, which runs meanwhile. Raises ``Refused`` for a
    data directory whose books have pictures that were paid for."""
    folder = settings.storage.data_dir
    try:
        paid = await asyncio.to_thread(read_providers, folder)
    except DataProblem:
        paid = frozenset()  # It is refused, with its reason, when Darkroom opens it.
    if strangers := sorted(_not_of(paid, Mix())):
        raise Refused(
            f"The books in {folder.resolve()} have pictures from {', '.join(strangers)}.\n"
            "Those of the sandbox cost nothing, but would count among them, for caps too. Make other books:\n"
            "    darkroom init --data-dir ./sandbox-data\n"
            "    darkroom run --images sandbox --data-dir ./sandbox-data"
        )
    images = ImageApi()
    server = await serve_images(images)
    try:
        yield settings.model_copy(update={"openai_base_url": server.url})
    finally:
        await server.close()
