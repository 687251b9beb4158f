"""The way out to Slack: connections, and Slack's own client on them, through the proxy of the environment."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

import aiohttp
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.proxy_env_variable_loader import load_http_proxy_from_env
from slack_sdk.web.async_client import AsyncWebClient

from darkroom.rendering.address import LOOPBACK

CALL_TIMEOUT_S = 20.0


def proxy_for(url: str) -> str | None:
    """The proxy on the way to *url*: ``HTTPS_PROXY``, else ``HTTP_PROXY``; none on the way to this machine,
    nor where ``NO_PROXY`` says so."""
    host = urlsplit(url).hostname or ""
    return None if host in LOOPBACK or proxy_bypass(host) else load_http_proxy_from_env()


def slack_session(base_url: str, timeout_s: float = CALL_TIMEOUT_S) -> aiohttp.ClientSession:
    """Connections to the Slack at *base_url*, each call bounded: Slack's client leaves that to the session.
    What is asked over them without Slack's client, such as files, goes the same way."""
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(timeout_s), proxy=proxy_for(base_url))


def slack_client(
    base_url: str,
    token: str | None = None,
    session: aiohttp.ClientSession | None = None,
    retry_handlers: Sequence[AsyncRetryHandler] = (),
) -> AsyncWebClient:
    """Slack's own client, which asks once unless *retry_handlers* want more."""
    client = AsyncWebClient(token, base_url, session=session, retry_handlers=list(retry_handlers))
    # By itself it would take any proxy, whatever NO_PROXY says, and to a Slack on this machine too.
    client.proxy = proxy_for(base_url)
    return client
