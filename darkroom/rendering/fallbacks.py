"""What comes after a failed attempt: a pure function of its failure."""

from __future__ import annotations

from dataclasses import dataclass

from darkroom.rendering.job import Billed, Failure, FailureKind

LONGEST_WAITS_S = (120.0, 120.0, 120.0, 120.0, 60.0, 60.0)
"""How long the first, second, … wait for a rate limit may be, in seconds: six, ten minutes in all."""
_UNTOLD_WAITS_S = (5.0, 10.0, 20.0, 40.0, 60.0, 60.0)
"""How long to wait when the API does not say."""


@dataclass(frozen=True, slots=True)
class NextCandidate:
    """Try the next endpoint and model."""


@dataclass(frozen=True, slots=True)
class WaitThenRetry:
    """Release, wait without a hold, then try the same candidate again."""

    seconds: float


@dataclass(frozen=True, slots=True)
class ResendPicture:
    """Try the same candidate again without the conversation, with the saved parent picture instead."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Nothing else would help, or it might be paid for twice."""


Step = NextCandidate | WaitThenRetry | ResendPicture | Stop


def next_step(failure: Failure, *, candidates_left: int, rate_waits: int, resent: bool) -> Step:
    """What to do after *failure*.

    ``candidates_left`` are those not tried yet, ``rate_waits`` how often this turn has waited for a rate
    limit, ``resent`` whether its picture has gone along already. What may have been paid for is never tried
    again.
    """
    if failure.billed is Billed.UNKNOWN:
        return Stop()
    if failure.kind in (FailureKind.ACCESS, FailureKind.MODEL_GONE):
        return NextCandidate() if candidates_left > 0 else Stop()
    if failure.kind is FailureKind.FORGOTTEN:
        return Stop() if resent else ResendPicture()
    if failure.kind is FailureKind.RATE and rate_waits < len(LONGEST_WAITS_S):
        told = failure.retry_after_s
        wait = _UNTOLD_WAITS_S[rate_waits] if told is None else max(told, 1.0)
        return WaitThenRetry(min(wait, LONGEST_WAITS_S[rate_waits]))
    return Stop()
