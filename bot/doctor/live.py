"""``doctor --live``: what only the real API can show, for a few cents and not one more than was allowed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

from bot.cli import Refused
from bot.doctor.finding import Finding, Grade
from bot.doctor.finishing import to_its_end
from bot.doctor.live_calls import Purse, Trials
from bot.doctor.live_probes import LiveProbes
from bot.proxies import in_the_way
from bot.settings import Settings
from darkroom.clock import Clock, SystemClock
from darkroom.rendering.address import could_be_key
from darkroom.rendering.provider import Provider
from darkroom.spending.money import format_usd_exact, parse_usd
from storage.blobs import BlobStore

Say = Callable[[str], None]
_CENT = parse_usd("0.01")


async def run_live(
    settings: Settings, limit_nano_usd: int | None, say: Say, *, clock: Clock | None = None
) -> list[Finding]:
    """Make one cheap picture by each endpoint, and report what was not certain; *say* hears what is going on.

    Nothing is written into the data directory, and nothing into the books. Raises ``bot.cli.Refused``, before
    anything is sent, without a limit or with one below what it may cost at most, and where the settings leave
    nothing to try.
    """
    clock = clock or SystemClock()
    trials, purse = allowed(settings, limit_nano_usd, clock.now().date())
    key = _key(settings)
    provider = _provider(settings, key)
    say(_beforehand(trials, provider.name))
    with tempfile.TemporaryDirectory(prefix="darkroom-doctor-") as folder:
        probes = LiveProbes(trials, purse, provider, BlobStore(Path(folder)), clock)
        try:
            found = await probes.run(say)
        finally:
            left = await to_its_end(_tidied(probes, provider, purse, say))
    return [*(_without(key, finding) for finding in found), _of_spent(purse, left)]


async def _tidied(probes: LiveProbes, provider: Provider, purse: Purse, say: Say) -> list[str]:
    left = await probes.tidy()
    await provider.aclose()
    say(_spent(purse))
    if left:
        say(f"Responses that could not be deleted at the API: {', '.join(left)}.")
    return left


def allowed(settings: Settings, limit_nano_usd: int | None, today: date) -> tuple[Trials, Purse]:
    """What will be called, and what it may spend. Raises ``Refused`` where the limit does not cover it."""
    trials = Trials(settings, today)
    enough = format_usd_exact(-(-trials.at_most // _CENT) * _CENT)
    if limit_nano_usd is None:
        raise Refused(
            f"--live makes pictures that cost money: {enough} at most, and likely less. Say how much it may "
            f"be: darkroom doctor --live --limit {enough.removeprefix('$')}"
        )
    if limit_nano_usd < trials.at_most:
        raise Refused(
            f"--live may cost {enough}, and --limit allows {format_usd_exact(limit_nano_usd)}: nothing was "
            f"sent. Allow as much: darkroom doctor --live --limit {enough.removeprefix('$')}"
        )
    return trials, Purse(limit_nano_usd)


def _key(settings: Settings) -> str:
    if settings.openai_api_key is None:
        raise Refused("OPENAI_API_KEY is missing. Put the key of your OpenAI project into .env.")
    return settings.openai_api_key.get_secret_value()


def _without(key: str, finding: Finding) -> Finding:
    """Whatever the API repeats of what it was sent, the key is not shown."""
    return replace(finding, said=finding.said.replace(key, "[key]"))


def _provider(settings: Settings, key: str) -> Provider:
    if not could_be_key(key):
        raise Refused("OPENAI_API_KEY is empty or has characters that no key has. Copy it again.")
    for proxy in in_the_way(api_url=settings.openai_url):
        raise Refused(str(proxy))
    return Provider(settings.openai_base_url, key)


def _beforehand(trials: Trials, provider: str) -> str:
    asked = trials.responses.job
    whose = "OpenAI" if provider == "openai" else f"{provider}, which is not OpenAI: another contract"
    return (
        f"Pictures by {asked.candidate.image_model} with {asked.candidate.host_model}, "
        f"{asked.width}x{asked.height}, {asked.quality}, from {whose}. "
        f"All of it costs {format_usd_exact(trials.at_most)} at most."
    )


def _spent(purse: Purse) -> str:
    said = f"Spent: {format_usd_exact(purse.spent)} as reported. It is not in Darkroom's books."
    if purse.unclear:
        said += f" Up to {format_usd_exact(purse.unclear)} more may have been: some answers never came."
    return said


def _of_spent(purse: Purse, left: list[str]) -> Finding:
    check, said = "live.spent", f"{format_usd_exact(purse.spent)} as reported"
    if purse.unclear:
        said += f", and up to {format_usd_exact(purse.unclear)} more for answers that never came"
    if not left:
        return Finding(check, Grade.WARN if purse.unclear else Grade.PASS, f"{said}; nothing is left there")
    said += f"; responses that could not be deleted: {', '.join(left)}"
    return Finding(check, Grade.WARN, said, "The API deletes them by itself, 30 days after they were made.")
