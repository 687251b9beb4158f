"""What tests find out for ``docs/reliability.md``: rows of its tables, kept where they are asked for.

``python -m tests.reliability FOLDER`` puts what was kept into the page; ``make reliability`` does all of it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

KEPT_IN = "RELIABILITY_ROWS"
"""The environment variable that names the folder; without it nothing is kept."""


def kept(table: str, row: Sequence[str | int]) -> None:
    """Add a row to one of the page's tables, where somebody collects them (``make reliability``)."""
    folder = os.environ.get(KEPT_IN)
    if folder is None:
        return
    path = Path(folder) / f"{table}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(list(row)) + "\n")


def collecting() -> bool:
    """Whether rows are collected for a new page: then it is not the old page that is to be right."""
    return KEPT_IN in os.environ
