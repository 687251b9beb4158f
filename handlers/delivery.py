"""The way to a person: placeholder, picture, words, each step noted before the next is taken."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from darkroom.clock import Clock
from darkroom.spending.money import format_usd
from darkroom.turns.model import Ending, Outcome, Picture, Reason, Surface, Told, Turn
from darkroom.turns.surroundings import Note, Undeliverable
from handlers import words
from handlers.blocks import placeholder as placeholders
from handlers.blocks.more_money import refusal_view
from handlers.blocks.picture import picture_view
from handlers.blocks.text import SECTION_MAX, View, context, escape, section, truncate
from handlers.clients import SlackClient, SlackRefused, SlackUnclear
from handlers.posting import PATIENT_PAUSES_S, Poster, Repeat, name_of, tell_privately
from handlers.words import Hearer, Voice

logger = logging.getLogger("darkroom.handlers")

WORKING_REACTION = "eyes"
NOTHING_REACTION = "ok_hand"
"""The answer to a reply that the model had nothing to say to."""
REPLY_URL_AGE_MAX = timedelta(minutes=29)
"""A ``response_url`` is good for 30 minutes."""
LOOK_AFTER_S = 10.0
"""A placeholder that should have been posted this long ago may have been: look before posting it."""
GONE_PAUSES_S = (1.0, 3.0)
"""Waits before a message that Slack does not find counts as deleted."""
WORDS_MAX = 30_000

_NO_PLACE = frozenset({"not_in_channel", "channel_not_found"})
_CLOSED_PLACE = frozenset(
    {
        "is_archived",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_locked",
        "restricted_action_non_threadable_channel",
    }
)


@dataclass(frozen=True, slots=True)
class Manner:
    """How pictures are shown: the model that needs no mention, and whether a thread's first picture also
    shows in its channel."""

    usual_models: frozenset[str]
    broadcast_first: bool


class SlackDelivery:
    """Satisfies ``Delivery`` for one workspace. Every wait is bounded and goes through the clock."""

    def __init__(self, slack: SlackClient, clock: Clock, voice: Voice, manner: Manner) -> None:
        self._slack = slack
        self._clock = clock
        self._voice = voice
        self._manner = manner
        self._repeat = Repeat(clock)
        self._poster = Poster(slack, clock, PATIENT_PAUSES_S)
        self._placeholders = Poster(slack, clock)
        self._since = clock.now()

    async def placeholder(self, turn: Turn, at_most_nano_usd: int, note: Note) -> Ending | None:
        """See ``Delivery``: a message for a command, a reaction for a message."""
        if turn.placeholder_ts is not None:
            return None
        asked_in = turn.request.message_ts
        try:
            if turn.request.surface is Surface.COMMAND:
                view = placeholders.working(await self._name(turn), turn.request.prompt, at_most_nano_usd)
                ts = await self._post_placeholder(turn, view)
                await note(Told.PLACEHOLDER, ts)
            elif asked_in is not None and not await self._react(turn, asked_in, WORKING_REACTION):
                return Ending(Outcome.CANCELLED, Reason.TAKEN_BACK)
        except (SlackRefused, SlackUnclear) as error:
            return _no_way(name_of(error))
        return None

    async def deliver(self, turn: Turn, picture: Picture, path: Path, note: Note) -> None:
        """See ``Delivery``: the picture's message, then the placeholder."""
        name = await self._name(turn)
        if turn.message_ts is None:
            try:
                turn = await self._post_picture(turn, picture, path, name, note)
            except (SlackRefused, SlackUnclear) as error:
                await self._regret(turn, name_of(error))
                raise Undeliverable(name_of(error)) from error
        if turn.placeholder_closed_at is None:
            await self._close_done(turn, picture, name)
            await note(Told.PLACEHOLDER_CLOSED, None)

    async def tell(self, turn: Turn, note: Note) -> None:
        """See ``Delivery``: words into the thread, nothing as a reaction, all else to the person alone."""
        ending = turn.ending or Ending(Outcome.FAILED, Reason.BROKEN)
        if turn.placeholder_closed_at is not None:
            return
        try:
            if ending.reason is Reason.WORDS:
                await self._post_words(turn, ending, note)
            elif ending.reason is Reason.NOTHING_TO_SAY and turn.request.message_ts is not None:
                await self._react(turn, turn.request.message_ts, NOTHING_REACTION)
            else:
                said = words.say(ending, self._voice, self._hearer(turn))
                await self._whisper(turn, refusal_view(turn, said))
        except (SlackRefused, SlackUnclear) as error:
            await self._close_without_picture(turn, ending)
            raise Undeliverable(name_of(error)) from error
        await self._close_without_picture(turn, ending)
        await note(Told.PLACEHOLDER_CLOSED, None)

    async def _post_placeholder(self, turn: Turn, view: View) -> str:
        channel, now = turn.request.channel_id, self._clock.now()
        # One from before the start may have been posted and not noted; so may one by a clock put back since.
        ours = self._since <= turn.created_at <= now
        if not ours or (now - turn.created_at).total_seconds() > LOOK_AFTER_S:
            found = await self._placeholders.find(channel, turn, None)
            if found is not None:
                return found
        return await self._placeholders.post(turn, channel, view, thread_ts=None)

    async def _post_picture(self, turn: Turn, picture: Picture, path: Path, name: str, note: Note) -> Turn:
        channel, thread_ts = picture.channel_id, picture.thread_ts
        if turn.post_begun_at is not None:
            found = await self._poster.find(channel, turn, thread_ts)
            if found is not None:
                return await note(Told.MESSAGE, found)
        file_id = turn.file_id
        if file_id is None:
            file_id = await self._poster.upload(path, _file_name(picture))
            turn = await note(Told.FILE, file_id)
        await self._poster.wait_until_usable(file_id)
        turn = await note(Told.POST_BEGUN, None)
        first = picture.version == 1 and self._manner.broadcast_first
        ts = await self._poster.post_with_file(
            turn, channel, self._view(turn, picture, name, file_id), thread_ts=thread_ts, broadcast=first
        )
        if ts is None:
            logger.warning("turn %s: Slack does not take file %s in a message; sharing it", turn.id, file_id)
            await self._poster.upload(path, _file_name(picture), channel=channel, thread_ts=thread_ts)
            bare = self._view(turn, picture, name, None)
            ts = await self._poster.post(turn, channel, bare, thread_ts=thread_ts, broadcast=first)
        return await note(Told.MESSAGE, ts)

    def _view(self, turn: Turn, picture: Picture, name: str, file_id: str | None) -> View:
        return picture_view(
            picture,
            asker=name,
            file_id=file_id,
            show_model=picture.image_model not in self._manner.usual_models,
            files_unused=bool(turn.request.attachments),
        )

    async def _close_done(self, turn: Turn, picture: Picture, name: str) -> None:
        link = await self._link(picture.channel_id, turn.message_ts)
        done = placeholders.done(name, turn.request.prompt, picture.version, picture.charged_nano_usd, link)
        await self._close(turn, done)

    async def _close_without_picture(self, turn: Turn, ending: Ending) -> None:
        if ending.reason is Reason.WORDS:
            await self._close(turn, placeholders.answered(await self._name(turn), turn.request.prompt))
        else:
            await self._close(turn, None)

    async def _close(self, turn: Turn, view: View | None) -> None:
        """Let the placeholder say how it went, or without a *view* take it away. A reaction goes anyway."""
        channel, asked_in, ts = turn.request.channel_id, turn.request.message_ts, turn.placeholder_ts
        try:
            if asked_in is not None:
                await self._repeat(lambda: self._slack.remove_reaction(channel, asked_in, WORKING_REACTION))
            elif ts is not None and view is not None:
                await self._repeat(
                    lambda: self._slack.update_message(
                        channel, ts, view.text, blocks=view.blocks, turn_id=turn.id
                    )
                )
            elif ts is not None:
                await self._repeat(lambda: self._slack.delete_message(channel, ts))
        except (SlackRefused, SlackUnclear) as error:
            # Somebody deleted it, or the channel is closed: there is nothing left to take away.
            logger.info("turn %s: placeholder not closed: %s", turn.id, name_of(error))

    async def _post_words(self, turn: Turn, ending: Ending, note: Note) -> None:
        if turn.message_ts is not None:
            return
        channel, thread_ts = turn.request.channel_id, turn.thread_ts
        if turn.post_begun_at is not None:
            found = await self._poster.find(channel, turn, thread_ts)
            if found is not None:
                await note(Told.MESSAGE, found)
                return
        said = str(ending.details.get("words", "")).strip()
        charged = ending.details.get("charged_nano_usd", 0)
        price = format_usd(charged if isinstance(charged, int) else 0)
        parts = [section(escape(part)) for part in _parts(truncate(said, WORDS_MAX))]
        view = View(
            text=words.say(ending, self._voice, self._hearer(turn)),
            blocks=(*parts, context(f"{price} · AI-generated answer")),
        )
        turn = await note(Told.POST_BEGUN, None)
        await note(Told.MESSAGE, await self._poster.post(turn, channel, view, thread_ts=thread_ts))

    async def _whisper(self, turn: Turn, view: View) -> None:
        request = turn.request
        fresh = self._clock.now() - turn.created_at < REPLY_URL_AGE_MAX
        await tell_privately(
            self._slack,
            self._clock,
            view,
            channel=request.channel_id,
            user_id=request.user_id,
            reply_url=request.reply_url if fresh else None,
            thread_ts=request.thread_ts if request.thread_ts != request.message_ts else None,
        )

    async def _regret(self, turn: Turn, slack_error: str) -> None:
        try:
            await self._whisper(turn, View(words.not_delivered(slack_error, self._voice), ()))
        except (SlackRefused, SlackUnclear) as error:
            logger.warning("turn %s: its person could not be told: %s", turn.id, name_of(error))
        await self._close(turn, None)

    async def _react(self, turn: Turn, ts: str, name: str) -> bool:
        """Whether the message stands: one that was just written may not be everywhere in Slack at once."""
        channel = turn.request.channel_id
        for pause_s in (*GONE_PAUSES_S, None):
            try:
                await self._repeat(lambda: self._slack.add_reaction(channel, ts, name))
            except SlackRefused as refused:
                if refused.error in _NO_PLACE | _CLOSED_PLACE:
                    raise
                if refused.error != "message_not_found":
                    logger.info("turn %s: no reaction: %s", turn.id, refused.error)
                    return True
                if pause_s is not None:
                    await self._clock.sleep(pause_s)
            else:
                return True
        return False

    async def _name(self, turn: Turn) -> str:
        try:
            return (await self._slack.user(turn.request.user_id)).name
        except (SlackRefused, SlackUnclear):
            return "Somebody"

    async def _link(self, channel: str, ts: str | None) -> str | None:
        try:
            return None if ts is None else await self._slack.permalink(channel, ts)
        except (SlackRefused, SlackUnclear):
            return None

    def _hearer(self, turn: Turn) -> Hearer:
        return Hearer(turn.request.channel_id, admin=turn.request.user_id in self._voice.admins)


def _no_way(error: str) -> Ending:
    if error in _NO_PLACE:
        return Ending(Outcome.DECLINED, Reason.NOT_IN_CHANNEL)
    return Ending(Outcome.DECLINED, Reason.CANNOT_POST, {"slack_error": error})


def _file_name(picture: Picture) -> str:
    return f"darkroom-v{picture.version}.{'jpg' if picture.format == 'jpeg' else picture.format}"


def _parts(text: str) -> list[str]:
    """*text* in pieces that each fit a section once escaped."""
    parts: list[str] = []
    while text:
        part = truncate(text, SECTION_MAX)
        if part != text:
            part = part[:-1]
        parts.append(part)
        text = text[len(part) :].lstrip()
    return parts
