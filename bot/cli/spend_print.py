"""What ``darkroom spend`` prints for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from darkroom.spending.money import format_usd, format_usd_exact
from darkroom.spending.reports import SpendReport, Spent
from darkroom.spending.spans import span_words
from darkroom.spending.tables import ERASED, By, share
from darkroom.turns.forgetting import GONE

TOP = 20
"""So many people and channels are shown beside the other tables; ``--by`` shows them all."""

_WIDEST = 1_000


def print_tables(report: SpendReport, by: By | None = None) -> None:
    """The report as tables, without the days; with *by*, that one table and all of it."""
    console = Console(highlight=False)
    console.print(_head(report), markup=False, soft_wrap=True)
    if by is not None:
        _print(console, _everything(report, by))
        return
    _print(console, _people(report, TOP), len(report.people) - TOP, By.PERSON)
    _print(console, _channels(report, TOP), len(report.channels) - TOP, By.CHANNEL)
    _print(console, _models(report))
    _print(console, _classes(report, empty_too=False))


def _head(report: SpendReport) -> str:
    total = report.total
    pictures = "1 picture" if total.pictures == 1 else f"{total.pictures:,} pictures"
    amounts = f"{format_usd(total.charged_nano_usd)} spent, {format_usd(total.held_nano_usd)} held"
    return f"{span_words(report.span)}: {amounts}, {pictures}"


def _everything(report: SpendReport, by: By) -> Table:
    match by:
        case By.PERSON:
            return _people(report)
        case By.CHANNEL:
            return _channels(report)
        case By.MODEL:
            return _models(report)
        case By.DAY:
            return _days(report)
        case By.CLASS:
            return _classes(report, empty_too=True)


def _print(console: Console, table: Table, hidden: int = 0, by: By | None = None) -> None:
    if not table.row_count:
        return
    # In a terminal too narrow for the numbers the lines wrap: a number is never cut.
    needed = Measurement.get(console, console.options.update(width=_WIDEST), table).minimum
    console.print()
    Console(width=max(needed, console.width)).print(table)
    if by is not None and hidden > 0:
        console.print(f"And {hidden:,} more: --by {by.value}")


def _people(report: SpendReport, top: int | None = None) -> Table:
    table = _new("Person", "Pictures", "Spent", "Share", "Held", "Cap")
    for person in report.people[:top]:
        _row(table, person.user_id or ERASED, person.spent, report.total, _cap(person.cap_nano_usd))
    return table


def _channels(report: SpendReport, top: int | None = None) -> Table:
    table = _new("Channel", "Pictures", "Spent", "Share", "Held", "Cap")
    for channel in report.channels[:top]:
        _row(table, _channel(channel.channel_id), channel.spent, report.total, _cap(channel.cap_nano_usd))
    return table


def _models(report: SpendReport) -> Table:
    table = _new("Model", "Pictures", "Spent", "Share", "Held")
    for model in report.models:
        where = "" if model.provider == "openai" else f" at {model.provider}"
        _row(table, model.image_model + where, model.spent, report.total)
    return table


def _days(report: SpendReport) -> Table:
    table = _new("Day", "Pictures", "Spent", "Share", "Held")
    for day in report.days:
        _row(table, f"{day.day:%a} {day.day}", day.spent, report.total)
    return table


def _classes(report: SpendReport, *, empty_too: bool) -> Table:
    table = _new("Tokens", "Count", "Spent", "Share")
    shown = [
        (name, each)
        for name, each in report.classes.items()
        if each.tokens or each.charged_nano_usd or empty_too
    ]
    # Far below a cent: rounded up, they would add up to more than was spent.
    amounts = aligned([each.charged_nano_usd for _, each in shown])
    for (name, each), amount in zip(shown, amounts, strict=True):
        part = _share(each.charged_nano_usd, report.total)
        table.add_row(name.value.replace("_", " "), f"{each.tokens:,}", amount, part)
    return table


def aligned(nano_usd: Sequence[int]) -> list[str]:
    """Exact amounts with the decimals that the finest of them needs: their points meet in a column."""
    written = [format_usd_exact(amount) for amount in nano_usd]
    decimals = max((len(amount.partition(".")[2]) for amount in written), default=0)
    return [amount + "0" * (decimals - len(amount.partition(".")[2])) for amount in written]


def _new(first: str, *numbers: str) -> Table:
    table = Table()
    table.add_column(first, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _channel(channel_id: str) -> str:
    return f"(direct message, {ERASED.strip('()')})" if channel_id.startswith(GONE) else channel_id


def _row(table: Table, name: str, spent: Spent, total: Spent, *more: str) -> None:
    amounts = (
        format_usd(spent.charged_nano_usd),
        _share(spent.charged_nano_usd, total),
        format_usd(spent.held_nano_usd),
    )
    # Text, because a name in square brackets would be read as a style.
    table.add_row(Text(name), f"{spent.pictures:,}", *amounts, *more)


def _share(nano_usd: int, total: Spent) -> str:
    return f"{share(nano_usd, total.charged_nano_usd)}%"


def _cap(nano_usd: int | None) -> str:
    return "none" if nano_usd is None else format_usd(nano_usd)
