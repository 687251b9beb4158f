"""The admins' page and the commands, held together."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from darkroom.spending.catalogue import load_catalogue
from handlers.spend_commands import EXAMPLES, Mistake
from handlers.spend_grammar import read_command
from handlers.spend_operands import Rules

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "spending.md").read_text(encoding="utf-8")
TYPED = re.findall(r"`/spend ?([^`]*)`", PAGE)
RULES = Rules("/spend", "UTC", datetime(2026, 11, 20, 12, tzinfo=UTC), load_catalogue())


@pytest.mark.parametrize("text", sorted(set(TYPED)))
def test_every_command_on_the_page_is_understood(text: str) -> None:
    sent = re.sub(r"@(\w+)", r"<@U0ANNA0001|\1>", re.sub(r"#(\w+)", r"<#C0DESIGN01|\1>", text))
    assert not isinstance(read_command(sent, RULES), Mistake)


def test_every_command_for_admins_is_on_the_page() -> None:
    verbs = {text.split()[0] for text in TYPED if text} | set(re.findall(r"`(\w+)(?: off)?`", PAGE))
    assert set(EXAMPLES) <= verbs
