"""Whom Darkroom writes to of its own accord, and which of Slack's refusals pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from handlers.clients import SlackRefused, SlackUnclear
from handlers.posting import PASSING

_PASSING = PASSING | {
    "account_inactive",
    "invalid_auth",
    "missing_scope",
    "not_authed",
    "team_access_not_granted",
    "token_expired",
    "token_revoked",
}
"""What is wrong with all of Darkroom rather than with one recipient, and is mended some day, passes too."""


@dataclass(frozen=True, slots=True)
class Recipients:
    """Who is told what is for admins: the alerts channel where there is one, else the admins whom the
    settings name, each by direct message, else nobody."""

    channel: str | None
    admins: tuple[str, ...]

    @property
    def first(self) -> Sequence[str]:
        """To be tried first."""
        return (self.channel,) if self.channel is not None else self.admins


def passes(error: SlackRefused | SlackUnclear) -> bool:
    """Whether trying again later may help."""
    return isinstance(error, SlackUnclear) or error.error in _PASSING
