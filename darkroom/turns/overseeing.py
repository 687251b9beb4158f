"""Looking after the line from time to time: what is stuck, and what has waited too long for the API."""

from __future__ import annotations

from darkroom.clock import Clock
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.line import Entry, Line
from darkroom.turns.outages import Gate, Trouble
from darkroom.turns.recovering import TOO_OLD_IN_OUTAGE_S

STUCK_AFTER_S = 600.0
"""Whoever has not come a step further for so long, beyond the time that a call may take, is stuck."""

_OUT_OF_PATIENCE = {
    Trouble.QUOTA: Reason.QUOTA,
    Trouble.KEY: Reason.KEY,
    Trouble.REGION: Reason.REGION,
    Trouble.FAILING: Reason.API_FAILED,
}


class Overseer:
    """Looks at the line, and changes nothing in it. A call may take *timeout_s*."""

    def __init__(self, line: Line, gate: Gate, clock: Clock, timeout_s: float) -> None:
        self._line = line
        self._gate = gate
        self._clock = clock
        self._stuck_after_s = timeout_s + STUCK_AFTER_S

    def pulse(self) -> tuple[int, int, tuple[str, ...]]:
        """How many run, how many wait, and the ids of those that are stuck. Who waits, be it to be started,
        for the rate limit or for Slack's pace, is not stuck."""
        still = self._clock.monotonic() - self._stuck_after_s
        moves = (entry for entry in self._line if not entry.only_waits and not entry.told_to_wait)
        stuck = [entry.turn.id for entry in moves if entry.stepped_at < still]
        return sum(entry.running for entry in self._line), self._line.waiting(), tuple(stuck)

    def out_of_patience(self) -> list[tuple[Entry, Ending]]:
        """Whoever waits to be started and has waited for the API for a day, and how that ends."""
        closed = self._gate.closed()
        if closed is None:
            return []
        reason = _OUT_OF_PATIENCE[closed.outage.trouble]
        ending = Ending(Outcome.FAILED, reason, {"message": closed.outage.message})
        now = self._clock.now()
        return [
            (entry, ending)
            for entry in self._line.parked()
            if entry.calls and (now - entry.turn.created_at).total_seconds() > TOO_OLD_IN_OUTAGE_S
        ]
