"""``darkroom run``: connect to Slack and make pictures until told to stop."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli import flags_of, settings_for, settings_options

if TYPE_CHECKING:
    from bot.settings import Settings

LOCAL = "127.0.0.1:"
"""How the name of a sandbox's image API begins in the books."""


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
    """Connect to Slack and make pictures until stopped (Ctrl-C or SIGTERM).

    Needs SLACK_BOT_TOKEN, SLACK_APP_TOKEN (or, with slack.mode=http, SLACK_SIGNING_SECRET) and OPENAI_API_KEY
    in the environment or in .env, and a data directory: darkroom init asks for all of it, darkroom doctor
    checks it.
    """
    from bot.logs import configure_logging

    flags = flags_of(pairs, data_dir)
    if painter == "sandbox":
        from bot.cli.mixes import KEY

        flags |= {"openai_api_key": KEY, "openai_admin_key": None, "openai_base_url": None}
    settings = settings_for(config, flags)
    configure_logging(settings.log.level, form=settings.log.format)
    if painter == "sandbox":
        asyncio.run(_run_with_sandbox(settings))
        return
    if told := sandbox_told(settings):
        click.echo(told, err=True)
    asyncio.run(_run(settings))


def sandbox_told(settings: Settings) -> str:
    """What is said before real pictures are made with books that a sandbox's are in, too; else nothing.
    Blocks for the file."""
    from darkroom.rendering.address import provider_name
    from storage.database import DataProblem
    from storage.providers import read_providers

    folder, here = settings.storage.data_dir, provider_name(settings.openai_base_url)
    try:
        local = sorted(name for name in read_providers(folder) if name.startswith(LOCAL))
    except DataProblem:
        return ""  # It is refused, with its reason, when Darkroom opens it.
    if not local or here.startswith(LOCAL):
        return ""
    return (
        f"The books in {folder.resolve()} have pictures from {', '.join(local)}, on this machine.\n"
        "If that was the sandbox: they cost nothing, and count all the same, for caps too. Others:\n"
        "    darkroom init --data-dir ./real-data"
    )


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
