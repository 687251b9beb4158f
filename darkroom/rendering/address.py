"""Whom pictures are asked of: an address, and the name it has in the books."""

from __future__ import annotations

from urllib.parse import urlsplit

OPENAI_URL = "https://api.openai.com/v1"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def provider_name(base_url: str | None) -> str:
    """``openai`` for OpenAI's own addresses, regional ones too; else the host, and its port if it has one."""
    parts = urlsplit(base_url or OPENAI_URL)
    host = (parts.hostname or "").lower()
    if host == "api.openai.com" or host.endswith(".api.openai.com"):
        return "openai"
    return f"{host}:{parts.port}" if parts.port is not None else host


def could_be_key(api_key: str) -> bool:
    """Whether that could be a key at all: it goes into a header as it stands."""
    return bool(api_key) and api_key.isascii() and api_key.isprintable() and " " not in api_key
