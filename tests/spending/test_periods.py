from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from darkroom.spending.periods import BadTimezone, Period, PeriodKind, period_at

ZONES = (
    "UTC",
    "Pacific/Auckland",
    "Asia/Kathmandu",
    "America/New_York",
    "America/Toronto",
    "America/Sao_Paulo",
    "Asia/Beirut",
    "America/Santiago",
    "America/Havana",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Africa/Casablanca",
)
INSTANTS = st.datetimes(datetime(1901, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 -- hypothesis wants naive ends
INSTANT = timedelta(microseconds=1)


@given(st.sampled_from(PeriodKind), st.sampled_from(ZONES), INSTANTS)
@example(PeriodKind.day, "Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=UTC))  # a day that never was
@example(PeriodKind.day, "America/St_Johns", datetime(2010, 11, 7, 2, 31, tzinfo=UTC))  # 23:01 again at 00:01
@example(PeriodKind.day, "America/Sao_Paulo", datetime(2018, 11, 4, 3, tzinfo=UTC))  # no midnight
@example(PeriodKind.day, "America/Santiago", datetime(2026, 9, 6, 4, tzinfo=UTC))  # no midnight
@example(PeriodKind.day, "America/Havana", datetime(2026, 11, 1, 4, 30, tzinfo=UTC))  # midnight twice
def test_periods_tile_time(kind: PeriodKind, zone: str, at: datetime) -> None:
    """An instant lies in its period; the next begins where it ends, the one before ends where it begins."""
    period = period_at(kind, zone, at)
    assert period.start <= at < period.end
    assert period.start.tzinfo is UTC
    assert period.end.tzinfo is UTC
    assert period_at(kind, zone, period.start) == period
    assert period_at(kind, zone, period.end - INSTANT) == period
    assert period_at(kind, zone, period.end).start == period.end
    assert period_at(kind, zone, period.start - INSTANT).end == period.start


@given(st.sampled_from(PeriodKind), st.sampled_from(ZONES), INSTANTS)
def test_a_period_begins_with_the_first_instant_of_its_local_day(
    kind: PeriodKind, zone: str, at: datetime
) -> None:
    period = period_at(kind, zone, at)
    first = period.start.astimezone(ZoneInfo(zone))
    before = (period.start - INSTANT).astimezone(ZoneInfo(zone))
    assert before.date() < first.date()
    if first.date() != date(2011, 12, 31):  # Apia left out the 30th
        assert first.day == 1 or kind is not PeriodKind.month
        assert first.weekday() == 0 or kind is not PeriodKind.week


@pytest.mark.parametrize(
    ("kind", "zone", "at", "start", "end"),
    [
        ("month", "UTC", "2026-11-20T12:00", "2026-11-01T00:00", "2026-12-01T00:00"),
        ("month", "UTC", "2026-12-31T23:59", "2026-12-01T00:00", "2027-01-01T00:00"),
        ("week", "UTC", "2026-11-20T12:00", "2026-11-16T00:00", "2026-11-23T00:00"),
        ("day", "Asia/Kathmandu", "2026-11-20T18:15", "2026-11-20T18:15", "2026-11-21T18:15"),
        ("day", "Asia/Kathmandu", "2026-11-20T18:14", "2026-11-19T18:15", "2026-11-20T18:15"),
        ("day", "America/New_York", "2026-11-01T12:00", "2026-11-01T04:00", "2026-11-02T05:00"),
        ("day", "America/New_York", "2026-03-08T12:00", "2026-03-08T05:00", "2026-03-09T04:00"),
        ("month", "Pacific/Auckland", "2026-09-30T12:00", "2026-09-30T11:00", "2026-10-31T11:00"),
        ("day", "America/Sao_Paulo", "2018-11-04T12:00", "2018-11-04T03:00", "2018-11-05T02:00"),
        ("day", "Asia/Beirut", "2026-03-29T12:00", "2026-03-28T22:00", "2026-03-29T21:00"),
        ("day", "America/Santiago", "2026-09-06T12:00", "2026-09-06T04:00", "2026-09-07T03:00"),
        ("day", "America/Havana", "2026-11-01T12:00", "2026-11-01T04:00", "2026-11-02T05:00"),
        ("day", "America/St_Johns", "2010-11-07T12:00", "2010-11-07T02:30", "2010-11-08T03:30"),
        ("day", "Pacific/Apia", "2011-12-30T09:00", "2011-12-29T10:00", "2011-12-30T10:00"),
        ("day", "Pacific/Apia", "2011-12-30T11:00", "2011-12-30T10:00", "2011-12-31T10:00"),
    ],
)
def test_known_periods(kind: str, zone: str, at: str, start: str, end: str) -> None:
    def utc(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)

    expected = Period(PeriodKind(kind), zone, utc(start), utc(end))
    assert period_at(PeriodKind(kind), zone, utc(at)) == expected


def test_a_gap_that_swallows_midnight_starts_the_day_when_the_gap_ends() -> None:
    """Toronto jumped from 23:30 to 00:30 in the night to 31 March 1919."""
    period = period_at(PeriodKind.day, "America/Toronto", datetime(1919, 3, 31, 12, tzinfo=UTC))
    assert period.start == datetime(1919, 3, 31, 4, 30, tzinfo=UTC)
    assert period.end == datetime(1919, 4, 1, 4, tzinfo=UTC)


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../etc/passwd", "/etc/passwd", "Europe", "\0"])
def test_what_is_no_time_zone_is_refused(name: str) -> None:
    with pytest.raises(BadTimezone, match="such as UTC or Europe/Berlin"):
        period_at(PeriodKind.day, name, datetime(2026, 11, 20, tzinfo=UTC))


def test_an_instant_without_a_zone_or_out_of_bounds_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        period_at(PeriodKind.day, "UTC", datetime(2026, 11, 20))  # noqa: DTZ001 -- that is what is refused
    for year in (1899, 9001):
        with pytest.raises(ValueError, match="years 1900 to 9000"):
            period_at(PeriodKind.day, "UTC", datetime(year, 6, 1, tzinfo=UTC))
