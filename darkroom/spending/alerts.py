"""What people and admins are told of their own accord: what it is, to whom, and that it is told once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class AlertKind(StrEnum):
    """What an alert is about. After each: the keys of ``Alert.details`` that its sentence needs."""

    CAP_NEAR = "cap_near"
    """A budget has reached the warning level. ``budget`` (person, channel, workspace), ``channel_id`` (of a
    channel's), ``percent``, ``cap_nano_usd`` (with grants), ``charged_nano_usd``, ``renews_at``
    (ISO 8601, UTC), ``period`` (month, week, day), ``timezone``."""
    CAP_REACHED = "cap_reached"
    """A budget has no room left for another picture like the last one. The same keys."""
    OVERRUN = "overrun"
    """A charge was larger than its hold. ``turn_id``, ``attempt_id``, ``user_id``, ``channel_id``, ``model``,
    ``hold_nano_usd``, ``charged_nano_usd``."""
    UNCERTAIN = "uncertain"
    """Nobody can say what a call cost. The same keys, and ``number``, as ``uncertain`` lists it."""
    UNKNOWN_MODEL = "unknown_model"
    """An answer named a model without a price, image or host, and was priced as the one asked for. ``model``,
    ``turn_id``, ``attempt_id``, ``priced_as``."""
    UNPRICED = "unpriced"
    """Somebody was refused because a model has no price. ``why``: the sentence, with the lines."""
    SHUTDOWN = "shutdown"
    """A model that is used will be shut down soon. ``model``, ``on`` (ISO date), ``days``, ``replacement``
    (may be empty), ``setting`` (where it is named)."""
    QUOTA = "quota"
    """The account has no money left. ``message``: the API's own words."""
    KEY = "key"
    """The key is not accepted. ``message``."""
    REGION = "region"
    """The API does not serve the place that it is called from. ``message``."""
    FAILING = "failing"
    """Call after call has failed for some minutes. ``message``: of the last one."""
    RESUMED = "resumed"
    """The API can be used again. ``trouble`` (quota, key, region, failing), ``began_at`` (ISO 8601, UTC)."""
    NO_ACCESS = "no_access"
    """The account may use none of the models. ``message``."""
    MONTH_END = "month_end"
    """A month has ended: its report is due. ``start``, ``end`` (ISO 8601, UTC), ``timezone``."""


class Audience(StrEnum):
    """Whom an alert is for."""

    PERSON = "person"
    ADMINS = "admins"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert. ``key`` is unique, so that what causes it may happen again without being told again;
    ``user_id`` is whom a person's alert is for (empty when erased)."""

    number: int
    key: str
    team_id: str
    kind: AlertKind
    audience: Audience
    user_id: str
    details: Mapping[str, str | int]
    raised_at: datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to send an alert to one recipient.

    ``fresh`` when nobody had it before. Otherwise a send was begun at ``claimed_at``, and it may or may not
    have arrived: look for it before sending again, in ``channel_id`` where that is known.
    """

    fresh: bool
    claimed_at: datetime
    channel_id: str | None
    sent: bool


def unpriced_key(team_id: str, model: str, at: datetime) -> str:
    """The key of an ``UNPRICED`` alert, wherever it is raised: a workspace is told of a model once a day
    (UTC)."""
    return f"{AlertKind.UNPRICED}:{team_id}:{model}:{at:%Y-%m-%d}"


class AlertBook(Protocol):
    """The alerts and how far each has come. Each method is one transaction."""

    async def add(
        self, key: str, team_id: str, kind: AlertKind, details: Mapping[str, str | int], at: datetime
    ) -> bool:
        """Raise an alert for the admins, unless its key was there before; true if it is new."""
        ...

    async def unsent(self, limit: int) -> list[Alert]:
        """The alerts that are not done, oldest first."""
        ...

    async def claim(self, number: int, recipient: str, at: datetime) -> Claim:
        """Before sending: the right to, for a recipient (a person's or a channel's Slack id)."""
        ...

    async def sent(self, number: int, recipient: str, channel_id: str, message_ts: str, at: datetime) -> None:
        """After sending: where it stands."""
        ...

    async def done(self, number: int, at: datetime, given_up: str | None = None) -> None:
        """Nothing more to send: everybody has it, or (*given_up*) why not."""
        ...

    async def recent(self, team_id: str, limit: int) -> list[tuple[Alert, bool, str | None]]:
        """The newest alerts for admins, newest first: whether it is done, and why it was given up."""
        ...
