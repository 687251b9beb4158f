"""Shutdowns are told at 30, 14, 7 and 1 days, each once; months when they have ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.spending.alerts import AlertKind
from darkroom.spending.catalogue import Catalogue, load_catalogue
from darkroom.spending.watch import DAYS_AHEAD, Used, month_before, month_end, shutdowns

CATALOGUE = load_catalogue()
MODEL, HOST = "gpt-image-2-2026-04-21", "gpt-5.6-luna"
LAST = date(2027, 6, 30)
ENDS = datetime(2027, 6, 30, tzinfo=UTC)


def catalogue(shutdown: date | None = LAST, replacement: str | None = "gpt-image-2.5-flare") -> Catalogue:
    """The usual one, with that end of the usual image model."""
    images = {
        name: replace(model, shutdown_date=shutdown, replacement=replacement)
        if name == CATALOGUE.image(MODEL).base
        else model
        for name, model in CATALOGUE.images.items()
    }
    return replace(CATALOGUE, images=images)


USED = [Used("image.model", MODEL)]


@pytest.mark.parametrize(
    ("days", "threshold"), [(30, 30), (15, 30), (14, 14), (9, 14), (8, 14), (7, 7), (2, 7), (1, 1), (0, 1)]
)
def test_only_the_nearest_threshold_that_has_passed_is_due(days: int, threshold: int) -> None:
    (due,) = shutdowns(USED, catalogue(), ENDS - timedelta(days=days))
    assert due.key == f"shutdown:{MODEL}:2027-06-30:{threshold}"
    assert due.kind is AlertKind.SHUTDOWN
    assert due.details == {
        "model": MODEL,
        "on": "2027-06-30",
        "days": days,
        "replacement": "gpt-image-2.5-flare",
        "setting": "image.model",
    }


def test_nothing_is_due_earlier_or_without_a_date_or_of_a_model_nobody_knows() -> None:
    assert shutdowns(USED, catalogue(), ENDS - timedelta(days=31)) == []
    assert shutdowns(USED, catalogue(None), ENDS) == []
    assert shutdowns([Used("image.model", "nobody-knows-it")], catalogue(), ENDS) == []
    assert shutdowns([Used("image.host_model", HOST)], catalogue(), ENDS) == []


def test_a_model_in_two_settings_is_told_once_with_both() -> None:
    used = [*USED, Used("image.fallback", MODEL), Used("image.fallback", MODEL)]
    (due,) = shutdowns(used, catalogue(replacement=None), ENDS)
    assert due.details["setting"] == "image.model and image.fallback"
    assert due.details["replacement"] == ""


@given(st.sets(st.integers(0, 40), max_size=20))
def test_however_often_it_looks_each_threshold_is_told_at_most_once_and_the_last_one_seen_always(
    looks: set[int],
) -> None:
    keys = [due.key for days in looks for due in shutdowns(USED, catalogue(), ENDS - timedelta(days=days))]
    told = set(keys)
    assert len(told) <= len(DAYS_AHEAD)
    wanted = {min(t for t in DAYS_AHEAD if days <= t) for days in looks if days <= max(DAYS_AHEAD)}
    assert {int(key.rpartition(":")[2]) for key in told} == wanted


@pytest.mark.parametrize(
    ("zone", "at", "start", "end"),
    [
        ("UTC", "2026-12-01T00:00:00+00:00", "2026-11-01T00:00:00+00:00", "2026-12-01T00:00:00+00:00"),
        ("UTC", "2026-11-30T23:59:59+00:00", "2026-10-01T00:00:00+00:00", "2026-11-01T00:00:00+00:00"),
        (
            "Pacific/Auckland",
            "2026-11-30T11:00:00+00:00",
            "2026-10-31T11:00:00+00:00",
            "2026-11-30T11:00:00+00:00",
        ),
        (
            "America/New_York",
            "2026-12-01T04:59:59+00:00",
            "2026-10-01T04:00:00+00:00",
            "2026-11-01T04:00:00+00:00",
        ),
    ],
)
def test_the_month_before_is_that_of_the_zone(zone: str, at: str, start: str, end: str) -> None:
    month = month_before(zone, datetime.fromisoformat(at))
    assert (month.start.isoformat(), month.end.isoformat(), month.timezone) == (start, end, zone)


def test_a_months_report_is_keyed_by_its_start_and_says_its_span() -> None:
    due = month_end(month_before("UTC", datetime(2026, 12, 24, tzinfo=UTC)))
    assert due.key == "month_end:2026-11-01T00:00:00+00:00"
    assert due.kind is AlertKind.MONTH_END
    assert due.details == {
        "start": "2026-11-01T00:00:00+00:00",
        "end": "2026-12-01T00:00:00+00:00",
        "timezone": "UTC",
    }
