"""``darkroom doctor``: is everything there that Darkroom needs, and if not, what is to be done?"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli import Refused, flags_of, settings_options

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from bot.doctor.finding import Finding
    from bot.settings import Settings


@click.command("doctor")
@settings_options
@click.option("--json", "as_json", is_flag=True, help="The findings for programs.")
@click.option(
    "--live", is_flag=True, help="Also make one cheap picture by each endpoint. It costs; needs --limit."
)
@click.option("--limit", metavar="DOLLARS", help="The most that --live may spend, such as 0.50.")
@click.option(
    "--live-slack",
    "channel",
    metavar="CHANNEL",
    help="Also try in a channel of the real workspace (#name or id) what no machine can see; asks you.",
)
def command(
    config: Path | None,
    data_dir: Path | None,
    pairs: tuple[str, ...],
    as_json: bool,
    live: bool,
    limit: str | None,
    channel: str | None,
) -> None:
    """Check everything that Darkroom needs: settings, data directory, clock, Slack, OpenAI, models and
    prices. Changes nothing, costs nothing (but for --live), and works beside a running Darkroom.

    Exit code 0 when nothing stands in the way, 1 when something does.
    """
    import logging

    # What the checks' own tools would say is said by the findings.
    logging.getLogger().addHandler(logging.NullHandler())
    flags = flags_of(pairs, data_dir)
    limit_nano_usd = _limit(limit, live=live)
    asyncio.run(_run(config, flags, limit_nano_usd, channel, as_json=as_json))


def _limit(text: str | None, *, live: bool) -> int | None:
    """What ``--live`` may spend, in nano-dollars; None without it."""
    from darkroom.spending.money import BadAmount, parse_usd

    if not live:
        if text is not None:
            raise click.UsageError("--limit says how much --live may spend; there is no --live.")
        return None
    if text is None:
        raise click.UsageError("--live makes pictures that cost: say how much at most, such as --limit 0.50")
    try:
        return parse_usd(text)
    except BadAmount as bad:
        raise click.BadParameter(str(bad), param_hint="--limit") from bad


async def _run(
    config: Path | None,
    flags: Mapping[str, Any],
    limit_nano_usd: int | None,
    channel: str | None,
    *,
    as_json: bool,
) -> None:
    from bot.doctor.examination import examine

    settings, findings = await examine(config, flags, Path())
    refused: Refused | None = None
    try:
        if settings is not None:
            await _live(settings, limit_nano_usd, channel, findings)
    except Refused as why:
        refused = why
    failed = _show(findings, settings, as_json=as_json)
    if refused is not None:
        raise refused
    if failed:
        raise SystemExit(1)


async def _live(
    settings: Settings, limit_nano_usd: int | None, channel: str | None, findings: list[Finding]
) -> None:
    if limit_nano_usd is not None:
        from bot.doctor.live import run_live

        findings += await run_live(settings, limit_nano_usd, _say)
    if channel is not None:
        from bot.doctor.live_asking import ask_person
        from bot.doctor.live_slack import run_live_slack

        findings += await run_live_slack(settings, channel, ask_person)


def _say(line: str) -> None:
    """Beside the findings, which a program may read."""
    click.echo(line, err=True)


def _show(found: list[Finding], settings: Settings | None, *, as_json: bool) -> bool:
    """Print them; gives whether something stands in the way."""
    from rich.console import Console

    from bot.doctor.finding import Grade
    from bot.doctor.table import as_data, show, without_secrets

    findings = without_secrets(found, settings)
    if as_json:
        click.echo(json.dumps(as_data(findings), indent=2, ensure_ascii=False))
    else:
        show(findings, Console())
    return any(each.grade is Grade.FAIL for each in findings)
