"""What the crash tests share: one program that forks Darkrooms, and a table of what was found."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.bots import Nursery, nursery

TABLE = "RELIABILITY_CRASHES"
"""The environment variable that names the file for the table of stories and how many steps each has."""


@pytest.fixture(scope="session")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    """Where Darkrooms come from."""
    with nursery(tmp_path_factory.mktemp("nursery")) as found:
        yield found


@pytest.fixture(scope="session")
def table() -> Iterator[dict[str, int]]:
    """How many steps each story has; written down at the end where somebody wants to have it."""
    points: dict[str, int] = {}
    yield points
    if points and TABLE in os.environ:
        rows = [f"| {name} | {number} |" for name, number in points.items()]
        total = f"| all | {sum(points.values())} |"
        Path(os.environ[TABLE]).write_text("\n".join(["| story | steps |", "|---|---|", *rows, total, ""]))
