"""What was said to a person whose direct message with us has no known channel yet: it stands there once."""

from __future__ import annotations

import logging
from datetime import datetime

from darkroom.clock import Clock
from handlers.blocks.text import View
from handlers.clients import Posted, SlackClient, SlackRefused, SlackUnclear
from handlers.doubts import Doubts
from handlers.posting import CLOCKS_APART, Repeat, name_of

logger = logging.getLogger("darkroom.handlers")

TRIED_MAX = 2_000
"""Of so many posts it is known that they were tried."""


class PrivatePosts:
    """Posts to people by their own ids. Only Slack's answer names the channel, so that what stands there
    already is found once something new does: that must not carry the same id, and goes. What had no answer
    is added to the *doubts*."""

    def __init__(self, slack: SlackClient, clock: Clock, doubts: Doubts | None = None) -> None:
        self._slack = slack
        self._doubts = Doubts() if doubts is None else doubts
        self._clock = clock
        self._repeat = Repeat(clock)
        self._started = clock.now()
        self._tried: dict[str, None] = {}

    async def post(self, user_id: str, view: View, post_id: str, wanted_at: datetime) -> Posted:
        """Where *view* stands, which was wanted at that time and carries *post_id*. Raises ``SlackRefused``
        and ``SlackUnclear``."""
        again = self._may_stand(post_id, wanted_at)

        async def post() -> Posted:
            nonlocal again
            name = None if again else post_id
            try:
                return await self._slack.post_private(user_id, view.text, blocks=view.blocks, turn_id=name)
            except SlackUnclear:
                again = True
                self._doubts.add(post_id)
                raise

        posted = await self._repeat(post)
        if not again:
            return posted
        return await self._one_of(posted, await self._find(posted.channel, post_id, wanted_at), view, post_id)

    async def _one_of(self, posted: Posted, found: str | None, view: View, post_id: str) -> Posted:
        """The one that stays of two: the first, if it was *found*. Where Slack does not let us tidy up, it is
        known all the same where *view* stands: to raise would only bring one more the next time."""
        channel, ts = posted.channel, posted.ts
        try:
            if found is not None:
                await self._repeat(lambda: self._slack.delete_message(channel, ts))
            else:
                await self._repeat(
                    lambda: self._slack.update_message(
                        channel, ts, view.text, blocks=view.blocks, turn_id=post_id
                    )
                )
        except (SlackRefused, SlackUnclear) as error:
            logger.warning("%s: posted, and left as it is: %s", post_id, name_of(error))
        return posted if found is None else Posted(channel, found)

    def _may_stand(self, post_id: str, wanted_at: datetime) -> bool:
        """Whether it may have been posted and not noted: before the start, or when it was tried since; also
        by a clock put back."""
        tried = post_id in self._tried
        self._tried[post_id] = None
        if len(self._tried) > TRIED_MAX:
            del self._tried[next(iter(self._tried))]
        return tried or not self._started <= wanted_at <= self._clock.now()

    async def _find(self, channel: str, post_id: str, wanted_at: datetime) -> str | None:
        """None also where looking is impossible."""
        since = wanted_at - CLOCKS_APART
        try:
            return await self._repeat(
                lambda: self._slack.find_message(channel, post_id, thread_ts=None, since=since)
            )
        except (SlackRefused, SlackUnclear):
            return None
