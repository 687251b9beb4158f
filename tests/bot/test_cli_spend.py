"""``darkroom spend``: any period, any split, for people, programs and spreadsheets."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from bot.cli.spend import SUBCOMMANDS
from bot.cli.spend_print import TOP, aligned, print_tables
from darkroom.spending.classes import TokenClass
from darkroom.spending.reports import (
    ChannelSpend,
    ClassSpend,
    DaySpend,
    ModelSpend,
    PersonSpend,
    SpendReport,
    Spent,
)
from darkroom.spending.spans import parse_span
from darkroom.spending.tables import By
from storage.database import Database
from tests.examples import ALICE, BOB, NOON, TEAM
from tests.fresh import with_books
from tests.storage.test_reports import Books, Where, amount

ROOT = Path(__file__).parents[2]
NOVEMBER = parse_span("2026-11", "UTC", NOON)
USD = 10**9


@pytest.fixture(autouse=True)
def _books(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with books: Alice spent $0.05268 and Bob $0.003 elsewhere; a call of Alice's is under way."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    async def write() -> None:
        database = Database.open(with_books(tmp_path / "data"), create=True, inline=True)
        books = Books(database)
        await books.spend(amount(52_680_000))
        await books.spend(amount(3_000_000), where=Where(user=BOB, provider="images.example:8080"))
        await books.hold()
        database.close()

    asyncio.run(write())


def spend(*arguments: str) -> Result:
    """What ``darkroom spend`` makes of *arguments*."""
    return CliRunner().invoke(main, ["spend", *arguments])


def november(*arguments: str) -> str:
    """What it prints of November 2026."""
    printed = spend("--period", "2026-11", *arguments)
    assert printed.exit_code == 0, printed.output
    return printed.stdout


def test_json_has_every_split_and_the_days() -> None:
    report = json.loads(november("--json"))
    assert list(report) == ["period", "total", "people", "channels", "models", "days", "classes"]
    assert report["period"] == {
        "start": "2026-11-01T00:00:00+00:00",
        "end": "2026-12-01T00:00:00+00:00",
        "timezone": "UTC",
    }
    assert report["total"] == {"charged_nano_usd": 55_680_000, "held_nano_usd": 100, "pictures": 2}
    assert [(each["user_id"], each["charged_nano_usd"]) for each in report["people"]] == [
        (ALICE, 52_680_000),
        (BOB, 3_000_000),
    ]
    (day,) = report["days"]
    assert (day["day"], day["charged_nano_usd"], day["held_nano_usd"], day["pictures"]) == (
        "2026-11-20",
        55_680_000,
        100,
        2,
    )
    assert list(day["classes"]) == [each.value for each in TokenClass]
    assert day["classes"]["image_output"] == 55_680_000


@pytest.mark.parametrize(
    ("by", "key"),
    [
        ("person", "people"),
        ("channel", "channels"),
        ("model", "models"),
        ("day", "days"),
        ("class", "classes"),
    ],
)
def test_json_of_one_split_is_that_list_beside_period_and_total(by: str, key: str) -> None:
    whole = json.loads(november("--json"))
    assert json.loads(november("--json", "--by", by)) == {
        "period": whole["period"],
        "total": whole["total"],
        key: whole[key],
    }


def test_csv_is_by_person_unless_told_otherwise() -> None:
    text = november("--csv")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["user_id"] for row in rows] == [ALICE, BOB]
    assert (rows[0]["charged_usd"], rows[0]["charged_nano_usd"]) == ("0.05268", "52680000")
    raw = spend("--period", "2026-11", "--csv").stdout_bytes
    assert raw.count(b"\r\n") == raw.count(b"\n") == 3
    assert november("--csv", "--by", "person") == text


@pytest.mark.parametrize("by", list(By))
def test_every_csv_adds_up_to_the_total(by: By) -> None:
    rows = list(csv.DictReader(io.StringIO(november("--csv", "--by", by.value), newline="")))
    assert sum(int(row["charged_nano_usd"]) for row in rows) == 55_680_000
    assert sum(Decimal(row["charged_usd"]) for row in rows) == Decimal("0.05568")


def test_by_class_has_the_classes_with_nothing_too() -> None:
    printed = november("--by", "class")
    for each in TokenClass:
        assert each.value.replace("_", " ") in printed
    assert "host output" not in november()


def test_a_model_elsewhere_is_listed_with_where() -> None:
    printed = november("--by", "model")
    assert "gpt-image-2 at images.example:8080" in printed
    assert "openai" not in printed


def test_the_period_is_told_in_words_with_the_total() -> None:
    assert november().startswith("November 2026 (UTC): $0.06 spent, ")
    assert spend("--period", " 2026-11-20 ").stdout.startswith("20 November 2026 (UTC): $0.06 spent")
    empty = spend("--period", "2026-10-01..2026-10-30").stdout
    assert empty == "1 to 30 October 2026 (UTC): $0.00 spent, $0.00 held, 0 pictures\n"


def test_days_are_those_of_the_caps_time_zone() -> None:
    """Noon of the 20th in London is the 21st in Auckland."""
    printed = spend("--set", "caps.timezone=Pacific/Auckland", "--period", "2026-11", "--by", "day").stdout
    assert "November 2026 (Pacific/Auckland)" in printed
    assert "2026-11-21" in printed
    assert "2026-11-20" not in printed


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--period", "next month"], "A period is today, yesterday, this week"),
        (["--period", "2026-02-30"], "2026-02-30 is no date of the calendar."),
        (["--period", "2026-10-02..2026-10-01"], "write the earlier day first"),
        (["--by", "country"], "'person', 'channel', 'model', 'day', 'class'"),
        (["--json", "--csv"], "--json and --csv exclude each other"),
        (["2026-10"], "a period is written --period '2026-10'"),
        (["--json", "reprice"], "options of reprice stand behind it"),
        (["--set", "caps.period=day", "reconcile"], "--set stands before reconcile"),
    ],
)
def test_a_mistake_gets_a_sentence(arguments: list[str], said: str) -> None:
    printed = spend(*arguments)
    assert printed.exit_code == 2
    assert said in printed.output
    assert "Traceback" not in printed.output
    assert printed.stdout == ""


def test_help_lists_the_subcommands_and_imports_none() -> None:
    code = (
        "import sys; from click.testing import CliRunner; from bot.cli import main; "
        "print(CliRunner().invoke(main, ['spend', '--help']).output); "
        "print([m for m in sys.modules if m.startswith(('bot.cli.spend_', 'storage', 'rich', 'openai'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")
    text = " ".join(done.stdout.split())
    for name, line in SUBCOMMANDS.items():
        assert f"{name} {line}" in text


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_each_subcommand_explains_itself(name: str) -> None:
    printed = spend(name, "--help")
    assert printed.exit_code == 0
    assert f"spend {name}" in printed.output


def a_company(people: int, **changes: Any) -> SpendReport:
    """A report of *people* who each spent $1,234.56 or more."""
    each = [Spent(1_234_560_000_000 + number, 50_000_000, 7) for number in range(people)]
    total = Spent(
        *(
            sum(column)
            for column in zip(*((s.charged_nano_usd, s.held_nano_usd, s.pictures) for s in each), strict=True)
        )
    )
    parts: dict[str, Any] = {
        "people": tuple(PersonSpend(TEAM, f"U{n:010}", s, 2_000 * USD) for n, s in enumerate(each)),
        "channels": (ChannelSpend(TEAM, "C0DESIGN01", total, None),),
        "models": (ModelSpend("gpt-image-2-2026-04-21", "responses", "openai", total),),
        "days": (DaySpend(date(2026, 11, 1), total, {TokenClass.image_output: total.charged_nano_usd}),),
        "classes": {TokenClass.image_output: ClassSpend(7, total.charged_nano_usd)},
    }
    return SpendReport(NOVEMBER, total, **{**parts, **changes})


def test_thousands_of_people_are_the_first_twenty_unless_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_tables(a_company(3_000))
    printed = capsys.readouterr().out
    assert printed.count("│ U") == TOP
    assert "And 2,980 more: --by person" in printed
    print_tables(a_company(1_000), By.PERSON)
    printed = capsys.readouterr().out
    assert printed.count("│ U") == 1_000
    assert "more" not in printed


@pytest.mark.parametrize("columns", ["1", "20", "40", "79", "200"])
@pytest.mark.parametrize("by", [None, *By])
def test_no_number_is_ever_cut_however_narrow_the_terminal(
    by: By | None, columns: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    print_tables(a_company(3), by)
    printed = capsys.readouterr().out
    assert "…" not in printed
    assert re.search(r"\$(1,234\.56|3,703\.68|3703\.680000003) ", printed)


def test_a_name_in_brackets_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    odd = (ModelSpend("[red]model[/red]", "responses", "[::1]:8080", Spent(1, 0, 0)),)
    print_tables(a_company(1, models=odd), By.MODEL)
    assert "[red]model[/red] at [::1]:8080" in capsys.readouterr().out


def test_the_table_of_tokens_shows_what_they_really_cost(capsys: pytest.CaptureFixture[str]) -> None:
    """Amounts far below a cent are not rounded: rounded up they would add up to more than was spent."""
    classes = {TokenClass.host_cached_input: ClassSpend(tokens=3712, charged_nano_usd=74_240)}
    print_tables(a_company(1, classes=classes))
    assert "$0.00007424" in capsys.readouterr().out


def test_exact_amounts_stand_point_under_point_and_lose_nothing() -> None:
    assert aligned([700_000, 731_880_000, 6_546_400, 0]) == [
        "$0.0007000",
        "$0.7318800",
        "$0.0065464",
        "$0.0000000",
    ]
    assert aligned([]) == []
