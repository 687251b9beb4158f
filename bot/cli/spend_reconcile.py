"""``darkroom spend reconcile``: our charges beside OpenAI's own bill, day by day."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli import Refused, flags_of, settings_for, settings_options
from bot.cli.reconciled import Comparison, as_data, print_comparison
from darkroom.clock import SystemClock

if TYPE_CHECKING:
    from bot.settings import Settings
    from darkroom.rendering.costs import Costs

MOST_PROJECTS = 50
_PERCENT = re.compile(r"(\d{1,4}(?:\.\d{1,4})?)\s*%?")
_PROJECT = re.compile(r"[A-Za-z0-9_-]{1,100}")


class _Day(click.ParamType[date]):
    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            try:
                return date.fromisoformat(value)
            except ValueError:
                pass
        self.fail(f"{value!r} is not a day such as 2026-11-01.", param, ctx)


class _Percent(click.ParamType[Fraction]):
    name = "PERCENT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Fraction:
        found = _PERCENT.fullmatch(str(value).strip())
        if found is None:
            self.fail(f"{value!r} is not a per cent such as 5 or 2.5.", param, ctx)
        return Fraction(Decimal(found[1]))


class _Project(click.ParamType[str]):
    name = "ID"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not _PROJECT.fullmatch(value):
            self.fail(f"{value!r} is not the id of a project such as proj_abc123.", param, ctx)
        return str(value)


@click.command("reconcile")
@click.option("--from", "first", type=_Day(), help="The first UTC day. Usually: the first of this month.")
@click.option("--to", "last", type=_Day(), help="The last UTC day, included. Usually: today.")
@click.option(
    "--tolerance",
    type=_Percent(),
    default="5",
    show_default=True,
    help="How far apart the two may be, in per cent of the bill.",
)
@click.option("--project", "projects", type=_Project(), multiple=True, help="Only this project; repeatable.")
@click.option("--json", "as_json", is_flag=True, help="For programs: amounts in integer nano-dollars.")
@settings_options
def command(
    first: date | None,
    last: date | None,
    tolerance: Fraction,
    projects: tuple[str, ...],
    as_json: bool,
    config: Path | None,
    data_dir: Path | None,
    pairs: tuple[str, ...],
) -> None:
    """Put Darkroom's charges beside OpenAI's bill, by UTC day. Needs OPENAI_ADMIN_KEY.

    Exit code 0: they agree. 1: a finished day, or all of them together, is further apart than the tolerance.
    2: they could not be compared. Nothing is changed either way. A day that was billed and not charged
    differs by 100 %, one that was charged and not billed by more than any tolerance. Today is shown and not
    counted.
    """
    from bot.cli.demo_note import time_in
    from darkroom.rendering.address import provider_name
    from darkroom.rendering.costs import costs_url
    from darkroom.spending.reconciliation import reconcile
    from storage.database import DataProblem, read_books
    from storage.reconciliation import our_charges

    settings = settings_for(config, flags_of(pairs, data_dir))
    today = time_in(settings.storage.data_dir, SystemClock().now()).date()
    first, last = _span(first, last, today)
    if len(projects) > MOST_PROJECTS:
        raise Refused(f"At most {MOST_PROJECTS} projects can be compared at once.")
    key = _admin_key(settings)
    address = costs_url(settings.openai_base_url)
    provider = provider_name(address)
    try:
        ours = read_books(settings.storage.data_dir, lambda db: our_charges(db, provider, first, last))
    except DataProblem as problem:
        raise Refused(str(problem)) from problem
    theirs = asyncio.run(_bill(address, key, first, last, projects))
    found = reconcile(
        {day: each.charged for day, each in ours.days.items()},
        theirs.days,
        first,
        last,
        today=today,
        tolerance=tolerance,
        overnight={day: each.overnight for day, each in ours.days.items()},
    )
    comparison = Comparison(found, ours, theirs, provider, projects, today)
    if as_json:
        click.echo(json.dumps(as_data(comparison), indent=2))
    else:
        print_comparison(comparison)
    if not found.agrees:
        raise click.exceptions.Exit(1)


def _span(first: date | None, last: date | None, today: date) -> tuple[date, date]:
    """The days to compare, both included. ``Refused`` for those that cannot be."""
    from darkroom.rendering.costs import MAX_DAYS

    end = last or today
    begin = first or end.replace(day=1)
    if end > today:
        raise Refused(f"--to {end} is in the future: today is {today} (UTC).")
    if begin > end:
        raise Refused(f"--from {begin} is after --to {end}.")
    if (end - begin).days + 1 > MAX_DAYS:
        raise Refused(f"From {begin} to {end} is too long: compare at most {MAX_DAYS} days at once.")
    if begin.year < 2020:
        raise Refused(f"--from {begin} is too long ago: no picture was made by an API before 2020.")
    return begin, end


def _admin_key(settings: Settings) -> str:
    from darkroom.rendering.costs import ADMIN_KEYS_PAGE

    key = settings.openai_admin_key.get_secret_value().strip() if settings.openai_admin_key else ""
    if not key:
        raise Refused(
            "OPENAI_ADMIN_KEY is missing: OpenAI shows its bill to admin keys only. An owner of the "
            f"organisation makes one at {ADMIN_KEYS_PAGE}; put it into the environment "
            "or into .env (OPENAI_ADMIN_KEY=sk-admin-…)."
        )
    return key


async def _bill(address: str, key: str, first: date, last: date, projects: tuple[str, ...]) -> Costs:
    from bot.proxies import in_the_way
    from darkroom.rendering.costs import CostsUnavailable, OrganizationCosts

    for proxy in in_the_way(api_url=address):
        raise Refused(str(proxy))
    try:
        costs = OrganizationCosts(address, key, SystemClock())
    except ValueError:
        raise Refused("OPENAI_ADMIN_KEY has characters that no key has. Copy it once more.") from None
    try:
        return await costs.daily(first, last, projects)
    except CostsUnavailable as unavailable:
        raise Refused(str(unavailable)) from unavailable
    finally:
        await costs.aclose()
