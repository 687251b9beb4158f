"""Forgetting a person, or a workspace, altogether: who that is, what is known of them, what it has left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from darkroom.turns.erasing import Recall

GONE = "gone_"
"""How the keys begin that lead nowhere: whose they were is not written down anywhere."""


@dataclass(frozen=True, slots=True)
class Whom:
    """A person of a workspace, or with no ``user_id`` all of it. ``person_key`` is theirs in the books, if
    they have one; ``channels`` are their direct messages with us, which are nobody else's."""

    team_id: str
    user_id: str = ""
    person_key: str = ""
    channels: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """What leads to them, wherever it stands."""
        if not self.user_id:
            return (self.team_id,)
        return tuple(each for each in (self.user_id, self.person_key, *self.channels) if each)


@dataclass(frozen=True, slots=True)
class Trace:
    """Something of theirs that stands elsewhere; ``channel_id`` and ``ref`` are an ``Errand``'s, and a stored
    response is at ``provider``."""

    kind: Recall
    channel_id: str
    ref: str
    provider: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of somebody. ``others`` are living pictures that somebody else made from one of theirs:
    those stay. ``charged_nano_usd`` is what they have cost, which stays without them; ``open_calls`` were
    paid for, or may have been, and nobody knows yet what came of them. ``people`` are those whose Home may
    show something."""

    requests: int
    pictures: int
    others: int
    open_calls: int
    charged_nano_usd: int
    traces: Sequence[Trace]
    people: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Left:
    """A trace that is still there, and why in one word of Slack's or ours; ``passing`` if another try may
    help."""

    trace: Trace
    why: str
    passing: bool
