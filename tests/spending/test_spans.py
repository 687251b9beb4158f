"""Periods as people write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from darkroom.spending.periods import BadTimezone, PeriodKind, period_at
from darkroom.spending.spans import BadSpan, Span, days_of, parse_span, span_of, span_words

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)  # a Wednesday
ZONES = (
    "UTC",
    "Pacific/Auckland",
    "Asia/Kathmandu",
    "America/New_York",
    "America/Santiago",  # days that begin at 01:00
    "America/Havana",  # days whose midnight comes twice
    "Europe/Berlin",
)
DAYS = st.dates(date(2020, 1, 1), date(2100, 12, 30))


def local(span: Span) -> tuple[str, str]:
    """Where it begins and ends on the zone's clocks."""
    zone = ZoneInfo(span.timezone)
    return (
        span.start.astimezone(zone).strftime("%Y-%m-%d %H:%M"),
        span.end.astimezone(zone).strftime("%Y-%m-%d %H:%M"),
    )


@pytest.mark.parametrize(
    ("text", "first", "after"),
    [
        ("", "2026-11-01", "2026-12-01"),
        ("this month", "2026-11-01", "2026-12-01"),
        ("  This   MONTH ", "2026-11-01", "2026-12-01"),
        ("last month", "2026-10-01", "2026-11-01"),
        ("this week", "2026-11-16", "2026-11-23"),
        ("last week", "2026-11-09", "2026-11-16"),
        ("today", "2026-11-18", "2026-11-19"),
        ("Yesterday", "2026-11-17", "2026-11-18"),
        ("this year", "2026-01-01", "2027-01-01"),
        ("2026-10", "2026-10-01", "2026-11-01"),
        ("2024-02", "2024-02-01", "2024-03-01"),
        ("2026-12", "2026-12-01", "2027-01-01"),
        ("2026-10-01", "2026-10-01", "2026-10-02"),
        ("2026-10-01..2026-10-31", "2026-10-01", "2026-11-01"),
        ("2026-10-01 .. 2026-10-01", "2026-10-01", "2026-10-02"),
        ("2024-01-01..2024-12-31", "2024-01-01", "2025-01-01"),
        ("2100-12-31", "2100-12-31", "2101-01-01"),
        ("2020-01", "2020-01-01", "2020-02-01"),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland", "Asia/Kathmandu", "America/New_York"])
def test_what_is_written_is_whole_local_days(text: str, first: str, after: str, zone: str) -> None:
    at = datetime(2026, 11, 18, 12, tzinfo=ZoneInfo(zone))
    assert local(parse_span(text, zone, at)) == (f"{first} 00:00", f"{after} 00:00")


@pytest.mark.parametrize(
    ("now", "first"),
    [
        ("2026-10-31T10:59:59+00:00", "2026-10-01 00:00"),
        ("2026-10-31T11:00:00+00:00", "2026-11-01 00:00"),
    ],
)
def test_this_month_is_the_zones_month(now: str, first: str) -> None:
    """In Auckland November begins thirteen hours before it does in London."""
    assert local(parse_span("", "Pacific/Auckland", datetime.fromisoformat(now)))[0] == first


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Pacific/Auckland", "2026-09-27", 23),
        ("Pacific/Auckland", "2026-04-05", 25),
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2026-11-01", 25),
        ("America/Santiago", "2026-09-06", 23),
        ("America/Havana", "2026-11-01", 25),
        ("Asia/Kathmandu", "2026-11-01", 24),
    ],
)
def test_a_daylight_saving_day_is_as_long_as_it_is(zone: str, day: str, hours: int) -> None:
    span = parse_span(day, zone, NOW)
    assert span.end - span.start == timedelta(hours=hours)
    during = span.start + timedelta(hours=hours / 2)
    assert parse_span("today", zone, during) == span
    assert parse_span("today", zone, span.end - timedelta(microseconds=1)) == span
    assert parse_span("yesterday", zone, span.end) == span


def test_a_day_that_begins_at_one_begins_at_one() -> None:
    assert local(parse_span("2026-09-06", "America/Santiago", NOW)) == (
        "2026-09-06 01:00",
        "2026-09-07 00:00",
    )


@given(DAYS, st.sampled_from(ZONES))
@example(date(2026, 9, 5), "America/Santiago")
@example(date(2026, 10, 31), "America/Havana")
def test_consecutive_days_tile(day: date, zone: str) -> None:
    one, next_one = (parse_span(each.isoformat(), zone, NOW) for each in (day, day + timedelta(days=1)))
    assert one.start < one.end == next_one.start
    both = parse_span(f"{day}..{day + timedelta(days=1)}", zone, NOW)
    assert (both.start, both.end) == (one.start, next_one.end)


@given(st.integers(2020, 2100), st.integers(1, 12), st.sampled_from(ZONES))
def test_months_are_the_periods_of_caps_and_tile(year: int, month: int, zone: str) -> None:
    span = parse_span(f"{year}-{month:02}", zone, NOW)
    middle = span.start + (span.end - span.start) / 2
    assert span == span_of(period_at(PeriodKind.month, zone, middle))
    if (year, month) != (2100, 12):
        after = f"{year + month // 12}-{month % 12 + 1:02}"
        assert parse_span(after, zone, NOW).start == span.end


@given(DAYS, st.integers(0, 365), st.sampled_from(ZONES))
def test_the_days_of_a_span_tile_it(first: date, more: int, zone: str) -> None:
    last = min(first + timedelta(days=more), date(2100, 12, 31))
    span = parse_span(f"{first}..{last}", zone, NOW)
    days = days_of(span)
    assert [day.date for day in days] == [first + timedelta(days=n) for n in range((last - first).days + 1)]
    assert (days[0].start, days[-1].end) == (span.start, span.end)
    assert all(day.end == after.start for day, after in pairwise(days))


@pytest.mark.parametrize(
    "text",
    [
        "next month",
        "month",
        "2026",
        "2026-1",
        "2026-10-1",
        "26-10",
        "2026-10..2026-11",
        "2026-10-01..",
        "..2026-10-01",
        "2026-10-01...2026-10-31",
        "2026-10-01..2026-10-31..2026-11-01",
        "2026/10/01",
        "1e9",
        "-1",
        "२०२६-१०",
        "<@U1>",
        "2026-10-01T00:00",
        "x" * 10_000,
    ],
)
def test_anything_else_is_refused_with_what_is_allowed(text: str) -> None:
    """The text itself is not said again: it may be anything."""
    with pytest.raises(
        BadSpan, match=r"A period is today, .*this month.*2026-10-01\.\.2026-10-31"
    ) as refused:
        parse_span(text, "UTC", NOW)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-02-30", "2026-02-30 is no date"),
        ("2026-13", "2026-13 is no month"),
        ("2026-00", "2026-00 is no month"),
        ("0000-01", "0000-01 is no month"),
        ("2026-10-01..2026-11-31", "2026-11-31 is no date"),
        ("2026-10-02..2026-10-01", "write the earlier day first"),
        ("2025-01-01..2026-01-02", "at most 366 days; 2025-01-01..2026-01-02 has 367"),
        ("2019-12", "in the years 2020 to 2100"),
        ("2101-01-01", "in the years 2020 to 2100"),
        ("2100-12-31..2101-01-01", "in the years 2020 to 2100"),
        ("9999-12", "in the years 2020 to 2100"),
        ("0001-01-01..9999-12-31", "in the years 2020 to 2100"),
    ],
)
def test_what_cannot_be_is_refused_with_why(text: str, said: str) -> None:
    with pytest.raises(BadSpan) as refused:
        parse_span(text, "UTC", NOW)
    assert said in str(refused.value)


@given(st.text(max_size=40))
@example("9999-12-31")
def test_any_text_is_a_span_or_refused(text: str) -> None:
    try:
        span = parse_span(text, "Pacific/Auckland", NOW)
    except BadSpan:
        return
    assert timedelta() < span.end - span.start <= timedelta(days=366, hours=1)


def test_a_clock_far_outside_is_refused_as_well() -> None:
    with pytest.raises(BadSpan, match="2020 to 2100"):
        parse_span("", "UTC", datetime(2019, 12, 31, 23, tzinfo=UTC))


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(BadTimezone):
        parse_span("today", "Moon/Base", NOW)


@pytest.mark.parametrize(
    ("text", "zone", "words"),
    [
        ("2026-10", "UTC", "October 2026 (UTC)"),
        ("2026-10-01..2026-10-31", "Europe/Berlin", "October 2026 (Europe/Berlin)"),
        ("2026-11-03", "UTC", "3 November 2026 (UTC)"),
        ("2026-09-06", "America/Santiago", "6 September 2026 (America/Santiago)"),
        ("2026-11-02..2026-11-30", "Europe/Berlin", "2 to 30 November 2026 (Europe/Berlin)"),
        ("2026-09-28..2026-10-04", "UTC", "28 September to 4 October 2026 (UTC)"),
        ("2025-12-29..2026-01-04", "Asia/Kathmandu", "29 December 2025 to 4 January 2026 (Asia/Kathmandu)"),
        ("this year", "UTC", "1 January to 31 December 2026 (UTC)"),
    ],
)
def test_a_span_in_words(text: str, zone: str, words: str) -> None:
    assert span_words(parse_span(text, zone, NOW)) == words
