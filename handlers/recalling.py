"""What a deleted picture has left elsewhere is recalled: messages, files, stored answers, bytes."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from darkroom.clock import Clock
from darkroom.turns.conversations import Conversations
from darkroom.turns.erasing import TRIES_MAX, Eraser, Errand, NotScrubbed, Recall
from darkroom.turns.model import Picture
from darkroom.turns.store import TurnLog
from handlers.blocks.picture import Shown, pictures_view
from handlers.blocks.recalled import left_view, placeholder_view
from handlers.blocks.text import View
from handlers.clients import SlackClient, SlackRefused, SlackUnclear
from handlers.errands import unbroken
from handlers.posting import Repeat, name_of
from handlers.rounds import RETRY_S, Rounds
from handlers.showing import Showing
from handlers.words import Voice

logger = logging.getLogger("darkroom.handlers")

LOOK_S = 3600.0
"""The longest wait between two rounds, and between two tries of one errand."""
ROUND_MAX = 500
"""Errands looked at in one round."""
GONE = frozenset({"message_not_found", "file_not_found", "file_deleted"})
"""What Slack says of what is there no more: that is what was wanted."""
_NO_ANSWER = "no answer"

ViewOf = Callable[[Sequence[Picture]], Awaitable[View]]
"""The message of a turn with those of its pictures that are left."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far an arm goes beyond Slack: *forget* deletes a stored response at the API, *remove* the bytes of
    a digest and format on disk (both say whether they are gone now), *view_of* writes a message anew."""

    forget: Callable[[str], Awaitable[bool]]
    remove: Callable[[str, str], Awaitable[bool]]
    view_of: ViewOf


def rewriting(log: TurnLog, slack: SlackClient, showing: Showing) -> ViewOf:
    """The message of a turn as it was, without those of its pictures that were deleted."""

    async def view_of(pictures: Sequence[Picture]) -> View:
        turn = await log.turn(pictures[0].turn_id)
        if turn is None:
            raise ValueError(f"picture {pictures[0].id} has no turn")
        try:
            name = (await slack.user(turn.request.user_id)).name
        except (SlackRefused, SlackUnclear):
            name = "Somebody"
        setting = showing.setting(turn, await log.inputs(turn.id), name, await log.attempts(turn.id))
        return pictures_view([Shown(one, one.file_id) for one in pictures], setting)

    return view_of


class Recalling:
    """Works off what is to be recalled, whenever it is woken, after the start, and every hour.

    Each errand is tried again ever more slowly; after ``TRIES_MAX`` it is given up, and whoever deleted the
    picture is told what is left. At the end the files of the database are scrubbed.
    """

    def __init__(
        self,
        eraser: Eraser,
        conversations: Conversations,
        slack: SlackClient,
        clock: Clock,
        voice: Voice,
        reach: Reach,
    ) -> None:
        self._eraser = eraser
        self._conversations = conversations
        self._slack = slack
        self._clock = clock
        self._voice = voice
        self._reach = reach
        self._repeat = Repeat(clock)
        self._rounds = Rounds("recalling", self.round, clock, LOOK_S)
        self._not_before: dict[int, float] = {}
        # A crash may have come between a deletion and its scrubbing.
        self._to_scrub = True
        self._deleted = False
        self._recall: Mapping[Recall, Callable[[Errand], Awaitable[str | None]]] = {
            Recall.MESSAGE: self._message,
            Recall.PLACEHOLDER: self._placeholder,
            Recall.FILE: self._file,
            Recall.RESPONSE: self._response,
            Recall.BLOB: self._blob,
        }

    def wake(self) -> None:
        """Something was deleted. Returns at once."""
        self._to_scrub = self._deleted = True
        self._rounds.wake()

    def start(self) -> None:
        """Run in a task of its own until ``aclose``."""
        self._rounds.start()

    async def aclose(self, grace_s: float = 5.0) -> None:
        """Let what is being recalled be finished for *grace_s* seconds, then stop."""
        await self._rounds.aclose(grace_s)

    async def round(self) -> bool:
        """Recall all that may be tried now; whether nothing is left."""
        self._deleted = False
        errands = await self._eraser.open_errands(ROUND_MAX)
        open_ids = {errand.id for errand in errands}
        self._not_before = {key: at for key, at in self._not_before.items() if key in open_ids}
        whole = True
        left: list[tuple[Errand, str]] = []
        for errand in errands:
            if self._rounds.stopping:
                return False
            if self._clock.monotonic() < self._not_before.get(errand.id, 0):
                whole = False
                continue
            whole = await unbroken(f"errand {errand.id}", self._try(errand, left)) and whole
            if self._deleted:
                # By somebody who watches, perhaps: that comes before hundreds that went by their age.
                break
        await self._tell(left)
        if self._deleted:
            return False
        if self._to_scrub:
            self._to_scrub = False
            scrubbed = await unbroken("scrubbing", self._scrub())
            self._to_scrub = self._to_scrub or not scrubbed
            whole = whole and scrubbed
        if len(errands) == ROUND_MAX and whole:
            self._rounds.wake()
        return whole

    async def _scrub(self) -> bool:
        try:
            await self._eraser.scrub()
        except NotScrubbed as why:
            # Somebody reads just now: that is no fault, and passes.
            logger.info("the files of the database are scrubbed later: %s", why)
            return False
        return True

    async def _try(self, errand: Errand, left: list[tuple[Errand, str]]) -> bool:
        """One errand; False if it is to be tried again."""
        # Also if the work breaks in a way that nobody thought of.
        self._not_before[errand.id] = self._clock.monotonic() + min(LOOK_S, RETRY_S * 2**errand.tries)
        try:
            failure = await self._recall[errand.kind](errand)
        except (SlackRefused, SlackUnclear) as error:
            failure = None if isinstance(error, SlackRefused) and error.error in GONE else name_of(error)
        except OSError as error:
            failure = type(error).__name__
        await self._eraser.close_errand(errand.id, failure, self._clock.now())
        if failure is None:
            return True
        logger.warning("errand %d (%s) in vain: %s", errand.id, errand.kind, failure)
        if errand.tries + 1 < TRIES_MAX:
            return False
        left.append((errand, failure))
        return True

    async def _message(self, errand: Errand) -> str | None:
        pictures = await self._conversations.pictures_of_message(
            errand.team_id, errand.channel_id, errand.ref
        )
        if not pictures:
            await self._slack.delete_message(errand.channel_id, errand.ref)
            return None
        view = await self._reach.view_of(pictures)
        await self._slack.update_message(
            errand.channel_id, errand.ref, view.text, blocks=view.blocks, turn_id=pictures[0].turn_id
        )
        return None

    async def _placeholder(self, errand: Errand) -> str | None:
        view = placeholder_view()
        await self._slack.update_message(errand.channel_id, errand.ref, view.text, blocks=view.blocks)
        return None

    async def _file(self, errand: Errand) -> str | None:
        await self._slack.delete_file(errand.ref)
        return None

    async def _response(self, errand: Errand) -> str | None:
        return None if await self._reach.forget(errand.ref) else _NO_ANSWER

    async def _blob(self, errand: Errand) -> str | None:
        sha256, _, suffix = errand.ref.partition(".")
        return None if await self._reach.remove(sha256, suffix) else "still there"

    async def _tell(self, left: Sequence[tuple[Errand, str]]) -> None:
        """Tell each who deleted, once for a round, what could not be recalled."""
        # Nobody deleted what went by its age.
        for user_id in dict.fromkeys(errand.by_user_id for errand, _ in left if errand.by_user_id):
            theirs = [(errand, why) for errand, why in left if errand.by_user_id == user_id]
            view = left_view(theirs, self._voice.an_admin)
            try:
                await self._repeat(partial(self._slack.post_private, user_id, view.text))
            except (SlackRefused, SlackUnclear) as error:
                logger.warning("%s was not told what could not be recalled: %s", user_id, error)
