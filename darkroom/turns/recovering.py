"""Taking up what was left unfinished when Darkroom last stopped, however it stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Protocol
from weakref import WeakValueDictionary

from darkroom.clock import Clock
from darkroom.turns.closing import BookCloser
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.line import Entry, Line
from darkroom.turns.model import AttemptState, Turn, TurnState
from darkroom.turns.outages import Gate
from darkroom.turns.patience import told_to_wait
from darkroom.turns.store import TurnLog

TOO_OLD_S = 3600.0
"""A turn older than this when Darkroom starts is cancelled, not made."""
TOO_OLD_IN_OUTAGE_S = 24 * 3600.0
"""The same while the API is closed: then everything waits anyway."""

LOOKED_AT_MAX = 32
"""So many turns are looked up in the books side by side: what is asked for now waits behind no more of them
before it is written down and acknowledged."""
TOLD_MAX = 8
"""So many people are told side by side how their turns ended, and"""
TAKEN_IN_MAX = 8
"""so many are shown that theirs was taken in: who asks for something now finds no more before them at Slack,
which serves each method, and each channel, in the order of coming."""

TOO_OLD = Ending(Outcome.CANCELLED, Reason.TOO_OLD)


class Steps(Protocol):
    """What is done with a turn once it is known how far it had come; the worker's own steps."""

    async def take_in(self, entry: Entry) -> None:
        """Let it wait for its place, as if it had just come."""
        ...

    async def end(self, entry: Entry, ending: Ending) -> Turn:
        """End it without making more of it; gives the turn as it ended, which is to be told."""
        ...

    async def finish(self, entry: Entry, turn: Turn) -> None:
        """Tell how it ended."""
        ...

    def money_moved(self) -> None:
        """A hold has ended."""
        ...


class Recovering:
    """First everything has its place in the line, so that nobody who comes anew passes what was asked before
    them in their thread; then each turn goes on from where it stood. The books are closed for all of them, as
    quickly as the disk allows and the API answers for calls that were sent; their people are told and shown
    as Slack allows, a few at a time."""

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
        self._stopped = False
        self._looking = asyncio.Semaphore(LOOKED_AT_MAX)
        self._telling = asyncio.Semaphore(TOLD_MAX)
        self._taking_in = asyncio.Semaphore(TAKEN_IN_MAX)
        self._people: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        """For each person of whom something is taken in: one at a time."""

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

    def stop(self) -> None:
        """Take up nothing more: what only waits for that is left to the next start."""
        self._stopped = True

    async def _go_on(self, entry: Entry) -> None:
        turn = await self._known(entry)
        if turn.state is TurnState.ENDED or not await self._taken_in(entry, turn):
            await self._told(entry)

    async def _taken_in(self, entry: Entry, turn: Turn) -> bool:
        """False if it was ended from outside meanwhile."""
        # Slack is asked once who somebody is. Whose placeholder stands needs hardly anything more of it.
        places = self._taking_in if turn.placeholder_ts is None else self._looking
        async with _place(self._people.setdefault(turn.person_key, asyncio.Semaphore())), _place(places):
            entry.turn = turn = await self._log.turn(turn.id) or turn
            if turn.state is TurnState.ENDED:
                return False
            if not self._stopped:
                await self._steps.take_in(entry)
            return True

    async def _told(self, entry: Entry) -> None:
        entry.telling, entry.closing = True, False
        async with _place(self._telling):
            if not self._stopped:
                await self._steps.finish(entry, await self._log.turn(entry.turn.id) or entry.turn)

    async def _known(self, entry: Entry) -> Turn:
        """The turn with its books closed; it has ended if nothing more is to be made of it."""
        async with _place(self._looking):
            turn = await self._log.turn(entry.turn.id) or entry.turn
            if not await self._is_to_be_asked_for(turn):
                return await self._closed(entry, turn)
        return await self._closed(entry, turn)

    async def _is_to_be_asked_for(self, turn: Turn) -> bool:
        """Whether the API is to say what became of a call: that may take as long as a call."""
        if turn.state is not TurnState.WORKING:
            return False
        sent = (each for each in await self._log.attempts(turn.id) if each.response_id is not None)
        return any(each.state in (AttemptState.DISPATCHED, AttemptState.SETTLED) for each in sent)

    async def _closed(self, entry: Entry, turn: Turn) -> Turn:
        if turn.state is TurnState.ENDED:
            return turn
        if turn.state is TurnState.WORKING:
            await self._closer.close(turn, entry.slots, self._steps.money_moved, partial(self._asking, entry))
            if not entry.slots.left(turn.request.wanted):
                return await self._steps.end(entry, TOO_OLD)
        too_old_s = TOO_OLD_S if self._gate.closed() is None else TOO_OLD_IN_OUTAGE_S
        if (self._clock.now() - turn.created_at).total_seconds() > too_old_s:
            return await self._steps.end(entry, TOO_OLD)
        entry.closing = False
        return await self._log.turn(turn.id) or turn

    def _asking(self, entry: Entry) -> None:
        """It is not stuck: it waits for what the API says of its call."""
        entry.stepped_at = self._clock.monotonic()


@asynccontextmanager
async def _place(places: asyncio.Semaphore) -> AsyncIterator[None]:
    """One of *places*, in the order of coming; who waits for it is not stuck."""
    with told_to_wait():
        await places.acquire()
    try:
        yield
    finally:
        places.release()
