"""Buttons: what is written on one, and what a screen reader says of it."""

from __future__ import annotations

from typing import Any

from handlers.blocks.text import Block


def button(action_id: str, text: str, value: str, *, label: str = "", **more: Any) -> Block:
    """A button; *label* is what a screen reader says of it, where that is more than its *text*. *more* is
    Slack's own: ``style``, ``confirm``."""
    return {
        "type": "button",
        "action_id": action_id,
        "text": {"type": "plain_text", "text": text},
        "accessibility_label": label or text,
        "value": value,
        **more,
    }


def actions(*elements: Block) -> Block:
    """A row of buttons and menus."""
    return {"type": "actions", "elements": list(elements)}
