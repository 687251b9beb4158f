"""``darkroom spend``: the books of a period, read-only, also beside a running bot."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from bot.cli import LazyGroup, Refused, flags_of, settings_for, settings_options
from darkroom.spending.tables import By

if TYPE_CHECKING:
    from bot.settings import Settings
    from darkroom.spending.reports import SpendReport
    from darkroom.spending.spans import Span

SUBCOMMANDS = {
    "reprice": "Compute every charge again from what is stored, and tell what differs.",
    "reconcile": "Our charges beside OpenAI's own bill, day by day.",
}
"""Each subcommand and its one line; its module is ``bot.cli.spend_`` and its name."""


class _Spend(LazyGroup):
    """A report by itself, and subcommands."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in SUBCOMMANDS:
            raise click.UsageError(
                f"{args[0]!r} is neither {' nor '.join(SUBCOMMANDS)}; a period is written "
                f"--period {args[0]!r}, one table is chosen with --by.",
                ctx,
            )
        return super().resolve_command(ctx, args)


@click.group(
    "spend",
    cls=_Spend,
    known=SUBCOMMANDS,
    prefix="bot.cli.spend_",
    invoke_without_command=True,
    subcommand_metavar="[COMMAND [ARGS]...]",
)
@click.option(
    "--period",
    metavar="TEXT",
    help="this month, last week, yesterday, 2026-10, 2026-10-01..2026-10-31 …; else the running period.",
)
@click.option("--by", type=click.Choice([each.value for each in By]), help="Only this table, and all of it.")
@click.option("--json", "as_json", is_flag=True, help="For programs: amounts in integer nano-dollars.")
@click.option("--csv", "as_csv", is_flag=True, help="One table (by person unless --by says another) as CSV.")
@settings_options
@click.pass_context
def command(
    ctx: click.Context,
    period: str | None,
    by: str | None,
    as_json: bool,
    as_csv: bool,
    config: Path | None,
    data_dir: Path | None,
    pairs: tuple[str, ...],
) -> None:
    """Who spent what, where, on which model, on which day, for which tokens.

    Days, weeks and months are those of caps.timezone.
    """
    if ctx.invoked_subcommand is not None:
        _refuse_options(ctx)
        return
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other; choose one.", ctx)
    from bot.cli.demo_note import time_in, time_told

    settings = settings_for(config, flags_of(pairs, data_dir))
    now = time_in(settings.storage.data_dir)
    report = _read(settings, _span(settings, period, now), now)
    split = None if by is None else By(by)
    if as_json:
        from bot.cli.spend_json import as_data

        click.echo(json.dumps(as_data(report, split), indent=2))
    elif as_csv:
        from darkroom.spending.tables import csv_text, table

        click.echo(csv_text(table(report, split or By.PERSON)), nl=False)
    else:
        from bot.cli.spend_print import print_tables

        if told := time_told(now):
            click.echo(told, err=True)
        print_tables(report, split)


def _refuse_options(ctx: click.Context) -> None:
    """What stands before a subcommand would count for nothing."""
    for param in ctx.command.params:
        if param.name and ctx.get_parameter_source(param.name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(
                f"{param.opts[0]} stands before {ctx.invoked_subcommand}, where it counts for nothing; "
                f"options of {ctx.invoked_subcommand} stand behind it.",
                ctx,
            )


def _span(settings: Settings, period: str | None, now: datetime) -> Span:
    from darkroom.spending.spans import BadSpan, parse_span, span_of

    caps = settings.caps.caps()
    if period is None:
        return span_of(caps.period_at(now))
    try:
        return parse_span(period, caps.timezone, now)
    except BadSpan as bad:
        raise click.BadParameter(str(bad), param_hint="--period") from bad


def _read(settings: Settings, span: Span, now: datetime) -> SpendReport:
    from storage.database import DataProblem, read_books
    from storage.reports import spend_report

    caps = settings.caps.caps()
    try:
        return read_books(settings.storage.data_dir, lambda db: spend_report(db, None, span, caps, now))
    except DataProblem as problem:
        raise Refused(str(problem)) from problem
