"""``darkroom init``: a new, empty data directory."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from bot.cli import Refused, as_typed, flags_of, settings_for, settings_options


@click.command("init")
@settings_options
def command(config: Path | None, data_dir: Path | None, pairs: tuple[str, ...]) -> None:
    """Make the data directory with an empty ledger: everybody has their full cap."""
    from storage.database import DATABASE_NAME, Database, DataProblem, UnusableData

    settings = settings_for(config, flags_of(pairs, data_dir))
    place = settings.storage.data_dir
    if (place / DATABASE_NAME).exists():
        raise Refused(f"There is Darkroom data in {place.resolve()} already; it was left as it is.")
    try:
        Database.open(place, create=True).close()
    except UnusableData as problem:
        raise Refused(f"{place.resolve()} cannot be made: {problem.why}.") from problem
    except DataProblem as problem:
        raise Refused(str(problem)) from problem
    again = "" if data_dir is None else f" --data-dir {shlex.quote(str(data_dir))}"
    click.echo(f"Made {place.resolve()}. Next: put the tokens into .env, then: {as_typed()} run{again}")
