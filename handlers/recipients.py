"""Whom Darkroom writes to of its own accord, which of Slack's refusals pass, and what was sent before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from handlers.clients import Posted, SlackClient, SlackRefused, SlackUnclear
from handlers.meanings import WAITING, meaning
from handlers.posting import CLOCKS_APART

GIVE_UP_AFTER = timedelta(days=7)
"""What passes is tried again for so long."""


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
    """Whether trying again later may help: also what is wrong with all of Darkroom rather than with one
    recipient is mended some day."""
    return meaning(error) in WAITING


def may_not_look(error: SlackRefused) -> bool:
    """Whether we have no scope to read that channel, as with mentions only: a message of ours there cannot be
    looked for, today or later."""
    return error.error == "missing_scope"


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
            if passes(refused) and not may_not_look(refused):
                raise
            return None
        if ts is not None:
            return Posted(channel, ts)
    return None
