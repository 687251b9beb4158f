"""A report as tables: sums in dollars and in nano-dollars agree, and a spreadsheet has nothing to run."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.spending.classes import TokenClass
from darkroom.spending.periods import PeriodKind, period_at
from darkroom.spending.reports import (
    ChannelSpend,
    ClassSpend,
    DaySpend,
    ModelSpend,
    PersonSpend,
    SpendReport,
    Spent,
)
from darkroom.spending.spans import span_of
from darkroom.spending.tables import ERASED, By, Table, csv_text, share, table

NANO = st.integers(-(10**12), 10**15)
NOVEMBER = span_of(period_at(PeriodKind.month, "UTC", datetime(2026, 11, 20, tzinfo=UTC)))


def report(amounts: list[tuple[int, int, int]]) -> SpendReport:
    """One person, channel, model, day and class for each of (charged, held, pictures)."""
    parts = [Spent(*amount) for amount in amounts]
    names = list(TokenClass)
    return SpendReport(
        span=NOVEMBER,
        total=Spent(*(sum(column) for column in zip(*amounts, strict=True))) if amounts else Spent(0, 0, 0),
        people=tuple(PersonSpend("T1", f"U{n}", part, n) for n, part in enumerate(parts)),
        channels=tuple(ChannelSpend("T1", f"C{n}", part, None) for n, part in enumerate(parts)),
        models=tuple(ModelSpend(f"m{n}", "responses", "openai", part) for n, part in enumerate(parts)),
        days=tuple(DaySpend(date(2026, 11, 1 + n), part, {}) for n, part in enumerate(parts)),
        classes={
            name: ClassSpend(0 if n >= len(parts) else 7, parts[n].charged_nano_usd if n < len(parts) else 0)
            for n, name in enumerate(names)
        },
    )


def read(text: str) -> list[dict[str, str]]:
    """What a program reads from a CSV file."""
    return list(csv.DictReader(io.StringIO(text, newline="")))


@given(
    st.lists(st.tuples(NANO, st.integers(0, 10**15), st.integers(0, 10**6)), max_size=9), st.sampled_from(By)
)
def test_every_table_adds_up_to_the_total_in_dollars_and_in_nano_dollars(
    amounts: list[tuple[int, int, int]], by: By
) -> None:
    """After a trip through CSV, too; corrections may make a part negative."""
    whole = report(amounts)
    rows = read(csv_text(table(whole, by)))
    charged = sum(int(row["charged_nano_usd"]) for row in rows)
    assert charged == whole.total.charged_nano_usd
    assert sum(Decimal(row["charged_usd"]) for row in rows) * 10**9 == charged
    if by is not By.CLASS:
        assert sum(int(row["held_nano_usd"]) for row in rows) == whole.total.held_nano_usd
        assert sum(Decimal(row["held_usd"]) for row in rows) * 10**9 == whole.total.held_nano_usd
        assert sum(int(row["pictures"]) for row in rows) == whole.total.pictures


def test_no_cap_is_empty_and_a_cap_of_nothing_is_zero() -> None:
    people = read(csv_text(table(report([(1, 2, 3)]), By.PERSON)))
    assert (people[0]["cap_usd"], people[0]["cap_nano_usd"]) == ("0.00", "0")
    channels = read(csv_text(table(report([(1, 2, 3)]), By.CHANNEL)))
    assert (channels[0]["cap_usd"], channels[0]["cap_nano_usd"]) == ("", "")


def test_an_erased_person_is_named_so() -> None:
    whole = report([])
    erased = PersonSpend("T1", "", Spent(0, 0, 0), None)
    made = table(SpendReport(whole.span, whole.total, (erased,), (), (), (), whole.classes), By.PERSON)
    assert made.rows[0][1] == ERASED


def test_classes_with_nothing_are_there() -> None:
    made = table(report([]), By.CLASS)
    assert [row[0] for row in made.rows] == [each.value for each in TokenClass]
    assert {row[1:] for row in made.rows} == {(0, "0.00", 0, "0.0")}


@pytest.mark.parametrize("by", By)
def test_an_empty_report_keeps_its_header(by: By) -> None:
    text = csv_text(table(report([]), by))
    assert text.split("\r\n")[0] == ",".join(table(report([]), by).header)


def test_csv_is_quoted_as_rfc_4180_says() -> None:
    odd = 'a "b", c\r\nd'
    assert csv_text(Table(("x", "y"), ((odd, 1),))) == 'x,y\r\n"a ""b"", c\r\nd",1\r\n'


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+1+1",
        "-1+1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        " =1",
        "\uff1d1+1",
        '=HYPERLINK("http://x")',
        "-",
        "--1",
    ],
)
def test_what_a_spreadsheet_would_run_is_text(cell: str) -> None:
    (row,) = read(csv_text(Table(("x",), ((cell,),))))
    assert row["x"] == f"'{cell}"


@pytest.mark.parametrize(
    "cell", ["-2.00", "-5", "0.05268", "gpt-image-2", "2026-11-01", "(erased)", "a=b", " "]
)
def test_numbers_and_harmless_text_stay_as_they_are(cell: str) -> None:
    (row,) = read(csv_text(Table(("x",), ((cell,),))))
    assert row["x"] == cell


@pytest.mark.parametrize(
    ("part", "total", "shown"),
    [
        (0, 0, "0.0"),
        (1, 3, "33.3"),
        (2, 3, "66.7"),
        (1, 1, "100.0"),
        (1, 2000, "0.1"),
        (-1, 4, "-25.0"),
        (5, 4, "125.0"),
    ],
)
def test_a_share_has_one_decimal(part: int, total: int, shown: str) -> None:
    assert share(part, total) == shown
