"""The report as messages: what stands in them, what a screen reader says, and Slack's limits."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.spending.classes import TokenClass
from darkroom.spending.reports import SpendReport, Spent
from darkroom.spending.spans import Span
from handlers.blocks.daily import chart_alt_text, chart_block, daily
from handlers.blocks.report import (
    REPORT_ACTION,
    models_view,
    people_view,
    span_of_value,
    span_value,
    team_summary_view,
)
from handlers.blocks.tables import Style
from handlers.blocks.text import TEXT_MAX, View
from sandbox.slack.blocks import check_blocks
from tests.handlers.reports import nothing_spent, span, spend_report, user_id

HOSTILE = "<!channel> & *Ann* <@U0EVIL0001>\n=1+1 \u202egnp"


def named(report: SpendReport) -> dict[str, str]:
    return {person.user_id: f"Person {n:04d}" for n, person in enumerate(report.people)}


def full_report_views(
    report: SpendReport, names: dict[str, str], style: Style = Style.DATA_TABLE
) -> list[View]:
    """The messages of the report, as they are sent."""
    views = [people_view(report, names, style)]
    return [*views, models_view(report, style)] if report.models else views


def refusals(view: View) -> list[str]:
    """What Slack would say; the blocks go through JSON first."""
    blocks = json.loads(json.dumps(view.blocks))
    return check_blocks(blocks, surface="message", file_refused=lambda _: False)


def table_of(view: View, kind: str = "data_table") -> list[list[dict[str, Any]]]:
    (block,) = [block for block in view.blocks if block["type"] == kind]
    rows: list[list[dict[str, Any]]] = block["rows"]
    return rows


def words_of(view: View) -> str:
    """What stands in sections and contexts."""
    texts = [block["text"]["text"] for block in view.blocks if block["type"] == "section"]
    small = [
        part["text"] for block in view.blocks if block["type"] == "context" for part in block["elements"]
    ]
    return "\n".join([*texts, *small])


def test_the_summary_has_the_totals_and_the_ten_who_spent_most_with_cap_and_share() -> None:
    report = spend_report()
    view = team_summary_view(report)
    words = words_of(view)
    assert "1 September to 31 October 2026 (Europe/Zurich)" in words
    assert f"{report.total.pictures:,} pictures by 25 people" in words
    assert "1. <@U000000000>: " in words
    assert "10. <@U000000009>: " in words
    assert "U000000010" not in words
    assert "no cap" in words
    assert "cap $30.00" in words
    assert "% of all" in words
    assert "15 more people are in the full report." in words
    assert refusals(view) == []


def test_the_summarys_text_says_all_that_its_blocks_show() -> None:
    view = team_summary_view(spend_report())
    for line in words_of(view).replace("*", "").split("\n"):
        assert line.rstrip(".") in view.text
    assert "Send me the full report" in view.text
    assert len(view.text) <= TEXT_MAX


def test_the_summarys_button_knows_its_span_after_a_restart() -> None:
    report = spend_report()
    (actions,) = [block for block in team_summary_view(report).blocks if block["type"] == "actions"]
    (button,) = actions["elements"]
    assert button["action_id"] == REPORT_ACTION
    assert span_of_value(button["value"]) == report.span


@pytest.mark.parametrize(
    "value",
    [
        "",
        "..",
        "a..b..UTC",
        "2026-10-01..2026-10-31",
        "2026-10-01T00:00:00..2026-11-01T00:00:00..UTC",
        "2026-11-01T00:00:00+00:00..2026-10-01T00:00:00+00:00..UTC",
        "2026-10-01T00:00:00+00:00..2026-11-01T00:00:00+00:00..Mars/Olympus",
        "2026-10-01T00:00:00+00:00..2026-11-01T00:00:00+00:00..../../etc/passwd",
    ],
)
def test_a_value_that_is_no_span_is_none(value: str) -> None:
    assert span_of_value(value) is None


@given(
    st.integers(946_684_800, 4_102_444_800),
    st.integers(1, 4000),
    st.sampled_from(["UTC", "Asia/Kathmandu", "America/New_York", "Pacific/Auckland"]),
)
def test_every_span_survives_being_a_buttons_value(start: int, days: int, timezone: str) -> None:
    begin = datetime.fromtimestamp(start, UTC)
    given_span = Span(timezone, begin, begin + timedelta(days=days))
    assert span_of_value(span_value(given_span)) == given_span


def test_a_month_without_spend_says_so_and_offers_nothing() -> None:
    report = nothing_spent()
    summary = team_summary_view(report)
    assert "Nobody has spent anything" in words_of(summary)
    assert all(block["type"] != "actions" for block in summary.blocks)
    (view,) = full_report_views(report, {})
    assert "Nobody has spent anything" in words_of(view)
    assert refusals(view) == []


def test_the_people_table_can_be_sorted_by_numbers_and_read_as_money() -> None:
    report = spend_report()
    people, _ = full_report_views(report, named(report))
    head, first, *rest = table_of(people)
    assert [cell["text"] for cell in head] == ["Person", "Pictures", "Spent", "Held", "Cap", "Share"]
    assert len(rest) == 24
    assert first[0] == {"type": "raw_text", "text": "Person 0000"}
    assert (first[1]["type"], first[1]["value"]) == ("raw_number", report.total.pictures)
    assert first[2]["text"].startswith("$")
    assert first[2]["value"] == pytest.approx(report.people[0].spent.charged_nano_usd / 1e9)
    assert rest[2][4] == {"type": "raw_text", "text": "no cap"}
    shares = [row[5]["value"] for row in (first, *rest)]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(100, abs=1.5)


def test_the_models_are_those_really_called_with_their_provider_and_the_token_classes() -> None:
    report = spend_report()
    _, models = full_report_views(report, {})
    rows = [[cell["text"] for cell in row[:3]] for row in table_of(models)[1:]]
    assert rows[0] == ["gpt-image-2-2026-04-21", "responses", "OpenAI"]
    assert rows[2] == ["gpt-image-2-2026-04-21", "images", "gateway.example.net"]
    for part in ("Image output", "Cached image input", "Cached text input", "Host model"):
        assert f"{part}: " in words_of(models)
        assert f"{part}: " in models.text


@pytest.mark.parametrize("style", list(Style))
@pytest.mark.parametrize("people", [1, 99, 100, 101, 3_000])
def test_every_style_stays_within_slacks_limits_and_says_who_is_left_out(people: int, style: Style) -> None:
    report = spend_report(people=people)
    longest = {person.user_id: "Bartholomäus " * 9 for person in report.people}
    for names in (named(report), longest):
        views = full_report_views(report, names, style)
        assert len(views) == 2
        for view in views:
            assert refusals(view) == []
            assert len(view.text) <= TEXT_MAX
            assert len(words_of(view)) < 12_000
    view = full_report_views(report, named(report), style)[0]
    told = words_of(view).count("% of all") or len(table_of(view, style.value)) - 1
    assert told == min(people, {Style.DATA_TABLE: 100, Style.TABLE: 99}.get(style, told))
    if told < people:
        assert f"{people - told:,} more" in words_of(view)
        assert "CSV file" in view.text


def test_no_message_has_more_characters_in_its_cells_than_slack_takes() -> None:
    report = spend_report(people=3_000)
    names = {person.user_id: "\N{GRINNING FACE}" * 60 for person in report.people}
    for style in (Style.DATA_TABLE, Style.TABLE):
        rows = table_of(full_report_views(report, names, style)[0], style.value)
        cells = [cell["text"] for row in rows for cell in row]
        assert sum(len(text.encode("utf-16-le")) // 2 for text in cells) <= 10_000
        assert len(rows) > 90


def test_names_notify_nobody_and_are_no_markup() -> None:
    report = spend_report(people=3)
    names = {user_id(0): HOSTILE, user_id(1): "", user_id(2): "x" * 500}
    for style in Style:
        view = full_report_views(report, names, style)[0]
        assert "<!channel>" not in view.text + words_of(view)
        assert "<@" not in view.text + words_of(view)
        assert "\u202e" not in json.dumps(view.blocks, ensure_ascii=False)
    assert "<!channel>" not in team_summary_view(report).text


def test_two_people_of_one_name_are_told_apart() -> None:
    report = spend_report(people=3)
    names = {user_id(0): "Kim", user_id(1): "Kim", user_id(2): "Ann"}
    rows = table_of(full_report_views(report, names)[0])
    assert [row[0]["text"] for row in rows[1:]] == ["Kim (U000000000)", "Kim (U000000001)", "Ann"]


def test_who_was_erased_is_counted_and_not_named() -> None:
    report = spend_report(people=2)
    erased = replace(report, people=(replace(report.people[0], user_id=""), report.people[1]))
    assert table_of(full_report_views(erased, {})[0])[1][0]["text"] == "(name erased)"
    assert "<@>" not in team_summary_view(erased).text


def test_slacks_own_chart_takes_up_to_twenty_days_with_a_gap_for_each_without_spend() -> None:
    report = spend_report(days=30, on=(2, 3, 21))
    block = chart_block(report)
    assert block is not None
    assert refusals(View("", (block,))) == []
    chart = block["chart"]
    categories = chart["axis_config"]["categories"]
    assert (len(categories), categories[0], categories[-1]) == (20, "3 Sep", "22 Sep")
    assert [series["name"] for series in chart["series"]] == [
        "Image output",
        "Image input",
        "Cached image input",
        "Text input",
        "Cached text input",
        "Host model",
    ]
    drawn = [sum(series["data"][n]["value"] for series in chart["series"]) for n in range(20)]
    by_day = [day.spent.charged_nano_usd / 1e9 for day in report.days]
    assert [drawn[0], drawn[1], drawn[19]] == pytest.approx(by_day)
    assert drawn[2:19] == [0] * 17


@pytest.mark.parametrize(("on", "days"), [((), 30), ((0, 20), 30), (tuple(range(900)), 900)])
def test_a_longer_time_or_nothing_is_not_for_slacks_chart(on: tuple[int, ...], days: int) -> None:
    assert chart_block(spend_report(days=days, on=on, people=len(on[:1]))) is None


def test_a_class_without_spend_takes_no_place_in_slacks_chart() -> None:
    report = spend_report(days=2)
    only = replace(report.days[0], classes={TokenClass.text_input: 5})
    block = chart_block(replace(report, days=(only,)))
    assert block is not None
    assert [series["name"] for series in block["chart"]["series"]] == ["Text input"]


def test_the_alt_text_says_span_total_dearest_day_and_shares() -> None:
    report = spend_report()
    text = chart_alt_text(report)
    dearest = max(report.days, key=lambda day: day.spent.charged_nano_usd)
    assert "1 September to 31 October 2026 (Europe/Zurich)" in text
    assert f"${report.total.charged_nano_usd // 10**9:,}.00 in all" in text
    assert (
        f"{dearest.day.day} {dearest.day:%B} 2026 with ${dearest.spent.charged_nano_usd // 10**9}.00" in text
    )
    assert "Image output" in text
    assert "(60.0%)" in text
    assert "Host model" in text
    assert len(text) <= 2_000
    assert "nothing to show" in chart_alt_text(nothing_spent())


def test_every_stack_stands_at_its_day_and_adds_up() -> None:
    report = spend_report(days=10, on=(0, 4, 9))
    shown = daily(report)
    assert shown is not None
    assert (shown.first, shown.last, shown.monthly) == (date(2026, 9, 1), date(2026, 9, 10), False)
    assert [stack.day.day for stack in shown.stacks] == [1, 5, 10]
    assert [sum(stack.nano_usd) for stack in shown.stacks] == [
        day.spent.charged_nano_usd for day in report.days
    ]


def test_many_years_become_months_and_nothing_gets_lost() -> None:
    report = replace(spend_report(days=1_500), span=span(date(1950, 1, 1), 40_000))
    shown = daily(report)
    assert shown is not None
    assert (shown.monthly, shown.first, shown.last) == (True, date(2026, 9, 1), date(2030, 10, 1))
    assert sum(sum(stack.nano_usd) for stack in shown.stacks) == report.total.charged_nano_usd


def test_a_day_with_only_holds_is_not_in_the_chart() -> None:
    report = spend_report(days=2, on=(0,))
    held = replace(report.days[0], day=date(2026, 9, 2), spent=Spent(0, 5, 0), classes={})
    shown = daily(replace(report, days=(*report.days, held)))
    assert shown is not None
    assert len(shown.stacks) == 1


@pytest.mark.parametrize("style", list(Style))
def test_models_with_endless_names_are_cut_and_counted(style: Style) -> None:
    report = spend_report()
    models = [
        replace(report.models[0], image_model=f"{n}" + "m" * 500, provider="p" * 500) for n in range(150)
    ]
    view = full_report_views(replace(report, models=tuple(models)), {}, style)[1]
    assert refusals(view) == []
    assert len(view.text) <= TEXT_MAX
    assert "more models: `darkroom spend --by model` lists all." in words_of(view)
    assert "Host model: " in words_of(view)
