"""Whom Darkroom writes to of its own accord, which of Slack's refusals pass, and what was sent before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from handlers.clients import Posted, SlackClient, SlackRefused, SlackUnclear
from handlers.posting import CLOCKS_APART, PASSING

GIVE_UP_AFTER = timedelta(days=7)
"""What passes is tried again for so long."""

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


async def find_private(
    slack: SlackClient, recipient: str, dm: str | None, wanted: Sequence[str], begun_at: datetime
) -> Posted | None:
    """Our message to *recipient* that was begun at *begun_at* under one of the ids *wanted*.

    *dm* is the direct message's channel where it is known. None if there is no such message, also where it
    cannot be looked for; raises ``SlackUnclear``, or ``SlackRefused`` that passes, when Slack does not say.
    """
    channel = recipient if recipient[:1] in {"C", "G"} else dm
    if channel is None:
        return None
    for post_id in wanted:
        try:
            ts = await slack.find_message(channel, post_id, thread_ts=None, since=begun_at - CLOCKS_APART)
        except SlackRefused as refused:
            if passes(refused):
                raise
            return None
        if ts is not None:
            return Posted(channel, ts)
    return None
