"""What the app called is kept whole where it is of an ordinary size, and never takes much room."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.slack import called
from sandbox.slack.limits import RECORDS_MAX
from sandbox.slack.model import CallRecord
from sandbox.slack.shapes import FINDINGS_MAX
from sandbox.slack.workspace import Workspace
from tests.sandbox_slack.conftest import api

DESIGN = "C0DESIGN01"
SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "fox " * 400}}


async def test_an_ordinary_call_is_kept_as_it_came(still: Workspace) -> None:
    text, blocks = "x" * 40_000, [SECTION] * 20
    await api(still, "chat.postMessage", channel=DESIGN, text=text, blocks=blocks)

    assert still.calls[-1].params == {"channel": DESIGN, "text": text, "blocks": blocks}


@pytest.mark.parametrize(
    "more",
    [
        {f"key {number}": number for number in range(20_000)},
        {"k" * 2_000_000: 1},
        [1] * 200_000,
        [["x" * 1_900] * 190] * 190,
        "x" * 4_000_000,
        {str(number): {str(inner): ["x" * 80] * 30 for inner in range(30)} for number in range(30)},
    ],
    ids=["keys", "a long key", "items", "lists", "text", "objects"],
)
async def test_of_a_large_call_only_so_much_is_kept(still: Workspace, more: object) -> None:
    await api(still, "chat.postMessage", channel="C0NOWHERE", text="x", extra=more)

    assert len(json.dumps(still.calls[-1].params)) <= called.WHOLE_MAX
    assert (still.calls[-1].method, still.calls[-1].error) == ("chat.postMessage", "channel_not_found")


def test_what_is_cut_says_how_much_there_was() -> None:
    given = {"text": "x" * 10, "items": list(range(5)), "bytes": b"abc", "a": 1, "b": None}

    assert called.abridged(given, 4, 3) == {
        "text": "xxxx… (10 characters)",
        "item… (5 characters)": [0, 1, 2, "(2 more)"],
        "byte… (5 characters)": "(3 bytes)",
        "…": "(2 more)",
    }


def test_the_oldest_calls_go_when_all_of_them_weigh_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(called, "KEPT_MAX", 10_000)
    calls = called.Calls()
    for number in range(30):
        calls.append(CallRecord("x", {"number": number, "text": "x" * 1_000}, None, 200, 0.0))
    assert 5 < len(calls) < 10
    assert [call.params["number"] for call in calls][-1] == 29

    calls.clear()
    for number in range(3):
        calls.append(CallRecord("x", {"number": number, "text": "x" * 1_000}, None, 200, 0.0))
    assert len(calls) == 3


def test_there_are_only_so_many_calls() -> None:
    calls = called.Calls()
    for number in range(RECORDS_MAX + 3):
        calls.append(CallRecord(str(number), {}, None, 200, 0.0))
    assert (len(calls), calls[0].method) == (RECORDS_MAX, "3")


@pytest.mark.parametrize(
    "blocks",
    [
        [1] * 100_000,
        [{"type": "table"}] * 20_000,
        [{"type": "x" * 1_000_000}] * 3,
        [{"type": "divider", **{f"key {number}": 1 for number in range(50_000)}}],
    ],
    ids=["items", "tables", "a long type", "keys"],
)
async def test_of_very_many_mistakes_the_first_are_told(still: Workspace, blocks: list[Any]) -> None:
    answer = await api(still, "chat.postMessage", channel=DESIGN, text="x", blocks=blocks)

    assert answer.body["error"] == "invalid_blocks"
    assert 0 < len(answer.body["errors"]) <= FINDINGS_MAX
    assert len(json.dumps(answer.body)) < 60_000
