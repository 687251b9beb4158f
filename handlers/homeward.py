"""Pictures into the direct message with whoever asked for them: what can be shown nowhere else, and what
they fetch. A thread of ours opens under each, so that a reply there goes on from it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from darkroom.clock import Clock
from darkroom.turns.conversations import Conversations, Share
from darkroom.turns.model import Picture, Turn
from handlers.blocks.homecoming import home_view
from handlers.blocks.picture import Setting
from handlers.blocks.text import View
from handlers.clients import Posted, SlackClient, SlackRefused, SlackUnclear
from handlers.people import name_of_person
from handlers.posting import CLOCKS_APART
from handlers.private_posts import PrivatePosts
from handlers.recipients import find_private
from handlers.showing import Manner
from handlers.showing_elsewhere import Elsewhere, PathOf

logger = logging.getLogger("darkroom.handlers")

OPENING = "Here is what you asked Darkroom for."


class Homeward:
    """Brings a picture home, once for each key, whatever came between."""

    def __init__(
        self, slack: SlackClient, clock: Clock, conversations: Conversations, manner: Manner, path_of: PathOf
    ) -> None:
        self._slack = slack
        self._clock = clock
        self._conversations = conversations
        self._manner = manner
        self._elsewhere = Elsewhere(slack, clock, conversations, path_of)
        self._private = PrivatePosts(slack, clock)
        self._under_way: dict[str, tuple[asyncio.Lock, int]] = {}
        """By their key, and how many want it."""

    async def bring(self, picture: Picture, said: str, key: str | None = None) -> Posted | None:
        """Where the picture stands now; None if it was deleted. *said* (``mrkdwn``) is why it comes.

        Raises ``SlackRefused`` and ``SlackUnclear`` when it does not come now, and ``FileNotFoundError`` when
        its bytes are gone.
        """
        async with self._alone(key or f"home:{picture.id}") as key:
            # Read anew by whoever is next: it may have come in the meantime.
            share = await self._begun(picture, key)
            if share is None:
                return None
            if share.message_ts is not None:
                return Posted(share.channel_id, share.message_ts)
            return await self._come(share, said)

    @asynccontextmanager
    async def _alone(self, key: str) -> AsyncIterator[str]:
        """One at a time for each key."""
        lock, waiting = self._under_way.get(key, (asyncio.Lock(), 0))
        self._under_way[key] = lock, waiting + 1
        try:
            async with lock:
                yield key
        finally:
            lock, waiting = self._under_way.pop(key)
            if waiting > 1:
                self._under_way[key] = lock, waiting - 1

    async def say(self, turn: Turn, view: View) -> None:
        """An answer in words into the same place, once. Raises ``SlackRefused`` and ``SlackUnclear``."""
        request = turn.request
        home = await self._conversations.private_channel(request.team_id, request.user_id)
        since = turn.created_at - CLOCKS_APART
        found = None
        if home is not None:
            found = await find_private(self._slack, request.user_id, home, (turn.id,), since)
        if found is None:
            await self._post(request.team_id, request.user_id, view, turn.id, turn.created_at)

    async def _post(
        self, team_id: str, user_id: str, view: View, post_id: str, wanted_at: datetime
    ) -> Posted:
        posted = await self._private.post(user_id, view, post_id, wanted_at)
        await self._conversations.met(team_id, user_id, posted.channel, self._clock.now())
        return posted

    async def _begun(self, picture: Picture, key: str) -> Share | None:
        home = await self._conversations.private_channel(picture.team_id, picture.user_id)
        if home is None:
            # Its channel is known only once something stands there.
            who, opening = (picture.team_id, picture.user_id), f"opening:{picture.id}"
            home = (await self._post(*who, View(OPENING, ()), opening, picture.created_at)).channel
        share = await self._conversations.share(
            self._clock.new_id("share"), key, picture.id, home, picture.user_id, self._clock.now()
        )
        if share is not None and share.message_ts is None:
            # Who goes round sharing leaves it to whoever wants it here.
            await self._conversations.give_up_share(share.id, "brought home")
        return share

    async def _come(self, share: Share, said: str) -> Posted | None:
        picture = share.picture
        ts = await self._elsewhere.found(share)
        if ts is None:
            name = await name_of_person(self._slack, picture.user_id)
            setting = Setting(name, self._manner.usual_models, self._manner.confirm_nano_usd)
            link = await self._link(picture.channel_id, picture.thread_ts)
            ts = await self._elsewhere.post(
                share, lambda file_id: home_view(said, picture, file_id, link, setting)
            )
        if ts is None:
            return None
        await self._conversations.note_share(share.id, None, ts)
        return Posted(share.channel_id, ts)

    async def _link(self, channel: str, ts: str) -> str | None:
        try:
            return await self._slack.permalink(channel, ts)
        except (SlackRefused, SlackUnclear):
            return None
