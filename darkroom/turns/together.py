"""From how each picture of a turn ended to how the turn did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import Attempt, AttemptState
from darkroom.turns.settling import paid

_MOST_TELLING = (
    Outcome.UNCERTAIN,
    Outcome.BLOCKED,
    Outcome.WORDS,
    Outcome.FAILED,
    Outcome.DECLINED,
    Outcome.CANCELLED,
)
"""Which of several endings without a picture is told: first what may have cost money or was not to be."""


def together(endings: Sequence[Ending]) -> Ending:
    """The ending of a turn whose pictures ended so; one for each that it wanted, at least one.

    Some pictures and some not: ``PICTURES``, and why the rest did not come. None at all: the most telling
    ending, with what all of them cost.
    """
    others = [ending for ending in endings if ending.outcome is not Outcome.PICTURES]
    made = len(endings) - len(others)
    if not others:
        return endings[0]
    rest = _with_sums(min(others, key=_telling), others)
    if not made:
        return rest
    counts = {"wanted": len(endings), "made": made}
    return Ending(Outcome.PICTURES, Reason.PICTURES, {**rest.details, **counts, "rest": rest.reason.value})


def in_the_books(attempt: Attempt, *, has_picture: bool) -> Ending:
    """How one picture ended whose attempt was paid for, as far as the books know."""
    if attempt.state is AttemptState.UNCERTAIN:
        return Ending(Outcome.UNCERTAIN, Reason.UNCERTAIN, {"held_nano_usd": attempt.hold_nano_usd})
    if has_picture:
        return Ending(Outcome.PICTURES, Reason.PICTURES)
    return paid(Ending(Outcome.FAILED, Reason.NO_PICTURE), attempt.charged_nano_usd)


def _telling(ending: Ending) -> tuple[int, bool]:
    return _MOST_TELLING.index(ending.outcome), ending.reason is Reason.NOTHING_TO_SAY


def _with_sums(ending: Ending, others: Sequence[Ending]) -> Ending:
    """Its amounts are those of all that ended so. A budget's own amounts are no sums: they stay."""
    if ending.reason is Reason.NO_MONEY:
        return ending
    sums: dict[str, str | int] = {}
    for key in ("charged_nano_usd", "held_nano_usd"):
        amounts = [each.details.get(key) for each in others if each.reason is not Reason.NO_MONEY]
        if total := sum(amount for amount in amounts if isinstance(amount, int)):
            sums[key] = total
    return replace(ending, details={**ending.details, **sums})
