"""Prices on buttons: short, and never lower than what is meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from darkroom.spending.money import NANO_PER_USD

_NANO_PER_CENT = NANO_PER_USD // 100


def price_tag(nano_usd: int) -> str:
    """Nano-dollars as "under 1¢", "5¢" or "$1.20": rounded up to whole cents."""
    if nano_usd < _NANO_PER_CENT:
        return "under 1¢"
    cents = -(-nano_usd // _NANO_PER_CENT)
    return f"{cents}¢" if cents < 100 else f"${cents // 100:,}.{cents % 100:02d}"


def confirm(title: str, text: str, yes: str) -> Mapping[str, Any]:
    """Slack's own question before a press counts: plain texts of at most 100, 300 and 30 characters."""
    return {
        "title": {"type": "plain_text", "text": title},
        "text": {"type": "plain_text", "text": text},
        "confirm": {"type": "plain_text", "text": yes},
        "deny": {"type": "plain_text", "text": "Cancel"},
    }
