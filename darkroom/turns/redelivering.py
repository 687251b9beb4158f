"""What Slack has not taken is told again, in rounds: a picture that was paid for arrives when it can."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from darkroom.clock import Clock
from darkroom.turns.model import Told, Turn
from darkroom.turns.planning import PictureFiles
from darkroom.turns.store import TurnLog, TurnStore
from darkroom.turns.surroundings import Delivery, Note, Undeliverable
from darkroom.turns.telling import say

logger = logging.getLogger("darkroom.turns")

EVERY_S = 600.0
"""The time between two rounds."""
ROUND_MAX = 20
"""Turns that are tried in one round."""
LONGEST_PAUSE_S = 6 * 3_600.0
"""Between two tries of one turn; the first is ``EVERY_S``, each one after it twice as long."""
PAID_FOR = timedelta(days=7)
"""So long pictures and words are tried."""
SAID = timedelta(days=1)
"""So long all else is tried: after that nobody waits for it."""


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
        self._tries: dict[str, tuple[int, float]] = {}

    async def due(self) -> list[Turn]:
        """What may be tried now, at most ``ROUND_MAX``: after a restart everything may."""
        now, at = self._clock.now(), self._clock.monotonic()
        turns = await self._log.undelivered(now - PAID_FOR, now - SAID)
        known = {turn.id for turn in turns}
        self._tries = {key: tries for key, tries in self._tries.items() if key in known}
        return [turn for turn in turns if self._tries.get(turn.id, (0, at))[1] <= at][:ROUND_MAX]

    async def tell(self, turn: Turn) -> bool:
        """Try one; whether it was told. What had been noted of telling it before is not done again."""
        tries, _ = self._tries.get(turn.id, (0, 0.0))
        # Also if it breaks in a way that nobody thought of.
        pause_s = min(LONGEST_PAUSE_S, EVERY_S * 2 ** min(tries, 10))
        self._tries[turn.id] = tries + 1, self._clock.monotonic() + pause_s
        note = self._note(turn)
        try:
            await say(self._delivery, self._log, self._files, turn, note)
        except Undeliverable as undeliverable:
            logger.info("turn %s is undelivered yet: %s", turn.id, undeliverable.reason)
            await note(Told.UNDELIVERED, undeliverable.reason)
            return False
        await note(Told.DONE, None)
        logger.info("turn %s was delivered after all", turn.id)
        if any(picture.deleted_at is not None for picture in await self._log.pictures(turn.id)):
            self._to_recall()
        return True

    def _note(self, turn: Turn) -> Note:
        async def note(step: Told, value: str | None, picture_id: str | None = None) -> Turn:
            return await self._store.tell(turn.id, step, value, self._clock.now(), picture_id)

        return note
