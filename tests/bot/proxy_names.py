"""Proxies of whoever runs the tests."""

from __future__ import annotations

import pytest

from bot.proxies import PROXY_NAMES


def without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy stands in the environment, and none is left out."""
    for name in (*PROXY_NAMES, "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
