"""Messages of ours as Slack gives them back: which turn they name, and what they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.asking import mapping
from handlers.clients import METADATA_EVENT


def metadata_of(turn_id: str | None) -> dict[str, Any] | None:
    """What a message carries that names *turn_id*."""
    if turn_id is None:
        return None
    return {"event_type": METADATA_EVENT, "event_payload": {"turn_id": turn_id}}


def names(message: Mapping[str, Any], turn_id: str) -> bool:
    """Whether *message* carries that."""
    metadata = mapping(message.get("metadata"))
    payload = mapping(metadata.get("event_payload"))
    return metadata.get("event_type") == METADATA_EVENT and payload.get("turn_id") == turn_id


def is_opening(message: Mapping[str, Any]) -> bool:
    """Whether a thread begins with it, or may begin: it is no reply, which one that shows in its channel as
    well is, and shows no picture."""
    blocks = message.get("blocks") or ()
    pictured = bool(message.get("files")) or any(mapping(block).get("type") == "image" for block in blocks)
    return not pictured and message.get("thread_ts") in (None, message.get("ts"))
