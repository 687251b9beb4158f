"""The proxies in the environment, which calls to Slack and to the image API go through."""

from __future__ import annotations

import os
from dataclasses import dataclass
from urllib.parse import urlsplit

from bot.settings import Settings
from darkroom.rendering.address import LOOPBACK, OPENAI_URL

PROXY_NAMES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where a variable leads, without the password that its value may have."""

    name: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class NoProxy:
    """A variable that leads nowhere: OpenAI's client and Slack's cannot even be made with it."""

    name: str
    said: str
    remedy: str


def proxies() -> list[Proxy | NoProxy]:
    """What each variable that is set names."""
    named = {name: value for name in PROXY_NAMES if (value := os.environ.get(name, "").strip())}
    return [_read(name, value) for name, value in named.items()]


def in_the_way(settings: Settings) -> list[NoProxy]:
    """Those that no call gets past; none where all calls stay on this machine."""
    urls = (settings.slack_url, settings.openai_base_url or OPENAI_URL)
    if all(urlsplit(url).hostname in LOOPBACK for url in urls):
        return []
    return [each for each in proxies() if isinstance(each, NoProxy)]


def _read(name: str, value: str) -> Proxy | NoProxy:
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return _no_address(name)
    if host and parts.scheme not in ("http", "https"):
        said = f"{name} names a proxy of a kind that is not spoken ({parts.scheme})"
        return NoProxy(name, said, "Use an HTTP proxy, or unset it.")
    return Proxy(name, host, port) if host and port else _no_address(name)


def _no_address(name: str) -> NoProxy:
    remedy = f"Write it as {name}=http://proxy.example.com:3128, or unset it."
    return NoProxy(name, f"{name} is no address of a proxy", remedy)
