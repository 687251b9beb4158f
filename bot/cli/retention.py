"""``darkroom retention``: delete what is older than the settings say, or only say what that would be."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli import Refused, flags_of, settings_for, settings_options

if TYPE_CHECKING:
    from bot.settings import Settings
    from darkroom.turns.retention import Counts

FOR_EVER = "The settings keep everything: retention.pictures_days, prompts_days and turns_days are none."
SCRUB_LATER = "Copies of it may stand in the database's files until Darkroom runs next."


@click.command("retention")
@click.option("--dry-run", is_flag=True, help="Only say what would go; works beside a running Darkroom.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@settings_options
def command(
    dry_run: bool, as_json: bool, config: Path | None, data_dir: Path | None, pairs: tuple[str, ...]
) -> None:
    """Delete what is older than retention.pictures_days, prompts_days and turns_days say.

    A running Darkroom does that by itself, at its start and once a day, so this is for when it is stopped;
    what it deletes here is recalled from Slack and from OpenAI at its next start. No sum ever changes.
    """
    from storage.database import DataDirectoryInUse, DataProblem

    settings = settings_for(config, flags_of(pairs, data_dir))
    try:
        counts, scrubbed = _look(settings) if dry_run else asyncio.run(_run(settings))
    except DataDirectoryInUse as running:
        raise Refused(
            f"Darkroom is running on {settings.storage.data_dir.resolve()}, and does this by itself: at its "
            "start, and once a day. Restart it for new settings, or look with --dry-run."
        ) from running
    except DataProblem as problem:
        raise Refused(str(problem)) from problem
    if as_json:
        click.echo(json.dumps(as_data(counts, dry_run=dry_run), indent=2))
    else:
        _print(settings, counts, dry_run=dry_run)
    if not scrubbed:
        click.echo(SCRUB_LATER, err=True)


def _look(settings: Settings) -> tuple[Counts, bool]:
    from bot.parts import keep_of
    from darkroom.clock import SystemClock
    from storage.database import read_books
    from storage.old_enough import count

    before = keep_of(settings).before(SystemClock().now())
    return read_books(settings.storage.data_dir, lambda db: count(db, before)), True


async def _run(settings: Settings) -> tuple[Counts, bool]:
    """What went; and whether nothing of it is left in the files of the database."""
    from bot.parts import blobs_of, retention_of
    from darkroom.clock import SystemClock
    from darkroom.turns.erasing import NotScrubbed
    from storage.database import Database

    clock = SystemClock()
    database = Database.open(settings.storage.data_dir, inline=True)
    try:
        outcome = await retention_of(settings, database, blobs_of(settings, clock), clock).run()
        try:
            await database.scrub()
        except NotScrubbed:
            return outcome.counts, False
        return outcome.counts, True
    finally:
        database.close()


def as_data(counts: Counts, *, dry_run: bool) -> dict[str, Any]:
    """What ``--json`` prints."""
    return {"dry_run": dry_run, **asdict(counts)}


def _print(settings: Settings, counts: Counts, *, dry_run: bool) -> None:
    from bot.parts import keep_of

    if keep_of(settings).for_ever:
        click.echo(FOR_EVER)
        return
    click.echo("Old enough, and would be deleted:" if dry_run else "Deleted, because it was old enough:")
    for number, what in (
        (counts.pictures, "pictures"),
        (counts.words, "requests' words"),
        (counts.comments, "comments of shared pictures"),
        (counts.turns, "whole requests"),
    ):
        click.echo(f"{number:>8,}  {what}")
    if counts.later:
        click.echo(f"{counts.later:>8,}  whole requests later: once what they left elsewhere is recalled")
    if counts.pictures and not dry_run:
        click.echo("What these pictures left in Slack and at OpenAI is recalled when Darkroom runs next.")
