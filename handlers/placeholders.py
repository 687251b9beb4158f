"""What shows that a turn was taken in, and goes or changes when it has ended."""

from __future__ import annotations

import logging

from darkroom.clock import Clock
from darkroom.turns.conversations import Conversations
from darkroom.turns.model import Told, Turn
from darkroom.turns.surroundings import Note
from darkroom.turns.waiting import Wait, WaitFor
from handlers.blocks import placeholder as blocks
from handlers.blocks.text import View
from handlers.clients import Posted, SlackClient, SlackRefused, SlackUnclear
from handlers.doubts import Doubts
from handlers.meanings import WAITING, meaning
from handlers.pacing import SIGN_PATIENCE_S
from handlers.posting import Poster, Repeat, name_of, tell_privately
from handlers.private_posts import PrivatePosts
from handlers.words_waiting import wait_words

logger = logging.getLogger("darkroom.handlers")

WORKING_REACTION = "eyes"
LOOK_AFTER_S = 10.0
"""A placeholder that should have been posted this long ago may have been: look before posting it."""
WAITS_TOLD_MAX = 2_000
"""Of so many waits it is known that their person was told."""
SIGN_PAUSES_S = (1.0, 2.0, 5.0)
"""Waits between tries of a sign that a request was taken in: nothing is begun before it, and the picture says
the same soon enough."""
GONE_PAUSES_S = (1.0, 3.0)
"""Waits before a message that Slack does not find counts as deleted."""

NO_PLACE = frozenset({"not_in_channel", "channel_not_found"})
CLOSED_PLACE = frozenset(
    {
        "is_archived",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_locked",
        "restricted_action_non_threadable_channel",
    }
)


class Placeholders:
    """A message where a turn opens its thread, a reaction where a message asked, else a word to who asked.
    Messages that Slack may post yet are added to the *doubts*."""

    def __init__(
        self, slack: SlackClient, clock: Clock, conversations: Conversations, doubts: Doubts | None = None
    ) -> None:
        self._slack = slack
        self._signs = slack.within(SIGN_PATIENCE_S)
        self._clock = clock
        self._conversations = conversations
        self._repeat = Repeat(clock)
        self._repeat_sign = Repeat(clock, SIGN_PAUSES_S)
        self._poster = Poster(slack, clock, doubts=doubts)
        self._private = PrivatePosts(slack, clock, doubts)
        self._since = clock.now()
        self._told_to_wait: dict[tuple[str, str], None] = {}

    async def show(
        self, turn: Turn, name: str, at_most_nano_usd: int, note: Note, wait: Wait | None = None
    ) -> bool:
        """False if the message that asked is gone. Raises ``SlackRefused`` and ``SlackUnclear`` where nothing
        can be posted."""
        request = turn.request
        if request.opens_thread:
            await self._open_thread(turn, self._view(turn, name, at_most_nano_usd, wait), note)
        elif request.message_ts is not None:
            if not await self._sign(turn, request.message_ts):
                return False
            await self._tell_wait(turn, at_most_nano_usd, wait)
        elif wait is not None and self._is_news(turn, wait):
            await self._say_alone(turn, self._waits(turn, at_most_nano_usd, wait))
        elif turn.created_at >= self._since:
            # Who pressed before the start was told then.
            await self._say_alone(turn, View(blocks.pressed(request.wanted, at_most_nano_usd), ()))
        return True

    async def show_wait(self, turn: Turn, name: str, at_most_nano_usd: int, wait: Wait | None) -> None:
        """Say anew what *turn* waits for, or with None that it is being made: in its placeholder, where that
        is a message of ours; else to its person alone, once in the line and once for each trouble. Tries
        once."""
        channel, ts = turn.request.channel_id, turn.placeholder_ts
        if not turn.request.opens_thread:
            await self._tell_wait(turn, at_most_nano_usd, wait)
        elif ts is not None and turn.placeholder_closed_at is None:
            view = self._view(turn, name, at_most_nano_usd, wait)
            try:
                await self._signs.update_message(channel, ts, view.text, blocks=view.blocks, turn_id=turn.id)
            except (SlackRefused, SlackUnclear) as error:
                logger.info("turn %s: what it waits for is not shown: %s", turn.id, name_of(error))

    async def _sign(self, turn: Turn, ts: str) -> bool:
        """Whether the message that asked stands, which carries our sign then, unless Slack does not get to
        that: no reason to make no picture. Raises ``SlackRefused`` where nothing may be posted."""
        try:
            return await self._react(turn, ts, WORKING_REACTION, self._signs, self._repeat_sign)
        except (SlackRefused, SlackUnclear) as error:
            if meaning(error) not in WAITING:
                raise
            logger.info("turn %s: no sign that it was taken in: %s", turn.id, name_of(error))
            return True

    async def react(self, turn: Turn, ts: str, name: str) -> None:
        """Answer the message of that *ts* by a reaction, if it stands. Raises ``SlackRefused`` where nothing
        may be posted, or not now, and ``SlackUnclear``."""
        await self._react(turn, ts, name, self._slack, self._repeat)

    async def _react(self, turn: Turn, ts: str, name: str, slack: SlackClient, repeat: Repeat) -> bool:
        """Whether the message stands: one that was just written may not be everywhere in Slack at once."""
        channel = turn.request.channel_id
        for pause_s in (*GONE_PAUSES_S, None):
            try:
                await repeat(lambda: slack.add_reaction(channel, ts, name))
            except SlackRefused as refused:
                if refused.error in NO_PLACE | CLOSED_PLACE or meaning(refused) in WAITING:
                    raise
                if refused.error != "message_not_found":
                    logger.info("turn %s: no reaction: %s", turn.id, refused.error)
                    return True
                if pause_s is not None:
                    await self._clock.sleep(pause_s)
            else:
                return True
        return False

    async def _open_thread(self, turn: Turn, view: View, note: Note) -> None:
        private, direct = turn.request.private, turn.request.channel_id.startswith("D")
        if private and not direct:
            await self._post_in_dm(turn, view, note)
            return
        try:
            ts = await self._post(turn, view)
        except SlackRefused as refused:
            if not private or refused.error not in NO_PLACE:
                raise
            # It was asked for in a direct message between others: ours is another one.
            await self._post_in_dm(turn, view, note)
            return
        await note(Told.PLACEHOLDER, ts)

    async def _post(self, turn: Turn, view: View) -> str:
        channel = turn.request.channel_id
        if self._may_stand(turn):
            found = await self._poster.find(channel, turn, None)
            if found is not None:
                return found
        return await self._poster.post(turn, channel, view, thread_ts=None)

    def _may_stand(self, turn: Turn) -> bool:
        """One from before the start may be there and not noted; so may one by a clock put back since."""
        now = self._clock.now()
        ours = self._since <= turn.created_at <= now
        return not ours or (now - turn.created_at).total_seconds() > LOOK_AFTER_S

    async def _post_in_dm(self, turn: Turn, view: View, note: Note) -> None:
        """Move a private turn to our direct message with its person, and say where it was asked that it is
        made there."""
        request = turn.request
        channel = await self._conversations.private_channel(request.team_id, request.user_id)
        if channel is not None:
            moved = await note(Told.PLACE, channel)
            posted = Posted(channel, await self._post(moved, view))
        else:
            posted = await self._private.post(request.user_id, view, turn.id, turn.created_at)
            await note(Told.PLACE, posted.channel)
        await note(Told.PLACEHOLDER, posted.ts)
        if request.channel_id == request.user_id and request.reply_url is None:
            # It was asked for in a dialog, and stands where the answer to that would.
            return
        try:
            link: str | None = await self._slack.permalink(posted.channel, posted.ts)
        except (SlackRefused, SlackUnclear):
            link = None
        await self._hint(turn, View(blocks.elsewhere(link), ()))

    async def _hint(self, turn: Turn, view: View) -> None:
        request = turn.request
        try:
            await tell_privately(
                self._signs,
                self._clock,
                view,
                channel=request.channel_id,
                user_id=request.user_id,
                reply_url=request.reply_url,
            )
        except (SlackRefused, SlackUnclear) as error:
            logger.info("turn %s: where it is made could not be said: %s", turn.id, name_of(error))

    def _view(self, turn: Turn, name: str, at_most_nano_usd: int, wait: Wait | None) -> View:
        if wait is None:
            return blocks.working(name, turn.request.prompt, at_most_nano_usd, turn.request.wanted)
        return blocks.waiting(turn, name, at_most_nano_usd, wait_words(wait, self._clock.now()))

    def _waits(self, turn: Turn, at_most_nano_usd: int, wait: Wait) -> View:
        return blocks.waits(turn, at_most_nano_usd, wait_words(wait, self._clock.now()))

    def _is_news(self, turn: Turn, wait: Wait) -> bool:
        """Whether its person was not told so yet: what only they see stands there for good. Its own thread is
        no wait; and who asked before the start was told then, unless the API is out of use."""
        if wait.why is WaitFor.THREAD or (wait.trouble is None and turn.created_at < self._since):
            return False
        key = (turn.id, str(wait.trouble))
        if key in self._told_to_wait:
            return False
        self._told_to_wait[key] = None
        if len(self._told_to_wait) > WAITS_TOLD_MAX:
            del self._told_to_wait[next(iter(self._told_to_wait))]
        return True

    async def _tell_wait(self, turn: Turn, at_most_nano_usd: int, wait: Wait | None) -> None:
        if wait is None or not self._is_news(turn, wait):
            return
        try:
            await self._whisper(turn, self._waits(turn, at_most_nano_usd, wait))
        except (SlackRefused, SlackUnclear) as error:
            logger.info("turn %s: what it waits for was not told: %s", turn.id, name_of(error))

    async def _say_alone(self, turn: Turn, view: View) -> None:
        try:
            await self._repeat_sign(lambda: self._whisper(turn, view))
        except (SlackRefused, SlackUnclear) as error:
            if isinstance(error, SlackRefused) and error.error in NO_PLACE | CLOSED_PLACE:
                raise
            # Such as somebody who has left the channel: the picture tells them soon enough.
            logger.info("turn %s: no word ahead: %s", turn.id, name_of(error))

    async def _whisper(self, turn: Turn, view: View) -> None:
        request = turn.request
        # A message on top level opens no thread by itself.
        thread_ts = request.thread_ts if request.thread_ts != request.message_ts else None
        await self._signs.post_ephemeral(
            request.channel_id, request.user_id, view.text, blocks=view.blocks, thread_ts=thread_ts
        )
