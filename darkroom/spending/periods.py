"""Budget periods: months, weeks and days of a time zone, as half-open spans of UTC that tile time."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

FIRST_YEAR = 1900
LAST_YEAR = 9000


class PeriodKind(StrEnum):
    """How long a cap lasts. A week starts on Monday."""

    month = "month"
    week = "week"
    day = "day"


class BadTimezone(ValueError):
    """The name is no time zone; the message is a sentence that says what is allowed."""


@dataclass(frozen=True, slots=True)
class Period:
    """One period: from `start` until just before `end`, both UTC; `timezone` is an IANA name."""

    kind: PeriodKind
    timezone: str
    start: datetime
    end: datetime


def period_at(kind: PeriodKind, timezone: str, at: datetime) -> Period:
    """The period that holds the instant `at`.

    Periods begin with the first instant of a local day, also where midnight is skipped (the first instant
    after it) or comes twice (the first of them). Raises `BadTimezone`, and `ValueError` for an instant
    without a time zone or outside the years 1900 to 9000.
    """
    if at.tzinfo is None:
        raise ValueError("a period is asked for at an aware instant")
    instant = at.astimezone(UTC)
    if not FIRST_YEAR <= instant.year <= LAST_YEAR:
        raise ValueError(f"a period lies in the years {FIRST_YEAR} to {LAST_YEAR}")
    zone = zone_of(timezone)
    first = _first_day(kind, instant.astimezone(zone).date())
    start, end = _start_of(first, zone), _start_of(_next_first(kind, first), zone)
    while instant >= end:  # clocks set back over midnight: the old date shows again in the new day
        first = _next_first(kind, first)
        start, end = end, _start_of(_next_first(kind, first), zone)
    return Period(kind, timezone, start, end)


def zone_of(timezone: str) -> ZoneInfo:
    """The time zone of an IANA name such as "Europe/Berlin". Raises `BadTimezone`."""
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadTimezone(
            f"A time zone is a name such as UTC or Europe/Berlin; {timezone!r} is none."
        ) from error


def _first_day(kind: PeriodKind, day: date) -> date:
    if kind is PeriodKind.month:
        return day.replace(day=1)
    if kind is PeriodKind.week:
        return day - timedelta(days=day.weekday())
    return day


def _next_first(kind: PeriodKind, first: date) -> date:
    if kind is PeriodKind.month:
        return (first + timedelta(days=32)).replace(day=1)
    return first + timedelta(days=7 if kind is PeriodKind.week else 1)


def _start_of(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a local day; for a day that a zone left out, the end of the day before."""
    midnight = datetime.combine(day, time())
    before = midnight.replace(tzinfo=zone, fold=0).astimezone(UTC)
    after = midnight.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if after >= before:
        return before
    # Midnight is skipped: the clock jumps over it at a moment between the two readings, in whole seconds.
    low, high = after - timedelta(seconds=1), before
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        if middle.astimezone(zone).replace(tzinfo=None) >= midnight:
            high = middle
        else:
            low = middle
    return high
