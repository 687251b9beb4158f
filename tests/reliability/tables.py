"""The tables of ``docs/reliability.md``: read from the page, and made from what tests have kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reliability.md"
_PART = re.compile(r"<!-- (?P<name>[\w-]+) -->\n(?P<body>.*?)<!-- /(?P=name) -->\n", re.DOTALL)


def markdown(head: Sequence[str], rows: Iterable[Sequence[str | int]]) -> str:
    """A table. Numbers of four digits and more get their commas."""
    lines = [_line(head), "|" + "---|" * len(head), *map(_line, rows)]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str | int]) -> str:
    words = [f"{cell:,}" if isinstance(cell, int) else " ".join(cell.split()) for cell in cells]
    return f"| {' | '.join(word.replace('|', '/') for word in words)} |"


def merged(faults: Mapping[str, Mapping[tuple[str, ...], Sequence[str]]], whole: str) -> list[list[str]]:
    """Rows of what came of each fault in each place, given as the places of each outcome: what is the same in
    several places stands in one row, and faults of which everything is the same share theirs. *whole* stands
    for all places of a fault."""
    same: dict[tuple[tuple[tuple[str, ...], tuple[str, ...]], ...], list[str]] = {}
    for fault, outcomes in faults.items():
        key = tuple((words, tuple(places)) for words, places in outcomes.items())
        same.setdefault(key, []).append(f"`{fault}`")
    return [
        [", ".join(names), whole if len(key) == 1 else ", ".join(places), *words]
        for key, names in same.items()
        for words, places in key
    ]


def by_cell(name: str) -> dict[tuple[str, str], tuple[str, ...]]:
    """What a table of ``merged`` rows says on the page, by fault and place."""
    return {
        (fault.strip("`"), place): tuple(row[2:])
        for row in rows_of(name)
        for fault in row[0].split(", ")
        for place in row[1].split(", ")
    }


def parts(text: str) -> dict[str, str]:
    """What stands between the page's markers, by their names."""
    return {found["name"]: found["body"] for found in _PART.finditer(text)}


def rows_of(name: str, text: str | None = None) -> list[list[str]]:
    """The rows of a table on the page, without its head."""
    lines = parts(PAGE.read_text(encoding="utf-8") if text is None else text)[name].splitlines()
    table = [line for line in lines if line.startswith("|")]
    return [[cell.strip() for cell in line.strip().strip("|").split(" | ")] for line in table[2:]]


def with_parts(text: str, made: dict[str, str]) -> str:
    """The page with other text between its markers. Raises KeyError for markers that it does not have."""
    for name in made.keys() - parts(text).keys():
        raise KeyError(name)

    def put(found: re.Match[str]) -> str:
        name = found["name"]
        return f"<!-- {name} -->\n{made.get(name, found['body'])}<!-- /{name} -->\n"

    return _PART.sub(put, text)
