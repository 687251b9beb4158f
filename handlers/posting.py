"""Posting to Slack so that a message arrives once, and within bounds."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from darkroom.clock import Clock
from darkroom.turns.model import Turn
from handlers.blocks.text import View, truncate
from handlers.clients import Begun, SlackClient, SlackRefused, SlackUnclear
from handlers.doubts import Doubts
from handlers.meanings import Meaning, in_message, meaning, named
from handlers.uploading import Upload

T = TypeVar("T")

logger = logging.getLogger("darkroom.handlers")

PAUSES_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Waits between tries while Slack has passing troubles: under two minutes in all."""
PATIENT_PAUSES_S = (*PAUSES_S, 120.0, 240.0)
"""The same for what was paid for already: under eight minutes in all."""
LATE_S = 8.0
"""What Slack did not answer in time it may still do a little later: it is looked for again after so long."""
FILE_PAUSES_S = (0.5, 0.5, 1.0, 1.0, 2.0, 3.0, 5.0, 8.0, 10.0)
"""Waits for a file to be scanned: about half a minute."""

PASSING = named(Meaning.PASSING)
"""What Slack refuses now and may take soon."""
REFUSED_BLOCKS = named(Meaning.FILE) | {"file_not_found", "file_deleted"}
"""What Slack says of a message with a file that it does not show, or not yet."""
SHORT_MAX = 1_500
"""Characters of a message's text after Slack called it too long; what it shows in blocks stays."""
CLOCKS_APART = timedelta(hours=2)
"""Slack's clock and ours may differ by so much, as one that was set by hand or has jumped by an hour does: a
message of ours is looked for from that long before."""


class Repeat:
    """Does something that may be done twice, again and again until Slack answers, within bounds."""

    def __init__(self, clock: Clock, pauses_s: Sequence[float] = PAUSES_S) -> None:
        self._clock = clock
        self._pauses_s = pauses_s

    async def __call__(self, work: Callable[[], Awaitable[T]]) -> T:
        """Raises the last ``SlackUnclear``, or ``SlackRefused`` at once unless it is a passing one."""
        for pause_s in self._pauses_s:
            try:
                return await work()
            except SlackUnclear:
                await self._clock.sleep(pause_s)
            except SlackRefused as refused:
                if refused.error not in PASSING:
                    raise
                await self._clock.sleep(pause_s)
        return await work()


class Poster:
    """Posts a turn's messages: after an unclear answer it looks for the message before posting again. What
    was not found then is added to the *doubts*."""

    def __init__(
        self,
        slack: SlackClient,
        clock: Clock,
        pauses_s: Sequence[float] = PAUSES_S,
        doubts: Doubts | None = None,
    ) -> None:
        self._slack = slack
        self._clock = clock
        self._pauses_s = pauses_s
        self._doubts = Doubts() if doubts is None else doubts
        self._repeat = Repeat(clock, pauses_s)

    async def find(self, channel: str, turn: Turn, thread_ts: str | None) -> str | None:
        """Our message of that turn, by its metadata; None also where looking is impossible. The turn's
        placeholder carries the same, and is not meant once it is known."""
        try:
            return await self._repeat(lambda: self._look(channel, turn, thread_ts))
        except (SlackRefused, SlackUnclear):
            return None

    async def _look(self, channel: str, turn: Turn, thread_ts: str | None) -> str | None:
        since = turn.created_at - CLOCKS_APART
        return await self._slack.find_message(
            channel, turn.id, thread_ts=thread_ts, since=since, but=turn.placeholder_ts
        )

    async def _came_late(self, channel: str, turn: Turn, thread_ts: str | None) -> str | None:
        """The same, for a second look that is taken once."""
        try:
            return await self._look(channel, turn, thread_ts)
        except (SlackRefused, SlackUnclear):
            return None

    async def post(
        self,
        turn: Turn,
        channel: str,
        view: View,
        *,
        thread_ts: str | None,
        broadcast: bool = False,
        file_id: str | None = None,
    ) -> str:
        """Post once and give the ts. Where the thread is gone, the message stands in the channel; where it is
        too much for Slack it says less, and in words alone at last, unless it is there to show a file."""
        for pause_s in (*self._pauses_s, None):
            try:
                return await self._post(turn, channel, view, thread_ts, broadcast=broadcast)
            except SlackUnclear:
                found = await self.find(channel, turn, thread_ts)
                if found is None and file_id is not None:
                    found = await self._shown_by(file_id, channel)
                if found is None and pause_s is not None:
                    await self._clock.sleep(max(pause_s, LATE_S))
                    found = await self._came_late(channel, turn, thread_ts)
                if found is not None:
                    return found
                self._doubts.add(turn.id)
                if pause_s is None:
                    raise
            except SlackRefused as refused:
                if pause_s is None:
                    raise
                match meaning(refused):
                    case Meaning.THREAD_GONE if thread_ts is not None:
                        thread_ts = None
                        # It may stand there since an earlier try, of which the answer was never noted.
                        if (found := await self.find(channel, turn, None)) is not None:
                            return found
                    case Meaning.PASSING:
                        await self._clock.sleep(pause_s)
                    case Meaning.TOO_MUCH if len(view.text) > SHORT_MAX:
                        view = View(truncate(view.text, SHORT_MAX), view.blocks)
                    case Meaning.TOO_MUCH | Meaning.FILE if file_id is None and view.blocks:
                        logger.warning(
                            "turn %s: posted in words alone: %s", turn.id, refused.detail or refused
                        )
                        view = View(view.text, ())
                    case _:
                        raise
        raise SlackUnclear("chat.postMessage")

    async def _post(
        self, turn: Turn, channel: str, view: View, thread_ts: str | None, *, broadcast: bool
    ) -> str:
        return await self._slack.post_message(
            channel,
            view.text,
            blocks=view.blocks,
            thread_ts=thread_ts,
            broadcast=broadcast and thread_ts is not None,
            turn_id=turn.id,
        )

    async def post_with_file(
        self, turn: Turn, channel: str, view: View, *, thread_ts: str, broadcast: bool, file_id: str
    ) -> str | None:
        """Like ``post``, for a view that shows a file nobody has seen yet; None if Slack does not take the
        file in time, or not so much at once."""
        for pause_s in (*FILE_PAUSES_S, None):
            try:
                return await self.post(
                    turn, channel, view, thread_ts=thread_ts, broadcast=broadcast, file_id=file_id
                )
            except SlackRefused as refused:
                if in_message(refused) is Meaning.TOO_MUCH:
                    return None
                if in_message(refused) is not Meaning.FILE:
                    raise
            if pause_s is not None:
                await self._clock.sleep(pause_s)
        return None

    async def upload(
        self,
        path: Path,
        name: str,
        *,
        channel: str | None = None,
        thread_ts: str | None = None,
        begun: Begun | None = None,
    ) -> str:
        """Send the file's bytes; a share without an answer is looked for before it is sent again. Where the
        thread is gone it is shared in the channel."""

        async def send(thread_ts: str | None) -> str:
            slack, clock = self._slack, self._clock
            return await self._repeat(
                Upload(slack, clock, path, name, channel=channel, thread_ts=thread_ts, begun=begun)
            )

        try:
            return await send(thread_ts)
        except SlackRefused as refused:
            if thread_ts is None or meaning(refused) is not Meaning.THREAD_GONE:
                raise
        return await send(None)

    async def stands(self, file_id: str, channel: str) -> bool | None:
        """Whether a file is shown in *channel*; None if there is no such file. Where it cannot be looked at,
        it is taken for there and not shown."""
        try:
            return channel in (await self._repeat(lambda: self._slack.file_info(file_id))).shown_in
        except SlackRefused as refused:
            return None if meaning(refused) is Meaning.MESSAGE_GONE else False
        except SlackUnclear:
            return False

    async def _shown_by(self, file_id: str, channel: str) -> str | None:
        """The message in *channel* that shows a file, as the file has it; None also where that cannot be
        asked."""
        try:
            return (await self._slack.file_info(file_id)).shown_in.get(channel)
        except (SlackRefused, SlackUnclear):
            return None

    async def discard(self, file_id: str) -> None:
        """Take back a file that is shown nowhere; where Slack does not, it stays, seen by nobody."""
        try:
            await self._slack.delete_file(file_id)
        except (SlackRefused, SlackUnclear) as error:
            logger.info("file %s, shown nowhere, stays: %s", file_id, name_of(error))

    async def wait_until_usable(self, file_id: str) -> bool:
        """Wait for Slack to process a file, within bounds; False when it did not say so in time."""
        for pause_s in FILE_PAUSES_S:
            try:
                if (await self._slack.file_info(file_id)).usable:
                    return True
            except SlackUnclear:
                pass
            except SlackRefused as refused:
                if refused.error not in PASSING:
                    return False
            await self._clock.sleep(pause_s)
        return False


async def tell_privately(
    slack: SlackClient,
    clock: Clock,
    view: View,
    *,
    channel: str,
    user_id: str,
    reply_url: str | None = None,
    thread_ts: str | None = None,
) -> None:
    """Tell one person alone: by their reply address, else in place, else in our direct message with them.

    In a direct message "in place" is a message that stays; elsewhere it is an ephemeral one. Who is in no
    channel at all (at Home) has their own id for one. Raises ``SlackRefused`` or ``SlackUnclear`` when none
    of the ways is open.
    """
    text, blocks = view.text, view.blocks
    ways: list[Callable[[], Awaitable[object]]] = []
    if reply_url is not None:
        ways.append(lambda: slack.respond(reply_url, text, blocks=blocks))
    if channel.startswith("D"):
        ways.append(lambda: slack.post_message(channel, text, blocks=blocks, thread_ts=thread_ts))
    elif channel != user_id:
        ways.append(lambda: slack.post_ephemeral(channel, user_id, text, blocks=blocks, thread_ts=thread_ts))
    repeat = Repeat(clock)
    for way in ways:
        try:
            await repeat(way)
        except (SlackRefused, SlackUnclear) as error:
            logger.info("a private answer goes another way: %s", error)
        else:
            return
    await repeat(lambda: slack.post_message(user_id, text, blocks=blocks))


def name_of(error: SlackRefused | SlackUnclear) -> str:
    """What Slack calls it, or that no answer came."""
    return error.error if isinstance(error, SlackRefused) else str(error)
