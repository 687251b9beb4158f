"""How far a turn has come, picture by picture; kept while it waits for money in between."""

from __future__ import annotations

from dataclasses import dataclass, field

from darkroom.rendering.fallbacks import RATE_PATIENCE_S
from darkroom.rendering.job import Candidate
from darkroom.turns.endings import Ending
from darkroom.turns.outages import Patience
from darkroom.turns.passed_by import Part, parts_of
from darkroom.turns.together import together


@dataclass(slots=True)
class Progress:
    """How far one picture has come through its fallbacks."""

    refused: dict[Part, str] = field(default_factory=dict)
    """What of the candidates was refused, and the kind of the refusal."""
    rate_waits: int = 0
    """How often it has waited for a rate limit that had refused it."""
    patience: Patience = field(default_factory=lambda: Patience(RATE_PATIENCE_S))
    """How long it still lets rate limits hold it back."""
    at_gate: bool = False
    """It waits to be let go, without a hold."""
    asking: bool = False
    """Its call broke off, and the API is asked what became of it."""
    at_rest: bool = False
    """Nobody is at it any more: it has its ending, or waits for money, while others of its turn go on."""
    unsent: int = 0
    """How often its call never left."""
    ticket: int | None = None
    """Its place in the order of coming, once it had come to be called."""
    resent: bool = False
    revision: int = 0
    paid_for: str | None = None
    """The attempt that was, or may have been, paid for."""

    def follow(self, revision: int) -> None:
        """What was edited since is asked of every candidate anew; what was waited still counts."""
        if revision != self.revision:
            self.revision, self.resent = revision, False
            self.refused.clear()

    def why_not(self, candidate: Candidate) -> str | None:
        """The kind of the refusal that *candidate*, or what it has in common with another, has met."""
        return next((self.refused[part] for part in parts_of(candidate) if part in self.refused), None)


@dataclass(slots=True)
class Slots:
    """The pictures that a turn wants: those paid for, those given up, and those still to be made.

    What was paid for is known by its attempt. Whatever was given up cost nothing.
    """

    paid_for: dict[str, Ending] = field(default_factory=dict)
    given_up: list[Ending] = field(default_factory=list)
    going: list[Progress] = field(default_factory=list)
    revision: int = 0

    def follow(self, revision: int) -> None:
        """What was edited since is another request: what was given up is tried again."""
        if revision != self.revision:
            self.revision = revision
            self.given_up.clear()
        for progress in self.going:
            progress.follow(revision)

    def left(self, wanted: int) -> int:
        """How many of *wanted* pictures have no ending yet."""
        return max(0, wanted - len(self.paid_for) - len(self.given_up))

    @property
    def at_gate(self) -> bool:
        """Whether all that is left to be made waits to be let go."""
        on = self._on
        return bool(on) and all(progress.at_gate for progress in on)

    @property
    def only_asks(self) -> bool:
        """Whether the API is asked for all that is left to be made: nobody knows when it will say."""
        on = self._on
        return bool(on) and all(progress.asking for progress in on)

    @property
    def calling(self) -> int:
        """How many are being made, or asked for."""
        return sum(not progress.at_gate for progress in self._on)

    @property
    def _on(self) -> list[Progress]:
        return [progress for progress in self.going if not progress.at_rest]

    def to_make(self, wanted: int) -> list[Progress]:
        """The pictures without an ending."""
        left = self.left(wanted)
        self.going = (self.going + [Progress(revision=self.revision) for _ in range(left)])[:left]
        return list(self.going)

    def end(self, progress: Progress, ending: Ending) -> None:
        """One of them has an ending."""
        self.going.remove(progress)
        if progress.paid_for is None:
            self.given_up.append(ending)
        else:
            self.paid_for[progress.paid_for] = ending

    def ending(self, wanted: int, rest: Ending) -> Ending:
        """The turn's ending, if whatever has none by now ends as *rest*."""
        return together([*self.paid_for.values(), *self.given_up, *[rest] * self.left(wanted)])
