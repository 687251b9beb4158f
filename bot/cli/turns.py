"""``darkroom turns``: what was asked for and what became of it, read-only, also beside a running bot."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli import Refused, flags_of, settings_for, settings_options

if TYPE_CHECKING:
    from darkroom.turns.heartbeat import Beat
    from storage.turn_report import TurnRow

SILENT_S = 60.0
"""Without a sign of life for so long, a bot that gives one each 15 seconds is not running, or hangs."""


@click.command("turns")
@click.option("--json", "as_json", is_flag=True, help="For programs: amounts in integer nano-dollars.")
@click.option(
    "--alive",
    "only_alive",
    is_flag=True,
    help="Only how the bot last said that it is; exit code 1 without a sign of life, or with a stuck turn.",
)
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=1000, show_default=True, help="How many, newest."
)
@settings_options
def command(
    as_json: bool,
    only_alive: bool,
    limit: int,
    config: Path | None,
    data_dir: Path | None,
    pairs: tuple[str, ...],
) -> None:
    """What was asked for, what became of it, and what it cost; oldest first. Above it, how the bot last said
    that it is."""
    from bot.cli.demo_note import time_in
    from storage.database import DataProblem, read_books
    from storage.heartbeat import last_beat
    from storage.turn_report import turn_rows

    settings = settings_for(config, flags_of(pairs, data_dir))
    folder = settings.storage.data_dir
    try:
        if only_alive:
            _say_alive(read_books(folder, last_beat), time_in(folder), as_json=as_json)
            return
        rows, beat = read_books(folder, lambda db: (turn_rows(db, limit), last_beat(db)))
    except DataProblem as problem:
        raise Refused(str(problem)) from problem
    now = time_in(folder)
    if as_json:
        stuck = beat.stuck if beat is not None and is_alive(beat, now) else ()
        click.echo(json.dumps([as_data(row, stuck) for row in rows], indent=2))
    else:
        if beat is not None:
            click.echo(in_a_line(beat, now))
        _print(rows)


def _say_alive(beat: Beat | None, now: datetime, *, as_json: bool) -> None:
    """Print it; exit code 1 where somebody should look."""
    if as_json:
        click.echo(json.dumps(beat_as_data(beat, now), indent=2))
    else:
        click.echo("Not running: there was never a sign of life." if beat is None else in_a_line(beat, now))
    if beat is None or beat.stuck or not is_alive(beat, now):
        raise SystemExit(1)


def is_alive(beat: Beat, now: datetime) -> bool:
    """Whether a sign of life is young enough to speak of a bot that runs. One from a time to come is old: the
    clock was put back since, and a bot that runs would have given another by now."""
    return abs((now - beat.at).total_seconds()) <= SILENT_S


def beat_as_data(beat: Beat | None, now: datetime) -> dict[str, Any]:
    """A sign of life as ``--alive --json`` prints it."""
    return {
        "alive": beat is not None and is_alive(beat, now),
        "pid": beat.pid if beat else None,
        "started_at": beat.started_at.isoformat() if beat else None,
        "beat_at": beat.at.isoformat() if beat else None,
        "running": beat.running if beat else None,
        "waiting": beat.waiting if beat else None,
        "stuck": list(beat.stuck) if beat else [],
    }


def in_a_line(beat: Beat, now: datetime) -> str:
    """A sign of life as it is printed; an old one is not called running."""
    began, last = f"{beat.started_at:%Y-%m-%d %H:%M:%S}", f"{beat.at:%Y-%m-%d %H:%M:%S}"
    stuck = f"; stuck: {', '.join(beat.stuck)}" if beat.stuck else ""
    counts = f"{beat.running} running, {beat.waiting} waiting{stuck}"
    if not is_alive(beat, now):
        return (
            f"Not running: no sign of life since {last} UTC (process {beat.pid}, started {began}). "
            f"Then: {counts}."
        )
    return f"Running since {began}, last sign of life {last} UTC (process {beat.pid}): {counts}."


def as_data(row: TurnRow, stuck: Collection[str] = ()) -> dict[str, Any]:
    """A turn as ``--json`` prints it; *stuck* are the ids of those that should have moved."""
    turn = row.turn
    request = turn.request
    return {
        "id": turn.id,
        "state": turn.state.value,
        "outcome": turn.ending.outcome.value if turn.ending else None,
        "told": turn.told_at is not None,
        "reason": turn.undelivered_reason or (turn.ending.reason.value if turn.ending else None),
        "team_id": request.team_id,
        "channel_id": request.channel_id,
        "thread_ts": turn.thread_ts,
        "user_id": request.user_id,
        "prompt": request.prompt,
        "pictures": [
            {
                "version": picture.version,
                "parent": picture.parent_version,
                "model": picture.image_model,
                "endpoint": picture.endpoint,
                "charged_nano_usd": picture.charged_nano_usd,
            }
            for picture in row.pictures
        ],
        "charged_nano_usd": row.charged_nano_usd,
        "held_nano_usd": row.held_nano_usd,
        "attempts": row.attempts,
        "stuck": turn.id in stuck,
        "message_ts": turn.message_ts,
        "created_at": turn.created_at.isoformat(),
        "updated_at": turn.updated_at.isoformat(),
    }


def _print(rows: list[TurnRow]) -> None:
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    from darkroom.spending.money import format_usd

    table = Table(Column("When (UTC)", no_wrap=True), "Who", "Asked for", "Became", "Told", "Cost")
    for row in rows:
        turn = row.turn
        versions = ", ".join(f"v{picture.version}" for picture in row.pictures)
        became = versions or (turn.ending.reason.value.replace("_", " ") if turn.ending else turn.state.value)
        asked = " ".join(turn.request.prompt.split())
        table.add_row(
            f"{turn.created_at:%Y-%m-%d %H:%M:%S}",
            turn.request.user_id,
            Text(asked if len(asked) <= 60 else asked[:59] + "…"),
            became,
            "yes" if turn.told_at else (turn.undelivered_reason or "not yet"),
            format_usd(row.charged_nano_usd),
        )
    Console().print(table)
