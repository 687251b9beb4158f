"""Which pages have parts that are made, and of what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tests.made import commands, configuration, troubleshooting, turn_picture

DOCS: Final = Path(__file__).parents[2] / "docs"
PAGES: Final[Mapping[str, Callable[[], dict[str, str]]]] = {
    "commands.md": commands.made,
    "configuration.md": configuration.made,
    "troubleshooting.md": troubleshooting.made,
}
"""The parts of each page between its markers (``<!-- name -->`` to ``<!-- /name -->``), by their names."""
FILES: Final[Mapping[str, Callable[[], str]]] = {"life-of-a-turn.svg": turn_picture.made}
"""What is made as a whole."""
