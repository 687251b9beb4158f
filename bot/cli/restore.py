"""``darkroom restore``: a data directory from a backup."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import click

from bot.cli import Refused, as_typed, flags_of, settings_for, settings_options
from bot.cli.backup import as_data, said, warn_of


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@settings_options
def command(
    file: Path, as_json: bool, config: Path | None, data_dir: Path | None, pairs: tuple[str, ...]
) -> None:
    """Make a new data directory of what the backup FILE holds.

    The data directory (storage.data_dir, or --data-dir) must be empty or missing. What was spent after the
    backup was made is not in it; what waited then is taken up or, after an hour, cancelled at the next start.
    """
    from storage.backup import restore_backup
    from storage.database import DataProblem

    place = settings_for(config, flags_of(pairs, data_dir)).storage.data_dir
    try:
        copied = restore_backup(file, place)
    except DataProblem as problem:
        raise Refused(str(problem)) from problem
    except OSError as error:
        raise Refused(f"{place} could not be made: {error.strerror or error}. Nothing was kept.") from error
    if as_json:
        click.echo(json.dumps(as_data(copied), indent=2))
    else:
        click.echo(f"Made {place.resolve()}: {said(copied)}")
        again = "" if data_dir is None else f" --data-dir {shlex.quote(str(data_dir))}"
        click.echo(f"Stop any other Darkroom of this workspace first, then: {as_typed()} run{again}")
    warn_of(copied)
