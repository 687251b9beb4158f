"""Making a turn: each picture that it wants by itself, side by side, and one ending for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

from darkroom.clock import Clock
from darkroom.rendering.job import Renderer
from darkroom.spending.budgets import Caps, MustWait
from darkroom.turns.attempting import Attempting, Purse
from darkroom.turns.bringing import Bringer
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import Turn
from darkroom.turns.outages import Closed, Gate
from darkroom.turns.planning import NotAllowed, Planner, Step, Unusable
from darkroom.turns.progress import Progress, Slots
from darkroom.turns.refusals import declined
from darkroom.turns.store import TurnLog, TurnStore
from darkroom.turns.wish import Wish
from darkroom.turns.wishes import Wishes

_ALL_ENDED = Ending(Outcome.FAILED, Reason.BROKEN)
"""What no picture ends as: each has its own ending."""


class TurnMaker:
    """Takes a queued turn to its ending, or to where it must wait for money or for the API. Every call passes
    the *gate*; whoever waits there has no hold."""

    def __init__(
        self,
        store: TurnStore,
        log: TurnLog,
        renderer: Renderer,
        planner: Planner,
        caps: Caps,
        clock: Clock,
        bringer: Bringer,
        gate: Gate,
    ) -> None:
        self.bringer = bringer
        self.gate = gate
        self.wishes = Wishes(log, clock)
        self.attempting = Attempting(store, log, renderer, planner, self.wishes, caps, clock, gate)

    def first_step(self, wish: Wish) -> Step | Ending:
        """The attempt that would be made of *wish*, for what it costs at most. An ending if no model can make
        it, or none that may be used."""
        try:
            return self.attempting.first_step(wish)
        except (Unusable, NotAllowed) as problem:
            return declined(problem)

    async def outlook(self, turn: Turn) -> Step | Ending:
        """The turn's first step as things stand now, before its place in the thread is known.

        Where nobody may use the usual model, an edit still goes on with the model of its picture.
        """
        wish = await self.wishes.ahead(turn)
        if isinstance(wish, Ending):
            return wish
        step = self.first_step(wish)
        if isinstance(step, Ending) and step.reason is Reason.NOT_ALLOWED:
            wish = await self.wishes.of(turn)
            return step if isinstance(wish, Ending) else self.first_step(wish)
        return step

    async def make(
        self,
        turn: Turn,
        slots: Slots,
        held_money: Callable[[], None],
        money_moved: Callable[[], None],
        asking: Callable[[], None],
    ) -> Ending | MustWait | Closed:
        """Make what *slots* has no ending for. Gives the turn's ending (not yet written) when all have one,
        or what one of them must wait for when none is under way any more: then make the turn again.

        *held_money* is called when a hold was taken, *money_moved* whenever one has ended, *asking* whenever
        the API is asked what became of a call that broke off. Raises ``NotWaiting`` when the turn was edited
        or taken back meanwhile: nothing is held for it.
        """
        wanted = turn.request.wanted
        slots.follow(turn.revision)
        wish = await self._whole_wish(turn)
        if isinstance(wish, Ending):
            return slots.ending(wanted, wish)
        going, purse = slots.to_make(wanted), Purse(held_money, money_moved, asking)
        results = await _side_by_side([self._make_one(wish, each, purse) for each in going])
        for progress, result in zip(going, results, strict=True):
            if isinstance(result, Ending):
                slots.end(progress, result)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        # Whoever waits for the API looks for its money again as well.
        for kind in (Closed, MustWait):
            for result in results:
                if isinstance(result, kind):
                    return result
        return slots.ending(wanted, _ALL_ENDED)

    async def _make_one(self, wish: Wish, progress: Progress, purse: Purse) -> Ending | MustWait | Closed:
        progress.at_rest = False
        try:
            return await self.attempting.make(wish, progress, purse)
        finally:
            progress.at_rest = True

    async def _whole_wish(self, turn: Turn) -> Wish | Ending:
        """The wish of a turn that is next, with everything that goes along fetched."""
        wish = await self.wishes.of(turn)
        if isinstance(wish, Ending):
            return wish
        inputs = await self.bringer.bring(turn, wish.parent)
        return inputs if isinstance(inputs, Ending) else replace(wish, inputs=inputs, coming=0)


async def _side_by_side(
    works: Sequence[Coroutine[Any, Any, Ending | MustWait | Closed]],
) -> Sequence[Ending | MustWait | Closed | BaseException]:
    """What becomes of each. One that breaks does not stop the others: their calls are under way, and paid."""
    if len(works) == 1:
        return [await works[0]]
    results: list[Ending | MustWait | Closed | BaseException] = await asyncio.gather(
        *works, return_exceptions=True
    )
    return results
