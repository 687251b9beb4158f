"""Money as the demo's page gets it."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from darkroom.spending.budgets import Balance
from darkroom.spending.money import format_usd_exact
from storage.thread_report import CallRow

Json = dict[str, Any]


def dollars(nano: int) -> str:
    """Nano-dollars as a decimal string of dollars, exactly."""
    return format_usd_exact(nano).replace("$", "")


def budget_as_json(balance: Balance, name: str, timezone: str) -> Json:
    """A budget as the page gets it, with the day on which it renews in a time zone."""
    cap, left = balance.cap_nano_usd, balance.left_nano_usd
    renews = balance.period.end.astimezone(ZoneInfo(timezone))
    return {
        "name": name,
        "cap_usd": None if cap is None else dollars(cap),
        "charged_usd": dollars(balance.charged_nano_usd),
        "held_usd": dollars(balance.held_nano_usd),
        "left_usd": None if left is None else dollars(left),
        "granted_usd": dollars(balance.drawn_nano_usd + balance.granted_nano_usd),
        "drawn_usd": dollars(balance.drawn_nano_usd),
        "renews": f"{renews.day} {renews:%B}",
    }


def call_as_json(call: CallRow) -> Json:
    """A call as the page gets it."""
    remarks = [*([call.release_reason] if call.release_reason else []), *call.flags]
    return {
        "id": call.id,
        "turn": call.turn_id,
        "version": call.version,
        "state": call.state,
        "model": call.image_model,
        "endpoint": call.endpoint,
        "held_usd": dollars(call.hold_nano_usd),
        "charged_usd": dollars(call.charged_nano_usd),
        "classes": [
            {"name": name, "tokens": tokens, "charged_usd": dollars(charged)}
            for name, tokens, charged in call.classes
        ],
        "note": ", ".join(remark.replace("_", " ") for remark in remarks),
    }
