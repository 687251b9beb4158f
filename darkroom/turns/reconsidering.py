"""Looking again at what waits when an admin has decided something."""

from __future__ import annotations

from collections.abc import Callable

from darkroom.clock import Clock
from darkroom.turn_context import working_for
from darkroom.turns.admission import Admission
from darkroom.turns.line import Entry, Line
from darkroom.turns.mending import turn_unbroken
from darkroom.turns.model import Turn, TurnState
from darkroom.turns.store import TurnLog, TurnStore


class Reconsidering:
    """Ends what waits and may not be made any more; *withdraw* is called for each of those."""

    def __init__(
        self,
        store: TurnStore,
        log: TurnLog,
        admission: Admission,
        clock: Clock,
        line: Line,
        withdraw: Callable[[Turn], None],
    ) -> None:
        self._store = store
        self._log = log
        self._admission = admission
        self._clock = clock
        self._line = line
        self._withdraw = withdraw
        self._stopped = False

    def stop(self) -> None:
        """End nothing more."""
        self._stopped = True

    async def look_again(self) -> None:
        """Judge everything that only waits. One turn that breaks keeps none behind it."""
        for entry in [each for each in self._line if each.only_waits]:
            with working_for(entry.turn.id):
                await turn_unbroken(self._judge(entry), entry.turn.id)

    async def _judge(self, entry: Entry) -> None:
        turn = await self._log.turn(entry.turn.id)
        if turn is None or turn.state is TurnState.ENDED or self._stopped:
            return
        ending = await self._admission.judge(turn)
        if ending is not None:
            ended = await self._store.end(turn.id, ending, self._clock.now(), waiting_only=True)
            if ended.ending == ending:
                self._withdraw(ended)
