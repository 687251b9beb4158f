"""The app was removed from its workspace, or its token revoked: nothing is left to be done there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncApp

from handlers.asking import mapping
from handlers.services import Services


def register(app: AsyncApp, services: Services) -> None:
    """Listen to both. Slack sends them with the last of its connection, and never again."""

    @app.event("app_uninstalled")
    async def removed() -> None:
        services.gone("app_uninstalled")

    @app.event("tokens_revoked")
    async def revoked(event: dict[str, Any]) -> None:
        if revokes(event, services.config.bot_user_id):
            services.gone("tokens_revoked")


def revokes(event: Mapping[str, Any], bot_user_id: str) -> bool:
    """Whether our bot's token is among those that ``tokens_revoked`` names; people's are not ours."""
    bots = mapping(event.get("tokens")).get("bot")
    return isinstance(bots, list) and bot_user_id in bots
