"""What a turn wishes for: its parent, what goes along, and how, read from what is known now."""

from __future__ import annotations

from dataclasses import replace

from darkroom.clock import Clock
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import Attempt, AttemptState, Picture, Surface, Turn, TurnInput
from darkroom.turns.store import TurnLog
from darkroom.turns.wish import Wish

_LOOKS_AT_THREAD = frozenset({Surface.REPLY, Surface.MENTION, Surface.SHORTCUT})
"""What builds on the thread's current picture; buttons and dialogs name the one they mean."""


class Wishes:
    """Reads wishes; changes nothing."""

    def __init__(self, log: TurnLog, clock: Clock) -> None:
        self._log = log
        self._clock = clock

    async def of(self, turn: Turn) -> Wish | Ending:
        """The wish of a turn that is next in its thread; an ending if what it builds on is not there.

        The parent is that of its first attempt, if there is one: all that is made for a turn has one parent.
        """
        attempts = await self._log.attempts(turn.id)
        if attempts:
            parent = await self._living(attempts[0].parent_id)
        elif turn.request.chosen_id is not None:
            parent = await self._living(turn.request.chosen_id)
        else:
            parent = await self._current(turn)
        if isinstance(parent, Ending):
            return parent
        if parent is None and turn.request.surface is Surface.REPLY and not turn.request.attachments:
            return Ending(Outcome.DECLINED, Reason.NOTHING_TO_EDIT)
        return await self._wish(turn, parent)

    async def ahead(self, turn: Turn) -> Wish | Ending:
        """The wish of a turn whose place in its thread has not come: with the parent that it chose."""
        parent = await self._living(turn.request.chosen_id)
        return parent if isinstance(parent, Ending) else await self._wish(turn, parent)

    async def still(self, wish: Wish) -> Ending | None:
        """Why *wish* cannot be made any more, if its parent was deleted meanwhile."""
        parent = await self._living(wish.parent.id if wish.parent else None)
        return parent if isinstance(parent, Ending) else None

    async def allowed_anew(self, wish: Wish) -> Wish:
        """*wish* with the access that now is."""
        return replace(wish, access=await self._log.access(wish.turn))

    async def _wish(self, turn: Turn, parent: Picture | None) -> Wish:
        inputs = await brought(self._log, turn)
        return Wish(
            turn=turn,
            access=await self._log.access(turn),
            today=self._clock.now().date(),
            manner=await self._log.manner(turn),
            parent=parent,
            inputs=inputs or (),
            coming=len(turn.request.attachments) if inputs is None else 0,
        )

    async def _living(self, picture_id: str | None) -> Picture | Ending | None:
        if picture_id is None:
            return None
        picture = await self._log.picture(picture_id)
        if picture is None or picture.deleted_at is not None:
            return Ending(Outcome.DECLINED, Reason.PICTURE_GONE)
        return picture

    async def _current(self, turn: Turn) -> Picture | None:
        request = turn.request
        if request.fresh or request.surface not in _LOOKS_AT_THREAD or turn.thread_ts is None:
            return None
        return await self._log.current_picture(
            request.team_id, request.channel_id, turn.thread_ts, request.order
        )


def counts(attempt: Attempt) -> bool:
    """Whether an attempt uses up one of the pictures that its turn wants: it is open, or was paid for."""
    return attempt.state is not AttemptState.RELEASED


async def brought(log: TurnLog, turn: Turn) -> tuple[TurnInput, ...] | None:
    """What goes along with *turn* as it now reads; None if it was not fetched yet."""
    return await log.inputs(turn.id) if turn.brought_revision == turn.revision else None
