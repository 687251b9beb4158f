"""Somebody was declined and asks the admins for more money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from darkroom.spending.budgets import BudgetKind


class RequestState(StrEnum):
    """``open → granted | refused``."""

    OPEN = "open"
    GRANTED = "granted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class MoneyRequest:
    """A request for more money in the budget that declined a turn.

    A grant for it would end at ``ends_at``, when the budget renews (UTC). ``answered_by`` is a Slack id.
    """

    number: int
    team_id: str
    user_id: str
    channel_id: str
    turn_id: str
    budget: BudgetKind
    asked_at: datetime
    ends_at: datetime
    state: RequestState
    answered_by: str | None
    answered_at: datetime | None
    amount_nano_usd: int | None


@dataclass(frozen=True, slots=True)
class Posted:
    """Where an admin was asked: ``recipient`` is the admin or the alerts channel."""

    recipient: str
    channel_id: str
    message_ts: str


class MoneyRequests(Protocol):
    """The requests. Each method is one transaction; the answer is a ``changes.AnswerRequest``."""

    async def ask(self, turn_id: str, user_id: str, at: datetime) -> tuple[MoneyRequest, bool] | None:
        """A request for a declined turn by the one who was declined; true when it is new.

        While one for the same budget is open that one is given, also when it is somebody else's: the grant
        serves both. None if the turn is not *user_id*'s, was not declined for money, or its budget has
        renewed meanwhile.
        """
        ...

    async def request(self, number: int) -> MoneyRequest | None:
        """One request."""
        ...

    async def posts(self, number: int) -> list[Posted]:
        """Where admins were asked."""
        ...

    async def posted(self, number: int, post: Posted) -> None:
        """An admin was asked there."""
        ...

    async def untold(self) -> list[MoneyRequest]:
        """Requests whose admins were not all asked, or whose answered person was not told, oldest first."""
        ...

    async def told(self, number: int, at: datetime) -> None:
        """What is to be said about the request as it stands has been said."""
        ...
