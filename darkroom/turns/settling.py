"""From the API's answer to what is written down: the charge, and how the turn ends."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from darkroom.rendering.job import Answer, Billed, Concern, Failure, FailureKind
from darkroom.spending.catalogue import Catalogue
from darkroom.spending.cost import charge
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import Attempt, AttemptState, Turn
from darkroom.turns.planning import Step
from darkroom.turns.store import Settlement


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to write about an attempt that was billed, or may have been, and the turn's ending after it."""

    settlement: Settlement
    ending: Ending


def verdict_of(
    answer: Answer,
    step: Step,
    attempt: Attempt,
    turn: Turn,
    catalogue: Catalogue,
    picture_id: str,
    seconds: float,
) -> Verdict:
    """What an answer costs and means. Not for failures that are known to have cost nothing."""
    failure = answer.failure
    if failure is not None and failure.billed is Billed.UNKNOWN:
        return uncertain(attempt, answer.response_id)
    charged = charge(
        answer.host_usage,
        answer.image_usage,
        ask=step.ask,
        catalogue=catalogue,
        image_model=answer.image_model or step.plan.candidate.image_model,
        host_model=answer.host_model or step.plan.candidate.host_model,
        picture_made=answer.picture is not None,
        moderated=failure is not None and failure.kind is FailureKind.MODERATION,
    )
    settlement = Settlement(
        state=AttemptState.SETTLED,
        cost=charged.cost,
        price_version=charged.price_version,
        flags=charged.flags,
        host_usage=answer.host_usage,
        image_usage=answer.image_usage,
        image_model=answer.image_model,
        host_model=answer.host_model,
        response_id=answer.response_id,
        picture=answer.picture,
        picture_id=picture_id if answer.picture else None,
        seconds=seconds,
        host_tokens=_host_tokens(answer, step),
        chain_pictures=step.ask.chain_pictures + step.ask.input_pictures + 1,
    )
    return Verdict(settlement, paid(ending_after(answer, turn), charged.cost.total_nano_usd))


def paid(ending: Ending, charged_nano_usd: int) -> Ending:
    """An ending without a picture says what was charged all the same; a picture shows its own price."""
    if ending.outcome is Outcome.PICTURES:
        return ending
    return replace(ending, details={**ending.details, "charged_nano_usd": charged_nano_usd})


def uncertain(attempt: Attempt, response_id: str | None) -> Verdict:
    """Nobody can say what became of the call: the whole hold is charged, and flagged, until it is known."""
    settlement = Settlement(
        state=AttemptState.UNCERTAIN,
        cost=attempt.bound,
        price_version=attempt.price_version,
        flags=frozenset({"uncertain"}),
        response_id=response_id,
    )
    details = {"held_nano_usd": attempt.hold_nano_usd}
    return Verdict(settlement, Ending(Outcome.UNCERTAIN, Reason.UNCERTAIN, details))


def ending_of(failure: Failure) -> Ending:
    """How a turn ends on a failure that nothing more is tried after."""
    if failure.kind is FailureKind.MODERATION:
        details = {
            "stage": failure.moderation_stage or "",
            "categories": ", ".join(failure.moderation_categories),
        }
        return Ending(Outcome.BLOCKED, Reason.MODERATION, details)
    message: dict[str, str | int] = {"message": failure.message}
    if failure.concerns is Concern.HOST:
        message["concerns"] = failure.concerns
    return Ending(Outcome.FAILED, _REASONS[failure.kind], message)


_REASONS = {
    FailureKind.ACCESS: Reason.NO_ACCESS,
    FailureKind.MODEL_GONE: Reason.NO_ACCESS,
    FailureKind.QUOTA: Reason.QUOTA,
    FailureKind.RATE: Reason.RATE,
    FailureKind.KEY: Reason.KEY,
    FailureKind.REGION: Reason.REGION,
    FailureKind.BAD_REQUEST: Reason.API_REFUSED,
    FailureKind.FORGOTTEN: Reason.API_REFUSED,
    FailureKind.SERVER: Reason.API_FAILED,
    FailureKind.UNREACHABLE: Reason.UNREACHABLE,
    FailureKind.TIMEOUT: Reason.API_FAILED,
    FailureKind.BAD_PICTURE: Reason.BAD_PICTURE,
}


def ending_after(answer: Answer, turn: Turn) -> Ending:
    """How a turn ends on an answer that was paid for."""
    if answer.picture is not None:
        return Ending(Outcome.PICTURES, Reason.PICTURES)
    if answer.failure is not None:
        return ending_of(answer.failure)
    if answer.words.strip():
        return Ending(Outcome.WORDS, Reason.WORDS, {"words": answer.words.strip()})
    # A picture that was billed and did not come is no answer to a "thank you".
    if turn.request.forces_picture or _count((answer.image_usage or {}).get("output_tokens")):
        return Ending(Outcome.FAILED, Reason.NO_PICTURE)
    return Ending(Outcome.WORDS, Reason.NOTHING_TO_SAY)


def _host_tokens(answer: Answer, step: Step) -> int:
    """The tokens that going on from this answer will cost the host model again; the bound where unknown."""
    usage = answer.host_usage or {}
    counted = [_count(usage.get("input_tokens")), _count(usage.get("output_tokens"))]
    if None in counted:
        host_input = sum(
            line.tokens for line in step.plan.bound.lines if line.token_class.startswith("host_")
        )
        return host_input
    return sum(count for count in counted if count is not None)


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**7 else None
