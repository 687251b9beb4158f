"""Taking up what was left unfinished when Darkroom last stopped, however it stopped."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from darkroom.clock import Clock
from darkroom.turns.closing import BookCloser
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.line import Entry, Line
from darkroom.turns.model import Turn, TurnState
from darkroom.turns.outages import Gate
from darkroom.turns.store import TurnLog

TOO_OLD_S = 3600.0
"""A turn older than this when Darkroom starts is cancelled, not made."""
TOO_OLD_IN_OUTAGE_S = 24 * 3600.0
"""The same while the API is closed: then everything waits anyway."""

TOO_OLD = Ending(Outcome.CANCELLED, Reason.TOO_OLD)


class Steps(Protocol):
    """What is done with a turn once it is known how far it had come; the worker's own steps."""

    async def take_in(self, entry: Entry) -> None:
        """Let it wait for its place, as if it had just come."""
        ...

    async def stop(self, entry: Entry, ending: Ending) -> None:
        """End it without making more of it, and tell."""
        ...

    async def finish(self, entry: Entry, turn: Turn) -> None:
        """Tell how it ended."""
        ...

    def money_moved(self) -> None:
        """A hold has ended."""
        ...


class Recovering:
    """First everything has its place in the line, so that nobody who comes anew passes what was asked before
    them in their thread; then each turn goes on from where it stood."""

    def __init__(
        self, log: TurnLog, closer: BookCloser, clock: Clock, line: Line, gate: Gate, steps: Steps
    ) -> None:
        self._log = log
        self._closer = closer
        self._clock = clock
        self._line = line
        self._gate = gate
        self._steps = steps
        self._lined_up: list[Entry] = []

    async def line_up(self) -> int:
        """Put every turn that was left unfinished into the line; gives how many. What was being made, or
        told, comes before all else in its thread."""
        for turn in await self._log.unfinished():
            if self._line.get(turn.id) is None:
                entry = self._line.add(turn)
                entry.closing = turn.state is TurnState.WORKING
                entry.telling = turn.state is TurnState.ENDED
                entry.says_wait = turn.placeholder_ts is not None
                entry.stepped_at = self._clock.monotonic()
                self._lined_up.append(entry)
        return len(self._lined_up)

    def take_up(self, spawn: Callable[[Coroutine[Any, Any, None], Entry], None]) -> None:
        """Have everything that was lined up go on, each in a task of its own; returns at once."""
        lined_up, self._lined_up = self._lined_up, []
        for entry in lined_up:
            spawn(self._go_on(entry), entry)

    async def _go_on(self, entry: Entry) -> None:
        turn = await self._log.turn(entry.turn.id) or entry.turn
        if turn.state is TurnState.ENDED:
            await self._steps.finish(entry, turn)
            return
        if turn.state is TurnState.WORKING:
            await self._closer.close(turn, entry.slots, self._steps.money_moved)
            if not entry.slots.left(turn.request.wanted):
                await self._steps.stop(entry, TOO_OLD)
                return
        entry.closing = False
        too_old_s = TOO_OLD_S if self._gate.closed() is None else TOO_OLD_IN_OUTAGE_S
        if (self._clock.now() - turn.created_at).total_seconds() > too_old_s:
            await self._steps.stop(entry, TOO_OLD)
            return
        entry.turn = await self._log.turn(turn.id) or turn
        await self._steps.take_in(entry)
