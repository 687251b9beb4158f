"""What was said to a person whose direct message with us has no known channel yet: it stands there once."""

from __future__ import annotations

from datetime import datetime

from darkroom.clock import Clock
from handlers.blocks.text import View
from handlers.clients import Posted, SlackClient, SlackRefused, SlackUnclear
from handlers.posting import CLOCKS_APART, Repeat

TRIED_MAX = 2_000
"""Of so many posts it is known that they were tried."""


class PrivatePosts:
    """Posts to people by their own ids. Only Slack's answer names the channel, so that what stands there
    already is found once something new does: that must not carry the same id, and goes."""

    def __init__(self, slack: SlackClient, clock: Clock) -> None:
        self._slack = slack
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
                raise

        posted = await self._repeat(post)
        if not again:
            return posted
        channel, ts = posted.channel, posted.ts
        found = await self._find(channel, post_id, wanted_at - CLOCKS_APART)
        if found is not None:
            await self._repeat(lambda: self._slack.delete_message(channel, ts))
            return Posted(channel, found)
        await self._repeat(
            lambda: self._slack.update_message(channel, ts, view.text, blocks=view.blocks, turn_id=post_id)
        )
        return posted

    def _may_stand(self, post_id: str, wanted_at: datetime) -> bool:
        """Whether it may have been posted and not noted: before the start, or when it was tried since; also
        by a clock put back."""
        tried = post_id in self._tried
        self._tried[post_id] = None
        if len(self._tried) > TRIED_MAX:
            del self._tried[next(iter(self._tried))]
        return tried or not self._started <= wanted_at <= self._clock.now()

    async def _find(self, channel: str, post_id: str, since: datetime) -> str | None:
        """None also where looking is impossible."""
        try:
            return await self._repeat(
                lambda: self._slack.find_message(channel, post_id, thread_ts=None, since=since)
            )
        except (SlackRefused, SlackUnclear):
            return None
