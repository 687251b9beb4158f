"""``darkroom run``: connect to Slack and make pictures until told to stop."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli import flags_of, settings_for, settings_options

if TYPE_CHECKING:
    from bot.settings import Settings


@click.command("run")
@settings_options
@click.option(
    "--images",
    "painter",
    type=click.Choice(["openai", "sandbox"]),
    default="openai",
    show_default=True,
    help="Who makes the pictures. With sandbox a local image API paints them: no key, no cost.",
)
def command(config: Path | None, data_dir: Path | None, pairs: tuple[str, ...], painter: str) -> None:
    """Connect to Slack by Socket Mode and make pictures until stopped (Ctrl-C or SIGTERM).

    Needs SLACK_BOT_TOKEN, SLACK_APP_TOKEN and OPENAI_API_KEY in the environment or in .env, and a data
    directory (see: darkroom init).
    """
    from bot.logs import configure_logging

    flags = flags_of(pairs, data_dir)
    if painter == "sandbox":
        from bot.cli.mixes import KEY

        flags |= {"openai_api_key": KEY, "openai_admin_key": None, "openai_base_url": None}
    settings = settings_for(config, flags)
    configure_logging(settings.log.level)
    asyncio.run(_run(settings) if painter == "openai" else _run_with_sandbox(settings))


async def _run(settings: Settings) -> None:
    from bot.app import Darkroom
    from bot.cli.serving import serve, stop_signal

    def ready() -> None:
        click.echo("Darkroom is connected. Stop it with Ctrl-C.")

    await serve(Darkroom(settings), stop_signal(), ready)


async def _run_with_sandbox(settings: Settings) -> None:
    from bot.cli.mixes import sandbox_pictures

    async with sandbox_pictures(settings) as local:
        click.echo("Slack is real, pictures are not: they are painted on this machine and cost nothing,")
        click.echo(f"though the books in {settings.storage.data_dir.resolve()} count them as usual.")
        await _run(local)
