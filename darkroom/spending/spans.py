"""Stretches of time as people write them: "this month", "2026-10", "2026-10-01..2026-10-31"."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from darkroom.spending.periods import Period, PeriodKind, period_at, zone_of

FIRST_YEAR = 2020
LAST_YEAR = 2100
MAX_DAYS = 366

_ALLOWED = (
    "A period is today, yesterday, this week, last week, this month, last month, this year, a month such as "
    "2026-10, a day such as 2026-10-01, or days such as 2026-10-01..2026-10-31."
)
_DAY = timedelta(days=1)
_INSTANT = timedelta(microseconds=1)
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")


class BadSpan(ValueError):
    """The text is no stretch of time; the message is a sentence that says what is allowed."""


class BadYear(BadSpan):
    """It is one, but not in the years that are counted."""


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


def first_and_last(span: Span) -> tuple[date, date]:
    """The first and the last local day of a span."""
    zone = zone_of(span.timezone)
    return span.start.astimezone(zone).date(), (span.end - _INSTANT).astimezone(zone).date()


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


def parse_span(text: str, timezone: str, now: datetime) -> Span:
    """The stretch of time that a person wrote, in whole days of *timezone* (an IANA name).

    Takes "" and "this month", "last month", "this week", "last week", "today", "yesterday", "this year",
    "2026-10", "2026-10-01" and "2026-10-01..2026-10-31" (both days included); case and spaces do not matter.
    Weeks begin on Monday. Raises `BadSpan` for anything else, for dates that do not exist, an end before its
    start, more than 366 days, and as `BadYear` years outside 2020 to 2100; raises `BadTimezone` for
    the zone.
    """
    words = "".join(text.split()).lower()
    first, last = _relative(words, _today(timezone, now)) or _written(words)
    if last < first:
        raise BadSpan(f"{first}..{last} ends before it begins; write the earlier day first.")
    if first.year < FIRST_YEAR or last.year > LAST_YEAR:
        raise BadYear(f"A period lies in the years {FIRST_YEAR} to {LAST_YEAR}.")
    days = (last - first).days + 1
    if days > MAX_DAYS:
        raise BadSpan(f"A period has at most {MAX_DAYS} days; {first}..{last} has {days:,}.")
    return Span(timezone, _start_of(first, timezone), _start_of(last + _DAY, timezone))


def day_words(day: date) -> str:
    """A day for people: "3 October 2026"."""
    return f"{day.day} {day:%B} {day.year}"


def span_words(span: Span) -> str:
    """A span for people, in its own zone: "October 2026 (UTC)" for a whole month, "3 November 2026 (UTC)" for
    one day, else "2 to 8 November 2026 (Europe/Berlin)"."""
    first, last = first_and_last(span)
    if first == last:
        days = day_words(first)
    elif first.day == 1 and last == _last_of_month(first):
        days = f"{first:%B %Y}"
    elif (first.year, first.month) == (last.year, last.month):
        days = f"{first.day} to {day_words(last)}"
    elif first.year == last.year:
        days = f"{first.day} {first:%B} to {day_words(last)}"
    else:
        days = f"{day_words(first)} to {day_words(last)}"
    return f"{days} ({span.timezone})"


def _relative(words: str, today: date) -> tuple[date, date] | None:
    monday = today - timedelta(days=today.weekday())
    month = today.replace(day=1)
    before = month - _DAY
    return {
        "": (month, _last_of_month(today)),
        "thismonth": (month, _last_of_month(today)),
        "lastmonth": (before.replace(day=1), before),
        "thisweek": (monday, monday + timedelta(days=6)),
        "lastweek": (monday - timedelta(days=7), monday - _DAY),
        "today": (today, today),
        "yesterday": (today - _DAY, today - _DAY),
        "thisyear": (date(today.year, 1, 1), date(today.year, 12, 31)),
    }.get(words)


def _written(words: str) -> tuple[date, date]:
    """The first and the last day of what is written in digits."""
    if _MONTH.fullmatch(words):
        first = _date(f"{words}-01", words)
        return first, _last_of_month(first)
    begin, dots, end = words.partition("..")
    if not all(_DATE.fullmatch(each) for each in (begin, end if dots else begin)):
        raise BadSpan(_ALLOWED)
    first = _date(begin, begin)
    return first, _date(end, end) if dots else first


def _date(iso: str, written: str) -> date:
    try:
        return date.fromisoformat(iso)
    except ValueError as error:
        kind = "date" if iso == written else "month"
        raise BadSpan(f"{written} is no {kind} of the calendar. {_ALLOWED}") from error


def _last_of_month(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


def _today(timezone: str, now: datetime) -> date:
    return period_at(PeriodKind.day, timezone, now).start.astimezone(zone_of(timezone)).date()


def _start_of(day: date, timezone: str) -> datetime:
    noon = datetime.combine(day, time(12), zone_of(timezone)).astimezone(UTC)
    return period_at(PeriodKind.day, timezone, noon).start
