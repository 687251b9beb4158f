"""The page on the probes lists each of them, says of each the same as the code, and no other."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from bot.doctor.live_calls import Trials
from bot.doctor.probes import LIVE, LIVE_SLACK
from bot.settings import plain_settings
from darkroom.spending.money import NANO_PER_USD

PAGE = Path(__file__).parents[3] / "docs" / "probes.md"
_ROW = re.compile(r"^\| `([a-z_.0-9]+)` \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)


def _rows() -> list[tuple[str, str, str, str]]:
    return [(row[1], row[2], row[3], row[4]) for row in _ROW.finditer(PAGE.read_text(encoding="utf-8"))]


def test_each_probe_is_listed_as_the_code_has_it_and_no_other() -> None:
    assert [(name, what) for name, what, _, _ in _rows()] == [*LIVE.items(), *LIVE_SLACK.items()]


def test_what_it_costs_at_most_is_said_as_it_is() -> None:
    cents = -(-Trials(plain_settings({}), date(2026, 11, 22)).at_most // (NANO_PER_USD // 100))
    assert f"With the default models that is ${cents / 100:.2f}" in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row[0])
def test_of_each_it_is_said_when_it_was_run_for_real(row: tuple[str, str, str, str]) -> None:
    assert re.fullmatch(r"never|\d{4}-\d{2}-\d{2}: .+", row[3])
    assert row[2].strip()
