"""One turn that is next: what comes of it when it is made."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from darkroom.clock import Clock
from darkroom.spending.budgets import MustWait
from darkroom.turns.endings import Ending
from darkroom.turns.line import Entry
from darkroom.turns.looking_back import look_back
from darkroom.turns.making import TurnMaker
from darkroom.turns.model import Intent, Turn
from darkroom.turns.outages import Closed
from darkroom.turns.shown_waits import ShownWaits
from darkroom.turns.store import TurnLog
from darkroom.turns.turn_tasks import TurnTasks


class Running:
    """Makes turns, and lets on others with every step: *start_next* when a place or a budget may be free for
    whoever is next, *money_moved* when a hold has ended."""

    def __init__(
        self,
        log: TurnLog,
        maker: TurnMaker,
        clock: Clock,
        tasks: TurnTasks,
        waits: ShownWaits,
        start_next: Callable[[], None],
        money_moved: Callable[[], None],
    ) -> None:
        self._log = log
        self._maker = maker
        self._clock = clock
        self._tasks = tasks
        self._waits = waits
        self._start_next = start_next
        self._money_moved = money_moved

    async def run(self, entry: Entry, turn: Turn) -> Ending | MustWait | Closed | None:
        """What came of it; None if it was ended from outside, or Darkroom stops while it only waits."""
        if turn.request.intent is not Intent.MAKE:
            return await look_back(self._log, turn)
        making = self._maker.make(
            turn,
            entry.slots,
            partial(self._held, entry),
            partial(self._moved, entry),
            partial(self._tasks.asking, entry),
        )
        entry.making = task = asyncio.create_task(making)
        try:
            return await task
        except asyncio.CancelledError:
            worker = asyncio.current_task()
            if worker is None or worker.cancelling() or not (entry.withdrawn or self._tasks.stopping):
                raise
            return None
        finally:
            entry.making = None

    def _held(self, entry: Entry) -> None:
        """It has its money: whoever is behind it may ask for theirs."""
        entry.stepped_at = self._clock.monotonic()
        self._waits.started(entry)
        if entry.wants is not None:
            entry.wants = None
            self._start_next()

    def _moved(self, entry: Entry) -> None:
        entry.stepped_at = self._clock.monotonic()
        self._money_moved()
