"""What Slack posts, read: events as JSON, clicks and dialogs as JSON in a form, commands as a form."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl

from slack_bolt.request.async_request import AsyncBoltRequest

DEPTH_MAX: Final = 64
"""Arrays and objects inside one another: about five times as many as Slack's deepest payload has."""
_HEADERS = ("x-slack-retry-num", "x-slack-retry-reason")
"""What Bolt is shown of them. It has headers of its own by which a request may name a function to run."""


class Refused(Exception):
    """A request that is not taken. The sender is told *status* and *why*; nothing was done."""

    def __init__(self, status: int, why: str, remedy: str = "") -> None:
        super().__init__(why)
        self.status = status
        self.why = why
        self.remedy = remedy


def payload_of(text: str) -> dict[str, Any]:
    """What was sent: JSON, JSON in a form, or a form that is a command.

    Bolt is not left to read it: for that, a command that has the word "payload" anywhere is nothing at all.
    """
    fields: dict[str, Any] = {}
    if not text.startswith("{"):
        fields = dict(parse_qsl(text, keep_blank_values=True))
        if "payload" not in fields:
            if "command" in fields or "ssl_check" in fields:
                return fields
            raise Refused(400, "no payload")
    try:
        value = json.loads(fields.get("payload", text))
    except (ValueError, RecursionError):
        raise Refused(400, "not JSON") from None
    if not isinstance(value, dict) or _is_deep(value):
        raise Refused(400, "not a payload")
    return value


def asked(payload: dict[str, Any], given: Mapping[str, str]) -> AsyncBoltRequest:
    headers: dict[str, str | Sequence[str]] = {name: given[name] for name in _HEADERS if name in given}
    try:
        # To Bolt it is as from a socket: already read, and nothing to verify any more.
        return AsyncBoltRequest(body=payload, headers=headers, mode="socket_mode")
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        # Bolt looks for ids where Slack puts them, and takes them for what Slack makes of them.
        raise Refused(400, "not a payload") from None


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEPTH_MAX):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, list | dict)
        ]
        if not level:
            return False
    return True
