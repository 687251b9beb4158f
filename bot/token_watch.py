"""Whether Slack still takes our bot's token: for when it was revoked and nobody told us."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.preflight import REMOVED
from darkroom.clock import Clock
from handlers.asking import asked
from handlers.clients import SlackRefused, SlackUnclear
from handlers.pacing import TooFast
from handlers.rounds import Rounds

logger = logging.getLogger("darkroom.app")

LOOK_S = 600.0
"""The pause between two looks."""
AGAIN_S = 60.0
TIMES = 10
"""So often, and so many seconds apart, Slack must say that the token is dead before it is believed: in its
troubles it has said so of good ones."""
NOT_TAKEN = "invalid_auth"
"""What Slack says of a token that it does not know, and to whoever asks from an address that may not: a proxy
that has another one by now, or one that answers in Slack's place."""

Ask = Callable[[], Awaitable[Mapping[str, Any]]]


def auth_test(client: AsyncWebClient) -> Ask:
    """Asks Slack once who we are; raises as ``asked`` does."""
    return lambda: asked("auth.test", client.auth_test())


class TokenWatch:
    """Looks every ten minutes; calls *gone* with Slack's word for it once that is certain."""

    def __init__(self, ask: Ask, clock: Clock, gone: Callable[[str], None]) -> None:
        self._ask = ask
        self._clock = clock
        self._gone = gone
        self._just_asked = False
        self._rounds = Rounds("looking at the token", self.round, clock, LOOK_S)

    def start(self) -> None:
        """Run in a task of its own until ``aclose``; the first look is after a while."""
        self._just_asked = True
        self._rounds.start()

    async def aclose(self, grace_s: float = 0.0) -> None:
        """Stop at once, whatever *grace_s* is."""
        await self._rounds.aclose(0.0)

    async def round(self) -> bool:
        """Look, and again as long as Slack says that the token is dead."""
        if self._just_asked:
            self._just_asked = False
            return True
        for number in range(TIMES):
            said = await self._said()
            if said == NOT_TAKEN:
                # A person has to look; but it may pass, and what is paid for waits until then.
                logger.error(
                    "Slack answers %s to SLACK_BOT_TOKEN: it does not know the token, or the address that "
                    "Darkroom asks from. Nothing can be posted until that is mended: see darkroom doctor",
                    said,
                )
            if said not in REMOVED:
                return True
            logger.warning("Slack answers %s to SLACK_BOT_TOKEN (%d of %d times)", said, number + 1, TIMES)
            if number + 1 < TIMES:
                await self._clock.sleep(AGAIN_S)
        self._gone(said)
        return True

    async def _said(self) -> str:
        try:
            await self._ask()
        except TooFast:
            return "ratelimited"
        except SlackRefused as refused:
            return refused.error
        except SlackUnclear:
            return "unclear"
        return "ok"
