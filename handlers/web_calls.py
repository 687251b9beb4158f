"""What every part of our Slack client asks with: the pace, the connections, the bounds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp
from slack_sdk.http_retry.builtin_async_handlers import AsyncConnectionErrorRetryHandler
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from darkroom.clock import Clock
from handlers.asking import CallHeard, asked, counted, nobody_hears
from handlers.downloading import Hosts
from handlers.outward import slack_client
from handlers.pacing import ANSWER_PATIENCE_S, PATIENCE_S, SIGN_PATIENCE_S, Pace

AGAIN_S = 0.5
"""The wait before a request that dropped is sent again."""
PATIENCE_WITH: Mapping[str, float] = {
    "chat.getPermalink": SIGN_PATIENCE_S,
    "views.publish": ANSWER_PATIENCE_S,
    "views.update": ANSWER_PATIENCE_S,
}
"""The longest wait for what is never worth an hour, in seconds, whoever asks."""


class _OnceMore(AsyncConnectionErrorRetryHandler):
    """After a request that dropped, on our clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(max_retry_count=1)
        self._clock = clock

    async def prepare_for_next_attempt_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> None:
        state.next_attempt_requested = True
        await self._clock.sleep(AGAIN_S)
        state.increment_current_attempt()


class WebCalls:
    """Asks one workspace's Web API at the pace that it wants.

    Requests that dropped are sent again by Slack's client (``again``) only where that is harmless: never
    posts (``once``).
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        token: str,
        clock: Clock,
        base_url: str,
        heard: CallHeard = nobody_hears,
    ) -> None:
        self._session = session
        self._token = token
        self._hosts = Hosts.of(base_url)
        self._clock = clock
        self._pace = Pace(clock)
        self._heard = heard
        self._patience_s = PATIENCE_S
        again = _OnceMore(clock)
        self._once = slack_client(base_url, token, session)
        self._again = slack_client(base_url, token, session, [again])

    async def _ask(
        self, method: str, call: Callable[[], Awaitable[AsyncSlackResponse]], channel: str | None = None
    ) -> Mapping[str, Any]:
        """The answer's body. A 429 is waited out as told, and then asked again; *channel* is for posts.
        Raises ``SlackRefused`` and ``SlackUnclear``."""
        patience_s = min(self._patience_s, PATIENCE_WITH.get(method, PATIENCE_S))
        return await self._pace.run(method, lambda: self._asked(method, call()), channel, patience_s)

    async def _asked(self, method: str, call: Awaitable[AsyncSlackResponse]) -> Mapping[str, Any]:
        """The same for one try, at once."""
        with counted(method, self._clock, self._heard):
            return await asked(method, call)
