"""How long Slack waits for our answers, and that nobody's work is taken for a turn's that came before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from slack_bolt import BoltResponse
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest

from darkroom.clock import Clock
from darkroom.turn_context import working_for

_OK = 200


class Kind(StrEnum):
    """What Slack sends, by what somebody did."""

    COMMAND = "command"
    EVENT = "event"
    BUTTON = "button"
    DIALOG = "dialog"
    SHORTCUT = "shortcut"
    OPTIONS = "options"
    """A menu's choices are asked for."""
    OTHER = "other"


_TYPES = {
    "event_callback": Kind.EVENT,
    "block_actions": Kind.BUTTON,
    "view_submission": Kind.DIALOG,
    "view_closed": Kind.DIALOG,
    "shortcut": Kind.SHORTCUT,
    "message_action": Kind.SHORTCUT,
    "block_suggestion": Kind.OPTIONS,
}

Answered = Callable[[Kind, bool, float], None]
"""Called after each request of Slack's: what it was, whether it was acknowledged, after how many seconds."""


def nobody_counts(kind: Kind, acknowledged: bool, seconds: float) -> None:
    """An ``Answered`` for when nobody counts."""


def kind_of(body: Mapping[str, Any]) -> Kind:
    """What a payload is."""
    if "command" in body:
        return Kind.COMMAND
    said = body.get("type")
    return _TYPES.get(said, Kind.OTHER) if isinstance(said, str) else Kind.OTHER


class AnsweringApp(AsyncApp):
    """A Bolt app that tells *answered* of each answer. What it begins is no turn's work until it is known to
    be one's: one connection's requests come one after the other in one task."""

    def __init__(self, answered: Answered, clock: Clock, **of_bolt: Any) -> None:
        super().__init__(**of_bolt)
        self._answered = answered
        self._clock = clock

    async def async_dispatch(self, req: AsyncBoltRequest) -> BoltResponse:
        """As Bolt's."""
        began, acknowledged = self._clock.monotonic(), False
        try:
            with working_for(None):
                response = await super().async_dispatch(req)
            acknowledged = response.status == _OK
            return response
        finally:
            seconds = max(0.0, self._clock.monotonic() - began)
            self._answered(kind_of(req.body), acknowledged, seconds)
