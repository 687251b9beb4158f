"""Asking Slack's Web API once: what is waited for, and what an answer means."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from darkroom.clock import Clock
from handlers.clients import SlackRefused, SlackUnclear
from handlers.pacing import UNSAID_S, TooFast

_UNCLEAR = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout"})
"""Slack's own words for "something broke while we were at it"."""


_TOO_FAST = frozenset({"ratelimited", "rate_limited"})
_NAME = re.compile(r"(?!xox|xapp-)[A-Za-z0-9_.:-]{1,100}")
UNREADABLE = "unreadable_error"
"""Stands for an error whose name is none: names are logged and stored, and sentences, or what looks like a
token, may quote what was sent."""


class CallOutcome(StrEnum):
    """What came of one call of Slack's Web API."""

    OK = "ok"
    REFUSED = "refused"
    """Slack said no, and why."""
    TOO_FAST = "rate_limited"
    """A 429."""
    UNCLEAR = "unclear"
    """Nobody can say whether it was done."""
    BROKE = "broke"
    """It was called off, or a fault of our own."""


CallHeard = Callable[[str, CallOutcome, float], None]
"""Called after each call, with its method, what came of it, and how many seconds it took."""


def nobody_hears(method: str, outcome: CallOutcome, seconds: float) -> None:
    """A ``CallHeard`` for when nobody counts."""


@contextmanager
def counted(method: str, clock: Clock, heard: CallHeard) -> Iterator[None]:
    """Tell *heard* what comes of the call that is made inside."""
    began, outcome = clock.monotonic(), CallOutcome.BROKE
    try:
        yield
        outcome = CallOutcome.OK
    except TooFast:
        outcome = CallOutcome.TOO_FAST
        raise
    except SlackRefused:
        outcome = CallOutcome.REFUSED
        raise
    except SlackUnclear:
        outcome = CallOutcome.UNCLEAR
        raise
    finally:
        heard(method, outcome, max(0.0, clock.monotonic() - began))


async def asked(method: str, call: Awaitable[AsyncSlackResponse]) -> Mapping[str, Any]:
    """The answer's body; raises ``TooFast``, ``SlackRefused`` and ``SlackUnclear`` for what the client
    raises."""
    try:
        return mapping((await call).data)
    except SlackApiError as error:
        raise _refusal(method, error) from error
    except (aiohttp.ClientError, TimeoutError, OSError, SlackClientError) as error:
        raise SlackUnclear(method) from error


def _refusal(method: str, error: SlackApiError) -> SlackRefused | SlackUnclear:
    data = mapping(getattr(error.response, "data", None))
    name, status = data.get("error"), getattr(error.response, "status_code", 0)
    if status == 429 or name in _TOO_FAST:
        return TooFast(method, _told(getattr(error.response, "headers", None)))
    # Whatever a server that failed says of it, it may have done what was asked.
    if status >= 500 or not isinstance(name, str) or name in _UNCLEAR:
        return SlackUnclear(method)
    if not _NAME.fullmatch(name):
        return SlackRefused(UNREADABLE, method)
    told = mapping(data.get("response_metadata")).get("messages") or ()
    return SlackRefused(name, method, "; ".join(str(message) for message in told)[:500])


def _told(headers: object) -> float:
    """What a 429 says of how long to wait: whole seconds."""
    for name, value in mapping(headers).items():
        if str(name).lower() == "retry-after":
            text = str(value[0] if isinstance(value, list | tuple) and value else value)
            return max(1, int(text[:9])) if text.isdecimal() and text.isascii() else UNSAID_S
    return UNSAID_S


def mapping(value: object) -> Mapping[str, Any]:
    """*value* if it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def named(event: Mapping[str, Any], key: str) -> str:
    """The id or ts that an event has under *key*, or nothing. What Slack sends in another type than it
    promises is passed over: refusing it would only make Slack send it again."""
    value = event.get(key)
    return value if isinstance(value, str) and value.isascii() else ""
