"""``darkroom sandbox``: the local Slack and the local image API alone."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import click

from bot.cli import Refused

PORT = 8800


@click.command("sandbox")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="The page's; 0: any."
)
@click.option(
    "--faults",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What goes wrong on purpose: a scenario.toml, or bad-day, api-closed or slack-trouble.",
)
def command(port: int, faults: Path | None) -> None:
    """Run a local Slack workspace, with a page, and a local image API until stopped (Ctrl-C).

    Prints the settings by which a bot finds them.
    """
    asyncio.run(_sandbox(port, faults))


async def _sandbox(port: int, faults: Path | None) -> None:
    from bot.cli.serving import stop_signal
    from bot.cli.world import app_shortcuts, fault_plan, faults_told, start_world
    from sandbox.images.api import ImageApi
    from sandbox.slack.workspace import Workspace

    plan = fault_plan(faults)
    stop = stop_signal()
    try:
        workspace = Workspace(shortcuts=app_shortcuts())
        world = await start_world(workspace, ImageApi(), port=port, faults=plan)
    except OSError as error:
        raise Refused(port_taken(port, error)) from error
    try:
        click.echo(f"The page:\n\n    {world.page_url}\n")
        click.echo("For a bot that is to live here, in its environment or .env:\n")
        for name, value in world.settings().items():
            click.echo(f"{name.upper()}={value}")
        if faults is not None:
            click.echo("\n" + faults_told(plan, world.page_url))
        click.echo("\nStop it with Ctrl-C.")
        await stop.wait()
        click.echo("\nStopping.")
    finally:
        await world.close()


def port_taken(port: int, error: OSError) -> str:
    """What to say when the port cannot be had."""
    why = os.strerror(error.errno) if error.errno else str(error)
    return f'Port {port} cannot be used ({why}). --port 0 takes any free one; make demo ARGS="--port 0" too.'
