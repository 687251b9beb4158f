"""A gate before the API, in virtual time, and those who come to it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime

from darkroom.rendering.job import Answer, Billed, Candidate, Endpoint, FailureKind
from darkroom.turns.api_gate import ApiGate
from darkroom.turns.breaker import FAILURES
from darkroom.turns.endings import Ending
from darkroom.turns.outages import Closed, Outage, Pass, Patience, Trouble
from tests.examples import HOST_MODEL, IMAGE_MODEL, TEAM
from tests.turns.fakes import failed, said
from tests.turns.virtual import VirtualClock, settled

FOX = Candidate(Endpoint.RESPONSES, IMAGE_MODEL, HOST_MODEL)
CAT = replace(FOX, image_model="gpt-image-2.5-flare")
BY_IMAGES = Candidate(Endpoint.IMAGES, IMAGE_MODEL, "")
HOUR = 3600.0
PICTURE = said("as good as a picture")


@dataclass
class Books:
    """An ``OutageBook`` in memory; outlives a gate."""

    open: Outage | None = None
    written: list[tuple[str, str]] = field(default_factory=list)
    faults: list[BaseException] = field(default_factory=list)

    async def current(self) -> Outage | None:
        """See ``OutageBook``."""
        return self.open

    async def begin(self, outage: Outage, team_id: str) -> Outage:
        """See ``OutageBook``."""
        await asyncio.sleep(0)
        if self.faults:
            raise self.faults.pop()
        if self.open is None:
            self.open = outage
            self.written.append((outage.trouble, team_id))
        return self.open

    async def end(self, outage_id: str, at: datetime) -> None:
        """See ``OutageBook``."""
        await asyncio.sleep(0)
        if self.open is not None and self.open.id == outage_id:
            self.written.append((self.open.trouble, "over"))
            self.open = None


class Door:
    """A gate, and those who come to it."""

    def __init__(self, books: Books | None = None, *, places: int = 32) -> None:
        self.clock = VirtualClock()
        self.books = books or Books()
        self.gate = ApiGate(self.clock, self.books, calls_at_once=places)
        self.changes = 0
        self.alerts = 0
        self.gate.listen(self._changed)
        self.gate.listen_for_alerts(self._alerted)

    def _changed(self) -> None:
        self.changes += 1

    def _alerted(self) -> None:
        self.alerts += 1

    def come(
        self, candidate: Candidate = FOX, *, ticket: int | None = None, patience: float = HOUR
    ) -> asyncio.Task[Pass | Closed | Ending | None]:
        """Somebody enters, and waits if need be."""
        return asyncio.create_task(self.gate.enter(candidate, Patience(patience), ticket))

    async def passes(self, candidate: Candidate = FOX, *, ticket: int | None = None) -> Pass:
        """Somebody enters, and is let go at once."""
        passed = self.come(candidate, ticket=ticket)
        await settled()
        assert passed.done()
        return pass_of(passed)

    async def is_closed(self) -> bool:
        """Whether somebody who comes is sent back."""
        came = self.come()
        await settled()
        result = came.result()
        if isinstance(result, Pass):
            self.gate.leave(result)
        return isinstance(result, Closed)

    async def call(self, answer: Answer = PICTURE, candidate: Candidate = FOX, team: str = TEAM) -> Pass:
        """Somebody enters, calls and is answered."""
        passed = await self.passes(candidate)
        self.gate.learn(passed, answer, team)
        await settled()
        return passed

    async def fail(self, times: int = FAILURES, kind: FailureKind = FailureKind.SERVER) -> None:
        """So many calls fail in a row."""
        for _ in range(times):
            await self.call(failed(kind, Billed.UNKNOWN))

    def trouble(self) -> Trouble | None:
        """What is the matter."""
        closed = self.gate.closed()
        return None if closed is None else closed.outage.trouble

    def next_try_in(self) -> float:
        """Seconds until somebody may try."""
        closed = self.gate.closed()
        assert closed is not None
        return (closed.next_try_at - self.clock.now()).total_seconds()


def pass_of(came: asyncio.Task[Pass | Closed | Ending | None]) -> Pass:
    passed = came.result()
    assert isinstance(passed, Pass)
    return passed
