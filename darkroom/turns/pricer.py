"""What a request would cost, from the same plan that would be held for it."""

from __future__ import annotations

from dataclasses import replace

from darkroom.clock import Clock
from darkroom.spending.bound import estimate
from darkroom.turns.endings import Ending
from darkroom.turns.making import TurnMaker
from darkroom.turns.model import Request, Turn, TurnState
from darkroom.turns.planning import Planner
from darkroom.turns.pricing import Quote
from darkroom.turns.store import TurnLog


class Pricer:
    """``Pricing`` as turns are planned: what it says is at most is what would be held now.

    Pictures above a mention are not counted: nobody has looked at them yet. Nor is it known of an attached
    file that it is a mask.
    """

    def __init__(self, log: TurnLog, maker: TurnMaker, planner: Planner, clock: Clock) -> None:
        self._log = log
        self._maker = maker
        self._planner = planner
        self._clock = clock

    async def quote(self, request: Request) -> Quote | Ending:
        """See ``Pricing.quote``."""
        wish = await self._maker.wishes.of(await self._imagined(request))
        if isinstance(wish, Ending):
            return wish
        if request.inputs_from is not None:
            again = await self._log.inputs(request.inputs_from)
            wish = replace(wish, inputs=again, coming=0 if again else wish.coming)
        step = self._maker.first_step(wish)
        if isinstance(step, Ending):
            return step
        likely = estimate(step.ask, self._planner.catalogue).total_nano_usd
        at_most = step.plan.bound.total_nano_usd
        wanted = request.wanted
        return Quote(likely * wanted, at_most * wanted, step.plan.candidate.image_model, step.plan.quality)

    async def _imagined(self, request: Request) -> Turn:
        """The turn that would come of *request*; nothing of it is written."""
        now = self._clock.now()
        return Turn(
            id="",
            person_key=await self._log.person(request.team_id, request.user_id) or "",
            request=request,
            state=TurnState.QUEUED,
            ending=None,
            revision=0,
            parent_id=None,
            thread_ts=request.thread_ts,
            placeholder_ts=None,
            post_begun_at=None,
            message_ts=None,
            placeholder_closed_at=None,
            told_at=None,
            undelivered_reason=None,
            created_at=now,
            updated_at=now,
        )
