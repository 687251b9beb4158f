"""Times as the database keeps them: UTC text of one width, so that text order is time order."""

from __future__ import annotations

from datetime import UTC, datetime


def to_text(at: datetime) -> str:
    """``2026-11-20T22:25:37.000000Z``; *at* must be aware."""
    if at.tzinfo is None:
        raise ValueError("a time without a zone cannot be stored")
    return at.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def from_text(text: str) -> datetime:
    """The aware UTC time that ``to_text`` wrote."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"{text!r} is a time without a zone")
    return found


def maybe_from_text(text: str | None) -> datetime | None:
    """``from_text``, or None for NULL."""
    return None if text is None else from_text(text)
