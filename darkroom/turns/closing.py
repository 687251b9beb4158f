"""Closing the books of a turn that was interrupted, by a stop or by a fault: its money, then what to say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from darkroom.clock import Clock
from darkroom.spending.budgets import Caps
from darkroom.turns.attempting import Attempting
from darkroom.turns.endings import Ending, Reason
from darkroom.turns.model import Attempt, AttemptState, Turn
from darkroom.turns.progress import Slots
from darkroom.turns.settling import paid
from darkroom.turns.store import TurnLog, TurnStore
from darkroom.turns.together import in_the_books
from darkroom.turns.wishes import counts

DISPATCHED = AttemptState.DISPATCHED


class BookCloser:
    """Leaves no hold of a turn open, and reads off the books how far it had come."""

    def __init__(
        self, store: TurnStore, log: TurnLog, attempting: Attempting, caps: Caps, clock: Clock
    ) -> None:
        self._store = store
        self._log = log
        self._attempting = attempting
        self._caps = caps
        self._clock = clock

    async def close(
        self,
        turn: Turn,
        slots: Slots,
        money_moved: Callable[[], None],
        asking: Callable[[], None],
        *,
        ask: bool = True,
    ) -> None:
        """Note in *slots* how each picture of *turn* ended whose attempt was sent; what was bought for none
        of them could be made again.

        An attempt that is still open is given back if it was never sent; otherwise it is asked for by its
        id, and uncertain when nobody can say (without *ask*, at once). *money_moved* is called for either,
        *asking* before each question.
        """
        sent: list[Attempt] = []
        for attempt in await self._log.attempts(turn.id):
            if attempt.state is AttemptState.HELD:
                await self._store.fall_back(attempt.id, "interrupted", None, self._caps, self._clock.now())
                money_moved()
            elif attempt.id not in slots.paid_for and (attempt.state is DISPATCHED or counts(attempt)):
                sent.append(attempt)
        if sent:
            await self._find_out(turn, sent, slots, money_moved, asking if ask else None)

    async def _find_out(
        self,
        turn: Turn,
        sent: Sequence[Attempt],
        slots: Slots,
        money_moved: Callable[[], None],
        asking: Callable[[], None] | None,
    ) -> None:
        """Note how each call ended that was sent: it was paid for, unless its hold was given back."""
        # Side by side: each may be asked for during half an hour, where the API cannot be asked.
        asked = [self._sent(turn, attempt, money_moved, asking) for attempt in sent]
        endings = await asyncio.gather(*asked, return_exceptions=True)
        now = {attempt.id: attempt for attempt in await self._log.attempts(turn.id)}
        for attempt, ending in zip(sent, endings, strict=True):
            if isinstance(ending, BaseException):
                continue
            if counts(now[attempt.id]):
                slots.paid_for[attempt.id] = ending
            else:
                slots.given_up.append(ending)
        for ending in endings:
            if isinstance(ending, BaseException):
                raise ending

    async def _sent(
        self,
        turn: Turn,
        attempt: Attempt,
        money_moved: Callable[[], None],
        asking: Callable[[], None] | None,
    ) -> Ending:
        """How a call ended that was sent; nobody is asked without *asking*."""
        if attempt.state is not DISPATCHED:
            return await self._bought(turn, attempt, asking)
        if asking is None:
            ending = await self._attempting.write_off(turn, attempt)
        else:
            ending = await self._attempting.resume(turn, attempt, asking)
        money_moved()
        return ending

    async def _bought(self, turn: Turn, attempt: Attempt, asking: Callable[[], None] | None) -> Ending:
        """The ending of an attempt that was paid for, which was only not written into the turn.

        Where the API sent no picture it may have sent words, which are in nobody's books but its own.
        """
        pictures = await self._log.pictures(turn.id)
        has_picture = any(picture.attempt_id == attempt.id for picture in pictures)
        ending = in_the_books(attempt, has_picture=has_picture)
        if ending.reason is not Reason.NO_PICTURE or asking is None:
            return ending
        told = await self._attempting.recall(turn, attempt, asking)
        return paid(told, attempt.charged_nano_usd) if told else ending
