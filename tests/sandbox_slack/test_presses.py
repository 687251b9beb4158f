"""Buttons that ask first, menus behind three dots, thumbs up and down."""

from typing import Any

import pytest

from sandbox.slack.model import Refused
from sandbox.slack.workspace import Workspace
from tests.sandbox_slack.conftest import App, api, ok

DESIGN = "C0DESIGN01"
Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


CONFIRM = {
    "title": plain("Spend $2?"),
    "text": plain("Four pictures."),
    "confirm": plain("Yes"),
    "deny": plain("No"),
}
BLOCKS: list[Json] = [
    {
        "type": "actions",
        "elements": [
            {
                "type": "button",
                "action_id": "again",
                "text": plain("Again"),
                "value": "7",
                "confirm": CONFIRM,
            },
            {
                "type": "overflow",
                "action_id": "more",
                "options": [{"text": plain("Details"), "value": "details:7"}],
            },
        ],
    },
    {
        "type": "context_actions",
        "block_id": "thumbs",
        "elements": [
            {
                "type": "feedback_buttons",
                "action_id": "feedback",
                "positive_button": {"text": plain("Good"), "value": "yes:7"},
                "negative_button": {
                    "text": plain("Bad"),
                    "value": "no:7",
                    "accessibility_label": "This picture does not fit",
                },
            }
        ],
    },
]


@pytest.fixture
async def app(still: Workspace) -> App:
    made = App(still)
    await still.attach(made.send)
    return made


@pytest.fixture
async def ts(still: Workspace, app: App) -> str:
    posted = await ok(still, "chat.postMessage", channel=DESIGN, text="a fox", blocks=BLOCKS)
    return str(posted["ts"])


async def test_a_dialog_asks_first_and_a_no_sends_nothing(still: Workspace, app: App, ts: str) -> None:
    before = len(app.envelopes)
    no = await still.press("alice", DESIGN, ts, "again", confirmed=False)
    after_no = len(app.envelopes)
    yes = await still.press("alice", DESIGN, ts, "again")

    assert (no.asked, no.payload, after_no) == (CONFIRM, {}, before)
    assert yes.asked == CONFIRM
    assert yes.payload["actions"][0]["confirm"] == CONFIRM


async def test_an_overflow_menu_carries_the_chosen_option_and_keeps_nothing(
    still: Workspace, app: App, ts: str
) -> None:
    seen = await still.press("alice", DESIGN, ts, "more", value="details:7")
    (action,) = seen.payload["actions"]

    assert action["selected_option"] == {"text": plain("Details"), "value": "details:7"}
    assert seen.payload["state"] == {"values": {}}
    with pytest.raises(Refused, match="no option"):
        await still.press("alice", DESIGN, ts, "more", value="dance")


@pytest.mark.parametrize(
    ("pressed", "value"), [("positive", "yes:7"), ("negative", "no:7"), ("no:7", "no:7")]
)
async def test_a_thumb_carries_its_own_value(
    still: Workspace, app: App, ts: str, pressed: str, value: str
) -> None:
    seen = await still.press("bob", DESIGN, ts, "feedback", value=pressed)
    (action,) = seen.payload["actions"]

    assert (action["type"], action["block_id"], action["value"]) == ("feedback_buttons", "thumbs", value)
    assert action["text"]["text"] in {"Good", "Bad"}
    assert "positive_button" not in action


async def test_there_are_only_two_thumbs(still: Workspace, app: App, ts: str) -> None:
    with pytest.raises(Refused, match="no button"):
        await still.press("bob", DESIGN, ts, "feedback", value="sideways")


@pytest.mark.parametrize(
    "element",
    [
        {"type": "overflow", "action_id": "a", "options": [{"text": plain("x"), "value": "v"}] * 6},
        {
            "type": "overflow",
            "action_id": "a",
            "options": [{"text": {"type": "mrkdwn", "text": "x"}, "value": "v"}],
        },
        {"type": "button", "action_id": "a", "text": plain("x"), "confirm": {"title": plain("Sure?")}},
        {"type": "button", "action_id": "a", "text": plain("x"), "value": "v" * 2001},
    ],
)
async def test_malformed_menus_and_dialogs_are_refused(still: Workspace, element: Json) -> None:
    blocks = [{"type": "actions", "elements": [element]}]
    answer = await api(still, "chat.postMessage", channel=DESIGN, text="x", blocks=blocks)

    assert answer.body["error"] == "invalid_blocks"


@pytest.mark.parametrize(
    "thumb",
    [{"text": plain("Good")}, {"text": plain("x" * 76), "value": "v"}, {"text": "Good", "value": "v"}],
)
async def test_malformed_thumbs_are_refused(still: Workspace, thumb: Json) -> None:
    good = {"text": plain("Good"), "value": "v"}
    element = {
        "type": "feedback_buttons",
        "action_id": "a",
        "positive_button": thumb,
        "negative_button": good,
    }
    blocks = [{"type": "context_actions", "elements": [element]}]
    answer = await api(still, "chat.postMessage", channel=DESIGN, text="x", blocks=blocks)

    assert answer.body["error"] == "invalid_blocks"
