"""Running a Darkroom until it is told to stop: what ``run`` and ``demo`` share."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

import click

from bot.app import Darkroom
from bot.cli import Refused
from bot.preflight import CannotStart
from darkroom.rendering.thread import tune_process
from storage.database import DataProblem


async def serve(darkroom: Darkroom, stop: asyncio.Event, ready: Callable[[], None]) -> None:
    """Start, call *ready*, and end cleanly when *stop* is set. ``Refused`` if it cannot start."""
    try:
        await darkroom.start()
    except CannotStart as cannot:
        lines = "\n".join(f"  {fault}" for fault in cannot.faults)
        raise Refused(f"Darkroom cannot start:\n{lines}") from cannot
    except DataProblem as problem:
        raise Refused(str(problem)) from problem
    try:
        tune_process()
        ready()
        await stop.wait()
        click.echo("\nStopping: running pictures are finished first; Ctrl-C again does not wait.")
    finally:
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
