"""The one error boundary of the surfaces: what broke is logged without its payload, its person is told."""

from __future__ import annotations

import logging
from typing import Any

from slack_bolt import BoltResponse
from slack_bolt.async_app import AsyncApp
from slack_bolt.error import BoltUnhandledRequestError

from handlers import words
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
        reply_url, user_id = body.get("response_url"), (body.get("user") or {}).get("id")
        channel = str((body.get("channel") or {}).get("id") or user_id)
        if reply_url and user_id:
            work = services.whisper(View(sentence, ()), channel=channel, user_id=user_id, reply_url=reply_url)
            services.errands.start(f"sorry for {ids_of(body)}", work)
        return BoltResponse(status=200, body="")

    app.error(broke)


def _first_input(body: dict[str, Any]) -> str | None:
    """Where in a dialog that was sent off an error can be shown; None for all else."""
    if body.get("type") != "view_submission":
        return None
    blocks = (body.get("view") or {}).get("blocks") or []
    return next((block.get("block_id") for block in blocks if block.get("type") == "input"), None)


def ids_of(body: dict[str, Any]) -> str:
    """What a payload is and its ids, for the log; nothing that a person wrote."""
    event = body.get("event") or {}
    kind = body.get("command") or event.get("type") or body.get("type") or "request"
    ids = [
        body.get("event_id"),
        event.get("ts") or event.get("event_ts"),
        body.get("channel_id") or event.get("channel") or (body.get("channel") or {}).get("id"),
    ]
    return " ".join([str(kind), *(str(one) for one in ids if isinstance(one, str))])
