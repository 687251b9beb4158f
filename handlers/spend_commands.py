"""The commands behind ``/spend``, once they are read, and a right example of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from darkroom.spending.changes import Change
from darkroom.spending.spans import Span


@dataclass(frozen=True, slots=True)
class Own:
    """One's own spend."""


@dataclass(frozen=True, slots=True)
class Help:
    """What there is."""


@dataclass(frozen=True, slots=True)
class TeamSpend:
    """Everybody's spend."""

    span: Span


@dataclass(frozen=True, slots=True)
class PersonSpend:
    """One person's spend and standing."""

    user_id: str
    span: Span


@dataclass(frozen=True, slots=True)
class ChannelSpend:
    """One channel's spend and standing."""

    channel_id: str
    span: Span


@dataclass(frozen=True, slots=True)
class SendReport:
    """The full report, by direct message."""

    span: Span


@dataclass(frozen=True, slots=True)
class ListCaps:
    """All defaults and exceptions."""


@dataclass(frozen=True, slots=True)
class ListGrants:
    """The grants that may still be drawn on."""


@dataclass(frozen=True, slots=True)
class ListPilots:
    """Who is on the pilot list."""


@dataclass(frozen=True, slots=True)
class ListModels:
    """The models, their prices, until when."""


@dataclass(frozen=True, slots=True)
class ListHistory:
    """The newest changes."""


@dataclass(frozen=True, slots=True)
class ListAlerts:
    """Where alerts go, and the newest."""


@dataclass(frozen=True, slots=True)
class ListUncertain:
    """The charges that nobody can be sure of."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What an admin wants changed, in this order."""

    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Mistake:
    """No command: ``sentence`` (escaped ``mrkdwn``) says what is allowed and shows a right example.

    ``for_admins``: what it is about is for admins only.
    """

    sentence: str
    for_admins: bool


Reading = (
    TeamSpend
    | PersonSpend
    | ChannelSpend
    | SendReport
    | ListCaps
    | ListGrants
    | ListPilots
    | ListModels
    | ListHistory
    | ListAlerts
    | ListUncertain
)
"""What admins may look at."""
Command = Own | Help | Reading | Changes | Mistake

EXAMPLES: Mapping[str, str] = {
    "team": "team last month",
    "caps": "caps",
    "cap": "cap @anna 20 month",
    "grant": "grant @anna 15 until 2026-12-31",
    "grants": "grants",
    "revoke": "revoke 3",
    "block": "block @anna",
    "unblock": "unblock @anna",
    "exempt": "exempt @anna",
    "unexempt": "unexempt @anna",
    "allow": "allow @anna quality high",
    "deny": "deny everyone quality high max",
    "pilot": "pilot @anna #design",
    "unpilot": "unpilot @anna",
    "pause": "pause",
    "resume": "resume",
    "models": "models",
    "history": "history",
    "report": "report last month",
    "alerts": "alerts #darkroom",
    "uncertain": "uncertain correct 3 0.05",
}
"""A right example of each command for admins."""
NAMED_EXAMPLE = "@anna last month"

_OTHER_WORDS = {
    **dict.fromkeys(("limit", "limits", "budget", "set"), "cap"),
    **dict.fromkeys(("unpause", "start", "continue"), "resume"),
    **dict.fromkeys(("stop", "halt", "off"), "pause"),
    **dict.fromkeys(("give", "add"), "grant"),
    **dict.fromkeys(("ban", "disable"), "block"),
    **dict.fromkeys(("unban", "enable"), "unblock"),
    **dict.fromkeys(("log", "journal"), "history"),
    **dict.fromkeys(("total", "all", "everyone", "everybody", "workspace"), "team"),
}
"""What people say who do not know our names of commands."""


def meant_by(typed: str) -> str:
    """The command that somebody who typed this likely wanted; empty if none is near."""
    if typed in _OTHER_WORDS:
        return _OTHER_WORDS[typed]
    return next(iter(get_close_matches(typed, ("help", *EXAMPLES), 1, 0.6)), "")
