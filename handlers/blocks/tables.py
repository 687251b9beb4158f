"""Tables as Slack shows them, and lines of words where it shows none: all within its limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from darkroom.spending.money import NANO_PER_USD, format_usd
from darkroom.spending.tables import share
from handlers.blocks.text import SECTION_MAX, Block, section

ROWS_MAX = 100
"""People (and models) in a table: ``data_table`` takes 100 rows and a header, ``table`` 100 with it."""
CELLS_MAX = 9_500
"""Characters in the cells of one message: Slack takes 10,000 (docs.slack.dev, table block)."""
WORDS_MAX = 9_000
"""As much as is written in words where Slack takes no table: messages of over 13,000 are refused."""
PAGE_SIZE = 20


class Style(Enum):
    """How tables are shown: Slack's sortable one, its plain one, or lines of words."""

    DATA_TABLE = "data_table"
    TABLE = "table"
    WORDS = "words"


@dataclass(frozen=True, slots=True)
class Cell:
    """What is read, and the number that Slack sorts by where it is one."""

    text: str
    number: float | None = None


Row = tuple[Cell, ...]


def money(nano_usd: int) -> Cell:
    """An amount."""
    # Slack sorts by a JSON number; the amount that is read is the text beside it.
    return Cell(format_usd(nano_usd), nano_usd / NANO_PER_USD)


def percent(part: int, total: int) -> Cell:
    """A part of everything."""
    words = share(part, total)
    return Cell(f"{words}%", float(words))


def fit(rows: list[Row]) -> list[Row]:
    """As many rows as Slack's limit of characters in a message's cells lets through."""
    room = CELLS_MAX
    for index, row in enumerate(rows):
        room -= sum(_units(cell.text) for cell in row)
        if room < 0:
            return rows[:index]
    return rows


def table_blocks(
    caption: str, header: Sequence[str], rows: list[Row], lines: list[str], style: Style
) -> tuple[list[Block], int]:
    """The blocks of a table, and how many rows they show."""
    if not rows:
        return [], 0
    head = [{"type": "raw_text", "text": name} for name in header]
    if style is Style.DATA_TABLE:
        cells = [[_data_cell(cell) for cell in row] for row in rows]
        table = {"type": "data_table", "caption": caption, "rows": [head, *cells], "page_size": PAGE_SIZE}
        return [table], len(rows)
    if style is Style.TABLE:
        cells = [[{"type": "raw_text", "text": cell.text} for cell in row] for row in rows]
        aligned = [{"align": "right" if _numeric(column) else "left"} for column in zip(*rows, strict=True)]
        return [{"type": "table", "rows": [head, *cells], "column_settings": aligned}], len(rows)
    kept = within(lines, WORDS_MAX)
    return [section(chunk) for chunk in chunks(kept, SECTION_MAX)], len(kept)


def _numeric(column: Sequence[Cell]) -> bool:
    return any(cell.number is not None for cell in column)


def _data_cell(cell: Cell) -> Block:
    if cell.number is None:
        return {"type": "raw_text", "text": cell.text}
    return {"type": "raw_number", "value": cell.number, "text": cell.text}


def within(lines: Sequence[str], limit: int) -> list[str]:
    """The first of *lines* that, joined, stay below *limit*."""
    kept: list[str] = []
    for line in lines:
        limit -= _units(line) + 1
        if limit < 0:
            break
        kept.append(line)
    return kept


def _units(text: str) -> int:
    """UTF-16 units, as Slack counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def fitting(sentences: Sequence[str], limit: int, otherwise: str) -> str:
    """*sentences* as one text; where not all of them fit, *otherwise* takes the place of those left out."""
    kept = within(sentences, limit - len(otherwise) - 1)
    return " ".join(kept if len(kept) == len(sentences) else [*kept, otherwise]).strip()


def chunks(lines: Sequence[str], limit: int) -> list[str]:
    """Lines joined into as few pieces as fit."""
    made: list[str] = []
    for line in lines:
        if made and len(made[-1]) + 1 + len(line) <= limit:
            made[-1] += "\n" + line
        else:
            made.append(line)
    return made
