"""The way to a person: placeholder, pictures, words, each step noted before the next is taken."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from darkroom.clock import Clock
from darkroom.turns.conversations import Conversations
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import Picture, Told, Turn, TurnInput
from darkroom.turns.store import TurnLog
from darkroom.turns.surroundings import Note, Undeliverable
from darkroom.turns.waiting import Wait
from handlers import words_delivery, words_endings
from handlers.blocks import placeholder as blocks
from handlers.blocks.answers import answer_view, rest_view
from handlers.blocks.text import View
from handlers.clients import SlackClient, SlackRefused, SlackUnclear
from handlers.closing import Closing
from handlers.doubts import Doubts
from handlers.homeward import Homeward
from handlers.meanings import WAITING, Meaning, meaning
from handlers.pacing import SIGN_PATIENCE_S
from handlers.people import name_of_person
from handlers.placeholders import NO_PLACE, Placeholders
from handlers.posting import name_of, tell_privately
from handlers.saying import Saying
from handlers.showing import Manner, Showing
from handlers.words import Hearer, Voice

logger = logging.getLogger("darkroom.handlers")

NOTHING_REACTION = "ok_hand"
"""The answer to a reply that the model had nothing to say to."""
REPLY_URL_AGE_MAX = timedelta(minutes=29)
"""A ``response_url`` is good for 30 minutes."""
LEFT = "placeholder: "
"""How the reason begins of what is told, but for its placeholder."""
_IN_THREAD = frozenset({Reason.WORDS, Reason.UNDONE, Reason.VERSIONS})


class SlackDelivery:
    """Satisfies ``Delivery`` for one workspace. Every wait is bounded and goes through the clock."""

    def __init__(
        self,
        slack: SlackClient,
        clock: Clock,
        voice: Voice,
        manner: Manner,
        log: TurnLog,
        conversations: Conversations,
        homeward: Homeward | None = None,
    ) -> None:
        self._slack = slack
        self._clock = clock
        self._log = log
        self._voice = voice
        doubts = Doubts()
        self._placeholders = Placeholders(slack, clock, conversations, doubts)
        self._closing = Closing(slack, clock, doubts)
        self._showing = Showing(slack, clock, manner)
        self._saying = Saying(slack, clock, log, conversations)
        self._homeward = homeward
        self._since = clock.now()

    async def placeholder(
        self, turn: Turn, at_most_nano_usd: int, note: Note, wait: Wait | None = None
    ) -> Ending | None:
        """See ``Delivery``: a message, a reaction, or a word to who asked."""
        if turn.placeholder_ts is not None:
            return None
        try:
            name = await self._name(turn) if turn.request.opens_thread else ""
            if not await self._placeholders.show(turn, name, at_most_nano_usd, note, wait):
                return Ending(Outcome.CANCELLED, Reason.TAKEN_BACK)
            await self._look_at_place(turn)
        except (SlackRefused, SlackUnclear) as error:
            return _no_way(name_of(error), at_most_nano_usd)
        return None

    async def _look_at_place(self, turn: Turn) -> None:
        """Who pressed a button before the start was told so then, and nothing shows whether we are still in
        that channel: buy nothing that cannot be posted."""
        request = turn.request
        pressed = request.message_ts is None and not request.opens_thread
        if not pressed or turn.created_at >= self._since:
            return
        try:
            await self._slack.within(SIGN_PATIENCE_S).find_message(
                request.channel_id, turn.id, thread_ts=request.thread_ts, since=turn.created_at
            )
        except SlackRefused as refused:
            if meaning(refused) is Meaning.PLACE_GONE:
                raise
        except SlackUnclear:
            logger.info("turn %s: whether it can be posted is not known", turn.id)

    async def show_wait(self, turn: Turn, at_most_nano_usd: int, wait: Wait | None) -> None:
        """See ``Delivery``: anew in the placeholder, or once to the person alone."""
        name = await self._name(turn) if turn.request.opens_thread else ""
        await self._placeholders.show_wait(turn, name, at_most_nano_usd, wait)

    async def deliver(
        self,
        turn: Turn,
        pictures: Sequence[tuple[Picture, Path]],
        inputs: Sequence[TurnInput],
        note: Note,
    ) -> None:
        """See ``Delivery``: the pictures' message, why some are missing, then the placeholder."""
        # Somebody may have deleted one before it was shown.
        living = [one for one in pictures if one[0].deleted_at is None]
        name = await self._name(turn)
        if turn.message_ts is None and living:
            try:
                turn = await self._showing.post(
                    turn, living, inputs, name, note, await self._log.attempts(turn.id)
                )
            except (SlackRefused, SlackUnclear) as error:
                if not await self._brought_home(turn, [picture for picture, _ in living], error):
                    await self._regret(turn, name_of(error))
                    raise Undeliverable(name_of(error)) from error
        if turn.placeholder_closed_at is None:
            if not _is_left(turn):
                await self._explain_the_rest(turn)
            await self._close(turn, await self._done(turn, [picture for picture, _ in living], name))
            await note(Told.PLACEHOLDER_CLOSED, None)

    async def _brought_home(
        self, turn: Turn, pictures: Sequence[Picture], error: SlackRefused | SlackUnclear
    ) -> bool:
        """Whether *pictures* stand in our direct message with who asked, where no way leads to their own
        place."""
        if not self._leads_home(turn, error) or self._homeward is None:
            return False
        said = words_delivery.not_there(name_of(error), turn.request.channel_id)
        try:
            for picture in pictures:
                await self._homeward.bring(picture, said)
        except (SlackRefused, SlackUnclear) as why:
            logger.warning("turn %s: not brought home either: %s", turn.id, name_of(why))
            return False
        logger.warning("turn %s: brought home: %s", turn.id, name_of(error))
        return True

    def _leads_home(self, turn: Turn, error: SlackRefused | SlackUnclear) -> bool:
        """What only has to wait comes where it belongs, later; our direct message is the last of all ways."""
        return meaning(error) not in WAITING and not turn.request.channel_id.startswith("D")

    async def tell(self, turn: Turn, note: Note) -> None:
        """See ``Delivery``: words, an undo and versions into the thread, nothing as a reaction, all else to
        the person alone."""
        ending = turn.ending or Ending(Outcome.FAILED, Reason.BROKEN)
        if turn.placeholder_closed_at is not None:
            return
        if not _is_left(turn):
            turn = await self._tell(turn, ending, note)
        await self._close(turn, await self._without_picture(turn, ending))
        await note(Told.PLACEHOLDER_CLOSED, None)

    async def _tell(self, turn: Turn, ending: Ending, note: Note) -> Turn:
        """The turn with what was noted of it."""
        said = words_endings.say(ending, self._voice, self._hearer(turn))
        try:
            if ending.reason in _IN_THREAD:
                return await self._say(turn, ending, said, note)
            if ending.reason is Reason.NOTHING_TO_SAY and turn.request.message_ts is not None:
                await self._placeholders.react(turn, turn.request.message_ts, NOTHING_REACTION)
            else:
                await self._whisper(turn, answer_view(turn, ending, await self._named(turn, said)))
        except (SlackRefused, SlackUnclear) as error:
            await self._closing.close(turn, await self._without_picture(turn, ending))
            raise Undeliverable(name_of(error)) from error
        return turn

    async def _close(self, turn: Turn, view: View | None) -> None:
        """A placeholder that cannot be closed yet is closed later, with nothing else said again."""
        stays = await self._closing.close(turn, view)
        if stays is not None:
            raise Undeliverable(f"{LEFT}{stays}")

    async def _say(self, turn: Turn, ending: Ending, said: str, note: Note) -> Turn:
        try:
            return await self._saying.post(turn, ending, said, note)
        except (SlackRefused, SlackUnclear) as error:
            if not self._leads_home(turn, error) or self._homeward is None:
                raise
            there = words_delivery.words_not_there(name_of(error), turn.request.channel_id)
            await self._homeward.say(turn, View(f"{there}\n{said}", ()))
            return turn

    async def _explain_the_rest(self, turn: Turn) -> None:
        said = words_endings.rest_of(turn.ending, self._voice, self._hearer(turn)) if turn.ending else None
        if said is None:
            return
        try:
            await self._whisper(turn, rest_view(turn, await self._named(turn, said)))
        except (SlackRefused, SlackUnclear) as error:
            logger.warning("turn %s: why some are missing could not be told: %s", turn.id, name_of(error))

    async def _done(self, turn: Turn, pictures: Sequence[Picture], name: str) -> View | None:
        if not pictures or turn.message_ts is None or not turn.request.opens_thread:
            return None
        link = await self._link(pictures[0].channel_id, turn.message_ts)
        return blocks.done(
            name,
            turn.request.prompt,
            (pictures[0].version, pictures[-1].version),
            sum(picture.charged_nano_usd for picture in pictures),
            link,
            turn.request.wanted,
        )

    async def _without_picture(self, turn: Turn, ending: Ending) -> View | None:
        if ending.reason in _IN_THREAD and turn.request.opens_thread:
            return blocks.answered(await self._name(turn), turn.request.prompt)
        return None

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

    async def _named(self, turn: Turn, said: str) -> str:
        """What is *said* to its person alone; of which of their requests, where they could wonder."""
        several = await self._log.beside_others(turn)
        return words_delivery.of_request(turn.request.prompt, said) if several else said

    async def _regret(self, turn: Turn, slack_error: str) -> None:
        if turn.undelivered_reason is not None:
            # They were told when it was tried first.
            return
        said = words_delivery.kept(slack_error, turn.request.channel_id, self._voice)
        try:
            await self._whisper(turn, View(await self._named(turn, said), ()))
        except (SlackRefused, SlackUnclear) as error:
            logger.warning("turn %s: its person could not be told: %s", turn.id, name_of(error))
        view = None
        if turn.request.opens_thread:
            # It is the thread that the picture still belongs to.
            view = blocks.kept(await self._name(turn), turn.request.prompt, turn.request.wanted)
        await self._closing.close(turn, view)

    async def _name(self, turn: Turn) -> str:
        return await name_of_person(self._slack, turn.request.user_id)

    async def _link(self, channel: str, ts: str | None) -> str | None:
        try:
            return None if ts is None else await self._slack.permalink(channel, ts)
        except (SlackRefused, SlackUnclear):
            return None

    def _hearer(self, turn: Turn) -> Hearer:
        user_id = turn.request.user_id
        return Hearer(turn.request.channel_id, admin=user_id in self._voice.admins, user_id=user_id)


def _is_left(turn: Turn) -> bool:
    """Whether all is said, and only the placeholder stands as it was."""
    return (turn.undelivered_reason or "").startswith(LEFT)


def _no_way(error: str, at_most_nano_usd: int) -> Ending:
    details: dict[str, str | int] = {"at_most_nano_usd": at_most_nano_usd}
    if error in NO_PLACE:
        return Ending(Outcome.DECLINED, Reason.NOT_IN_CHANNEL, details)
    return Ending(Outcome.DECLINED, Reason.CANNOT_POST, details | {"slack_error": error})
