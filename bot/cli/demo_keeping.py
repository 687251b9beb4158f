"""What the demo keeps in its data directory beside the books: its Slack, its image API, and its time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from bot.cli import Refused
from bot.cli.demo_clock import DemoClock
from bot.cli.demo_first import begin_again, broke_off
from bot.cli.demo_note import NAME
from sandbox.images.api import ImageApi
from sandbox.images.keeping import ImagesKept
from sandbox.keeping.folder import Folder, InUse, Shelf, Unreadable
from sandbox.keeping.keeper import Keeper, Part
from sandbox.slack.keeping import WorkspaceKept
from sandbox.slack.workspace import Workspace

LATEST_YEAR = 9000
"""Months and years that come after a time have to be times, too."""


class ClockKept:
    """The demo's time: it goes on from where it was, as time never goes back."""

    def __init__(self, clock: DemoClock) -> None:
        self._clock = clock

    def kept(self, shelf: Shelf) -> float:
        """Unix seconds."""
        return self._clock.unix()

    def restore(self, kept: Any, fetch: Callable[[str], bytes]) -> None:
        """Be as late as that at least. ValueError for what is no time."""
        if isinstance(kept, bool) or not isinstance(kept, int | float):
            raise ValueError(f"{kept!r} is no time")
        try:
            time = datetime.fromtimestamp(kept, UTC)
        except (ValueError, OverflowError, OSError) as error:
            raise ValueError(f"{kept!r} is no time") from error
        if time.year > LATEST_YEAR:
            raise ValueError(f"{kept!r} is no time that a demo comes to")
        self._clock.jump(time)


def kept_demo(data_dir: Path, workspace: Workspace, images: ImageApi, clock: DemoClock) -> Keeper:
    """Bring back what *data_dir* keeps of a demo, unless that is half a month, which goes; from its ``begin``
    on until ``let_go`` it is kept. Raises ``Refused``, and leaves alone what cannot be read. Needs a running
    loop."""
    folder = Folder(data_dir / NAME)
    slack, api = WorkspaceKept(workspace), ImagesKept(images)
    parts: dict[str, Part] = {"clock": ClockKept(clock), "slack": slack, "images": api}
    keeper = Keeper(folder, parts)
    try:
        folder.take()
        if broke_off(data_dir):
            click.echo("The demo that began here was ended amid its month. It begins once more.")
            begin_again(data_dir)
        keeper.restore()
    except InUse as taken:
        raise Refused(
            f"Another demo is running with {data_dir.resolve()}. Stop it, or name another."
        ) from taken
    except Unreadable as broken:
        folder.release()
        raise Refused(_unreadable(data_dir, broken)) from broken
    except OSError as error:
        raise Refused(f"Nothing can be kept in {folder.place.resolve()}: {error.strerror}.") from error
    slack.listen(keeper.stir)
    api.listen(keeper.stir)
    return keeper


async def let_go(keeper: Keeper) -> None:
    """Write what has not been written, and let others have the folder."""
    await keeper.close()
    keeper.folder.release()


def _unreadable(data_dir: Path, broken: Unreadable) -> str:
    return (
        f"The demo's Slack in {data_dir.resolve()} cannot be read, and is left as it is:\n"
        f"  {broken.path.resolve()}: {broken.reason}\n"
        "Put that file back from a copy, name another --data-dir, or move the folder "
        f"{(data_dir / NAME).resolve()} away: then the demo begins with an empty Slack and keeps the books."
    )
