"""Whether the image API may be called now, and what the books know of times when it could not be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum
from typing import Protocol

from darkroom.rendering.job import Answer, Candidate
from darkroom.turns.endings import Ending


class Trouble(StrEnum):
    """Why the API is not called. All but ``FAILING`` also stop intake: only an admin can mend them."""

    QUOTA = "quota"
    """The account has no money left, or a limit of its own is reached."""
    KEY = "key"
    """The key is not accepted."""
    REGION = "region"
    """The API does not serve the place that we call it from."""
    FAILING = "failing"
    """Call after call has failed: it is left alone for a while, so that no more money becomes uncertain."""

    @property
    def stops_intake(self) -> bool:
        """Whether nothing new is taken in meanwhile."""
        return self is not Trouble.FAILING


@dataclass(frozen=True, slots=True)
class Outage:
    """A time when the API was of no use; ``message`` is its own words, for admins."""

    id: str
    trouble: Trouble
    message: str
    began_at: datetime


@dataclass(frozen=True, slots=True)
class Closed:
    """The API is not called now: nothing was held or sent. ``next_try_at`` is when somebody may try it."""

    outage: Outage
    next_try_at: datetime


@dataclass(frozen=True, slots=True)
class Slowed:
    """Somebody waits for a rate limit: when the next call may go, and how many pictures a minute the API said
    that the account may make, if it did."""

    next_at: datetime
    per_minute: int | None = None


class MayStart(Enum):
    """How many turns that call the API may be started; the value is the limit, None where there is none."""

    ANY = None
    ONE = 1
    """The API is closed, and somebody may try whether the trouble is over."""
    NONE = 0


class OutageBook(Protocol):
    """Outages, so that admins are told once, also over a restart. Each method is one transaction."""

    async def current(self) -> Outage | None:
        """The outage that has not ended."""
        ...

    async def begin(self, outage: Outage, team_id: str) -> Outage:
        """Write *outage* down and raise its alert for the admins of *team_id*; gives the one that had begun
        before, if that has not ended."""
        ...

    async def end(self, outage_id: str, at: datetime) -> None:
        """It is over; the admins who were told of it are told that. Doing it twice is a no-op."""
        ...


@dataclass(frozen=True, slots=True)
class Pass:
    """Leave to make one call with ``candidate``, to be learned from or left.

    ``ticket`` is its place in the order of coming, kept by whoever comes back with it. ``number`` counts the
    passes, and ``spell`` how often the API had been closed until then; ``probe`` is the call that
    tries whether the trouble is over.
    """

    candidate: Candidate
    ticket: int
    number: int
    spell: int
    probe: bool = False


@dataclass(slots=True)
class Patience:
    """How many seconds somebody lets rate limits hold them back before they give up. The gate uses it up,
    and nothing but a rate limit does: no wait for a free place, and no call."""

    left_s: float


class Gate(Protocol):
    """What every call to the API passes. It learns from the answers: limits, refusals, troubles."""

    def closed(self) -> Closed | None:
        """What is the matter, or None."""
        ...

    def may_start(self) -> MayStart:
        """How many turns may be started now that call the API."""
        ...

    def slowed(self) -> Slowed | None:
        """The rate limit that who came first waits for, or None if nobody waits for one."""
        ...

    def refused(self, candidate: Candidate) -> str | None:
        """Why *candidate* need not be asked (a ``FailureKind``'s value): it was refused not long ago."""
        ...

    def end(self, ending: Ending) -> None:
        """No call is to be made any more: whoever waits, and whoever comes, ends with *ending*."""
        ...

    def over(self) -> Ending | None:
        """What ``end`` was given."""
        ...

    async def enter(
        self, candidate: Candidate, patience: Patience, ticket: int | None = None
    ) -> Pass | Closed | Ending | None:
        """Before a hold: wait for the candidate's rate limit and a free place, in the order of coming (with
        *ticket*, that of an earlier pass); or why not to call. None when *patience*, which is less afterwards
        by what the rate limit took of it, was used up."""
        ...

    def enter_at_once(self, candidate: Candidate, ticket: int) -> Pass | None:
        """The same without waiting for anything: None where that would be needed."""
        ...

    def learn(self, passed: Pass, answer: Answer, team_id: str) -> None:
        """What came of a call, for *team_id*: its place is free, and its pass is no longer good. What is
        heard of the same call later is learned from too. Never raises."""
        ...

    def leave(self, passed: Pass) -> None:
        """No call is made with that pass after all. Harmless after ``learn``."""
        ...

    def listen(self, changed: Callable[[], None]) -> None:
        """Have *changed* called whenever more ``may_start``."""
        ...
