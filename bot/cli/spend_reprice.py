"""``darkroom spend reprice``: every stored charge computed again and compared, read-only."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli import Refused, flags_of, settings_for, settings_options

if TYPE_CHECKING:
    from collections.abc import Iterable

    from darkroom.spending.catalogue import Catalogue
    from darkroom.spending.repricing import Finding, StoredCharge, Verdict

LISTED = 50
"""How many differing charges are printed one by one; all of them are counted."""


@dataclass
class Comparison:
    """What came of it: how many entries of each verdict, and the first that are not as stored."""

    counts: Counter[Verdict] = field(default_factory=Counter)
    listed: list[Finding] = field(default_factory=list)
    stored_nano_usd: int = 0

    @property
    def fine(self) -> bool:
        """Whether no charge differs and none is unknown that should not be."""
        from darkroom.spending.repricing import Verdict

        return not self.counts[Verdict.DIFFERENT] and not self.counts[Verdict.UNKNOWN]


@click.command("reprice")
@click.option("--check", is_flag=True, help="Compare; nothing is ever changed.")
@click.option("--json", "as_json", is_flag=True, help="For programs: amounts in integer nano-dollars.")
@settings_options
def command(
    check: bool, as_json: bool, config: Path | None, data_dir: Path | None, pairs: tuple[str, ...]
) -> None:
    """Compute every charge again from its stored usage and prices, and say where the books differ.

    Exit code 1 when a charge differs, or cannot be computed though it should be.
    """
    from storage.database import DataProblem, read_books
    from storage.repricing import charged_entries

    if not check:
        raise Refused(
            "A charge that was made is never changed. To compute every charge again and compare it with the "
            "books: darkroom spend reprice --check"
        )
    settings = settings_for(config, flags_of(pairs, data_dir))
    catalogue = catalogue_of(settings.catalogue.file)
    try:
        found = read_books(
            settings.storage.data_dir, lambda db: compare(charged_entries(db, None, None), catalogue)
        )
    except DataProblem as problem:
        raise Refused(str(problem)) from problem
    if as_json:
        click.echo(json.dumps(as_data(found), indent=2))
    else:
        print_comparison(found)
    if not found.fine:
        raise SystemExit(1)


def catalogue_of(file: Path | None) -> Catalogue:
    """Our catalogue with the operator's *file* over it; ``Refused`` where that makes no sense."""
    from darkroom.spending.catalogue import BadCatalogue, load_catalogue

    try:
        return load_catalogue(file)
    except BadCatalogue as bad:
        raise Refused(str(bad)) from bad


def compare(entries: Iterable[StoredCharge], catalogue: Catalogue) -> Comparison:
    """Every one of these charges, computed again by *catalogue*."""
    from darkroom.spending.repricing import Verdict, check

    found = Comparison()
    for entry in entries:
        finding = check(entry, catalogue)
        found.counts[finding.verdict] += 1
        found.stored_nano_usd += entry.cost.total_nano_usd
        if finding.verdict in (Verdict.DIFFERENT, Verdict.UNKNOWN) and len(found.listed) < LISTED:
            found.listed.append(finding)
    return found


def as_data(found: Comparison) -> dict[str, Any]:
    """The comparison as ``--json`` prints it; ``not_as_stored`` lists at most 50 entries."""
    from darkroom.spending.repricing import Verdict

    return {
        "entries": {verdict.value: found.counts[verdict] for verdict in Verdict},
        "stored_nano_usd": found.stored_nano_usd,
        "not_as_stored": [
            {
                "journal_id": finding.entry.entry_id,
                "attempt_id": finding.entry.attempt_id,
                "kind": finding.entry.kind.value,
                "verdict": finding.verdict.value,
                "why": finding.why,
                "stored_nano_usd": finding.entry.cost.total_nano_usd,
                "computed_nano_usd": None if finding.computed is None else finding.computed.total_nano_usd,
            }
            for finding in found.listed
        ],
    }


def print_comparison(found: Comparison) -> None:
    """The comparison for people: a table of what differs, and sentences."""
    from rich.console import Console
    from rich.table import Table

    from darkroom.spending.money import format_usd_exact
    from darkroom.spending.repricing import Verdict

    # A sentence may quote lines of TOML, whose brackets are no markup.
    console = Console(markup=False)
    counts = found.counts
    if found.listed:
        table = Table(
            "Entry", "Attempt", "Stored", "Computed", "Why", title="Not as stored", title_justify="left"
        )
        for each in found.listed:
            computed = "unknown" if each.computed is None else format_usd_exact(each.computed.total_nano_usd)
            stored = format_usd_exact(each.entry.cost.total_nano_usd)
            table.add_row(str(each.entry.entry_id), each.entry.attempt_id, stored, computed, each.why)
        console.print(table)
    bad = counts[Verdict.DIFFERENT] + counts[Verdict.UNKNOWN]
    if bad > len(found.listed):
        click.echo(f"{bad - len(found.listed):,} more are not listed.")
    again = counts[Verdict.SAME] + counts[Verdict.DIFFERENT]
    click.echo(f"Computed again: {counted(again)}. The books hold {format_usd_exact(found.stored_nano_usd)}.")
    if made_before := counts[Verdict.MADE_BEFORE]:
        click.echo(
            f"{counted(made_before)} cannot be computed: made before calls were kept with their holds, with "
            "usage that is not complete. Nothing is wrong with that."
        )
    if unknown := counts[Verdict.UNKNOWN]:
        click.echo(
            f"{counted(unknown)} cannot be computed, though it should be possible. Where prices are gone, "
            "put back the file of prices that was in use then (the setting catalogue.file)."
        )
    if different := counts[Verdict.DIFFERENT]:
        click.echo(f"Not as stored: {counted(different)}.")
    else:
        click.echo("No charge differs from what is stored.")


def counted(number: int) -> str:
    """``1 charge`` or ``2,000 charges``."""
    return f"{number:,} charge{'' if number == 1 else 's'}"
