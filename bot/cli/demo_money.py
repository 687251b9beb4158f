"""Money as the demo's page gets it."""

from __future__ import annotations

from typing import Any

from darkroom.spending.money import format_usd_exact
from storage.thread_report import CallRow

Json = dict[str, Any]


def dollars(nano: int) -> str:
    """Nano-dollars as a decimal string of dollars, exactly."""
    return format_usd_exact(nano).replace("$", "")


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
