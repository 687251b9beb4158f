"""What a demo opens with: a workspace that already lives, and a browser that looks at it."""

from __future__ import annotations

import os
import sys
import threading
import time
import webbrowser
from collections.abc import Mapping
from contextlib import suppress

import click

from bot.app import Darkroom
from bot.cli.demo_clock import DemoClock
from bot.cli.demo_history import play
from bot.cli.demo_stage import StageProblem, Thread
from sandbox.images.api import ImageApi
from sandbox.slack.model import Refused
from sandbox.slack.workspace import Workspace


async def play_the_month(
    workspace: Workspace, images: ImageApi, darkroom: Darkroom, clock: DemoClock
) -> Thread | None:
    """Let the workspace have a month behind it, and say so in one line; the thread to look at first, None
    when it went wrong, which is said too and stops nothing."""
    click.echo("Three people have had Darkroom for a month already: playing it… ", nl=False)
    started = time.perf_counter()
    try:
        thread = await play(workspace, images, darkroom, clock)
    except (StageProblem, Refused) as problem:
        click.echo(f"it broke off, because {problem}. The demo works all the same.")
        return None
    click.echo(f"done in {time.perf_counter() - started:.1f} s.")
    return thread


def address(page_url: str, thread: Thread | None) -> str:
    """Where the page opens, with that thread beside the channel."""
    return page_url if thread is None else f"{page_url}#{thread.channel}/{thread.root}"


def can_open_a_browser(platform: str = sys.platform, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether there is a screen that a browser of its own could open on; one in the terminal is none."""
    return platform in {"darwin", "win32"} or any(
        environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )


def open_browser(url: str) -> None:
    """Show *url* in the person's browser, and wait for nothing: where that goes wrong they have read the
    address."""

    def show() -> None:
        with suppress(webbrowser.Error, OSError):
            webbrowser.open(url)

    threading.Thread(target=show, name="browser", daemon=True).start()
