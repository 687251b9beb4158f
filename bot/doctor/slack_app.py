"""How Slack reaches Darkroom: the app-level token and its connection, or the signing secret."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiohttp
from slack_sdk.signature import SignatureVerifier

from bot.doctor.finding import Finding, Grade, fail, good, skip, warn
from bot.doctor.network import CONNECT_S
from bot.doctor.ports import asked_at
from bot.doctor.slack_calls import APP_PAGE, Asking, ask, form_of
from bot.settings import Settings
from handlers.manifest import APP_SCOPE

SIGNING_PLACE = f"{APP_PAGE} → Basic Information → App Credentials → Signing Secret"
_APP_TOKENS = f"{APP_PAGE} → Basic Information → App-Level Tokens"
_SIGNING = re.compile(r"[0-9a-f]{32}")
_CHALLENGE = json.dumps({"type": "url_verification", "challenge": "doctor"})
_LINES_MAX = 5
"""Messages that are read until Slack has said hello."""


@dataclass(frozen=True, slots=True)
class AppSeen:
    """What was said of the way that Slack's messages come, and which app Slack takes us for."""

    findings: list[Finding]
    app_id: str = ""


async def look_at_app(
    settings: Settings, asking: Asking, now: Callable[[], datetime], *, alive: bool
) -> AppSeen:
    """The app-level token and the connection of Socket Mode, or the signing secret of HTTP. With a Darkroom
    *alive*, no connection is opened: Slack might send it what somebody does just then."""
    if settings.slack.mode == "http":
        secret = look_at_signing_secret(settings)
        if secret.grade is Grade.FAIL or not alive:
            return AppSeen([secret])
        return AppSeen([secret, *await _endpoint(settings, now())])
    check = "slack.app_token"
    bad = form_of("SLACK_APP_TOKEN", settings.slack_app_token, "xapp-", f"{_APP_TOKENS} ({APP_SCOPE})")
    if settings.slack_app_token is None or bad is not None:
        said, remedy = bad or ("", "")
        return AppSeen([fail(check, said, remedy), skip("slack.socket", f"{check} comes first")])
    answer = await ask(asking.client(settings.slack_app_token), "apps.connections.open")
    url = str(answer.body.get("url") or "")
    if not answer.well or not url:
        remedy = answer.remedy
        if answer.error == "missing_scope":
            remedy = f"Make a token with the scope {APP_SCOPE}: {_APP_TOKENS} → Generate Token and Scopes"
        said = f"Slack says {answer.error}" if answer.error else f"Slack cannot be reached ({answer.said})"
        return AppSeen([fail(check, said, remedy), skip("slack.socket", "Slack gave no address for it")])
    taken = good(check, "Slack takes it")
    if alive:
        why = "the running Darkroom has its own; another one might be sent what somebody does just then"
        return AppSeen([taken, skip("slack.socket", why)])
    socket, app_id = await _connection(asking.session, url)
    return AppSeen([taken, socket], app_id)


def look_at_signing_secret(settings: Settings) -> Finding:
    """Its form alone: whether it is the right one only a request of Slack's can show."""
    check, secret = "slack.signing_secret", settings.slack_signing_secret
    if secret is None or not secret.get_secret_value().strip():
        said = 'SLACK_SIGNING_SECRET is missing, and slack.mode is "http"'
        return fail(check, said, f"Put it into .env: {SIGNING_PLACE}")
    if not _SIGNING.fullmatch(secret.get_secret_value().strip()):
        said = "it is no signing secret: those have 32 digits and letters from a to f"
        return fail(
            check, said, f"Copy the Signing Secret, not the Client Secret or a token: {SIGNING_PLACE}"
        )
    said = "it has the right form; that it is this app's shows at the first request (a wrong one: 401)"
    return good(check, said)


async def _endpoint(settings: Settings, now: datetime) -> list[Finding]:
    """Whether the Darkroom that runs takes what is signed with the secret of the settings. What it is sent is
    Slack's own question whether an address is right, which changes nothing."""
    check, slack = "slack.endpoint", settings.slack
    secret = settings.slack_signing_secret.get_secret_value().strip() if settings.slack_signing_secret else ""
    timestamp = str(int(now.timestamp()))
    signature = SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=_CHALLENGE) or ""
    headers = {
        "Content-Type": "application/json",
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": signature,
    }
    url = f"http://{asked_at(slack.host)}:{slack.port}{slack.path}"
    try:
        async with (
            # It is asked from here, past any proxy on the way to Slack.
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(CONNECT_S)) as session,
            session.post(url, data=_CHALLENGE, headers=headers, allow_redirects=False) as answer,
        ):
            status = answer.status
    except (aiohttp.ClientError, TimeoutError, OSError):
        return []  # That nobody listens there is said of the port.
    if status == 200:
        return [good(check, f"the running Darkroom takes what is signed with this secret at {slack.path}")]
    if status == 401:
        said = "the running Darkroom has another signing secret than these settings"
        remedy = f"Look which one is right ({SIGNING_PLACE}), and start Darkroom again with it."
        return [fail(check, said, remedy)]
    said = f"the running Darkroom answers HTTP {status} at {slack.path}"
    return [fail(check, said, "Start it again: it was started with other settings.")]


async def _connection(session: aiohttp.ClientSession, url: str) -> tuple[Finding, str]:
    """Connect as the bot would, wait for Slack's hello, and hang up; and which app Slack says hello to."""
    check = "slack.socket"
    remedy = "Web sockets (wss) to wss-primary.slack.com have to be let through by the firewall or the proxy."
    try:
        async with (
            asyncio.timeout(CONNECT_S),
            session.ws_connect(url) as socket,
        ):
            hello = await _hello(socket)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        return fail(check, f"no connection ({type(error).__name__})", remedy), ""
    if hello is None:
        return fail(check, "Slack hung up without saying hello", remedy), ""
    if hello.get("type") == "disconnect":
        return _refused(str(hello.get("reason"))), ""
    info = hello.get("connection_info")
    app_id = str(info.get("app_id") or "") if isinstance(info, dict) else ""
    count = hello.get("num_connections")
    if isinstance(count, int) and count > 1:
        said = f"{count - 1} other program(s) are connected with this app: what people do goes to any of them"
        remedy = (
            "Stop the other Darkroom, or make an app of its own for it: darkroom manifest --command-prefix"
        )
        return warn(check, said, remedy), app_id
    return good(check, "connected, Slack said hello"), app_id


def _refused(reason: str) -> Finding:
    check = "slack.socket"
    if reason == "link_disabled":
        remedy = f"Turn it on: {APP_PAGE} → Socket Mode → Enable Socket Mode"
        return fail(check, "Socket Mode is off for this app", remedy)
    if reason == "too_many_websockets":
        remedy = "Stop those that should not run: an app may have ten."
        return fail(check, "too many programs are connected with this app", remedy)
    return fail(check, f"Slack hung up: {reason[:80]}", "Look at status.slack.com, and try again.")


async def _hello(socket: aiohttp.ClientWebSocketResponse) -> Mapping[str, Any] | None:
    for _ in range(_LINES_MAX):
        message = await socket.receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            return None
        said = json.loads(message.data)
        if isinstance(said, dict) and said.get("type") in ("hello", "disconnect"):
            return said
    return None
