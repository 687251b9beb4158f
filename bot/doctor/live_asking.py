"""Asking the person in front of the terminal what only eyes can see."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable
from enum import Enum

import click


class Reply(Enum):
    """What a person says."""

    YES = "y"
    NO = "n"
    SKIP = "s"
    """They cannot say, or do not want to."""


Ask = Callable[[str], Awaitable[Reply]]
"""Puts a question that yes or no answers, without anything behind its question mark."""

_WORDS = {
    "y": Reply.YES,
    "yes": Reply.YES,
    "n": Reply.NO,
    "no": Reply.NO,
    "s": Reply.SKIP,
    "skip": Reply.SKIP,
}

_LOOK_S = 0.5
"""Seconds between looks while nobody types. A signal in the very moment before the loop begins to sleep does
not wake it, and nothing else would: a Ctrl-C then went unheard until the next one."""


async def ask_person(question: str) -> Reply:
    """Ask on the terminal until the answer is one. Where nothing more can be read everything is skipped.

    A Ctrl-C meanwhile is heard at once: the reading is left behind in a thread that ends with the process.
    """
    while True:
        click.echo(f"{question} [y/n/skip] ", nl=False, err=True)
        line = await _line()
        if not line:
            click.echo("", err=True)
            return Reply.SKIP
        said = _WORDS.get(line.strip().lower())
        if said is not None:
            return said


async def _line() -> str:
    """The next line of the standard input; empty at its end."""
    loop = asyncio.get_running_loop()
    read: asyncio.Future[str] = loop.create_future()

    def deliver(line: str) -> None:
        if not read.done():
            read.set_result(line)

    def work() -> None:
        try:
            line = sys.stdin.readline()
        except (OSError, ValueError):
            line = ""
        if not loop.is_closed():
            loop.call_soon_threadsafe(deliver, line)

    threading.Thread(target=work, name="darkroom-asking", daemon=True).start()
    while not read.done():
        await asyncio.wait((read,), timeout=_LOOK_S)
    return read.result()
