"""What comes after a failed attempt: a pure function of its failure."""

from __future__ import annotations

from dataclasses import dataclass

from darkroom.rendering.job import Billed, Failure, FailureKind

RATE_PATIENCE_S = 3600.0
"""How long a picture lets rate limits hold it back in all: those that refused it, and others before it."""
RATE_WAITS_MAX = 3600
"""How often a picture that was refused for the rate is tried again, whatever time that has taken. It is
patience that ends the waiting: after a refusal nobody goes for a second at least, and for a minute after
several in a row. This is only a bound against a fault of ours."""
UNSENT_WAITS_S = (2.0, 5.0, 15.0, 30.0)
"""How long to wait after the first, second, … call that never left."""


@dataclass(frozen=True, slots=True)
class NextCandidate:
    """Try the next endpoint and model."""


@dataclass(frozen=True, slots=True)
class WaitForRate:
    """Release, wait for the rate limit without a hold, then try the same candidate again."""


@dataclass(frozen=True, slots=True)
class SendAgain:
    """Release, wait without a hold, then try the same candidate again: nothing had left."""

    seconds: float


@dataclass(frozen=True, slots=True)
class ResendPicture:
    """Try the same candidate again without the conversation, with the saved parent picture instead."""


@dataclass(frozen=True, slots=True)
class WaitForApi:
    """Release, and wait in the queue until the API can be used again."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Nothing else would help, or it might be paid for twice."""


Step = NextCandidate | WaitForRate | SendAgain | ResendPicture | WaitForApi | Stop


def next_step(
    failure: Failure, *, candidates_left: int, rate_waits: int, unsent: int, resent: bool, closed: bool
) -> Step:
    """What to do after *failure*.

    ``candidates_left`` are those not tried yet, ``rate_waits`` how often this picture has waited for a rate
    limit that had refused it, ``unsent`` how often its call never left, ``resent`` whether its parent has
    gone along already, ``closed`` whether the API is left alone by now. What may have been paid for is never
    tried again.
    """
    if failure.billed is not Billed.NOTHING:
        return Stop()
    match failure.kind:
        case FailureKind.ACCESS | FailureKind.MODEL_GONE:
            return NextCandidate() if candidates_left > 0 else Stop()
        case FailureKind.FORGOTTEN:
            return Stop() if resent else ResendPicture()
        case FailureKind.RATE:
            return WaitForRate() if rate_waits < RATE_WAITS_MAX else Stop()
        case FailureKind.UNREACHABLE:
            if closed:
                return WaitForApi()
            return SendAgain(UNSENT_WAITS_S[unsent]) if unsent < len(UNSENT_WAITS_S) else Stop()
        case FailureKind.QUOTA | FailureKind.KEY | FailureKind.REGION:
            return WaitForApi()
        case _:
            return Stop()
