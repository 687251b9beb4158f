"""Block Kit: what Slack takes, and what it answers with `invalid_blocks`."""

from typing import Any

import pytest

from sandbox.slack.blocks import check_blocks
from sandbox.slack.workspace import Workspace
from tests.sandbox_slack.conftest import api, ok, png, uploaded

Block = dict[str, Any]
DESIGN = "C0DESIGN01"


def plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text}


def section(text: str) -> Block:
    return {"type": "section", "text": mrkdwn(text)}


def button(action_id: str = "again", **more: Any) -> Block:
    return {"type": "button", "text": plain("Again"), "action_id": action_id, **more}


def actions(*elements: Block) -> Block:
    return {"type": "actions", "elements": list(elements)}


def context(*elements: Block) -> Block:
    return {"type": "context", "elements": list(elements)}


def bars(categories: int, *, labels: int | None = None, charts: int = 1) -> list[Block]:
    names = [f"day {n}" for n in range(categories)]
    data = [{"label": f"day {n}", "value": n} for n in range(categories if labels is None else labels)]
    chart = {
        "type": "bar",
        "series": [{"name": "dollars", "data": data}],
        "axis_config": {"categories": names, "x_label": "day", "y_label": "USD"},
    }
    return [{"type": "data_visualization", "title": "Spend", "chart": chart} for _ in range(charts)]


def rows(count: int, columns: int = 2) -> list[list[Block]]:
    return [[{"type": "raw_text", "text": "x"}] * columns for _ in range(count)]


def check(blocks: list[Block], surface: str = "message") -> list[str]:
    return check_blocks(blocks, surface=surface, file_refused=lambda _: True)


GOOD: list[list[Block]] = [
    [],
    [section("x" * 3000)] * 50,
    [{"type": "section", "fields": [plain("x" * 2000)] * 10}],
    [{"type": "section", "text": plain("x"), "accessory": button()}],
    [{"type": "header", "text": plain("x" * 150)}, {"type": "divider"}],
    [actions(*[button(f"a{n}", value="v" * 2000, style="danger") for n in range(25)])],
    [context(*[mrkdwn("x")] * 9, {"type": "image", "image_url": "https://x.example/a.png", "alt_text": "a"})],
    [{"type": "image", "image_url": "https://x.example/a.png", "alt_text": "x" * 2000, "title": plain("t")}],
    [{"type": "markdown", "text": "# hello"}],
    [{"type": "table", "rows": rows(100), "column_settings": [{"align": "right"}]}],
    [{"type": "data_table", "caption": "Spend", "rows": rows(101), "page_size": 20}],
    bars(20, charts=2),
    [{"type": "carousel", "elements": [{"type": "card", "title": plain("v1"), "actions": [button()]}] * 10}],
    [{"type": "container", "title": plain("More"), "child_blocks": [section("x")], "is_collapsible": True}],
]

BAD: list[tuple[list[Block], str]] = [
    ([section("x")] * 51, "no more than 50 items allowed [json-pointer:/blocks]"),
    ([{"type": "poem"}], "unsupported type: poem [json-pointer:/blocks/0]"),
    ([{"text": "x"}], "missing required field: type"),
    ([section("x" * 3001)], "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"),
    ([section("")], "must be more than 0 characters"),
    ([{"type": "section"}], "must define at least one of: text, fields"),
    ([{"type": "section", "fields": [plain("x")] * 11}], "no more than 10 items allowed"),
    ([{"type": "section", "fields": [plain("x" * 2001)]}], "must be less than 2001 characters"),
    ([{"type": "header", "text": plain("x" * 151)}], "must be less than 151 characters"),
    ([{"type": "header", "text": mrkdwn("x")}], "unsupported type: mrkdwn"),
    ([actions(*[button(f"a{n}") for n in range(26)])], "no more than 25 items allowed"),
    ([actions()], "no fewer than 1 items allowed"),
    ([actions(button(), button())], '`action_id` "again" already exists'),
    ([actions(button("x" * 256))], "must be less than 256 characters"),
    ([actions(button(style="loud"))], "must be one of primary, danger"),
    ([actions(button(colour="red"))], "invalid additional property: colour"),
    ([actions({"type": "plain_text_input", "action_id": "a"})], "unsupported type: plain_text_input"),
    ([context(*[mrkdwn("x")] * 11)], "no more than 10 items allowed"),
    ([context(button())], "unsupported type: button"),
    ([{"type": "divider", "block_id": "a"}] * 2, '`block_id` "a" already exists'),
    ([{"type": "divider", "block_id": "a" * 256}], "must be less than 256 characters"),
    ([{"type": "image", "image_url": "https://x.example"}], "missing required field: alt_text"),
    ([{"type": "image", "image_url": "u", "alt_text": "x" * 2001}], "must be less than 2001 characters"),
    ([{"type": "image", "image_url": "u" * 3001, "alt_text": "x"}], "must be less than 3001 characters"),
    ([{"type": "image", "alt_text": "x"}], "must define exactly one of: image_url, slack_file"),
    ([{"type": "image", "alt_text": "x", "slack_file": {}}], "must define exactly one of: id, url"),
    ([{"type": "image", "alt_text": "x", "slack_file": {"id": "F1"}}], "invalid slack file"),
    ([{"type": "table", "rows": rows(101)}], "no more than 100 items allowed"),
    ([{"type": "table", "rows": rows(1)}] * 2, "no more than 1 table blocks allowed"),
    ([{"type": "data_table", "caption": "c", "rows": rows(102)}], "no more than 101 items allowed"),
    (
        [{"type": "data_table", "caption": "c", "rows": rows(1) + rows(1, 3)}],
        "all rows must have the same number of cells",
    ),
    (bars(21), "no more than 20 items allowed"),
    (bars(3, labels=2), "labels must match axis_config categories"),
    (bars(3, charts=3), "no more than 2 data_visualization blocks allowed"),
    (
        [{"type": "carousel", "elements": [{"type": "card", "title": plain("v")}] * 11}],
        "no more than 10 items",
    ),
    ([{"type": "alert", "text": plain("careful")}], "alert blocks are not allowed in a message"),
]


@pytest.mark.parametrize("blocks", GOOD, ids=range(len(GOOD)))
def test_good_blocks_are_taken(blocks: list[Block]) -> None:
    assert check(blocks) == []


@pytest.mark.parametrize(("blocks", "message"), BAD, ids=[message for _, message in BAD])
def test_bad_blocks_are_refused_with_the_reason_and_the_place(blocks: list[Block], message: str) -> None:
    found = check(blocks)

    assert any(message in line for line in found), found


def test_a_modal_may_hold_a_hundred_blocks_and_inputs() -> None:
    field = {"type": "plain_text_input", "action_id": "text", "max_length": 3000}
    assert check([{"type": "input", "label": plain("Prompt"), "element": field}] * 100, "modal") == []
    assert check([{"type": "divider"}] * 101, "modal")


async def test_the_refusal_is_in_the_response_metadata(still: Workspace) -> None:
    answer = await api(still, "chat.postMessage", channel=DESIGN, text="x", blocks=[{"type": "poem"}])

    expected = ["[ERROR] unsupported type: poem [json-pointer:/blocks/0]"]
    assert answer.body["response_metadata"] == {"messages": expected}


async def test_blocks_that_slack_returned_cannot_all_be_sent_back(still: Workspace) -> None:
    """Images come back with facts that are refused on the way in: rebuild blocks from your own data."""
    still.file_processing_s = 0
    file_id = await uploaded(still, png())
    image = {"type": "image", "slack_file": {"id": file_id}, "alt_text": "a fox"}
    posted = await ok(still, "chat.postMessage", channel=DESIGN, text="x", blocks=[image, section("x")])
    shown_image, shown_section = posted["message"]["blocks"]
    place = {"channel": DESIGN, "ts": posted["ts"], "text": "x"}

    assert (shown_image["image_width"], shown_image["image_height"]) == (3, 2)
    assert (await api(still, "chat.update", **place, blocks=[shown_section])).ok
    refused = await api(still, "chat.update", **place, blocks=[shown_image])
    assert "invalid additional property" in str(refused.body["response_metadata"])


async def test_every_block_gets_an_id_and_keeps_its_own(still: Workspace) -> None:
    blocks = [{"type": "divider", "block_id": "mine"}, {"type": "divider"}]
    posted = await ok(still, "chat.postMessage", channel=DESIGN, text="x", blocks=blocks)

    first, second = (block["block_id"] for block in posted["message"]["blocks"])
    assert first == "mine"
    assert second
