"""Which of the candidates is called next, and what is said of those before it."""

from __future__ import annotations

from dataclasses import dataclass

from darkroom.rendering.job import Candidate
from darkroom.turns.model import PassedOver
from darkroom.turns.outages import Gate
from darkroom.turns.progress import Progress


@dataclass(frozen=True, slots=True)
class Choice:
    """The candidates for one wish, in order, and what was left out before them."""

    candidates: tuple[Candidate, ...]
    left_out: tuple[PassedOver, ...]
    gate: Gate

    def left(self, progress: Progress) -> list[Candidate]:
        """Those that were not refused for this picture."""
        return [each for each in self.candidates if progress.why_not(each) is None]

    def of(self, progress: Progress) -> Candidate:
        """The first that was refused neither for this picture nor not long ago. Where all were refused not
        long ago, they are asked again: nothing ends by what is only remembered."""
        left = self.left(progress) or [self.candidates[-1]]
        return next((each for each in left if self.gate.refused(each) is None), left[0])

    def passed_over(self, chosen: Candidate, progress: Progress) -> tuple[PassedOver, ...]:
        """What would have come before *chosen*, and why it is not used."""
        before = self.candidates[: self.candidates.index(chosen)]
        known = [(each, progress.why_not(each) or self.gate.refused(each)) for each in before]
        refused = [PassedOver(each.image_model, each.endpoint, why) for each, why in known if why]
        return (*self.left_out, *refused)
