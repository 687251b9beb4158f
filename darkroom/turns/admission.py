"""What is decided of a turn before it waits for its place: may it be, what would it cost, is it clear?"""

from __future__ import annotations

from dataclasses import dataclass, replace

from darkroom.clock import Clock
from darkroom.spending.budgets import Caps
from darkroom.turns.edits import reads_like_an_edit
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.making import TurnMaker
from darkroom.turns.model import Intent, Surface, Turn, TurnState
from darkroom.turns.outages import Gate, MayStart
from darkroom.turns.refusals import refused
from darkroom.turns.store import TurnLog, TurnStore
from darkroom.turns.surroundings import Guard


@dataclass(frozen=True, slots=True)
class Admitted:
    """A turn that may wait; ``at_most_nano_usd`` is for all its pictures, None if it costs nothing."""

    turn: Turn
    at_most_nano_usd: int | None


class Admission:
    """Looks at turns that come in, and again when an admin has decided something."""

    def __init__(
        self,
        store: TurnStore,
        log: TurnLog,
        maker: TurnMaker,
        guard: Guard,
        caps: Caps,
        clock: Clock,
        gate: Gate,
    ) -> None:
        self._store = store
        self._log = log
        self._maker = maker
        self._guard = guard
        self._caps = caps
        self._clock = clock
        self._gate = gate

    async def admit(self, turn: Turn) -> Admitted | Ending:
        """Guard and place in the queue, or why not. One picture must be payable: the others may yet be."""
        refusal = await self._guard.refusal(turn)
        if refusal is not None:
            return refusal
        if turn.request.intent is not Intent.MAKE:
            looked = await self._store.queue(turn.id, None, self._caps, self._clock.now())
            return Admitted(looked, None) if isinstance(looked, Turn) else refused(looked)
        if turn.state is TurnState.RECEIVED and (closed := self._turned_away()) is not None:
            return closed
        # Asked once: after a restart the last picture may be one that the turn itself has brought.
        question = await self._edit_or_new(turn) if turn.state is TurnState.RECEIVED else None
        step = await self._maker.outlook(turn) if question is None else question
        if isinstance(step, Ending):
            return step
        if turn.state is TurnState.RECEIVED:
            queued = await self._store.queue(turn.id, step.plan, self._caps, self._clock.now())
            if not isinstance(queued, Turn):
                return refused(queued)
            turn = queued
        return Admitted(turn, step.plan.bound.total_nano_usd * turn.request.wanted)

    async def judge(self, turn: Turn) -> Ending | None:
        """Why a turn that waits may not be made any more, as it now reads: it may have been edited."""
        if turn.request.intent is not Intent.MAKE:
            return None
        step = await self._maker.outlook(turn)
        if isinstance(step, Ending):
            return step
        looked = await self._store.queue(turn.id, step.plan, self._caps, self._clock.now())
        return None if isinstance(looked, Turn) else refused(looked)

    def _turned_away(self) -> Ending | None:
        """Nothing new is taken in while only an admin can mend what is wrong with the API; but for whoever
        comes when it is time to try whether that was done."""
        closed = self._gate.closed()
        if closed is None or not closed.outage.trouble.stops_intake:
            return None
        if self._gate.may_start() is not MayStart.NONE:
            return None
        details = {"trouble": closed.outage.trouble.value, "message": closed.outage.message}
        return Ending(Outcome.DECLINED, Reason.API_CLOSED, details)

    async def _edit_or_new(self, turn: Turn) -> Ending | None:
        """A direct message on top level starts a picture; one that reads like a change of the last is asked
        about, before anything is bought."""
        request = turn.request
        on_top = request.message_ts is not None and request.message_ts == request.thread_ts
        in_dm = request.surface is Surface.MENTION and request.channel_id.startswith("D")
        if not (on_top and in_dm) or request.attachments or not reads_like_an_edit(request.prompt):
            return None
        last = await self._log.last_picture(request.team_id, request.channel_id, request.user_id)
        if last is None:
            return None
        details: dict[str, str | int] = {"picture_id": last.id, "version": last.version}
        edit = replace(turn, request=replace(request, chosen_id=last.id))
        for name, meant in (("edit_nano_usd", edit), ("new_nano_usd", turn)):
            step = await self._maker.outlook(meant)
            if not isinstance(step, Ending):
                details[name] = step.plan.bound.total_nano_usd * request.wanted
        return Ending(Outcome.DECLINED, Reason.EDIT_OR_NEW, details)
