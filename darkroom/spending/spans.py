"""Stretches of time as people write them: "this month", "2026-10", "2026-10-01..2026-10-31"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from darkroom.spending.periods import Period


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` until just before `end`, both UTC, in whole days of the IANA zone `timezone`."""

    timezone: str
    start: datetime
    end: datetime


def span_of(period: Period) -> Span:
    """A period as a span."""
    return Span(period.timezone, period.start, period.end)
