"""What the API says of a model to an account. Apart from ``account``, which loads OpenAI's client."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Access(StrEnum):
    """Whether an account may call a model."""

    LISTED = "listed"
    """The API names it to this account. That it may also be called is only known when it was."""
    REFUSED = "refused"
    """The API refuses it to this account, or knows it no more."""
    UNKNOWN = "unknown"
    """Nothing was learned: the API did not answer, or not this question."""


@dataclass(frozen=True, slots=True)
class ModelSeen:
    """What the API says of one model. ``code`` and ``message`` are its own words for a refusal or a trouble,
    escaped by nobody, and ``kind`` is the ``FailureKind`` that they come to; ``shutdown`` is the day it names
    itself."""

    model: str
    access: Access
    shutdown: date | None = None
    code: str = ""
    message: str = ""
    kind: str = ""
