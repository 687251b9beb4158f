"""Our charges beside a bill: when they agree, and which day does not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.spending.reconciliation import OurDay, Reconciliation, Verdict, reconcile

FIRST = date(2026, 11, 1)
LENGTH = 20
LAST = FIRST + timedelta(days=LENGTH - 1)
AFTER = LAST + timedelta(days=1)
DAYS = [FIRST + timedelta(days=number) for number in range(LENGTH)]

amounts = st.integers(0, 10**13)
books = st.dictionaries(st.sampled_from(DAYS), amounts)
tolerances = st.fractions(0, 200, max_denominator=100)


def compared(
    ours: Mapping[date, int],
    theirs: Mapping[date, int],
    *,
    today: date = AFTER,
    tolerance: Fraction = Fraction(5),
    overnight: Mapping[date, int] | None = None,
) -> Reconciliation:
    """All the days, seen on the day after them."""
    return reconcile(ours, theirs, FIRST, LAST, today=today, tolerance=tolerance, overnight=overnight)


@given(books, tolerances)
def test_the_same_on_both_sides_agrees_whatever_the_tolerance(
    same: dict[date, int], tolerance: Fraction
) -> None:
    found = compared(same, same, tolerance=tolerance)
    assert found.agrees
    assert found.total.difference == 0
    assert found.total.percent == 0


@given(books, books, tolerances, st.sampled_from([*DAYS, AFTER]))
def test_every_day_has_its_row_and_the_finished_ones_add_up_to_the_total(
    ours: dict[date, int], theirs: dict[date, int], tolerance: Fraction, today: date
) -> None:
    found = compared(ours, theirs, today=today, tolerance=tolerance)
    assert [row.day for row in found.rows] == DAYS
    assert all((row.day >= today) == (row.compared.verdict is Verdict.UNFINISHED) for row in found.rows)
    assert found.total.ours == sum(amount for day, amount in ours.items() if day < today)
    assert found.total.theirs == sum(amount for day, amount in theirs.items() if day < today)
    assert found.total.difference == sum(row.compared.difference for row in found.finished)


@given(books, books, tolerances)
def test_a_day_differs_exactly_when_its_gap_is_above_the_tolerance_of_its_bill(
    ours: dict[date, int], theirs: dict[date, int], tolerance: Fraction
) -> None:
    found = compared(ours, theirs, tolerance=tolerance)
    for row in found.rows:
        percent = row.compared.percent
        above = percent is None or abs(percent) > tolerance
        assert (row.compared.verdict is Verdict.DIFFERS) == above
    percent = found.total.percent
    total_is_above = percent is None or abs(percent) > tolerance
    assert found.agrees == (not found.off and not total_is_above)


@given(books, books, tolerances, tolerances)
def test_a_wider_tolerance_never_finds_more(
    ours: dict[date, int], theirs: dict[date, int], one: Fraction, other: Fraction
) -> None:
    narrow = compared(ours, theirs, tolerance=min(one, other))
    wide = compared(ours, theirs, tolerance=max(one, other))
    assert {row.day for row in wide.off} <= {row.day for row in narrow.off}
    assert wide.agrees or not narrow.agrees


@given(books, st.sampled_from(DAYS), st.integers(0, LENGTH), st.integers(1, 10**12))
def test_what_comes_on_an_unfinished_day_changes_no_verdict(
    same: dict[date, int], day: date, ahead: int, more: int
) -> None:
    today = day - timedelta(days=ahead)
    assert compared({**same, day: same.get(day, 0) + more}, same, today=today).agrees


def test_exactly_the_tolerance_is_within_it_and_one_nano_dollar_more_is_not() -> None:
    assert compared({FIRST: 95}, {FIRST: 100}).agrees
    assert compared({FIRST: 105_000}, {FIRST: 100_000}).agrees
    assert not compared({FIRST: 105_001}, {FIRST: 100_000}).agrees


def test_a_day_that_was_billed_and_not_charged_differs_by_all_of_it() -> None:
    found = compared({}, {FIRST: 1})
    assert found.rows[0].compared.percent == -100
    assert not found.agrees
    assert compared({}, {FIRST: 1}, tolerance=Fraction(100)).agrees


def test_a_day_that_was_charged_and_not_billed_is_above_any_tolerance_and_has_no_per_cent() -> None:
    found = compared({FIRST: 1}, {}, tolerance=Fraction(10_000))
    assert found.rows[0].compared.percent is None
    assert not found.agrees


def test_a_day_missing_from_a_whole_month_is_found_though_the_total_is_within() -> None:
    full = dict.fromkeys(DAYS, 1000)
    found = compared({day: amount for day, amount in full.items() if day != DAYS[7]}, full)
    assert found.total.verdict is Verdict.AGREES
    assert [row.day for row in found.off] == [DAYS[7]]
    assert not found.agrees


@given(st.integers(1, 10**9), st.sampled_from(DAYS[:-1]), st.booleans())
def test_a_call_over_midnight_may_be_billed_on_either_of_its_days(
    amount: int, day: date, billed_later: bool
) -> None:
    usual = dict.fromkeys(DAYS, 10**6)
    following = day + timedelta(days=1)
    where = following if billed_later else day
    ours = {**usual, day: usual[day] + amount}
    theirs = {**usual, where: usual[where] + amount}
    assert compared(ours, theirs, overnight={day: amount}).agrees


def test_what_ran_over_midnight_explains_no_more_than_its_own_charge() -> None:
    ours, theirs = {FIRST: 1000}, {FIRST: 500, DAYS[1]: 500}
    assert compared(ours, theirs, overnight={FIRST: 500}).agrees
    assert not compared(ours, theirs, overnight={FIRST: 400}).agrees
    assert not compared(ours, theirs, overnight={DAYS[5]: 500}).agrees


def test_a_call_that_began_before_the_first_day_may_be_on_its_bill() -> None:
    before = FIRST - timedelta(days=1)
    assert compared({before: 700}, {FIRST: 700}, overnight={before: 700}).agrees


def test_a_span_of_today_alone_has_nothing_to_compare() -> None:
    found = reconcile({FIRST: 5}, {}, FIRST, FIRST, today=FIRST)
    assert found.finished == ()
    assert found.total.verdict is Verdict.UNFINISHED
    assert found.agrees


def test_credits_below_zero_are_compared_by_their_size() -> None:
    assert compared({FIRST: -100}, {FIRST: -104}).agrees
    assert not compared({FIRST: 100}, {FIRST: -100}).agrees


@pytest.mark.parametrize(
    ("last", "tolerance"), [(FIRST - timedelta(days=1), Fraction(5)), (LAST, Fraction(-1))]
)
def test_nonsense_is_refused(last: date, tolerance: Fraction) -> None:
    with pytest.raises(ValueError, match="no sense"):
        reconcile({}, {}, FIRST, last, today=AFTER, tolerance=tolerance)


def test_days_of_the_books_add_up_field_by_field() -> None:
    assert OurDay(1, 2, 3, 4, 5, 6) + OurDay(10, 20, 30, 40, 50, 60) == OurDay(11, 22, 33, 44, 55, 66)
