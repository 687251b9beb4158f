"""How many may wait in the line."""

from __future__ import annotations

from dataclasses import dataclass

from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.line import Line
from darkroom.turns.model import Turn


@dataclass(frozen=True, slots=True)
class Bounds:
    """``waiting`` in all, ``per_person`` of one person: nobody can fill the line for everybody."""

    waiting: int
    per_person: int

    def refusal(self, line: Line, turn: Turn) -> Ending | None:
        """Why *turn* finds no place in *line*, or None."""
        details: dict[str, str | int] = {}
        if line.waiting_of(turn) >= self.per_person:
            details = {"waiting": self.per_person, "own": 1}
        elif line.waiting() >= self.waiting:
            details = {"waiting": self.waiting}
        return Ending(Outcome.DECLINED, Reason.QUEUE_FULL, details) if details else None
