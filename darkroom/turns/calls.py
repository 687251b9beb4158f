"""What was really called: the newest calls of the books, by model and endpoint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import Protocol

from darkroom.turns.model import AttemptState

CALLS_MAX = 100
"""So many of the newest calls say how things are."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call that was sent. ``image_model`` is what the answer named, else what was asked for;
    ``error`` is the API's code of a refusal that cost nothing; ``picture`` says that one came of it,
    ``accepted`` and ``rejected`` how many people said so of that. ``ended_at`` is None while it runs."""

    provider: str
    image_model: str
    endpoint: str
    state: AttemptState
    sent_at: datetime
    ended_at: datetime | None
    picture: bool = False
    error: str = ""
    accepted: int = 0
    rejected: int = 0

    @property
    def seconds(self) -> float | None:
        """From sending to its end, as Darkroom wrote it down; None while it runs."""
        # A clock may have been put back meanwhile.
        return None if self.ended_at is None else max(0.0, (self.ended_at - self.sent_at).total_seconds())


@dataclass(frozen=True, slots=True)
class Called:
    """The calls of one model at one endpoint. ``pictures``, ``no_picture`` (answered and paid for, without
    one), ``uncertain``, ``open`` (still running) and the ``failures`` by the API's code add up to ``calls``.
    ``median_s`` and ``slowest_s`` are of those that brought a picture, in seconds, None without any."""

    provider: str
    image_model: str
    endpoint: str
    calls: int
    pictures: int
    no_picture: int
    uncertain: int
    open: int
    failures: Mapping[str, int] = field(default_factory=dict)
    median_s: float | None = None
    slowest_s: float | None = None
    accepted: int = 0
    rejected: int = 0


class CallLog(Protocol):
    """The calls in the books."""

    async def last_calls(self, team_id: str, most: int) -> Sequence[Call]:
        """The newest *most* calls of a workspace, of all providers, newest first."""
        ...


def called(calls: Iterable[Call]) -> list[Called]:
    """The same by provider, model and endpoint; the most called first."""
    groups: dict[tuple[str, str, str], list[Call]] = {}
    for call in calls:
        groups.setdefault((call.provider, call.image_model, call.endpoint), []).append(call)
    found = [_called(key, group) for key, group in groups.items()]
    return sorted(found, key=lambda one: (-one.calls, one.provider, one.image_model, one.endpoint))


def typical_seconds(calls: Iterable[Call]) -> float | None:
    """How long a picture usually takes, by the median; None where none was made."""
    taken = _seconds(calls)
    return median(taken) if taken else None


def _called(key: tuple[str, str, str], calls: Sequence[Call]) -> Called:
    provider, model, endpoint = key
    pictures, taken = sum(call.picture for call in calls), _seconds(calls)
    failures = Counter(call.error or "unknown" for call in calls if call.state is AttemptState.RELEASED)
    return Called(
        provider,
        model,
        endpoint,
        calls=len(calls),
        pictures=pictures,
        no_picture=sum(call.state is AttemptState.SETTLED for call in calls) - pictures,
        uncertain=sum(call.state is AttemptState.UNCERTAIN for call in calls),
        open=sum(call.ended_at is None for call in calls),
        failures=dict(failures.most_common()),
        median_s=median(taken) if taken else None,
        slowest_s=max(taken, default=None),
        accepted=sum(call.accepted for call in calls),
        rejected=sum(call.rejected for call in calls),
    )


def _seconds(calls: Iterable[Call]) -> list[float]:
    return [call.seconds for call in calls if call.picture and call.seconds is not None]
