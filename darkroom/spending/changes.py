"""What admins change, and how each change gets into the books exactly once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from darkroom.spending.budgets import Caps
from darkroom.spending.periods import PeriodKind
from darkroom.spending.policy import Dimension, Grant, Policy


@dataclass(frozen=True, slots=True)
class Person:
    """One person, by Slack's id."""

    user_id: str


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel, by Slack's id."""

    channel_id: str


@dataclass(frozen=True, slots=True)
class Workspace:
    """The workspace as a whole."""


@dataclass(frozen=True, slots=True)
class EveryPerson:
    """Each person for whom nothing else was decided."""


@dataclass(frozen=True, slots=True)
class EveryChannel:
    """Each channel for which nothing else was decided."""


@dataclass(frozen=True, slots=True)
class Everyone:
    """Whoever has no rule of their own, in whatever channel."""


Owner = Person | Channel | Workspace
"""Whose budget."""


@dataclass(frozen=True, slots=True)
class SetCap:
    """A cap in nano-dollars (None is no cap, 0 is nothing). Without a *period* the one in force stays."""

    of: Owner | EveryPerson | EveryChannel
    cap_nano_usd: int | None
    period: PeriodKind | None = None


@dataclass(frozen=True, slots=True)
class DropCap:
    """Take the exception (or the default that admins set) back."""

    of: Owner | EveryPerson | EveryChannel


@dataclass(frozen=True, slots=True)
class GiveGrant:
    """Extra money until *ends_at* (UTC, exclusive)."""

    to: Owner
    amount_nano_usd: int
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class RevokeGrant:
    """Nothing more may be drawn from that grant; what calls under way hold of it stays theirs."""

    number: int


@dataclass(frozen=True, slots=True)
class SetBlocked:
    """Nothing is made for that person any more, or again."""

    person: Person
    blocked: bool


@dataclass(frozen=True, slots=True)
class SetExempt:
    """That person has no cap of their own any more, or again."""

    person: Person
    exempt: bool


@dataclass(frozen=True, slots=True)
class SetAccess:
    """Allow or deny values of a dimension (listed model names, qualities, or ``ALL``) to a scope; with
    *allowed* None the scope's rules on those values go, and all of the dimension's without values."""

    to: Person | Channel | Everyone
    dimension: Dimension
    values: tuple[str, ...]
    allowed: bool | None


@dataclass(frozen=True, slots=True)
class SetPilot:
    """That person or channel is on the pilot list, or not any more."""

    of: Person | Channel
    member: bool


@dataclass(frozen=True, slots=True)
class EndPilot:
    """There is no pilot list any more: everybody may."""


@dataclass(frozen=True, slots=True)
class SetPaused:
    """Nothing new is made in the workspace, or again."""

    paused: bool


@dataclass(frozen=True, slots=True)
class SetAlertsChannel:
    """Where admins' alerts go; None is to the admins of the settings by direct message."""

    channel_id: str | None


@dataclass(frozen=True, slots=True)
class Correct:
    """What an uncertain charge really was: *charged_nano_usd* (0 waives it), or None to let it stand.
    *number* is the one that ``uncertain`` lists."""

    number: int
    charged_nano_usd: int | None


@dataclass(frozen=True, slots=True)
class AnswerRequest:
    """Grant *amount_nano_usd* to whom a request for more money was about, or (None) say no."""

    request_id: int
    amount_nano_usd: int | None
    ends_at: datetime | None = None


Change = (
    SetCap
    | DropCap
    | GiveGrant
    | RevokeGrant
    | SetBlocked
    | SetExempt
    | SetAccess
    | SetPilot
    | EndPilot
    | SetPaused
    | SetAlertsChannel
    | Correct
    | AnswerRequest
)


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes it. ``key`` is unique for one thing they did, however often Slack sends it."""

    team_id: str
    user_id: str
    key: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One change in the journal of admin changes.

    ``user_id`` is who did it (empty when erased); ``action`` the change's name, such as "cap"; ``subject``
    whom it is about as a ``scope`` (a budget key, "every person", "everyone", …) with Slack's id in
    ``subject_id`` where it is a person or a channel. ``before`` and ``after`` are what was and what is: plain
    values by name, None where there was nothing.
    """

    number: int
    at: datetime
    user_id: str
    action: str
    subject: str
    subject_id: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Changed:
    """The change's entry; ``repeat`` when Slack had sent the same before and nothing was done now."""

    entry: Entry
    repeat: bool = False


class CannotChange(Exception):
    """The change makes no sense as things stand; nothing was done. Tell the admin: ``reason`` is one of
    "no_such_grant", "grant_revoked", "grant_ended", "no_such_charge", "already_corrected", "no_such_request",
    "already_answered", "budget_renewed"; ``entry`` is what settled it before, where something did."""

    def __init__(self, reason: str, entry: Entry | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.entry = entry


@dataclass(frozen=True, slots=True)
class GrantNote:
    """A grant and whose it is, by Slack's ids (both empty for the workspace's)."""

    grant: Grant
    user_id: str
    channel_id: str


@dataclass(frozen=True, slots=True)
class UncertainCharge:
    """A call of which nobody can say what became: its whole hold is charged until an admin decides."""

    number: int
    attempt_id: str
    turn_id: str
    user_id: str
    channel_id: str
    held_at: datetime
    image_model: str
    response_id: str | None
    charged_nano_usd: int


@dataclass(frozen=True, slots=True)
class Names:
    """Slack's ids for the opaque keys of people that a policy names; an erased person has none."""

    people: Mapping[str, str]


class AdminBooks(Protocol):
    """What admins may change and look up. Each change is one transaction with one entry in the journal."""

    async def change(self, change: Change, by: Author, caps: Caps, at: datetime) -> Changed:
        """Do it, or find that it was done: the same ``by.key`` changes nothing twice. Raises
        ``CannotChange``."""
        ...

    async def policy(self, team_id: str) -> tuple[Policy, Names]:
        """Everything decided now."""
        ...

    async def grants(self, team_id: str, at: datetime) -> list[GrantNote]:
        """The grants that may still be drawn on, oldest first."""
        ...

    async def history(self, team_id: str, limit: int) -> list[Entry]:
        """The newest changes, newest first."""
        ...

    async def uncertain(self, team_id: str, limit: int) -> list[UncertainCharge]:
        """The uncertain charges that nobody has decided on, oldest first."""
        ...
