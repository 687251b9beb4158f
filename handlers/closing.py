"""The end of what showed that a turn was taken in: it never stays as it was."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from functools import partial

from darkroom.clock import Clock
from darkroom.turns.endings import Outcome
from darkroom.turns.model import Turn
from handlers.blocks.text import View, truncate
from handlers.clients import SlackClient, SlackRefused, SlackUnclear
from handlers.doubts import Doubts
from handlers.meanings import WAITING, Meaning, meaning
from handlers.placeholders import WORKING_REACTION
from handlers.posting import CLOCKS_APART, SHORT_MAX, Poster, Repeat, name_of

logger = logging.getLogger("darkroom.handlers")


class Closing:
    """Changes a placeholder into what came of it, or takes it away; and what Slack may have posted beside it,
    by the *doubts*."""

    def __init__(self, slack: SlackClient, clock: Clock, doubts: Doubts | None = None) -> None:
        self._slack = slack
        self._doubts = Doubts() if doubts is None else doubts
        self._repeat = Repeat(clock)
        self._poster = Poster(slack, clock)
        self._since = clock.now()

    async def close(self, turn: Turn, view: View | None) -> str | None:
        """Let it say how the turn went, or without a *view* take it away; a reaction goes anyway. Gives why
        it stands as it was, where that passes."""
        channel, asked_in = turn.request.channel_id, turn.request.message_ts
        if asked_in is not None:
            return await self._tried(
                turn, self._repeat(lambda: self._slack.remove_reaction(channel, asked_in, WORKING_REACTION))
            )
        ts = turn.placeholder_ts or await self._unnoted(turn)
        stays = None if ts is None else await self._tried(turn, self._message(turn, ts, view))
        return await self._take_away_others(turn, ts) if stays is None else stays

    async def _tried(self, turn: Turn, work: Awaitable[object]) -> str | None:
        """Why *work* is to be done later, where that helps."""
        try:
            await work
        except (SlackRefused, SlackUnclear) as error:
            # Somebody deleted it, or the channel is closed: there is nothing left to take away.
            logger.info("turn %s: placeholder not closed: %s", turn.id, name_of(error))
            return name_of(error) if meaning(error) in WAITING else None
        return None

    async def _take_away_others(self, turn: Turn, ts: str | None) -> str | None:
        """What Slack has posted beside the placeholder of that *ts* when nobody waited for its answer any
        more. Gives why it stands, where that passes."""
        doubted = turn.id in self._doubts
        if not doubted and (turn.created_at >= self._since or not turn.request.opens_thread):
            return None
        # Who doubted before the start is not known: that is worth a look, and no wait.
        slack = self._slack if doubted else self._slack.within(0)
        channel, since = turn.request.channel_id, turn.created_at - CLOCKS_APART
        look = partial(slack.find_openings, channel, turn.id, since=since)
        try:
            found = await (self._repeat(look) if doubted else look())
        except (SlackRefused, SlackUnclear) as error:
            logger.info("turn %s: not looked for a second placeholder: %s", turn.id, name_of(error))
            waits = doubted and meaning(error) in WAITING and name_of(error) != "missing_scope"
            return name_of(error) if waits else None
        others = sorted(set(found) - {ts, turn.message_ts})
        stay = [await self._tried(turn, self._delete(channel, other)) for other in others]
        if not any(stay):
            self._doubts.forget(turn.id)
        return next(filter(None, stay), None)

    async def _delete(self, channel: str, ts: str) -> None:
        await self._repeat(lambda: self._slack.delete_message(channel, ts))

    async def _unnoted(self, turn: Turn) -> str | None:
        """A placeholder that was posted, while the disk was full or just before a crash, and not noted."""
        at_once = turn.created_at >= self._since and turn.ending and turn.ending.outcome is Outcome.DECLINED
        if at_once or not turn.request.opens_thread:
            return None
        return await self._poster.find(turn.request.channel_id, turn, None)

    async def _message(self, turn: Turn, ts: str, view: View | None) -> None:
        for said in (view, None if view is None else View(truncate(view.text, SHORT_MAX), ())):
            if said is None:
                break
            try:
                return await self._change(turn, ts, said)
            except SlackRefused as refused:
                if meaning(refused) in WAITING | {Meaning.PLACE_GONE} or refused.error == "message_not_found":
                    raise
                logger.info("turn %s: placeholder not changed: %s", turn.id, refused.error)
        await self._delete(turn.request.channel_id, ts)

    async def _change(self, turn: Turn, ts: str, view: View) -> None:
        channel = turn.request.channel_id
        await self._repeat(
            lambda: self._slack.update_message(channel, ts, view.text, blocks=view.blocks, turn_id=turn.id)
        )
