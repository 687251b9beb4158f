"""What is said under a picture that another model, or another endpoint, made than would have come first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from darkroom.rendering.job import Endpoint, FailureKind
from darkroom.spending.bound import estimate
from darkroom.spending.catalogue import Catalogue
from darkroom.spending.models import CatalogueProblem
from darkroom.spending.sizes import BadSize
from darkroom.spending.tokens import BadQuality
from darkroom.turns.model import CANNOT, SHUT_DOWN, Attempt, PassedOver
from handlers.blocks.text import shown

NAME_MAX = 80
"""As much of a model's name as is shown."""
MODELS_NAMED_MAX = 3
SAME_PERCENT = 15
"""Likely prices that are less than this apart are about the same."""

_WHY: Mapping[str, str] = {
    FailureKind.ACCESS: "is not available to this account",
    FailureKind.MODEL_GONE: "is not offered any more",
    SHUT_DOWN: "was shut down",
    CANNOT: "cannot make this",
}
_ENDPOINTS: Mapping[str, str] = {
    Endpoint.RESPONSES: "the Responses endpoint",
    Endpoint.IMAGES: "the Images endpoint",
}


def notes_of(attempts: Sequence[Attempt], catalogue: Catalogue | None) -> Mapping[str, str]:
    """What is said of each of *attempts*, by its id, where it was not the first choice: ``mrkdwn``, escaped,
    a clause without a full stop. *catalogue* compares the prices; without one nothing is said of them."""
    notes = {attempt.id: _note(attempt, catalogue) for attempt in attempts if attempt.passed_over}
    return {attempt_id: note for attempt_id, note in notes.items() if note}


def _note(attempt: Attempt, catalogue: Catalogue | None) -> str:
    models = _models(attempt)
    other_endpoint = next(
        (one.endpoint for one in attempt.passed_over if one.endpoint != attempt.endpoint), None
    )
    clauses = [f"{shown(one.image_model, NAME_MAX)} {_why(one)}" for one in models[:MODELS_NAMED_MAX]]
    if len(models) > MODELS_NAMED_MAX:
        clauses.append(f"{len(models) - MODELS_NAMED_MAX} more could not be used")
    by = ""
    # A model that was left out before anything was called says nothing of an endpoint.
    called = any(one.why not in (SHUT_DOWN, CANNOT) for one in attempt.passed_over)
    if other_endpoint is not None and called:
        clauses.append(f"{_endpoint(other_endpoint)} could not serve this")
        by = f" by {_endpoint(attempt.endpoint)}"
    if not clauses:
        return ""
    made = f"made with {shown(attempt.image_model, NAME_MAX)}" if models else "made"
    price = _price(attempt, models[0], catalogue) if models and catalogue is not None else ""
    return f"{_and(clauses)}; {made}{by}{f', {price}' if price else ''}"


def _models(attempt: Attempt) -> list[PassedOver]:
    """The models that would have come before the one that was used, each with the last reason for it.

    That only another model makes a transparent background is said by the picture's own line.
    """
    by_name: dict[str, PassedOver] = {}
    for one in attempt.passed_over:
        if one.image_model == attempt.image_model:
            break
        if one.why != CANNOT or attempt.background != "transparent":
            by_name[one.image_model] = one
    return list(by_name.values())


def _why(one: PassedOver) -> str:
    return _WHY.get(one.why, "could not be used")


def _endpoint(name: str) -> str:
    return _ENDPOINTS.get(name, "the other endpoint")


def _and(clauses: Sequence[str]) -> str:
    return clauses[0] if len(clauses) == 1 else f"{', '.join(clauses[:-1])} and {clauses[-1]}"


def _price(attempt: Attempt, before: PassedOver, catalogue: Catalogue) -> str:
    """What it likely costs beside what the model *before* would have cost for the same; nothing where a price
    is not known."""
    if attempt.ask is None:
        return ""
    try:
        ours = estimate(attempt.ask, catalogue).total_nano_usd
        theirs = estimate(replace(attempt.ask, image_model=before.image_model), catalogue).total_nano_usd
    except (CatalogueProblem, BadSize, BadQuality):
        return ""
    if 100 * abs(ours - theirs) < SAME_PERCENT * theirs:
        return "about the same price"
    return "cheaper" if ours < theirs else "dearer"
