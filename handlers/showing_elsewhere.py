"""A picture on its way into another conversation than its own: shown once, however often that is begun."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from darkroom.clock import Clock
from darkroom.turns.conversations import Conversations, Share
from darkroom.turns.model import Picture
from handlers.blocks.text import View
from handlers.clients import SlackClient, SlackRefused
from handlers.meanings import Meaning, in_message
from handlers.posting import CLOCKS_APART, FILE_PAUSES_S, Poster
from handlers.recipients import may_not_look, passes
from handlers.showing import file_name

logger = logging.getLogger("darkroom.handlers")

PathOf = Callable[[str, str], Path]
"""Where the bytes of a picture are, by their digest and format."""
ViewOf = Callable[[str | None], View]
"""The message with the picture's file of that id, or without one."""


class Elsewhere:
    """Looks for a share's message, uploads its file, posts it; every step is noted before the next is taken.

    Each raises ``SlackRefused`` and ``SlackUnclear``: then the next round goes on from there.
    """

    def __init__(
        self, slack: SlackClient, clock: Clock, conversations: Conversations, path_of: PathOf
    ) -> None:
        self._slack = slack
        self._clock = clock
        self._conversations = conversations
        self._path_of = path_of
        self._poster = Poster(slack, clock)

    async def found(self, share: Share) -> str | None:
        """Its message, if it was posted before and not noted; None also where it may not be looked for."""
        if share.file_id is None:
            return None
        since = share.begun_at - CLOCKS_APART
        try:
            return await self._slack.find_message(share.channel_id, share.id, thread_ts=None, since=since)
        except SlackRefused as refused:
            if passes(refused) and not may_not_look(refused):
                raise
            return None

    async def post(self, share: Share, view_of: ViewOf) -> str | None:
        """Its message's ts; None if it was deleted while its bytes were on their way. Raises
        ``FileNotFoundError`` where its bytes are gone."""
        picture, file_id = share.picture, share.file_id
        stands = None if file_id is None else await self._poster.stands(file_id, share.channel_id)
        if stands:
            # It was shared as a file, and what belongs to it was not said any more.
            return await self._say(share, view_of(None))
        if file_id is None or stands is None:
            file_id = await self._slack.upload(self._path(picture), file_name(picture))
            noted = await self._conversations.note_share(share.id, file_id, None)
            if noted.picture.deleted_at is not None:
                return None
        await self._poster.wait_until_usable(file_id)
        for pause_s in FILE_PAUSES_S:
            try:
                return await self._say(share, view_of(file_id))
            except SlackRefused as refused:
                if in_message(refused) is Meaning.TOO_MUCH:
                    break
                if in_message(refused) is not Meaning.FILE:
                    raise
            await self._clock.sleep(pause_s)
        logger.warning("share %s: Slack does not take file %s in a message; sharing it", share.id, file_id)
        await self._share_plainly(share, file_id)
        return await self._say(share, view_of(None))

    async def _share_plainly(self, share: Share, unused_id: str) -> None:
        """As a file of its own, noted before it can be seen in place of the one that nobody will see."""
        await self._poster.discard(unused_id)

        async def begun(file_id: str) -> None:
            await self._conversations.note_share(share.id, file_id, None)

        picture = share.picture
        await self._poster.upload(
            self._path(picture), file_name(picture), channel=share.channel_id, begun=begun
        )

    async def _say(self, share: Share, view: View) -> str:
        # Once: if no answer comes, the next round looks for the message before it posts again.
        return await self._slack.post_message(
            share.channel_id, view.text, blocks=view.blocks, turn_id=share.id
        )

    def _path(self, picture: Picture) -> Path:
        return self._path_of(picture.sha256, picture.format)
