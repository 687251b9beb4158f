"""Closing the books of a turn that was interrupted, by a stop or by a fault: its money, then what to say."""

from __future__ import annotations

from collections.abc import Callable

from darkroom.clock import Clock
from darkroom.spending.budgets import Caps
from darkroom.turns.making import TurnMaker
from darkroom.turns.model import Attempt, AttemptState, Ending, Outcome, Reason, Turn
from darkroom.turns.settling import paid
from darkroom.turns.store import TurnLog, TurnStore


class BookCloser:
    """Leaves no hold of a turn open, and reads off the books how far it had come."""

    def __init__(self, store: TurnStore, log: TurnLog, maker: TurnMaker, caps: Caps, clock: Clock) -> None:
        self._store = store
        self._log = log
        self._maker = maker
        self._caps = caps
        self._clock = clock

    async def close(self, turn: Turn, money_moved: Callable[[], None], *, ask: bool = True) -> Ending | None:
        """How *turn* ended, or None when nothing was bought for it, so that it could be made again.

        An attempt that is still open is given back if it was never sent; otherwise it is asked for by its
        id, and uncertain when nobody can say (without *ask*, at once). *money_moved* is called for either.
        """
        for attempt in await self._log.attempts(turn.id):
            if attempt.state is AttemptState.HELD:
                await self._store.fall_back(attempt.id, "interrupted", None, self._caps, self._clock.now())
                money_moved()
            elif attempt.state is AttemptState.DISPATCHED:
                ending = await (self._maker.resume if ask else self._maker.write_off)(turn, attempt)
                money_moved()
                return ending
        return await self._bought(turn, ask=ask)

    async def _bought(self, turn: Turn, *, ask: bool) -> Ending | None:
        """The ending of a turn whose last attempt had ended, and was only not written into the turn."""
        if await self._log.pictures(turn.id):
            return Ending(Outcome.PICTURES, Reason.PICTURES)
        attempts = await self._log.attempts(turn.id)
        unknown = [attempt for attempt in attempts if attempt.state is AttemptState.UNCERTAIN]
        if unknown:
            held = sum(attempt.hold_nano_usd for attempt in unknown)
            return Ending(Outcome.UNCERTAIN, Reason.UNCERTAIN, {"held_nano_usd": held})
        settled = [attempt for attempt in attempts if attempt.state is AttemptState.SETTLED]
        return await self._said(turn, settled[-1], ask=ask) if settled else None

    async def _said(self, turn: Turn, attempt: Attempt, *, ask: bool) -> Ending:
        """The API was paid and sent no picture: words perhaps, which are in nobody's books but its own."""
        told = await self._maker.recall(turn, attempt) if ask else None
        return paid(told or Ending(Outcome.FAILED, Reason.NO_PICTURE), attempt.charged_nano_usd)
