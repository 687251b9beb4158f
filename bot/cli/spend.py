"""``darkroom spend``: the books of the running period, read-only, also beside a running bot."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli import Refused, flags_of, settings_for, settings_options

if TYPE_CHECKING:
    from darkroom.spending.reports import SpendReport, Spent


@click.command("spend")
@click.option("--json", "as_json", is_flag=True, help="For programs: amounts in integer nano-dollars.")
@settings_options
def command(as_json: bool, config: Path | None, data_dir: Path | None, pairs: tuple[str, ...]) -> None:
    """Who spent what in the running period, on which model, for which tokens."""
    from darkroom.spending.spans import span_of
    from storage.database import DataProblem, read_books
    from storage.reports import spend_report

    settings = settings_for(config, flags_of(pairs, data_dir))
    caps, now = settings.caps.caps(), datetime.now(UTC)
    span = span_of(caps.period_at(now))
    try:
        report = read_books(settings.storage.data_dir, lambda db: spend_report(db, None, span, caps, now))
    except DataProblem as problem:
        raise Refused(str(problem)) from problem
    if as_json:
        click.echo(json.dumps(as_data(report), indent=2))
    else:
        print_tables(report)


def as_data(report: SpendReport) -> dict[str, Any]:
    """The report as ``--json`` prints it."""
    period = report.span
    return {
        "period": {
            "start": period.start.isoformat(),
            "end": period.end.isoformat(),
            "timezone": period.timezone,
        },
        "total": _spent(report.total),
        "people": [
            {
                "team_id": person.team_id,
                "user_id": person.user_id,
                **_spent(person.spent),
                "cap_nano_usd": person.cap_nano_usd,
            }
            for person in report.people
        ],
        "channels": [
            {
                "team_id": channel.team_id,
                "channel_id": channel.channel_id,
                **_spent(channel.spent),
                "cap_nano_usd": channel.cap_nano_usd,
            }
            for channel in report.channels
        ],
        "models": [
            {
                "model": model.image_model,
                "endpoint": model.endpoint,
                "provider": model.provider,
                **_spent(model.spent),
            }
            for model in report.models
        ],
        "classes": {
            name.value: {"tokens": spent.tokens, "charged_nano_usd": spent.charged_nano_usd}
            for name, spent in report.classes.items()
        },
    }


def _spent(spent: Spent) -> dict[str, int]:
    return {
        "charged_nano_usd": spent.charged_nano_usd,
        "held_nano_usd": spent.held_nano_usd,
        "pictures": spent.pictures,
    }


def print_tables(report: SpendReport) -> None:
    """The report as tables, for people."""
    from rich.console import Console
    from rich.table import Table

    from darkroom.spending.money import format_usd, format_usd_exact

    def cap(amount: int | None) -> str:
        return "none" if amount is None else format_usd(amount)

    def row(table: Table, name: str, spent: Spent, *more: str) -> None:
        amounts = (format_usd(spent.charged_nano_usd), format_usd(spent.held_nano_usd))
        table.add_row(name, str(spent.pictures), *amounts, *more)

    console = Console()
    period = report.span
    console.print(f"From {period.start:%Y-%m-%d %H:%M} to {period.end:%Y-%m-%d %H:%M} UTC", highlight=False)
    people = Table("Person", "Pictures", "Spent", "Held", "Cap", title="People", title_justify="left")
    for person in report.people:
        row(people, person.user_id or "(erased)", person.spent, cap(person.cap_nano_usd))
    row(people, "Everyone", report.total, "")
    models = Table("Model", "Pictures", "Spent", "Held", title="Models", title_justify="left")
    for model in report.models:
        where = "" if model.provider == "openai" else f" at {model.provider}"
        row(models, model.image_model + where, model.spent)
    classes = Table("Tokens", "Count", "Spent", title="Tokens", title_justify="left")
    for name, each in report.classes.items():
        if each.tokens:
            label = name.value.replace("_", " ")
            classes.add_row(label, f"{each.tokens:,}", format_usd_exact(each.charged_nano_usd))
    for table in (people, models, classes):
        if table.row_count:
            console.print(table)
