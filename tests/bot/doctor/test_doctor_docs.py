"""The page about the doctor has every check, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from bot.doctor.checks import CHECKS

ROOT = Path(__file__).parents[3]
SETTINGS = ("image.model", "image.fallback", "image.host_model")
BY_SETTING = ("catalogue", "access", "called")


def test_the_page_has_every_check_in_the_order_of_the_table() -> None:
    page = (ROOT / "docs/doctor.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z_.]+)` \| (.+) \|$", page, re.MULTILINE)
    assert rows == list(CHECKS.items())


def test_every_check_is_made_somewhere() -> None:
    sources = [path for path in (ROOT / "bot/doctor").glob("*.py") if path.name != "checks.py"]
    code = "".join(path.read_text(encoding="utf-8") for path in sources)
    made = {f"{setting}.{kind}" for setting in SETTINGS for kind in BY_SETTING}
    for kind in BY_SETTING:
        assert f"setting}}.{kind}" in code
    for check in CHECKS:
        assert check in made or f'"{check}"' in code, check
