"""The way out: proxies, and how far the clock is off."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from bot.doctor.finding import Finding, fail, good, skip, warn

CONNECT_S = 10.0
"""How long anything on the network may take, each."""
OFF, FAR_OFF = timedelta(minutes=1), timedelta(minutes=5)
"""From the second on Slack's signatures are refused, which are good for five minutes
(https://docs.slack.dev/authentication/verifying-requests-from-slack)."""
PROXY_NAMES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


@dataclass(frozen=True, slots=True)
class Heard:
    """What somebody out there says that the time is, and what it was here just then."""

    who: str
    there: datetime
    here: datetime


def heard(who: str, headers: Mapping[str, str], here: datetime) -> list[Heard]:
    """The time that an answer's headers name; nothing where they name none."""
    said = next((value for name, value in headers.items() if name.lower() == "date"), "")
    with suppress(ValueError):
        there = parsedate_to_datetime(said)
        if there.tzinfo is not None:
            return [Heard(who, there, here)]
    return []


def look_at_clock(times: Sequence[Heard], zone: str) -> Finding:
    """How far the machine's clock is from what was *heard*."""
    check = "clock"
    if not times:
        return skip(check, "nobody answered who would have said what the time is")
    worst = max(times, key=lambda each: abs(each.here - each.there))
    off = worst.here - worst.there
    way = "ahead of" if off > timedelta() else "behind"
    said = f"the clock is {_long(abs(off))} {way} {worst.who}'s"
    remedy = "Set it, and keep it right: sudo timedatectl set-ntp true (or chrony, or the host's clock)."
    if abs(off) > FAR_OFF:
        return fail(check, f"{said}: signatures are refused, and periods begin at the wrong time", remedy)
    if abs(off) > OFF:
        return warn(check, said, remedy)
    names = " and ".join(sorted({each.who for each in times}))
    return good(check, f"right, beside the time of {names}; periods begin in {zone}")


def _long(off: timedelta) -> str:
    seconds = int(off.total_seconds())
    if seconds < 120:
        return f"{seconds} seconds"
    return f"{seconds // 60} minutes" if seconds < 7200 else f"{seconds // 3600} hours"


async def look_at_proxies() -> list[Finding]:
    """The proxies in the environment that calls go through, by their places alone: an address may have a
    password."""
    named = {name: value for name in PROXY_NAMES if (value := os.environ.get(name, "").strip())}
    if not named:
        return [good("network.proxy", "none in the environment")]
    return [await _proxy(name, value) for name, value in named.items()]


async def _proxy(name: str, value: str) -> Finding:
    check = "network.proxy"
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        host = port = None
    if not host or not port:
        remedy = f"Write it as {name}=http://proxy.example.com:3128, or unset it."
        return fail(check, f"{name} is no address of a proxy", remedy)
    place = f"{host}:{port}"
    if parts.scheme not in ("http", "https"):
        remedy = "Use an HTTP proxy, or unset it."
        return fail(check, f"{name} names a proxy of a kind that is not spoken ({parts.scheme})", remedy)
    try:
        async with asyncio.timeout(CONNECT_S):
            _, writer = await asyncio.open_connection(host, port)
        writer.close()
    except (OSError, TimeoutError):
        remedy = f"Correct or unset {name}. What needs no proxy goes into NO_PROXY."
        return fail(check, f"the proxy {place} ({name}) does not answer", remedy)
    remedy = "It must let through slack.com, wss-primary.slack.com, files.slack.com and api.openai.com."
    return warn(check, f"calls go through the proxy {place} ({name})", remedy)
