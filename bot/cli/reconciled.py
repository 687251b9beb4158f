"""What ``darkroom spend reconcile`` prints: a table or JSON, the verdict, and what may explain a gap."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import click

from darkroom.spending.reconciliation import Compared, OurCharges, OurDay, Reconciliation, Verdict

if TYPE_CHECKING:
    from darkroom.rendering.costs import Costs

_TEN_THOUSANDTH = 100_000
"""Nano-dollars in the smallest amount that is shown."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both sides and what they come to, whose bill it is, which of its projects (none: all), and today."""

    found: Reconciliation
    ours: OurCharges
    theirs: Costs
    provider: str
    projects: tuple[str, ...]
    today: date


def as_data(comparison: Comparison) -> dict[str, Any]:
    """The comparison as ``--json`` prints it."""
    found, ours = comparison.found, comparison.ours
    days = {row.day: ours.days.get(row.day, OurDay()) for row in found.rows}
    finished = [days[row.day] for row in found.finished]
    return {
        "from": found.rows[0].day.isoformat(),
        "to": found.rows[-1].day.isoformat(),
        "timezone": "UTC",
        "provider": comparison.provider,
        "projects": list(comparison.projects),
        "tolerance_percent": float(found.tolerance),
        "agrees": found.agrees,
        "days": [
            {"day": row.day.isoformat(), **_compared(row.compared), **_reasons(days[row.day])}
            for row in found.rows
        ],
        "total": {
            "days": len(finished),
            **_compared(found.total),
            **_reasons(sum(finished, OurDay())),
        },
        "billed_by_project_nano_usd": dict(comparison.theirs.projects),
        "charged_elsewhere_nano_usd": dict(ours.elsewhere),
    }


def _compared(compared: Compared) -> dict[str, Any]:
    percent = compared.percent
    return {
        "verdict": compared.verdict.value,
        "charged_nano_usd": compared.ours,
        "billed_nano_usd": compared.theirs,
        "difference_nano_usd": compared.difference,
        "difference_percent": None if percent is None else round(float(percent), 4),
    }


def _reasons(day: OurDay) -> dict[str, int]:
    return {
        "uncertain_nano_usd": day.uncertain,
        "uncertain_calls": day.uncertain_calls,
        "corrections_nano_usd": day.corrections,
        "estimated_nano_usd": day.estimated,
        "overnight_nano_usd": day.overnight,
    }


def print_comparison(comparison: Comparison) -> None:
    """The comparison as a table, the verdict, and what may explain a difference; for people."""
    from rich.console import Console
    from rich.table import Table

    found = comparison.found
    first, last = found.rows[0].day, found.rows[-1].day
    click.echo(f"Charged by Darkroom and billed by {_named(comparison.provider)}, {first} to {last}.")
    click.echo("Days are UTC days, because the bill's are; a call is on the day on which it was sent.\n")
    table = Table("Day")
    for name in ("Charged", "Billed", "Difference", "%"):
        table.add_column(name, justify="right")
    table.add_column("")
    marks = {Verdict.AGREES: "", Verdict.DIFFERS: "differs", Verdict.UNFINISHED: "not over"}
    quiet = 0
    for row in found.rows:
        if row.compared.ours or row.compared.theirs or row.compared.verdict is Verdict.UNFINISHED:
            table.add_row(str(row.day), *_amounts(row.compared), marks[row.compared.verdict])
        else:
            quiet += 1
    table.add_section()
    count = len(found.finished)
    table.add_row(
        f"{count} finished {_plural('day', count)}", *_amounts(found.total), marks[found.total.verdict]
    )
    Console().print(table)
    if quiet:
        click.echo(f"{quiet} {_plural('day', quiet)} with nothing on either side not shown.")
    click.echo("\n" + _verdict(found))
    for line in _explained(comparison):
        click.echo(f"- {line}")


def _amounts(compared: Compared) -> tuple[str, str, str, str]:
    percent = compared.percent
    if percent is None:
        share = "not billed"
    else:
        tenths = round(percent * 10)
        share = f"{'-' if tenths < 0 else '+' if tenths > 0 else ''}{abs(tenths) // 10:,}.{abs(tenths) % 10}"
    sign = "+" if compared.difference > 0 else ""
    return _usd(compared.ours), _usd(compared.theirs), sign + _usd(compared.difference), share


def _verdict(found: Reconciliation) -> str:
    limit = f"{float(found.tolerance):g} %"
    if not found.finished:
        return "No day of these is over yet, so there is nothing to compare."
    if not found.total.ours and not found.total.theirs and found.agrees:
        return "Nothing was charged or billed on the finished days."
    if found.agrees:
        return f"They agree: no finished day, nor all of them together, is more than {limit} apart."
    where = [f"{len(found.off)} of {len(found.finished)} finished days"] if found.off else []
    if found.total.verdict is Verdict.DIFFERS:
        where.append("the total")
    more = "more" if found.total.difference > 0 else "less"
    return (
        f"They differ by more than {limit} on {' and in '.join(where)}. "
        f"In all, Darkroom charged {_usd(abs(found.total.difference))} {more} than was billed."
    )


def _explained(comparison: Comparison) -> list[str]:
    """What may lie behind a difference, as far as the books and the bill can say."""
    found, ours = comparison.found, comparison.ours
    days = {row.day for row in found.rows}
    sums = sum((each for day, each in ours.days.items() if day in days), OurDay())
    lines = [
        f"{row.day} is not over: it is shown, and does not count."
        for row in found.rows
        if row.compared.verdict is Verdict.UNFINISHED
    ]
    if sums.uncertain_calls:
        calls = _plural("call", sums.uncertain_calls)
        lines.append(
            f"Uncertain: {_usd(sums.uncertain)} for {sums.uncertain_calls} {calls} without a clear end, "
            "charged at the full hold; the bill may have less, or nothing. "
            "/spend uncertain in Slack has those nobody decided on."
        )
    if sums.corrections:
        lines.append(f"Corrections by admins: {_usd(sums.corrections)}, counted on the day of the call.")
    if sums.estimated:
        lines.append(f"Estimated: {_usd(sums.estimated)} for calls whose usage was not reported.")
    if sums.overnight:
        lines.append(
            f"Over midnight: {_usd(sums.overnight)} for calls that may be billed on the next day; "
            "both days may be off by theirs."
        )
    for name, amount in sorted(ours.elsewhere.items()):
        lines.append(
            f"Elsewhere: {_usd(amount)} charged for calls to {name}; not on this bill, not compared."
        )
    lines += _about_projects(comparison)
    if not found.agrees and comparison.today - found.rows[-1].day <= timedelta(days=1):
        lines.append(
            f"{_named(comparison.provider)}'s numbers for the last day may still grow for some hours."
        )
    return lines


def _about_projects(comparison: Comparison) -> list[str]:
    projects, theirs = comparison.projects, comparison.theirs
    billed = {name: amount for name, amount in theirs.projects.items() if amount}
    if projects:
        unknown = [name for name in projects if name not in theirs.projects]
        return (
            [f"Nothing was billed for {', '.join(unknown)} in these days. Check the id."] if unknown else []
        )
    if len(billed) > 1:
        top = sorted(billed.items(), key=lambda each: -abs(each[1]))[:5]
        listed = ", ".join(f"{name or '(none)'} {_usd(amount)}" for name, amount in top)
        return [
            f"The bill is of the whole organisation, {len(billed)} projects: {listed}"
            f"{', …' if len(billed) > len(top) else ''}. --project ID compares with that of Darkroom's alone."
        ]
    if not comparison.found.agrees:
        return ["The bill is of the whole organisation: other keys and programs are on it too."]
    return []


def _named(provider: str) -> str:
    return "OpenAI" if provider == "openai" else provider


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"


def _usd(nano: int) -> str:
    """Dollars to the hundredth of a cent: differences are smaller than prices."""
    units = (abs(nano) * 2 + _TEN_THOUSANDTH) // (2 * _TEN_THOUSANDTH)
    sign = "-" if nano < 0 and units else ""
    return f"{sign}${units // 10_000:,}.{units % 10_000:04d}"
