"""Running a Darkroom until it is told to stop: what ``run`` and ``demo`` share."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import click

from bot.cli import Refused
from bot.leaving import EXIT_CODE, Gone
from bot.preflight import CannotStart, Removed
from bot.settings import Settings
from darkroom.rendering.thread import CannotRender, tune_process
from storage.database import DataProblem

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop(asyncio.Event):
    """Set when Darkroom is told to stop; ``again`` when it is told so a second time, and is not to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.again = asyncio.Event()


class Parted(click.ClickException):
    """Our app was removed from its workspace, or its token revoked; ``message`` says what to do."""

    exit_code = EXIT_CODE

    def show(self, file: Any = None) -> None:
        click.echo(self.message, err=True)


class Runs(Protocol):
    """What is served: a ``Darkroom``, or the demo's."""

    @property
    def settings(self) -> Settings:
        """What it was made from."""
        ...

    @property
    def gone(self) -> Gone:
        """As ``Darkroom.gone``."""
        ...

    async def start(self) -> None:
        """As ``Darkroom.start``."""
        ...

    async def aclose(self) -> None:
        """As ``Darkroom.aclose``."""
        ...

    async def warm(self) -> None:
        """As ``Darkroom.warm``."""
        ...

    def hurry(self) -> None:
        """As ``Darkroom.hurry``."""
        ...


async def serve(
    darkroom: Runs,
    stop: Stop,
    ready: Callable[[], None],
    *,
    first: Callable[[], Coroutine[Any, Any, None]] | None = None,
    last: Callable[[], Coroutine[Any, Any, None]] | None = None,
) -> None:
    """Start, do what comes *first*, call *ready*, and end cleanly when *stop* is set, also while any of that
    goes on; *last* is done before, if it was ready. ``Refused`` if it cannot start, ``Parted`` once it was
    removed from its workspace, or had been before."""
    hurry = asyncio.ensure_future(_hurry(stop, darkroom))
    try:
        await _serve(darkroom, stop, ready, first, last)
    except CannotStart as cannot:
        lines = "\n".join(f"  {fault}" for fault in cannot.faults)
        refusal = Parted if isinstance(cannot, Removed) else Refused
        raise refusal(f"Darkroom cannot start:\n{lines}") from cannot
    except DataProblem as problem:
        raise Refused(str(problem)) from problem
    except CannotRender as cannot:
        raise Refused(
            f"Darkroom cannot make pictures: its client for the image API cannot be set up ({_why(cannot)}). "
            "A proxy (HTTPS_PROXY, ALL_PROXY) or SSL_CERT_FILE is the usual reason; darkroom doctor looks at "
            "them. What was asked for meanwhile is made after the next start."
        ) from cannot
    finally:
        hurry.cancel()
        await asyncio.gather(hurry, return_exceptions=True)


async def _serve(
    darkroom: Runs,
    stop: Stop,
    ready: Callable[[], None],
    first: Callable[[], Coroutine[Any, Any, None]] | None,
    last: Callable[[], Coroutine[Any, Any, None]] | None,
) -> None:
    if not await _before(stop, darkroom.start()):
        return
    try:
        if first is not None and not await _before(stop, first()):
            return
        ready()
        await _before(stop, darkroom.warm())
        tune_process()
        if await _before(stop, _until(darkroom.gone)):
            raise Parted(darkroom.gone.sentence)
        grace = f"for {darkroom.settings.queue.grace_s:g} seconds at most"
        click.echo(f"\nStopping: running pictures are finished first, {grace}; Ctrl-C again does not wait.")
        if last is not None:
            await last()
    finally:
        await darkroom.aclose()


def _why(cannot: CannotRender) -> str:
    # Its words could be an address with a password in it; of the system's own errors they are not.
    cause = cannot.__cause__
    words = f": {cause.strerror}" if isinstance(cause, OSError) and cause.strerror else ""
    return f"{type(cause).__name__}{words}" if cause is not None else "it is being closed"


async def _hurry(stop: Stop, darkroom: Runs) -> None:
    await stop.again.wait()
    darkroom.hurry()


async def _until(gone: Gone) -> None:
    await gone.wait()


async def _before(stop: Stop, work: Coroutine[Any, Any, None]) -> bool:
    """Whether *work* came to its end before *stop* was set; else it is cancelled."""
    working, stopped = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({working, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            await working
        return working.done()
    finally:
        stopped.cancel()
        working.cancel()
        await asyncio.gather(working, stopped, return_exceptions=True)


def stop_signal() -> Stop:
    """Set at the first Ctrl-C or SIGTERM, and ``again`` at the second; a third ends the process at once."""
    stop = Stop()
    loop = asyncio.get_running_loop()

    def told() -> None:
        if not stop.is_set():
            stop.set()
            return
        stop.again.set()
        for each in SIGNALS:
            loop.remove_signal_handler(each)

    for each in SIGNALS:
        loop.add_signal_handler(each, told)
    return stop
