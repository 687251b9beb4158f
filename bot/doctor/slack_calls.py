"""Asking Slack for the checks: once, for a bounded time, and with what its refusals mean."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from pydantic import SecretStr
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.doctor.network import CONNECT_S
from handlers.outward import slack_client

APP_PAGE = "api.slack.com/apps → your app"
INSTALL = f"{APP_PAGE} → OAuth & Permissions"
_AGAIN = f"Copy it again ({INSTALL}), and look that it is this workspace's."
REMEDIES: Mapping[str, str] = {
    "invalid_auth": _AGAIN,
    "not_authed": _AGAIN,
    "account_inactive": f"The app was removed from the workspace: install it again ({INSTALL}).",
    "token_revoked": f"Install the app again ({INSTALL}), and copy the new token.",
    "token_expired": "Token rotation is on, which Darkroom does not do: make a new app (darkroom manifest).",
    "not_allowed_token_type": "It is another kind of token than is needed here: copy the right one.",
    "org_login_required": "The workspace is being moved into an organisation: try again when that is done.",
    "team_access_not_granted": "An admin of the organisation has to give the app access to this workspace.",
    "access_denied": "A rule of the workspace forbids it: ask its admins.",
    "ekm_access_denied": "An admin has suspended the app's access: ask them.",
    "ratelimited": "Slack has had too many questions: wait a minute, and look again.",
}
KINDS = {
    "xoxb-": "a bot token",
    "xoxp-": "a person's token",
    "xapp-": "an app-level token",
    "xoxe": "a token of an app with token rotation",
    "xoxc-": "a browser's token",
    "sk-": "a key of OpenAI's",
}
_OTHER = "See docs.slack.dev/reference/methods for what it means."


@dataclass(frozen=True, slots=True)
class Asking:
    """How Slack is asked: over which connections, and where."""

    session: aiohttp.ClientSession
    url: str

    def client(self, token: SecretStr) -> AsyncWebClient:
        """Slack's client with that token, which asks once."""
        value = token.get_secret_value().strip()
        return slack_client(self.url, value, self.session)


def form_of(name: str, secret: SecretStr | None, start: str, where: str) -> tuple[str, str] | None:
    """What is wrong with a token by its looks, and what to do; None where nothing is."""
    token = secret.get_secret_value().strip() if secret is not None else ""
    if not token:
        return f"{name} is missing", f"Put it into .env: {where}"
    if not token.startswith(start):
        kind = next((kind for prefix, kind in KINDS.items() if token.startswith(prefix)), "no such token")
        return f"{name} is {kind}; it has to begin with {start}", f"Copy the right one: {where}"
    if not token.isascii() or not token.isprintable() or any(letter in token for letter in " \"'"):
        return f"{name} has characters that no token has", f"Copy it again, without quotes or spaces: {where}"
    return None


@dataclass(frozen=True, slots=True)
class Answer:
    """What Slack answered: ``error`` is its code for a refusal, ``trouble`` why there was no answer. Both are
    empty where it did as it was asked."""

    body: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    error: str = ""
    trouble: str = ""

    @property
    def well(self) -> bool:
        """Whether it did."""
        return not self.error and not self.trouble

    @property
    def said(self) -> str:
        """Its code, or why there is none."""
        return self.error or self.trouble

    @property
    def remedy(self) -> str:
        """What to do about it."""
        if self.trouble:
            return "Check the network, a proxy, SLACK_API_URL, and status.slack.com."
        return REMEDIES.get(self.error, _OTHER)


async def ask(client: AsyncWebClient, method: str, **params: Any) -> Answer:
    """Call *method* once; never raises for what Slack or the way to it does."""
    try:
        async with asyncio.timeout(CONNECT_S):
            answer = await client.api_call(method, params=params)
    except SlackApiError as error:
        response = error.response
        body = response.data if isinstance(response.data, dict) else {}
        if not body.get("error"):
            trouble = f"an answer that is none, HTTP {response.status_code}"
            return Answer(headers=response.headers, trouble=trouble)
        return Answer(body, response.headers, error=str(body["error"])[:80])
    except (SlackClientError, aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        return Answer(trouble=type(error).__name__)
    return Answer(answer.data if isinstance(answer.data, dict) else {}, answer.headers)
