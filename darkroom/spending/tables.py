"""The parts of a report as plain tables: the same rows for the terminal, for CSV files and for Slack."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from enum import StrEnum

from darkroom.spending.money import format_usd_exact
from darkroom.spending.reports import SpendReport, Spent

ERASED = "(erased)"
"""Stands for the user id of somebody whose name was erased."""

_AMOUNTS = ("charged_usd", "charged_nano_usd", "held_usd", "held_nano_usd", "pictures")
_SHARE = "share_percent"
_CAP = ("cap_usd", "cap_nano_usd")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_FORMULA = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")
"""What begins a formula in a spreadsheet, also in its full-width forms."""

Cell = str | int


class By(StrEnum):
    """How a report is split."""

    PERSON = "person"
    CHANNEL = "channel"
    MODEL = "model"
    DAY = "day"
    CLASS = "class"


@dataclass(frozen=True, slots=True)
class Table:
    """A header and rows of the same width.

    Columns in ``_usd`` are exact decimal dollars as text ("0.05268"), columns in ``_nano_usd`` the same
    amounts as integers; a cap that is none is empty in both. ``share_percent`` is the part of everything
    charged, as text with one decimal.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def table(report: SpendReport, by: By) -> Table:
    """One split of a report, in the report's order: by falling spend, days and classes in their own order.

    Classes include those with nothing; ``by`` model has the provider as the report names it, "openai" for
    OpenAI's own addresses.
    """
    total = report.total.charged_nano_usd
    match by:
        case By.PERSON:
            return Table(
                ("team_id", "user_id", *_AMOUNTS, _SHARE, *_CAP),
                tuple(
                    (
                        each.team_id,
                        each.user_id or ERASED,
                        *_parts(each.spent, total),
                        *_cap(each.cap_nano_usd),
                    )
                    for each in report.people
                ),
            )
        case By.CHANNEL:
            return Table(
                ("team_id", "channel_id", *_AMOUNTS, _SHARE, *_CAP),
                tuple(
                    (each.team_id, each.channel_id, *_parts(each.spent, total), *_cap(each.cap_nano_usd))
                    for each in report.channels
                ),
            )
        case By.MODEL:
            return Table(
                ("model", "endpoint", "provider", *_AMOUNTS, _SHARE),
                tuple(
                    (each.image_model, each.endpoint, each.provider, *_parts(each.spent, total))
                    for each in report.models
                ),
            )
        case By.DAY:
            return Table(
                ("day", *_AMOUNTS, _SHARE),
                tuple((each.day.isoformat(), *_parts(each.spent, total)) for each in report.days),
            )
        case By.CLASS:
            return Table(
                ("token_class", "tokens", "charged_usd", "charged_nano_usd", _SHARE),
                tuple(
                    (
                        name.value,
                        each.tokens,
                        usd(each.charged_nano_usd),
                        each.charged_nano_usd,
                        share(each.charged_nano_usd, total),
                    )
                    for name, each in report.classes.items()
                ),
            )


def csv_text(of: Table) -> str:
    """The table as RFC 4180 (lines end in CR LF), safe to open in a spreadsheet.

    Text that a spreadsheet would take for a formula gets an apostrophe in front; plain numbers, negative
    ones too, stay numbers.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(of.header)
    writer.writerows([_safe(cell) for cell in row] for row in of.rows)
    return out.getvalue()


def usd(nano_usd: int) -> str:
    """Exact decimal dollars without a sign of the currency: "0.05268", "-2.00"."""
    return format_usd_exact(nano_usd).replace("$", "")


def share(part: int, total: int) -> str:
    """*part* of *total* in per cent, half up to one decimal: "12.3"; "0.0" of nothing."""
    if total == 0:
        return "0.0"
    tenths = (2 * 1000 * part + total) // (2 * total)
    sign = "-" if tenths < 0 else ""
    return f"{sign}{abs(tenths) // 10}.{abs(tenths) % 10}"


def _parts(spent: Spent, total: int) -> tuple[Cell, ...]:
    charged, held = spent.charged_nano_usd, spent.held_nano_usd
    return usd(charged), charged, usd(held), held, spent.pictures, share(charged, total)


def _cap(nano_usd: int | None) -> tuple[Cell, Cell]:
    return ("", "") if nano_usd is None else (usd(nano_usd), nano_usd)


def _safe(cell: Cell) -> Cell:
    if isinstance(cell, int) or _NUMBER.fullmatch(cell):
        return cell
    # Tabs and line ends in front are skipped by some spreadsheets before they look for a formula.
    return f"'{cell}" if cell.lstrip()[:1] in _FORMULA and cell.strip() else cell
