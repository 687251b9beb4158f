"""What Slack has not taken is told again, in rounds: a picture that was paid for arrives when it can."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from darkroom.clock import Clock
from darkroom.turns.endings import Outcome
from darkroom.turns.model import Told, Turn
from darkroom.turns.planning import PictureFiles
from darkroom.turns.store import TurnLog, TurnStore
from darkroom.turns.surroundings import Delivery, Note, Undeliverable
from darkroom.turns.telling import say

logger = logging.getLogger("darkroom.turns")

EVERY_S = 600.0
"""The time between two rounds."""
VAIN_MAX = 20
"""After so many tries in vain one after the other a round is over: Slack is not well yet."""
LONGEST_PAUSE_S = 6 * 3_600.0
"""Between two tries of one turn; the first is ``EVERY_S``, each one after it twice as long."""
PAID_FOR = timedelta(days=7)
"""So long pictures and words are tried."""
SAID = timedelta(days=1)
"""So long all else is tried: after that nobody waits for it."""


@dataclass(slots=True)
class _Tries:
    """Of one turn: how many were in vain, when the next may be, and the round of the last."""

    count: int = 0
    next_at: float = 0.0
    round: int = 0


class Redelivery:
    """Tries undelivered turns again: what was paid for first, then the oldest. *to_recall* is called when one
    was told of which a picture had been deleted meanwhile."""

    def __init__(
        self,
        store: TurnStore,
        log: TurnLog,
        delivery: Delivery,
        files: PictureFiles,
        clock: Clock,
        to_recall: Callable[[], None],
    ) -> None:
        self._store = store
        self._log = log
        self._delivery = delivery
        self._files = files
        self._clock = clock
        self._to_recall = to_recall
        self._tries: dict[str, _Tries] = {}
        self._round = self._well = 0
        """The round that goes on, and the last one in which Slack took something."""

    def begin(self) -> None:
        """A new round: who is tried in vain while Slack takes nothing at all has no trouble of its own."""
        self._round += 1

    async def due(self) -> list[Turn]:
        """What may be tried now: after a restart everything may."""
        now, at = self._clock.now(), self._clock.monotonic()
        turns = await self._log.undelivered(now - PAID_FOR, now - SAID)
        known = {turn.id for turn in turns}
        self._tries = {key: tries for key, tries in self._tries.items() if key in known}
        return [turn for turn in turns if turn.id not in self._tries or self._tries[turn.id].next_at <= at]

    async def tell(self, turn: Turn) -> bool:
        """Try one; whether it was told. What had been noted of telling it before is not done again."""
        tries = self._tries.setdefault(turn.id, _Tries())
        # Also if it breaks in a way that nobody thought of.
        pause_s = min(LONGEST_PAUSE_S, EVERY_S * 2 ** min(tries.count, 10))
        tries.count, tries.next_at = tries.count + 1, self._clock.monotonic() + pause_s
        tries.round = self._round
        note = self._note(turn)
        try:
            await say(self._delivery, self._log, self._files, turn, note)
        except Undeliverable as undeliverable:
            logger.info("turn %s is undelivered yet: %s", turn.id, undeliverable.reason)
            await note(Told.UNDELIVERED, undeliverable.reason)
            return False
        await note(Told.DONE, None)
        logger.info("turn %s was delivered after all", turn.id)
        self._slack_is_well()
        if any(picture.deleted_at is not None for picture in await self._log.pictures(turn.id)):
            self._to_recall()
        return True

    def _slack_is_well(self) -> None:
        """What was tried while Slack took nothing need not wait for the end of its pause."""
        if self._well == self._round:
            return
        for tries in self._tries.values():
            if self._well < tries.round < self._round:
                tries.next_at = self._clock.monotonic()
        self._well = self._round

    def _note(self, turn: Turn) -> Note:
        async def note(step: Told, value: str | None, picture_id: str | None = None) -> Turn:
            return await self._store.tell(turn.id, step, value, self._clock.now(), picture_id)

        return note


def was_paid_for(turn: Turn) -> bool:
    """Whether it ended with something that its person has paid for."""
    return turn.ending is not None and turn.ending.outcome in (Outcome.PICTURES, Outcome.WORDS)
