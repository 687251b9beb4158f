"""Whether the API is called at all. What only an admin can mend trips the breaker, and failure after failure;
from time to time one call tries, and its success resets it. Waits for nothing and writes nothing down."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from datetime import timedelta

from darkroom.clock import Clock
from darkroom.rendering.job import Answer, Billed, Failure, FailureKind
from darkroom.turns.outages import Closed, Outage, Pass, Trouble

FAILURES = 3
"""So many failures without a success in between, and the API is left alone."""
FAILURES_WITHIN_S = 600.0
MEND_WAITS_S = (60.0, 120.0, 300.0, 600.0, 900.0)
"""When somebody tries what only an admin can mend: after so long, then again after so long, …"""
FAILING_WAITS_S = (30.0, 60.0, 120.0, 240.0, 480.0, 600.0)
"""The same where call after call has failed."""
TOLD_AFTER_S = 300.0
"""Admins are told of failures that have gone on for so long, of all else at once."""

_TROUBLES = {
    FailureKind.QUOTA: Trouble.QUOTA,
    FailureKind.KEY: Trouble.KEY,
    FailureKind.REGION: Trouble.REGION,
}
NO_ANSWER = frozenset({FailureKind.SERVER, FailureKind.TIMEOUT, FailureKind.UNREACHABLE})
"""The failures of the API itself, rather than of what it was asked."""


@dataclass(frozen=True, slots=True)
class Incident:
    """An outage that belongs in the books, and of which the admins of ``team_id`` are told."""

    outage: Outage
    team_id: str


class Breaker:
    """Lets calls pass, or was tripped by an outage: then the API is closed, until it is reset."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._outage: Outage | None = None
        self._since = 0.0
        self._tries = 0
        self._next_try = 0.0
        self._failures: deque[float] = deque(maxlen=FAILURES)
        self.spell = 0
        """How often it was tripped."""
        self.probing = False
        """Somebody is trying."""
        self.incident: Incident | None = None
        """What should stand in the books as going on."""

    def resume(self, outage: Outage) -> None:
        """Begin as it was left: tripped, and to be tried at once."""
        self._trip(outage)
        self._next_try = self._clock.monotonic()
        self.incident = Incident(outage, "")

    def booked(self, incident: Incident, outage: Outage) -> None:
        """How *incident* stands in the books: perhaps as what had begun before."""
        if self.incident is incident:
            self.incident = replace(incident, outage=outage)
            self._outage = outage

    def closed(self) -> Closed | None:
        """What is the matter, or None."""
        if self._outage is None:
            return None
        left = max(0.0, self._next_try - self._clock.monotonic())
        return Closed(self._outage, self._clock.now() + timedelta(seconds=left))

    def next_try(self) -> float | None:
        """When somebody may try (monotonic); None while calls pass, or somebody is at it."""
        return None if self._outage is None or self.probing else self._next_try

    def due(self) -> bool:
        """Whether somebody may try now."""
        next_try = self.next_try()
        return next_try is not None and self._clock.monotonic() >= next_try

    def hear(self, passed: Pass, answer: Answer, team_id: str) -> None:
        """What came of a call. One that was let go before it was tripped says nothing of what only an admin
        can mend, whatever it brings."""
        failure = answer.failure
        fresh = passed.spell == self.spell
        if failure is not None and (trouble := _TROUBLES.get(failure.kind)) is not None:
            self._strike(trouble, failure, team_id, fresh=fresh)
            return
        if self._stops_intake() and fresh and _allowed(answer):
            self._reset()
        if failure is not None and failure.kind in NO_ANSWER:
            self._fail(failure, team_id, fresh=fresh)
            return
        self._failures.clear()
        if self._outage is not None and not self._stops_intake():
            self._reset()

    def _strike(self, trouble: Trouble, failure: Failure, team_id: str, *, fresh: bool) -> None:
        if self._outage is not None and self._outage.trouble is trouble:
            if fresh:
                self._put_off()
        elif self._outage is None or fresh or not self._stops_intake():
            self._trip(self._new(trouble, failure))
            self.incident = Incident(self._known(), team_id)

    def _fail(self, failure: Failure, team_id: str, *, fresh: bool) -> None:
        at = self._clock.monotonic()
        if self._outage is None:
            self._failures.append(at)
            if len(self._failures) == FAILURES and at - self._failures[0] <= FAILURES_WITHIN_S:
                self._trip(self._new(Trouble.FAILING, failure))
        elif fresh:
            self._put_off()
            if self.incident is None and at - self._since >= TOLD_AFTER_S:
                self.incident = Incident(self._known(), team_id)

    def _new(self, trouble: Trouble, failure: Failure) -> Outage:
        name = failure.code or failure.kind.value
        # A server's error may quote what somebody asked for, and other people are told of the outage.
        message = failure.message or name if trouble.stops_intake else name
        return Outage(self._clock.new_id("outage"), trouble, message, self._clock.now())

    def _known(self) -> Outage:
        if self._outage is None:
            raise RuntimeError("there is no outage")
        return self._outage

    def _trip(self, outage: Outage) -> None:
        self._outage, self.incident = outage, None
        self.spell += 1
        self._tries, self._since = 0, self._clock.monotonic()
        self.probing = False
        self._failures.clear()
        self._next_try = self._since + self._waits()[0]

    def _put_off(self) -> None:
        waits = self._waits()
        self._tries = min(self._tries + 1, len(waits) - 1)
        self._next_try = self._clock.monotonic() + waits[self._tries]

    def _reset(self) -> None:
        self._outage = self.incident = None
        self.probing = False
        self._failures.clear()

    def _waits(self) -> tuple[float, ...]:
        return MEND_WAITS_S if self._stops_intake() else FAILING_WAITS_S

    def _stops_intake(self) -> bool:
        return self._outage is not None and self._outage.trouble.stops_intake


def _allowed(answer: Answer) -> bool:
    """Whether an answer shows that pictures may be made: one, words, a refusal of what is in it, or usage."""
    failure = answer.failure
    if failure is None or failure.kind in (FailureKind.MODERATION, FailureKind.BAD_PICTURE):
        return True
    return failure.billed is Billed.REPORTED or bool(answer.host_usage or answer.image_usage)
