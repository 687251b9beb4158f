from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.spending.money import BadAmount, format_usd, format_usd_exact, parse_usd, rate


@pytest.mark.parametrize(
    ("text", "nano"),
    [
        ("20", 20_000_000_000),
        ("$20", 20_000_000_000),
        ("20.50", 20_500_000_000),
        ("20,50", 20_500_000_000),
        (" 0.000001 ", 1_000),
        ("0", 0),
        ("1000000", 10**15),
        (Decimal("20.5"), 20_500_000_000),
        (Decimal("1.2000000000"), 1_200_000_000),
        (Decimal("1E+2"), 100_000_000_000),
    ],
)
def test_dollars_are_read_to_the_nano_dollar(text: str | Decimal, nano: int) -> None:
    assert parse_usd(text) == nano


@pytest.mark.parametrize(
    "text",
    [
        *("", "-1", "-0.01", "NaN", "inf", "1e9", "1E2", "0.0000001", "1000000.01", "9999999", "20$", "2 0"),
        *("1,000", "1,000.50", "1.2.3", ".5", "5.", "٢٠", "twenty", "$", "$-3", "+3"),
        *map(Decimal, ("-1", "NaN", "sNaN", "Infinity", "-Infinity", "0.0000001", "1000000.000001")),
        *map(Decimal, ("1E+999999", "1E-999999")),
    ],
)
def test_what_is_no_amount_is_refused_with_what_is_allowed(text: str | Decimal) -> None:
    with pytest.raises(BadAmount, match=r"from 0 to 1,000,000 with at most six decimals.*\.$"):
        parse_usd(text)


@given(st.integers(0, 10**12))
def test_what_is_written_exactly_is_read_back(micro_usd: int) -> None:
    nano = micro_usd * 1000
    assert parse_usd(format_usd_exact(nano)) == nano


@pytest.mark.parametrize(
    ("nano", "shown"),
    [
        (0, "$0.00"),
        (1, "$0.001"),
        (1_499_999, "$0.001"),
        (1_500_000, "$0.002"),
        (7_000_000, "$0.007"),
        (9_499_999, "$0.009"),
        (9_500_000, "$0.01"),
        (10_000_000, "$0.01"),
        (14_999_999, "$0.01"),
        (15_000_000, "$0.02"),
        (52_680_000, "$0.05"),
        (999_995_000_000, "$1,000.00"),
        (1_234_567_890_000_000, "$1,234,567.89"),
        (-52_680_000, "-$0.05"),
        (-1, "-$0.001"),
    ],
)
def test_amounts_are_shown_half_up_and_never_as_nothing(nano: int, shown: str) -> None:
    assert format_usd(nano) == shown


@pytest.mark.parametrize(
    ("nano", "shown"),
    [
        (0, "$0.00"),
        (5_880_000, "$0.00588"),
        (500_000_000, "$0.50"),
        (1, "$0.000000001"),
        (-1_250_000_000_000, "-$1250.00"),
    ],
)
def test_exact_amounts_show_every_digit_and_at_least_two(nano: int, shown: str) -> None:
    assert format_usd_exact(nano) == shown


def test_a_rate_is_exact_nano_dollars_a_token() -> None:
    assert rate("1.25") == 1_250
    assert rate(Decimal("0.0125")) == Fraction(25, 2)
    assert rate("0.0000001") == Fraction(1, 10_000)


@pytest.mark.parametrize(
    "price", ["-1", "NaN", "1e3", "", "100000.5", Decimal("-1"), Decimal("NaN"), Decimal("1e9")]
)
def test_a_price_that_is_no_price_is_refused(price: str | Decimal) -> None:
    with pytest.raises(BadAmount, match="from 0 to 100,000"):
        rate(price)
