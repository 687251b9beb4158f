"""The one error boundary of the surfaces: what broke is logged without its payload, its person is told."""

from __future__ import annotations

import logging
from typing import Any

from slack_bolt import BoltResponse
from slack_bolt.async_app import AsyncApp
from slack_bolt.error import BoltUnhandledRequestError

from handlers import words
from handlers.asking import mapping, named
from handlers.blocks.text import View
from handlers.errands import where
from handlers.services import Services

logger = logging.getLogger("darkroom.handlers")


def register(app: AsyncApp, services: Services) -> None:
    """Take over Bolt's error handling, whose own would print whole payloads."""

    async def broke(error: Exception, body: dict[str, Any]) -> BoltResponse | None:
        voice = services.config.voice
        sentence = words.broken(voice)
        if isinstance(error, BoltUnhandledRequestError):
            # Bolt's own line about it would print the payload.
            logger.warning("nobody listens to %s", ids_of(body))
            sentence = words.unknown_command(voice)
        else:
            logger.error("%s broke: %s", ids_of(body), where(error))
        if "command" in body:
            return BoltResponse(status=200, body={"response_type": "ephemeral", "text": sentence})
        input_id = _first_input(body)
        if input_id is not None:
            # Closing the dialog would throw away what was typed into it.
            errors = {input_id: words.BROKEN_DIALOG}
            return BoltResponse(status=200, body={"response_action": "errors", "errors": errors})
        if body.get("type") == "event_callback":
            # Not acknowledged: Slack sends it again.
            return None
        reply_url, user_id = named(body, "response_url"), named(mapping(body.get("user")), "id")
        channel = named(mapping(body.get("channel")), "id") or user_id
        if reply_url and user_id:
            work = services.whisper(View(sentence, ()), channel=channel, user_id=user_id, reply_url=reply_url)
            services.errands.start(f"sorry for {ids_of(body)}", work)
        return BoltResponse(status=200, body="")

    app.error(broke)


def _first_input(body: dict[str, Any]) -> str | None:
    """Where in a dialog that was sent off an error can be shown; None for all else."""
    if body.get("type") != "view_submission":
        return None
    blocks = mapping(body.get("view")).get("blocks")
    inputs = [mapping(block) for block in blocks] if isinstance(blocks, list) else []
    return next((named(block, "block_id") or None for block in inputs if block.get("type") == "input"), None)


def ids_of(body: dict[str, Any]) -> str:
    """What a payload is and its ids, for the log; nothing that a person wrote."""
    event = mapping(body.get("event"))
    kind = named(body, "command") or named(event, "type") or named(body, "type") or "request"
    ids = [
        named(body, "event_id"),
        named(event, "ts") or named(event, "event_ts"),
        named(body, "channel_id") or named(event, "channel") or named(mapping(body.get("channel")), "id"),
    ]
    return " ".join([kind, *(one for one in ids if one)])
