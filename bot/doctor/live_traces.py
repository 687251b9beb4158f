"""Everything that the doctor puts into a real Slack, so that all of it can be taken away again."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from darkroom.clock import Clock, within
from handlers.blocks.probes import home_after_view, looking_view
from handlers.blocks.text import Block, View
from handlers.clients import Posted, SlackClient, SlackRefused, SlackUnclear
from handlers.meanings import Meaning, in_message, meaning
from handlers.posting import FILE_PAUSES_S

CLEAR_TIMEOUT_S = 120.0
"""Seconds for taking everything away, all in all."""
TRIES = 3
PAUSE_S = 2.0
"""Seconds between two tries at taking something away."""
_CHANNEL = re.compile(r"[CDG][A-Z0-9]{8,}")


@dataclass(slots=True)
class Mark:
    """A message that stands, or may: ``ts`` is None until Slack has said so."""

    channel: str
    name: str
    thread_ts: str | None
    ts: str | None = None


class Traces:
    """Posts, uploads and shows, and remembers it *before* it happens. Raises like *slack*."""

    def __init__(self, slack: SlackClient, clock: Clock) -> None:
        self._slack = slack
        self._clock = clock
        self._since: datetime = clock.now()
        self._marks: list[Mark] = []
        self._files: list[str] = []
        self._homes: list[str] = []
        self._channels: dict[str, str] = {}
        """Of people and of channels by their names, as Slack has told them."""

    async def post(
        self, channel: str, view: View, *, thread_ts: str | None = None, broadcast: bool = False
    ) -> Mark:
        """Post a message; one that shows a file is posted again until Slack has the file ready, within
        bounds. Where Slack does not answer it is looked for."""
        for pause_s in (*FILE_PAUSES_S, None):
            mark = Mark(channel, self._clock.new_id("doctor"), thread_ts)
            self._marks.append(mark)
            try:
                mark.ts = await self._slack.post_message(
                    channel,
                    view.text,
                    blocks=view.blocks,
                    thread_ts=thread_ts,
                    broadcast=broadcast,
                    turn_id=mark.name,
                )
            except SlackUnclear:
                if not await self._found(mark):
                    raise
            except SlackRefused as refused:
                self._marks.remove(mark)
                if in_message(refused) is not Meaning.FILE or pause_s is None:
                    raise
                await self._clock.sleep(pause_s)
                continue
            return mark
        raise AssertionError("the last try returns or raises")

    async def post_private(self, place: str, view: View) -> Mark:
        """Post to a person's direct message with us, or to a channel by its name; the mark has its id."""
        mark = Mark(place, self._clock.new_id("doctor"), None)
        self._marks.append(mark)
        try:
            posted: Posted = await self._slack.post_private(
                place, view.text, blocks=view.blocks, turn_id=mark.name
            )
        except SlackRefused:
            self._marks.remove(mark)
            raise
        self._channels[place] = mark.channel = posted.channel
        mark.ts = posted.ts
        return mark

    async def upload(self, path: Path, name: str) -> str:
        """Send a file that nobody sees yet, and wait until Slack can show it, within bounds."""

        async def begun(file_id: str) -> None:
            self._files.append(file_id)

        file_id = await self._slack.upload(path, name, begun=begun)
        for pause_s in FILE_PAUSES_S:
            if (await self._slack.file_info(file_id)).usable:
                break
            await self._clock.sleep(pause_s)
        return file_id

    async def delete_file(self, file_id: str) -> None:
        """Take one file away before the rest."""
        await self._slack.delete_file(file_id)
        self._files.remove(file_id)

    async def show_home(self, user_id: str, view: Block) -> None:
        """Replace what a person sees in Home."""
        self._homes.append(user_id)
        await self._slack.publish_home(user_id, view)

    async def clear(self) -> list[str]:
        """Take everything away, the newest first; gives what may remain, in words. May be called again."""
        await within(self._clock, CLEAR_TIMEOUT_S, self._clear())
        return [
            *(f"a message in {mark.channel} ({mark.ts or 'if it was posted'})" for mark in self._marks),
            *(f"the file {file_id}" for file_id in self._files),
            *(f"the Home tab of {user_id}" for user_id in self._homes),
        ]

    async def _clear(self) -> None:
        tried: list[Mark] = []
        while left := [mark for mark in self._marks if mark not in tried]:
            tried.append(left[-1])
            if await self._away(partial(self._remove, left[-1])):
                self._marks.remove(left[-1])
        for file_id in self._files.copy():
            if await self._away(partial(self._slack.delete_file, file_id)):
                self._files.remove(file_id)
        for user_id in self._homes.copy():
            if await self._away(partial(self._slack.publish_home, user_id, home_after_view())):
                self._homes.remove(user_id)

    async def _remove(self, mark: Mark) -> None:
        """Delete a message; of one whose post had no answer there may be none."""
        if mark.ts is not None or await self._found(mark):
            await self._slack.delete_message(mark.channel, mark.ts or "")

    async def _away(self, work: Callable[[], Awaitable[object]]) -> bool:
        """Whether it is gone, after some tries."""
        for tried in range(TRIES):
            try:
                await work()
            except (SlackRefused, SlackUnclear) as error:
                if meaning(error) is Meaning.MESSAGE_GONE:
                    return True
                if meaning(error) not in (Meaning.UNCLEAR, Meaning.PASSING):
                    return False
            else:
                return True
            if tried + 1 < TRIES:
                await self._clock.sleep(PAUSE_S)
        return False

    async def _found(self, mark: Mark) -> bool:
        """Look for a message whose post had no answer. Raises like the client."""
        mark.channel = await self._channel_of(mark.channel)
        mark.ts = await self._slack.find_message(
            mark.channel, mark.name, thread_ts=mark.thread_ts, since=self._since
        )
        return mark.ts is not None

    async def _channel_of(self, place: str) -> str:
        """The id of a channel. A person's direct message has one that only a post into it tells."""
        if _CHANNEL.fullmatch(place):
            return place
        if place not in self._channels:
            await self.post_private(place, looking_view())
        return self._channels[place]
