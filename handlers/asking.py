"""Asking Slack's Web API once: what is waited for, and what an answer means."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Mapping
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from darkroom.clock import Clock
from handlers.clients import SlackRefused, SlackUnclear

RATE_TRIES = 4
RETRY_AFTER_MAX_S = 60

_UNCLEAR = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout"})
"""Slack's own words for "something broke while we were at it"."""


_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,100}")
UNREADABLE = "unreadable_error"
"""Stands for an error whose name is none: names are logged, and sentences may quote what was sent."""


class WaitAsTold(AsyncRateLimitErrorRetryHandler):
    """After a 429, waits as long as ``Retry-After`` says, on our clock; a longer wait is not taken up."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(max_retry_count=RATE_TRIES)
        self._clock = clock

    async def _can_retry_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        return response is not None and response.status_code == 429 and _told(response) <= RETRY_AFTER_MAX_S

    async def prepare_for_next_attempt_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> None:
        state.next_attempt_requested = True
        await self._clock.sleep(_told(response) if response is not None else 1)
        state.increment_current_attempt()


def _told(response: HttpResponse) -> int:
    for name, values in response.headers.items():
        if name.lower() == "retry-after":
            text = str(values[0])
            return max(1, int(text)) if text.isdecimal() else 1
    return 1


async def asked(method: str, call: Awaitable[AsyncSlackResponse]) -> Mapping[str, Any]:
    """The answer's body; raises ``SlackRefused`` and ``SlackUnclear`` for what the client raises."""
    try:
        return mapping((await call).data)
    except SlackApiError as error:
        raise _refusal(method, error) from error
    except (aiohttp.ClientError, TimeoutError, OSError, SlackClientError) as error:
        raise SlackUnclear(method) from error


def _refusal(method: str, error: SlackApiError) -> SlackRefused | SlackUnclear:
    data = mapping(getattr(error.response, "data", None))
    name = data.get("error")
    if getattr(error.response, "status_code", 0) == 429:
        return SlackRefused("ratelimited", method)
    if not isinstance(name, str) or name in _UNCLEAR:
        return SlackUnclear(method)
    if not _NAME.fullmatch(name):
        return SlackRefused(UNREADABLE, method)
    told = mapping(data.get("response_metadata")).get("messages") or ()
    return SlackRefused(name, method, "; ".join(str(message) for message in told)[:500])


def mapping(value: object) -> Mapping[str, Any]:
    """*value* if it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def named(event: Mapping[str, Any], key: str) -> str:
    """The id or ts that an event has under *key*, or nothing. What Slack sends in another type than it
    promises is passed over: refusing it would only make Slack send it again."""
    value = event.get(key)
    return value if isinstance(value, str) and value.isascii() else ""
