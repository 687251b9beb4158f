"""The page on reliability: it names what there is, and its tables speak of the faults and bugs of today."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sandbox.faults.vocabulary import NAMES
from tests.matrix.moments import MOMENTS
from tests.matrix.openai_side import WHENEVER, possible
from tests.mutants.bugs import BUGS
from tests.reliability.__main__ import HEADS
from tests.reliability.tables import PAGE, by_cell, markdown, parts, rows_of, with_parts

ROOT = Path(__file__).parents[2]
TEXT = PAGE.read_text(encoding="utf-8")
MUST_BE_NONE = (
    "turns lost",
    "charged twice, or otherwise than billed",
    "holds over a cap",
    "posted twice although the first post could be seen",
    "anything else that was wrong",
)


def test_every_table_that_tests_make_has_its_place() -> None:
    elsewhere = {"sums", "crash", "disk", "simulation", "simulation-faults", "soak"}
    assert parts(TEXT).keys() == HEADS.keys() | elsewhere


@pytest.mark.parametrize("name", HEADS)
def test_a_table_has_rows_and_each_as_many_cells_as_its_head(name: str) -> None:
    rows = rows_of(name)
    assert rows
    assert {len(row) for row in rows} == {len(HEADS[name])}


def test_each_fault_of_the_image_api_that_can_come_is_in_the_table_and_no_other() -> None:
    shown = {fault for fault, _ in by_cell("openai")}
    assert shown == {named.name for moment in MOMENTS for named in possible(moment)}
    moments = {moment for _, moment in by_cell("openai")}
    assert moments == {moment.name for moment in MOMENTS} | {WHENEVER}


@pytest.mark.parametrize(("name", "least"), [("simulation", 1_000), ("soak", 20_000)])
def test_so_many_days_were_simulated_and_nothing_was_lost(name: str, least: int) -> None:
    figures = dict(rows_of(name))
    assert int(figures["simulated days"].replace(",", "")) >= least
    assert {row for row in MUST_BE_NONE if figures[row] != "0"} == set()


def test_in_a_storm_each_command_is_acknowledged_while_slack_waits() -> None:
    took = [row[1] for row in rows_of("storm") if "acknowledgement, in milliseconds" in row[0]]
    assert len(took) == 2
    assert all(int(milliseconds.replace(",", "")) < 3_000 for milliseconds in took)


@pytest.mark.parametrize("table", ["slack-once", "slack-hour"])
def test_the_faults_of_slack_in_the_table_are_there(table: str) -> None:
    shown = {fault for fault, _ in by_cell(table)}
    assert shown <= {name for side, name in NAMES if side == "slack"}
    assert len(shown) > 50


def test_the_bugs_in_the_table_are_those_that_are_planted() -> None:
    assert [(row[0], row[1]) for row in rows_of("mutants")] == [(bug.name, bug.file) for bug in BUGS]


def test_what_the_page_tells_to_type_is_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]+)", TEXT)) <= targets
    for path in re.findall(r"`pytest (tests/\S+?)[ `]", TEXT):
        assert (ROOT / path).exists(), path
    for module in re.findall(r"`python -m ([\w.]+)", TEXT):
        assert (ROOT / module.replace(".", "/") / "__main__.py").exists(), module


def test_every_link_within_the_page_leads_to_a_heading() -> None:
    headings = re.findall(r"^#+ (.+)$", TEXT, re.MULTILINE)
    there = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([\w-]+)\)", TEXT)) <= there


def test_what_is_put_between_markers_is_read_back() -> None:
    rows: list[list[str | int]] = [["a | b", "", 1234], ["c", "d  e", "f"]]
    text = with_parts("x\n<!-- t -->\nold\n<!-- /t -->\ny\n", {"t": markdown(("1", "2", "3"), rows)})
    assert text.startswith("x\n<!-- t -->\n| 1 |")
    assert text.endswith("<!-- /t -->\ny\n")
    assert rows_of("t", text) == [["a / b", "", "1,234"], ["c", "d e", "f"]]
    with pytest.raises(KeyError):
        with_parts(text, {"u": ""})
