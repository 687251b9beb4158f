"""Words that are posted in the thread: the model's own, the way back, the list of versions."""

from __future__ import annotations

import logging

from darkroom.clock import Clock
from darkroom.spending.money import format_usd
from darkroom.turns.conversations import Conversations
from darkroom.turns.endings import Ending, Reason
from darkroom.turns.model import Picture, Told, Turn
from darkroom.turns.store import TurnLog
from darkroom.turns.surroundings import Note
from handlers.blocks.text import SECTION_MAX, View, context, escape, section, truncate
from handlers.blocks.versions import ROWS_MAX, undone_view, versions_view
from handlers.clients import SlackClient, SlackRefused
from handlers.people import name_of_person
from handlers.posting import PATIENT_PAUSES_S, REFUSED_BLOCKS, Poster

logger = logging.getLogger("darkroom.handlers")

WORDS_MAX = 30_000


class Saying:
    """Posts a turn's words once, each step noted before the next is taken."""

    def __init__(self, slack: SlackClient, clock: Clock, log: TurnLog, conversations: Conversations) -> None:
        self._slack = slack
        self._log = log
        self._conversations = conversations
        self._poster = Poster(slack, clock, PATIENT_PAUSES_S)

    async def post(self, turn: Turn, ending: Ending, said: str, note: Note) -> Turn:
        """The turn with what was noted of it. *said* is what *ending* says as ``mrkdwn``. Raises
        ``SlackRefused`` and ``SlackUnclear``."""
        if turn.message_ts is not None:
            return turn
        channel, thread_ts = turn.request.channel_id, turn.thread_ts
        if turn.post_begun_at is not None:
            found = await self._poster.find(channel, turn, thread_ts)
            if found is not None:
                return await note(Told.MESSAGE, found)
        view, plain = await self._views(turn, ending, said)
        turn = await note(Told.POST_BEGUN, None)
        try:
            ts = await self._poster.post(turn, channel, view, thread_ts=thread_ts)
        except SlackRefused as refused:
            if refused.error not in REFUSED_BLOCKS or plain is None:
                raise
            # A file that somebody deleted in Slack must not keep the rest from being read.
            logger.info("turn %s: posted without thumbnails: %s", turn.id, refused.error)
            ts = await self._poster.post(turn, channel, plain, thread_ts=thread_ts)
        return await note(Told.MESSAGE, ts)

    async def _views(self, turn: Turn, ending: Ending, said: str) -> tuple[View, View | None]:
        """What is posted, and the same without thumbnails where it has any."""
        if ending.reason is Reason.VERSIONS:
            return await self._versions(turn)
        if ending.reason is Reason.UNDONE:
            target = await self._log.picture(str(ending.details.get("picture_id")))
            undone = ending.details.get("undone", 0)
            if target is None or not isinstance(undone, int):
                return View(said, (section(said),)), None
            here = await self._is_here(turn, target)
            return (
                undone_view(target, undone, here=here),
                undone_view(target, undone, thumbnail=False, here=here),
            )
        return _answer(ending, said), None

    async def _versions(self, turn: Turn) -> tuple[View, View]:
        request = turn.request
        where = (request.team_id, request.channel_id, turn.thread_ts or "")
        pictures = await self._conversations.versions(*where)
        current = await self._log.current_picture(*where, request.order)
        people = {picture.user_id for picture in pictures[-ROWS_MAX:]}
        names = {user_id: await name_of_person(self._slack, user_id) for user_id in sorted(people)}
        current_id = None if current is None else current.id
        shared_id = next((one.id for one in pictures if not _made_in(turn, one)), None)
        return (
            versions_view(pictures, names, current_id, shared_id=shared_id),
            versions_view(pictures, names, current_id, thumbnails=False, shared_id=shared_id),
        )

    async def _is_here(self, turn: Turn, picture: Picture) -> bool:
        """Whether a picture was made in the turn's thread, or shared there."""
        if _made_in(turn, picture):
            return True
        where = (turn.request.team_id, turn.request.channel_id, turn.thread_ts or "")
        return picture.id in {one.id for one in await self._conversations.versions(*where)}


def _made_in(turn: Turn, picture: Picture) -> bool:
    return (picture.channel_id, picture.thread_ts) == (turn.request.channel_id, turn.thread_ts)


def _answer(ending: Ending, said: str) -> View:
    words = str(ending.details.get("words", "")).strip()
    charged = ending.details.get("charged_nano_usd", 0)
    price = format_usd(charged if isinstance(charged, int) else 0)
    parts = [section(escape(part)) for part in _parts(truncate(words, WORDS_MAX))]
    return View(said, (*parts, context(f"{price} · AI-generated answer")))


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
