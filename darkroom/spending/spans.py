"""Stretches of time as people write them: "this month", "2026-10", "2026-10-01..2026-10-31"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from darkroom.spending.periods import Period, PeriodKind, period_at, zone_of


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` until just before `end`, both UTC, in whole days of the IANA zone `timezone`."""

    timezone: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Day:
    """One local day: from `start` until just before `end`, both UTC."""

    date: date
    start: datetime
    end: datetime


def span_of(period: Period) -> Span:
    """A period as a span."""
    return Span(period.timezone, period.start, period.end)


def days_of(span: Span) -> list[Day]:
    """The local days of a span in their order; they tile it."""
    zone = zone_of(span.timezone)
    days: list[Day] = []
    start = span.start
    while start < span.end:
        end = min(period_at(PeriodKind.day, span.timezone, start).end, span.end)
        days.append(Day(start.astimezone(zone).date(), start, end))
        start = end
    return days
