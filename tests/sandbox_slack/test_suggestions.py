"""Menus whose choices the app gives: what it is asked, what of its answer is taken, what can be chosen."""

import asyncio
from typing import Any

import pytest

from sandbox.slack import suggested
from sandbox.slack.model import Refused
from sandbox.slack.workspace import Workspace
from tests.sandbox_slack.conftest import App, Clock, ok

DESIGN = "C0DESIGN01"
Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def option(value: str) -> Json:
    return {"text": plain(value.title()), "value": value}


def options(*values: str) -> Json:
    return {"options": [option(value) for value in values]}


STYLE = {"type": "external_select", "action_id": "style"}
STYLES = {"type": "multi_external_select", "action_id": "styles", "min_query_length": 0}
STYLES |= {"initial_options": [option("ink")], "max_selected_items": 2}


@pytest.fixture
async def app(still: Workspace) -> App:
    made = App(still)
    await still.attach(made.send)
    return made


async def posted(still: Workspace) -> Json:
    """Where a message with both menus is."""
    blocks = [{"type": "actions", "block_id": "b", "elements": [STYLE, STYLES]}]
    said = await ok(still, "chat.postMessage", channel=DESIGN, text="x", blocks=blocks)
    return {"channel": DESIGN, "message_ts": said["ts"]}


async def opened(still: Workspace) -> str:
    """The id of alice's modal with both menus."""
    fields = [
        {"type": "input", "block_id": each["action_id"], "label": plain("x"), "element": each}
        for each in (STYLE, STYLES)
    ]
    view = {"type": "modal", "title": plain("New"), "submit": plain("Make"), "blocks": fields}
    seen = await still.use_shortcut("alice", "new")
    made = await ok(still, "views.open", trigger_id=seen.payload["trigger_id"], view=view)
    return str(made["view"]["id"])


def last(app: App) -> Json:
    return dict(app.envelopes[-1])


async def test_in_a_message_the_app_is_asked_and_only_what_it_gave_can_be_chosen(
    still: Workspace, app: App
) -> None:
    where = await posted(still)
    with pytest.raises(Refused, match="no option 'oil'"):
        await still.press("alice", DESIGN, where["message_ts"], "style", value="oil")
    app.answer = options("oil", "chalk")
    seen = await still.ask_options("alice", "style", "oil", **where)
    asked = last(app)

    assert seen.payload == app.answer
    assert (asked["type"], asked["accepts_response_payload"]) == ("interactive", True)
    payload = asked["payload"]
    assert [payload[key] for key in ("type", "action_id", "block_id", "value")] == [
        *("block_suggestion", "style", "b", "oil")
    ]
    assert payload["message"]["ts"] == payload["container"]["message_ts"] == where["message_ts"]
    assert payload["channel"]["id"] == DESIGN
    assert not {"trigger_id", "response_url", "view"} & set(payload)
    app.answer = None
    pressed = await still.press("alice", DESIGN, where["message_ts"], "style", value="chalk")
    assert pressed.payload["actions"][0]["selected_option"] == option("chalk")
    with pytest.raises(Refused, match="no option 'chalk'"):
        await still.press("bob", DESIGN, where["message_ts"], "style", value="chalk")


async def test_in_a_modal_what_was_offered_before_can_still_be_chosen(still: Workspace, app: App) -> None:
    view = await opened(still)
    app.answer = {"option_groups": [{"label": plain("Wet"), **options("oil", "ink")}]}
    assert (await still.ask_options("alice", "style", "oil", view_id=view)).payload == app.answer
    assert last(app)["payload"]["view"]["id"] == view
    await still.ask_options("alice", "styles", "", view_id=view)
    app.answer = options("chalk")
    await still.ask_options("alice", "styles", "c", view_id=view)
    app.answer = None
    await still.submit_view("alice", view, {"style": "ink", "styles": ["ink", "chalk"]})
    held = last(app)["payload"]["view"]["state"]["values"]

    assert held["style"]["style"] == {"type": "external_select", "selected_option": option("ink")}
    assert held["styles"]["styles"]["selected_options"] == [option("ink"), option("chalk")]


async def test_what_a_view_holds_can_be_put_in_again(still: Workspace, app: App) -> None:
    """Also when nobody remembers that it was offered, as after a restart."""
    view = await opened(still)
    app.answer = options("oil")
    await still.ask_options("alice", "style", "oil", view_id=view)
    app.answer = None
    await still.fill_view("alice", view, {"style": "oil"})
    still.suggested.clear()
    await still.submit_view("alice", view, {"style": "oil", "styles": ["ink"]})

    held = last(app)["payload"]["view"]["state"]["values"]
    assert held["style"]["style"]["selected_option"] == option("oil")


async def test_fewer_characters_than_the_menu_waits_for_ask_nobody(still: Workspace, app: App) -> None:
    where = await posted(still)
    with pytest.raises(Refused, match="from 3 characters on"):
        await still.ask_options("alice", "style", "oi", **where)
    assert all(each["type"] == "events_api" for each in app.envelopes)
    assert (await still.ask_options("alice", "styles", "", **where)).payload == {"options": []}


async def test_what_is_no_such_menu_asks_nobody(still: Workspace, app: App) -> None:
    button = {"type": "button", "action_id": "again", "text": plain("Again")}
    blocks = [{"type": "actions", "elements": [button]}]
    said = await ok(still, "chat.postMessage", channel=DESIGN, text="x", blocks=blocks)
    for action, why in (("again", "does not ask the app"), ("style", "no 'style' to press")):
        with pytest.raises(Refused, match=why):
            await still.ask_options("alice", action, "oil", channel=DESIGN, message_ts=said["ts"])


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (options(*(f"n{n}" for n in range(101))), "no more than 100 items"),
        ({"options": [{"text": plain("x" * 76), "value": "x"}]}, "less than 76 characters"),
        ({"options": [{"text": {"type": "mrkdwn", "text": "x"}, "value": "x"}]}, "unsupported type"),
        ({"options": [{"text": plain("x")}]}, "missing required field: value"),
        ({"option_groups": [{"label": plain("x"), "options": []}]}, "no fewer than 1 items"),
        ({"options": "oil"}, "must be an array"),
    ],
)
async def test_an_answer_that_cannot_be_read_offers_nothing(
    still: Workspace, app: App, answer: Json, said: str
) -> None:
    where = await posted(still)
    app.answer = answer
    seen = await still.ask_options("alice", "style", "oil", **where)

    assert (seen.error, said in seen.text, seen.payload) == ("invalid_response", True, {})
    assert not still.suggested


async def test_an_app_that_does_not_answer_in_three_seconds_is_told_of(
    still: Workspace, clock: Clock
) -> None:
    await still.attach(App(still, acks=False).send)
    where = await posted(still)
    asking = asyncio.ensure_future(still.ask_options("alice", "style", "oil", **where))
    await clock.advance(2.9)
    assert not asking.done()
    await clock.advance(0.2)
    assert (await asking).error == "operation_timeout"


async def test_only_so_many_menus_are_remembered(
    still: Workspace, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suggested, "MENUS_MAX", 1)
    monkeypatch.setattr(suggested, "_OPTIONS_MAX", 3)
    old, new = await posted(still), await posted(still)
    for where in (old, new):
        for values in (("a", "b"), ("c", "d")):
            app.answer = options(*values)
            await still.ask_options("alice", "style", "xyz", **where)

    ((menu, known),) = still.suggested.items()
    assert menu[1] == new["message_ts"]
    assert list(known) == ["b", "c", "d"]
    await still.reset()
    assert not still.suggested
