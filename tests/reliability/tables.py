"""The tables of ``docs/reliability.md``: read from the page, and made from what tests have kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
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
