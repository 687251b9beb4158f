"""One workspace, by its token: what Slack sends on behalf of another one reaches no surface."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt import BoltResponse
from slack_bolt.async_app import AsyncApp, AsyncBoltContext

from handlers import words
from handlers.boundary import ids_of
from handlers.services import Services

logger = logging.getLogger("darkroom.handlers")


def register(app: AsyncApp, services: Services) -> None:
    """Stand before all surfaces, so that none has to ask whose payload it is."""

    @app.middleware
    async def ours_alone(
        body: dict[str, Any], context: AsyncBoltContext, next_: Callable[[], Awaitable[None]]
    ) -> BoltResponse | None:
        # Whose installation it is for, as Bolt reads it to find the token; who acted can be somebody else.
        if not services.guard.elsewhere(context.team_id, context.enterprise_id):
            await next_()
            return None
        logger.warning("%s of %s is not for this workspace", ids_of(body), context.team_id)
        # Acknowledged, because Slack would only send it again.
        if "command" in body:
            answer = {"response_type": "ephemeral", "text": words.OUTSIDER}
            return BoltResponse(status=200, body=answer)
        return BoltResponse(status=200, body="")
