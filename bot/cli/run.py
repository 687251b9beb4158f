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
def command(config: Path | None, data_dir: Path | None, pairs: tuple[str, ...]) -> None:
    """Connect to Slack by Socket Mode and make pictures until stopped (Ctrl-C or SIGTERM).

    Needs SLACK_BOT_TOKEN, SLACK_APP_TOKEN and OPENAI_API_KEY in the environment or in .env, and a data
    directory (see: darkroom init).
    """
    from bot.logs import configure_logging

    settings = settings_for(config, flags_of(pairs, data_dir))
    configure_logging(settings.log.level)
    asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    from bot.app import Darkroom
    from bot.cli.serving import serve, stop_signal

    def ready() -> None:
        click.echo("Darkroom is connected. Stop it with Ctrl-C.")

    await serve(Darkroom(settings), stop_signal(), ready)
