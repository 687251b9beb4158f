"""The end of what showed that a turn was taken in: it never stays as it was."""

from __future__ import annotations

import logging

from darkroom.clock import Clock
from darkroom.turns.endings import Outcome
from darkroom.turns.model import Turn
from handlers.blocks.text import View, truncate
from handlers.clients import SlackClient, SlackRefused, SlackUnclear
from handlers.meanings import WAITING, Meaning, meaning
from handlers.placeholders import WORKING_REACTION
from handlers.posting import SHORT_MAX, Poster, Repeat, name_of

logger = logging.getLogger("darkroom.handlers")


class Closing:
    """Changes a placeholder into what came of it, or takes it away."""

    def __init__(self, slack: SlackClient, clock: Clock) -> None:
        self._slack = slack
        self._repeat = Repeat(clock)
        self._poster = Poster(slack, clock)
        self._since = clock.now()

    async def close(self, turn: Turn, view: View | None) -> str | None:
        """Let it say how the turn went, or without a *view* take it away; a reaction goes anyway. Gives why
        it stands as it was, where that passes."""
        asked_in, ts = turn.request.message_ts, turn.placeholder_ts
        try:
            if asked_in is not None:
                await self._repeat(
                    lambda: self._slack.remove_reaction(turn.request.channel_id, asked_in, WORKING_REACTION)
                )
            elif (ts := ts or await self._unnoted(turn)) is not None:
                await self._message(turn, ts, view)
        except (SlackRefused, SlackUnclear) as error:
            # Somebody deleted it, or the channel is closed: there is nothing left to take away.
            logger.info("turn %s: placeholder not closed: %s", turn.id, name_of(error))
            return name_of(error) if meaning(error) in WAITING else None
        return None

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
        await self._repeat(lambda: self._slack.delete_message(turn.request.channel_id, ts))

    async def _change(self, turn: Turn, ts: str, view: View) -> None:
        channel = turn.request.channel_id
        await self._repeat(
            lambda: self._slack.update_message(channel, ts, view.text, blocks=view.blocks, turn_id=turn.id)
        )
