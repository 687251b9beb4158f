"""``darkroom run``: connect to Slack and make pictures until told to stop."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli import Refused, flags_of, settings_for, settings_options

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
    from bot.preflight import CannotStart
    from darkroom.rendering.thread import tune_process
    from storage.database import DataProblem

    darkroom = Darkroom(settings)
    stop = stop_signal()
    try:
        await darkroom.start()
    except CannotStart as cannot:
        lines = "\n".join(f"  {fault}" for fault in cannot.faults)
        raise Refused(f"Darkroom cannot start:\n{lines}") from cannot
    except DataProblem as problem:
        raise Refused(str(problem)) from problem
    tune_process()
    click.echo("Darkroom is connected. Stop it with Ctrl-C.")
    await stop.wait()
    click.echo("Stopping: running pictures are finished first; Ctrl-C again does not wait.")
    await darkroom.aclose()


def stop_signal() -> asyncio.Event:
    """Set at the first Ctrl-C or SIGTERM; a second Ctrl-C interrupts as usual."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def told() -> None:
        stop.set()
        loop.remove_signal_handler(signal.SIGINT)

    loop.add_signal_handler(signal.SIGINT, told)
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    return stop
