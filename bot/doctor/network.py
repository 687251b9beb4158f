"""The way out: proxies, and how far the clock is off."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from bot.doctor.finding import Finding, fail, good, skip, warn
from bot.proxies import NoProxy, Proxy, proxies

OUTSIDE = (
    "slack.com",
    "wss-primary.slack.com",
    "files.slack.com",
    "hooks.slack.com",
    "api.openai.com",
)
"""Whom Darkroom calls."""
CONNECT_S = 10.0
"""How long anything on the network may take, each."""
OFF, FAR_OFF = timedelta(minutes=1), timedelta(minutes=5)
"""From the second on Slack's signatures are refused, which are good for five minutes
(https://docs.slack.dev/authentication/verifying-requests-from-slack)."""


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
    named = proxies()
    if not named:
        return [good("network.proxy", "none in the environment")]
    everybodys = any(each.name.upper() == "HTTPS_PROXY" for each in named)
    return [await _proxy(each, alone=not everybodys) for each in named]


async def _proxy(proxy: Proxy | NoProxy, *, alone: bool) -> Finding:
    check, name = "network.proxy", proxy.name
    if isinstance(proxy, NoProxy):
        return fail(check, proxy.said, proxy.remedy)
    place = f"{proxy.host}:{proxy.port}"
    try:
        async with asyncio.timeout(CONNECT_S):
            _, writer = await asyncio.open_connection(proxy.host, proxy.port)
        writer.close()
    except (OSError, TimeoutError):
        remedy = f"Correct or unset {name}. What needs no proxy goes into NO_PROXY."
        return fail(check, f"the proxy {place} ({name}) does not answer", remedy)
    if alone:
        # OpenAI's client and Slack's read different ones of the others.
        remedy = "Set HTTPS_PROXY to the same address."
        return warn(check, f"only a part of the calls goes through the proxy {place} ({name})", remedy)
    remedy = f"It must let through {', '.join(OUTSIDE)}."
    return warn(check, f"calls go through the proxy {place} ({name})", remedy)
