"""What need not be asked again: candidates that were refused, in a turn or not long ago."""

from __future__ import annotations

from darkroom.clock import Clock
from darkroom.rendering.job import Candidate, Concern, Failure

REMEMBERED_S = 3600.0
"""A refusal is believed for so long: the account may have been verified meanwhile."""
REMEMBERED_MAX = 200
"""Refusals that are remembered; there are far fewer models."""

Part = tuple[Concern, str]
"""What of a candidate was refused, and its name."""


def part_of(candidate: Candidate, concern: Concern | None) -> Part:
    """What a refusal that concerns *concern* says no to; the image model where it does not say."""
    match concern:
        case Concern.HOST:
            return concern, candidate.host_model
        case Concern.ENDPOINT:
            return concern, candidate.endpoint.value
        case _:
            return Concern.IMAGE_MODEL, candidate.image_model


def parts_of(candidate: Candidate) -> list[Part]:
    """All of what a candidate can be refused for."""
    return [part_of(candidate, concern) for concern in Concern]


class RefusedLately:
    """Remembers refusals for an hour, so that not every turn spends time on being refused."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[Part, tuple[str, float]] = {}

    def why(self, candidate: Candidate) -> str | None:
        """The kind of the refusal that is remembered, or None."""
        at = self._clock.monotonic()
        found = (self._known.get(part) for part in parts_of(candidate))
        return next((why for why, until in filter(None, found) if at < until), None)

    def refuse(self, candidate: Candidate, failure: Failure) -> None:
        """Remember what *failure* says of *candidate*."""
        part = part_of(candidate, failure.concerns)
        self._known.pop(part, None)
        self._known[part] = failure.kind.value, self._clock.monotonic() + REMEMBERED_S
        if len(self._known) > REMEMBERED_MAX:
            self._known.pop(next(iter(self._known)))

    def succeed(self, candidate: Candidate) -> None:
        """It was not refused."""
        for part in parts_of(candidate):
            self._known.pop(part, None)
