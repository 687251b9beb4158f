"""Prices on buttons and in dialogs: short."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from darkroom.spending.money import NANO_PER_USD

_NANO_PER_CENT = NANO_PER_USD // 100


def price_tag(nano_usd: int) -> str:
    """A likely price, in nano-dollars, as "under 1¢", "5¢" or "$1.20": half up, as under the pictures."""
    return _tag(nano_usd, (2 * nano_usd + _NANO_PER_CENT) // (2 * _NANO_PER_CENT))


def limit_tag(nano_usd: int) -> str:
    """The most something can cost, in the same form: rounded up, so that it never costs more."""
    return _tag(nano_usd, -(-nano_usd // _NANO_PER_CENT))


def left_tag(nano_usd: int) -> str:
    """What is left of a budget, in the same form: rounded down, so that it is never more than there is."""
    return "nothing" if nano_usd <= 0 else _tag(nano_usd, nano_usd // _NANO_PER_CENT)


def _tag(nano_usd: int, cents: int) -> str:
    if nano_usd < _NANO_PER_CENT:
        return "under 1¢"
    return f"{cents}¢" if cents < 100 else f"${cents // 100:,}.{cents % 100:02d}"


def confirm(title: str, text: str, yes: str) -> Mapping[str, Any]:
    """Slack's own question before a press counts: plain texts of at most 100, 300 and 30 characters."""
    return {
        "title": {"type": "plain_text", "text": title},
        "text": {"type": "plain_text", "text": text},
        "confirm": {"type": "plain_text", "text": yes},
        "deny": {"type": "plain_text", "text": "Cancel"},
    }
