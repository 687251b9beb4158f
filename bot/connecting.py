"""How Slack and Darkroom reach each other, as the settings say; nothing is connected yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.preflight import Identity
from bot.settings import Settings
from bot.watchdog import Socket
from darkroom.clock import SystemClock

if TYPE_CHECKING:
    from bot.http_mode import HttpServer


def socket_of(settings: Settings, app: AsyncApp, identity: Identity) -> Socket:
    """Socket Mode: Darkroom connects to Slack."""
    from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler

    web = AsyncWebClient(token=identity.app_token, base_url=settings.slack_url)
    return Socket(lambda: AsyncSocketModeHandler(app, identity.app_token, web_client=web))


def server_of(settings: Settings, app: AsyncApp, identity: Identity) -> HttpServer:
    """HTTP mode: Slack sends to an address of ours."""
    from bot.http_mode import HttpServer

    slack = settings.slack
    # Slack signs by the time as it is, whatever clock the rest goes by.
    clock = SystemClock()
    return HttpServer(app, identity.signing_secret, clock, host=slack.host, port=slack.port, path=slack.path)
