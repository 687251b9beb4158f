"""Turns that a fault of our own interrupted: each is ended, its money first, and nobody else's with it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

from darkroom.clock import Clock, within
from darkroom.turns.closing import BookCloser
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.line import Entry, Line
from darkroom.turns.model import Turn, TurnState
from darkroom.turns.store import TurnLog, TurnStore
from darkroom.turns.telling import Teller

logger = logging.getLogger("darkroom.turns")

MEND_WAITS_S = (0.0, 5.0, 60.0)
"""How long to wait before each try to end a turn that broke: a full disk may have been cleared by then. Its
thread waits meanwhile."""
LATER_WAITS_S = (300.0, 900.0, 2400.0)
"""And before each further try, while its thread goes on: an hour in all, then the next start sees to it."""


async def turn_unbroken(work: Awaitable[None], turn_id: str) -> bool:
    """The one boundary of a turn: whether *work* came to its end. Whatever broke, the others go on."""
    try:
        await work
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        logger.warning("turn %s: a call it waited for was cancelled", turn_id)
    except Exception:
        logger.exception("turn %s broke", turn_id)
    else:
        return True
    return False


class Mender:
    """Ends what broke. *finish* tells how a turn ended and takes it out of the line; *money_moved* lets on
    whoever waits for what it held."""

    def __init__(
        self,
        store: TurnStore,
        log: TurnLog,
        closer: BookCloser,
        teller: Teller,
        clock: Clock,
        line: Line,
        finish: Callable[[Entry, Turn], Coroutine[Any, Any, None]],
        money_moved: Callable[[], None],
    ) -> None:
        self._store = store
        self._log = log
        self._closer = closer
        self._teller = teller
        self._clock = clock
        self._line = line
        self._finish = finish
        self._money_moved = money_moved
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Begin no further try, and wait for none."""
        self._stopped.set()

    async def mend(self, entry: Entry) -> None:
        """Try until it is done; what still breaks leaves the line, so that its thread goes on, and is tried
        again for an hour."""
        turn_id = entry.turn.id
        for number, wait_s in enumerate(MEND_WAITS_S, start=1):
            if await self._over(entry, wait_s, ask=number < len(MEND_WAITS_S)):
                return
        told = await self._given_up(entry)
        logger.critical(
            "turn %s is given up: %s",
            turn_id,
            "undelivered" if told else "it is tried again for an hour, and then left to the next start",
        )
        self._line.remove(turn_id)
        # What it held may be free by now, and nobody else would say so.
        self._money_moved()
        for wait_s in LATER_WAITS_S:
            if told or await self._over(entry, wait_s, ask=False):
                return
            told = await self._given_up(entry)

    async def _over(self, entry: Entry, wait_s: float, *, ask: bool) -> bool:
        """Whether nothing is left to be tried, after one more try."""
        if await within(self._clock, wait_s, self._stop_comes()):
            return True
        return await turn_unbroken(self._mend(entry, ask=ask), entry.turn.id)

    async def _stop_comes(self) -> None:
        await self._stopped.wait()

    async def _given_up(self, entry: Entry) -> bool:
        told = False

        async def give_up() -> None:
            nonlocal told
            told = await self._teller.give_up(entry)

        await turn_unbroken(give_up(), entry.turn.id)
        return told

    def _asking(self, entry: Entry) -> None:
        """It is not stuck: it waits for what the API says of its call."""
        entry.stepped_at = self._clock.monotonic()

    async def _mend(self, entry: Entry, *, ask: bool) -> None:
        """End the turn, its money first, and tell. Without *ask*, a call that was sent is written off as
        uncertain at once."""
        turn = await self._log.turn(entry.turn.id)
        if turn is None:
            self._line.remove(entry.turn.id)
            return
        if turn.state is not TurnState.ENDED:
            await self._closer.close(
                turn, entry.slots, self._money_moved, partial(self._asking, entry), ask=ask
            )
            # Its hold may have ended just before it broke, and nobody was told.
            self._money_moved()
            ending = entry.slots.ending(turn.request.wanted, Ending(Outcome.FAILED, Reason.BROKEN))
            turn = await self._store.end(turn.id, ending, self._clock.now())
        await self._finish(entry, turn)
