"""``darkroom backup``: everything that must survive in one file, of a running Darkroom too."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli import Refused, as_typed, flags_of, settings_for, settings_options

if TYPE_CHECKING:
    from storage.backup import Copied


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@settings_options
def command(
    file: Path, as_json: bool, config: Path | None, data_dir: Path | None, pairs: tuple[str, ...]
) -> None:
    """Copy the database and its pictures, as they are in one moment, into the new FILE (a tar).

    Darkroom may be running meanwhile. Prompts and pictures of your people are in it: only you may read it.
    Exit code 1 says that the copy was made, and that pictures are missing from it.
    """
    from darkroom.clock import SystemClock
    from storage.backup import make_backup
    from storage.database import DataProblem

    settings = settings_for(config, flags_of(pairs, data_dir))
    try:
        copied = make_backup(settings.storage.data_dir, file, SystemClock().now())
    except DataProblem as problem:
        raise Refused(str(problem)) from problem
    except OSError as error:
        raise Refused(f"{file} could not be written: {error.strerror or error}. Nothing was kept.") from error
    click.echo(json.dumps(as_data(copied), indent=2) if as_json else f"Wrote {file}: {said(copied)}")
    if not as_json and not copied.missing:
        click.echo(f"To put it back: {as_typed()} restore {shlex.quote(str(file))} --data-dir NEW_FOLDER")
    warn_of(copied)


def as_data(copied: Copied) -> dict[str, Any]:
    """What ``--json`` prints."""
    return {
        "at": copied.at.isoformat(),
        "turns": copied.turns,
        "pictures": copied.pictures,
        "size_bytes": copied.size_bytes,
        "missing": list(copied.missing),
    }


def said(copied: Copied) -> str:
    """What a backup holds, in one line."""
    what = f"{_counted(copied.turns, 'turn')} and {_counted(copied.pictures, 'picture')}"
    size = f"{copied.size_bytes / 1e6:,.1f} MB"
    return f"{what}, {size}, as they were at {copied.at:%Y-%m-%d %H:%M:%S} UTC."


def _counted(number: int, one: str) -> str:
    return f"{number:,} {one if number == 1 else f'{one}s'}"


def warn_of(copied: Copied) -> None:
    """Say which pictures are missing, and end with exit code 1 if any is."""
    if not copied.missing:
        return
    click.echo(f"Missing, though the books name them ({len(copied.missing)}):", err=True)
    for name in copied.missing[:20]:
        click.echo(f"  {name}", err=True)
    raise click.exceptions.Exit(1)
