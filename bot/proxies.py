"""The proxies in the environment, which calls to Slack and to the image API go through."""

from __future__ import annotations

import os
from dataclasses import dataclass
from urllib.parse import urlsplit

from darkroom.rendering.address import LOOPBACK

EVERYBODYS = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
OPENAIS = ("ALL_PROXY", "all_proxy")
"""What only OpenAI's client reads."""
PROXY_NAMES = (*EVERYBODYS, *OPENAIS)


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where a variable leads, without the password that its value may have."""

    name: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class NoProxy:
    """A variable that leads nowhere: OpenAI's client cannot even be made with it. Its value, which may have a
    password, is not told."""

    name: str
    said: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.said}. {self.remedy}"


def proxies() -> list[Proxy | NoProxy]:
    """What each variable that is set names."""
    named = {name: value for name in PROXY_NAMES if (value := os.environ.get(name, ""))}
    return [_read(name, value) for name, value in named.items()]


def in_the_way(*, slack_url: str | None = None, api_url: str | None = None) -> list[NoProxy]:
    """Those that no call to Slack, or to the API, gets past; where None is given nobody is called. What stays
    on this machine passes them by."""
    slack, api = _leaves(slack_url), _leaves(api_url)
    if not (slack or api) or "*" in (os.environ.get("no_proxy"), os.environ.get("NO_PROXY")):
        return []
    asked = PROXY_NAMES if api else EVERYBODYS
    return [each for each in proxies() if isinstance(each, NoProxy) and each.name in asked]


def _leaves(url: str | None) -> bool:
    return url is not None and urlsplit(url).hostname not in LOOPBACK


def _read(name: str, value: str) -> Proxy | NoProxy:
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return _no_address(name)
    # The clients take spaces at the ends as part of it; and with an unescaped "#" or "/" in a password the
    # place would be a piece of that.
    if value != value.strip() or "@" in parts.path + parts.query + parts.fragment:
        return _no_address(name)
    if host and parts.scheme and parts.scheme not in ("http", "https"):
        said = f"{name} names a proxy of a kind that is not spoken ({parts.scheme})"
        return NoProxy(name, said, "Use an HTTP proxy, or unset it.")
    return Proxy(name, host, port) if host and port and parts.scheme else _no_address(name)


def _no_address(name: str) -> NoProxy:
    remedy = f"Write it as {name}=http://proxy.example.com:3128, or unset it."
    return NoProxy(name, f"{name} is no address of a proxy", remedy)
