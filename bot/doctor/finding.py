"""What a check of the doctor comes to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How something is."""

    PASS = "pass"  # noqa: S105 -- a grade, not a password
    WARN = "warn"
    """It works, and somebody should know."""
    FAIL = "fail"
    """Darkroom cannot start or make pictures like this."""
    SKIP = "skip"
    """Not looked at; ``said`` says why."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table. ``check`` names what was looked at (``slack.scopes``: part and thing, the same
    in every run), ``said`` what was found, ``remedy`` what to do where it is not well. Neither ever holds a
    token, a key or a prompt."""

    check: str
    grade: Grade
    said: str
    remedy: str = ""


def good(check: str, said: str) -> Finding:
    """All is well."""
    return Finding(check, Grade.PASS, said)


def warn(check: str, said: str, remedy: str) -> Finding:
    """It works, and somebody should know."""
    return Finding(check, Grade.WARN, said, remedy)


def fail(check: str, said: str, remedy: str) -> Finding:
    """Like this it does not work."""
    return Finding(check, Grade.FAIL, said, remedy)


def skip(check: str, why: str) -> Finding:
    """Not looked at."""
    return Finding(check, Grade.SKIP, why)
