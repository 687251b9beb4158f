"""``darkroom sandbox``: the local Slack and the local image API alone."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

import click

from bot.cli import Refused

PORT = 8800
LOOPBACK = "127.0.0.1"


page_port = click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="The page's; 0: any."
)
faults_file = click.option(
    "--faults",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What goes wrong on purpose: a scenario.toml, or bad-day, api-closed or slack-trouble.",
)
"""Options of whatever serves the page."""


def _address(context: click.Context, option: click.Parameter, given: str | None) -> str | None:
    """An address that can be posted to, or what is wrong with it."""
    if given is None:
        return None
    try:
        parts = urlsplit(given)
        known = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        known = False
    if not known:
        raise click.BadParameter("an address is wanted, such as http://127.0.0.1:3000/slack/events")
    return given


@click.command("sandbox")
@page_port
@click.option(
    "--images-port",
    type=click.IntRange(0, 65535),
    default=0,
    show_default=True,
    help="The image API's; 0: any.",
)
@click.option(
    "--host",
    default=LOOPBACK,
    show_default=True,
    help="Where to listen: an address or a name of this machine, or 0.0.0.0 for all. There is no password.",
)
@faults_file
@click.option(
    "--http",
    metavar="URL",
    callback=_address,
    help="Post to a bot's Request URL, signed, instead of waiting for its socket.",
)
def command(port: int, images_port: int, host: str, faults: Path | None, http: str | None) -> None:
    """Run a local Slack workspace, with a page, and a local image API until stopped (Ctrl-C).

    Prints the settings by which a bot finds them. docs/sandbox.md says how to drive it.
    """
    asyncio.run(_sandbox(host, (port, images_port), faults, http))


async def _sandbox(host: str, ports: tuple[int, int], faults: Path | None, http: str | None) -> None:
    from bot.cli.serving import stop_signal
    from bot.cli.world import app_shortcuts, fault_plan, faults_told, start_world
    from sandbox.images.api import ImageApi
    from sandbox.slack.request_url import RequestUrl
    from sandbox.slack.workspace import Workspace

    plan = fault_plan(faults)
    stop = stop_signal()
    try:
        workspace = Workspace(shortcuts=app_shortcuts())
        world = await start_world(
            workspace, ImageApi(), host=host, port=ports[0], images_port=ports[1], faults=plan
        )
    except OSError as error:
        taken = " or ".join(str(port) for port in ports if port) or "0"
        other = "--port 0" if not ports[1] else "--images-port 0" if not ports[0] else "0 for either"
        raise Refused(port_taken(taken, error, host, other)) from error
    posts = RequestUrl(workspace, lambda: http or "")
    try:
        if http is not None:
            await posts.open()
        if host not in (LOOPBACK, "localhost", "::1"):
            click.echo(
                f"It listens at {host} and has no password: whoever reaches this machine there can read"
            )
            click.echo("and change everything in it. Do this only on a network that you trust.\n")
        click.echo(f"The page:\n\n    {world.page_url}\n")
        click.echo("For a bot that is to live here, in its environment or .env:\n")
        for name, value in world.settings().items():
            click.echo(f"{name.upper()}={value}")
        if http is not None:
            click.echo(f"\nIt posts to {http}, signed with that secret.")
        if faults is not None:
            click.echo("\n" + faults_told(plan, world.page_url))
        click.echo("\nStop it with Ctrl-C.")
        await stop.wait()
        click.echo("\nStopping.")
    finally:
        await posts.close()
        await world.close()


def free(port: int) -> int:
    """That port of this machine, if nobody has it; else 0, which is any."""
    try:
        with socket.create_server((LOOPBACK, port)):
            return port
    except OSError:
        return 0


def port_taken(port: int | str, error: OSError, host: str = LOOPBACK, other: str = "--port 0") -> str:
    """What to say when the port, or the address it is wanted at, cannot be had; *other* is the option that
    takes any free one."""
    known = error.errno is not None and error.errno > 0
    why = os.strerror(error.errno or 0) if known else error.strerror or str(error)
    if host != LOOPBACK:
        told = f"Nothing can listen at {host}, port {port} ({why})."
        return f"{told} --host takes an address of this machine, {other} any free port."
    return f"Port {port} cannot be used ({why}). {other} takes any free one."


def runs_already(port: int, error: OSError) -> str:
    """The same for the demo, which may be running already."""
    told = port_taken(port, error, other='--port 0 (make demo ARGS="--port 0")')
    if error.errno != errno.EADDRINUSE:
        return told
    return f"{told}\nIs a demo running already? Then it is at http://{LOOPBACK}:{port}/"
