"""How Slack and Darkroom reach each other, as the settings say; nothing is connected yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slack_bolt.app.async_app import AsyncApp

from bot.preflight import Identity
from bot.settings import Settings
from bot.watchdog import Socket
from darkroom.clock import SystemClock
from handlers.outward import slack_client

if TYPE_CHECKING:
    from bot.http_mode import HttpServer


def socket_of(settings: Settings, app: AsyncApp, identity: Identity) -> Socket:
    """Socket Mode: Darkroom connects to Slack."""
    from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler

    web = slack_client(settings.slack_url, identity.app_token)

    def handler() -> AsyncSocketModeHandler:
        made = AsyncSocketModeHandler(app, identity.app_token, web_client=web)
        # By itself it takes any proxy of the environment.
        made.client.proxy = web.proxy
        return made

    return Socket(handler)


def server_of(settings: Settings, app: AsyncApp, identity: Identity) -> HttpServer:
    """HTTP mode: Slack sends to an address of ours."""
    from bot.http_mode import HttpServer

    slack = settings.slack
    # Slack signs by the time as it is, whatever clock the rest goes by.
    clock = SystemClock()
    return HttpServer(app, identity.signing_secret, clock, host=slack.host, port=slack.port, path=slack.path)
