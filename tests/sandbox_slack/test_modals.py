"""Modals and the Home tab: what is accepted, what is kept, what the app hears, what a person can do."""

from typing import Any

import pytest

from sandbox.slack.model import Refused, Shortcut
from sandbox.slack.workspace import Workspace
from tests.sandbox_slack.conftest import App, Clock, api, ok, png

DESIGN = "C0DESIGN01"
Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def option(value: str) -> Json:
    return {"text": plain(value.title()), "value": value}


def field(block_id: str, element: Json, **more: Any) -> Json:
    inner = {"action_id": block_id, **element}
    return {"type": "input", "block_id": block_id, "label": plain(block_id.title()), "element": inner, **more}


PROMPT = field("prompt", {"type": "plain_text_input", "multiline": True, "max_length": 20})
SIZES = {"type": "static_select", "options": [option("square"), option("story")]}
SIZE = field("size", {**SIZES, "initial_option": option("square")}, dispatch_action=True)
NUMBER = field(
    "count", {"type": "number_input", "is_decimal_allowed": False, "min_value": "1", "max_value": "4"}
)
PICTURES = field("pictures", {"type": "file_input", "filetypes": ["png"], "max_files": 2}, optional=True)
EXTRAS = field("extras", {"type": "checkboxes", "options": [option("private")]}, optional=True)
QUALITY = field(
    "quality", {"type": "radio_buttons", "options": [option("low"), option("high")]}, optional=True
)
ROOM = field("room", {"type": "conversations_select", "default_to_current_conversation": True}, optional=True)
AGAIN = {
    "type": "actions",
    "block_id": "buttons",
    "elements": [{"type": "button", "action_id": "price", "text": plain("Price"), "value": "p"}],
}


def modal(*blocks: Json, **more: Any) -> Json:
    label = {"title": plain("New picture"), "submit": plain("Make it")}
    return {"type": "modal", **label, "callback_id": "new", "blocks": list(blocks), **more}


@pytest.fixture
async def app(still: Workspace) -> App:
    still.file_processing_s = 0
    made = App(still)
    await still.attach(made.send)
    return made


async def opened(still: Workspace, view: Json) -> Json:
    seen = await still.use_shortcut("alice", "new", channel="#design")
    made: Json = (await ok(still, "views.open", trigger_id=seen.payload["trigger_id"], view=view))["view"]
    return made


def last(app: App) -> Json:
    return dict(app.envelopes[-1]["payload"])


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"title": plain("x" * 25)}, "/view/title/text"),
        ({"submit": plain("x" * 25)}, "/view/submit/text"),
        ({"close": plain("x" * 25)}, "/view/close/text"),
        ({"close": {"type": "mrkdwn", "text": "x"}}, "/view/close"),
        ({"private_metadata": "x" * 3001}, "/view/private_metadata"),
        ({"callback_id": "x" * 256}, "/view/callback_id"),
        ({"external_id": "x" * 256}, "/view/external_id"),
        ({"color": "red"}, "/view"),
        ({"blocks": [{"type": "divider"}] * 101}, "/blocks"),
        ({"blocks": [PROMPT, PROMPT]}, "/blocks/1/block_id"),
    ],
)
async def test_what_slack_refuses_in_a_modal(still: Workspace, app: App, wrong: Json, where: str) -> None:
    seen = await still.use_shortcut("alice", "new")
    trigger = seen.payload["trigger_id"]
    answer = await api(still, "views.open", trigger_id=trigger, view=modal(PROMPT) | wrong)

    assert answer.body["error"] == "invalid_arguments"
    assert f"[json-pointer:{where}]" in str(answer.body["response_metadata"]["messages"])
    assert (await api(still, "views.open", trigger_id=trigger, view=modal(PROMPT))).ok


async def test_a_view_at_its_limits_is_accepted(still: Workspace, app: App) -> None:
    most = {"title": plain("x" * 24), "submit": plain("x" * 24), "private_metadata": "x" * 3000}
    dividers = [{"type": "divider"}] * 99

    assert (await opened(still, modal(PROMPT, *dividers, **most)))["private_metadata"] == "x" * 3000


async def test_no_file_input_stands_in_a_message_or_the_home_tab(still: Workspace) -> None:
    posted = await api(still, "chat.postMessage", channel=DESIGN, text="x", blocks=[PICTURES])
    home = {"type": "home", "blocks": [PICTURES]}
    published = await api(still, "views.publish", user_id="U0ALICE001", view=home)

    assert posted.body["error"] == "invalid_blocks"
    assert published.body["error"] == "invalid_arguments"


async def test_a_submission_carries_everything_that_was_filled_in(still: Workspace, app: App) -> None:
    file = await still.upload("alice", "cat.png", png())
    view = await opened(still, modal(PROMPT, SIZE, NUMBER, PICTURES, EXTRAS, QUALITY, ROOM))
    values = {"prompt": "a fox", "count": 3, "pictures": [file.id], "extras": ["private"], "quality": "high"}
    await still.submit_view("alice", view["id"], values)
    sent = last(app)
    held = sent["view"]["state"]["values"]

    assert sent["type"] == "view_submission"
    assert held["prompt"]["prompt"] == {"type": "plain_text_input", "value": "a fox"}
    assert held["size"]["size"] == {"type": "static_select", "selected_option": option("square")}
    assert held["count"]["count"] == {"type": "number_input", "value": "3"}
    assert held["extras"]["extras"]["selected_options"] == [option("private")]
    assert held["quality"]["quality"]["selected_option"] == option("high")
    assert held["room"]["room"]["selected_conversation"] == DESIGN
    assert [f["id"] for f in held["pictures"]["pictures"]["files"]] == [file.id]
    assert held["pictures"]["pictures"]["files"][0]["mimetype"] == "image/png"
    assert still.modal_of("alice") is None


async def test_a_file_put_into_a_modal_can_be_read_by_the_app_and_one_that_was_not_cannot(
    still: Workspace, app: App
) -> None:
    file = await still.upload("alice", "cat.png", png())
    before = await api(still, "files.info", file=file.id)
    view = await opened(still, modal(PICTURES))
    await still.submit_view("alice", view["id"], {"pictures": [file.id]})
    url = (await ok(still, "files.info", file=file.id))["file"]["url_private_download"]

    assert before.body["error"] == "file_not_found"
    assert (await still.download(url, still.bot_token)).body == png()


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({}, "Prompt: is required"),
        ({"prompt": "x" * 21}, "Prompt: takes at most 20 characters"),
        ({"prompt": "a fox", "count": "many"}, "Count: takes a number"),
        ({"prompt": "a fox", "count": "1e999"}, "Count: takes a number"),
        ({"prompt": "a fox", "count": "nan"}, "Count: takes a number"),
        ({"prompt": "a fox", "count": 1.5}, "Count: takes a whole number"),
        ({"prompt": "a fox", "count": 5}, "Count: is out of range"),
        ({"prompt": "a fox", "count": 1, "pictures": ["cat.txt"]}, "Pictures: takes no .txt files"),
        ({"size": "banner"}, "'size' has no option 'banner'"),
        ({"weather": "fine"}, "has no 'weather' to fill in"),
        ({"room": "#attic"}, "'room' does not offer attic"),
    ],
)
async def test_the_client_does_not_send_what_cannot_be_right(
    still: Workspace, app: App, values: Json, why: str
) -> None:
    file = await still.upload("alice", "cat.txt", b"meow")
    given = {k: [file.id] if k == "pictures" else v for k, v in values.items()}
    view = await opened(still, modal(PROMPT, SIZE, NUMBER, PICTURES, ROOM))
    sent = len(app.envelopes)
    with pytest.raises(Refused, match=why):
        await still.submit_view("alice", view["id"], given)

    assert len(app.envelopes) == sent


async def test_what_dispatches_an_action_tells_the_app_with_all_values_and_no_channel(
    still: Workspace, app: App
) -> None:
    view = await opened(still, modal(PROMPT, SIZE))
    await still.fill_view("alice", view["id"], {"prompt": "a fox", "size": "story"})
    sent = last(app)
    await still.fill_view("alice", view["id"], {"size": "story"})

    assert (sent["type"], sent["container"]) == ("block_actions", {"type": "view", "view_id": view["id"]})
    assert sent["actions"][0]["selected_option"] == option("story")
    assert sent["view"]["state"]["values"]["prompt"]["prompt"]["value"] == "a fox"
    assert sent["view"]["hash"] == view["hash"]
    assert {"channel", "message", "response_url"}.isdisjoint(sent)
    assert last(app) == sent


async def test_an_update_keeps_what_was_typed_where_the_ids_are_the_same(still: Workspace, app: App) -> None:
    view = await opened(still, modal(PROMPT, SIZE, AGAIN))
    await still.fill_view("alice", view["id"], {"prompt": "a fox", "size": "story"})
    await still.press_in_view("alice", view["id"], "price")
    pressed = last(app)["view"]
    fewer = field("size", {"type": "static_select", "options": [option("square")]}, optional=True)
    other = {**PROMPT, "block_id": "prompt2", "optional": True}
    changed = modal(PROMPT, fewer, other)
    place = {"view_id": view["id"], "view": changed}
    updated = (await ok(still, "views.update", **place, hash=pressed["hash"]))["view"]
    late = await api(still, "views.update", **place, hash=pressed["hash"])
    held = updated["state"]["values"]

    assert pressed["state"]["values"]["size"]["size"]["selected_option"] == option("story")
    assert held["prompt"]["prompt"]["value"] == "a fox"
    assert held["size"]["size"]["selected_option"] is None
    assert held["prompt2"]["prompt"]["value"] is None
    assert late.body["error"] == "hash_conflict"


async def test_a_view_is_found_by_its_external_id_which_no_other_may_have(still: Workspace, app: App) -> None:
    await opened(still, modal(PROMPT, external_id="mine"))
    seen = await still.use_shortcut("alice", "new")
    twin = {"trigger_id": seen.payload["trigger_id"], "view": modal(PROMPT, external_id="mine")}
    updated = await ok(still, "views.update", external_id="mine", view=modal(SIZE, external_id="mine"))

    assert (await api(still, "views.open", **twin)).body["error"] == "duplicate_external_id"
    assert updated["view"]["blocks"][0]["block_id"] == "size"
    assert (await api(still, "views.update", view=modal(SIZE))).body["error"] == "invalid_arguments"
    assert (await api(still, "views.update", external_id="no", view=modal(SIZE))).body["error"] == "not_found"


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        (None, []),
        ({"response_action": "clear"}, []),
        ({"response_action": "errors", "errors": {"prompt": "Too vague"}}, ["New picture"]),
        ({"response_action": "update", "view": modal(title=plain("Done"))}, ["Done"]),
        ({"response_action": "push", "view": modal(title=plain("Sure?"))}, ["New picture", "Sure?"]),
    ],
)
async def test_the_answer_to_a_submission_is_obeyed(
    still: Workspace, app: App, answer: Json | None, left: list[str]
) -> None:
    view = await opened(still, modal(PROMPT))
    app.answer = answer
    seen = await still.submit_view("alice", view["id"], {"prompt": "a fox"})

    assert seen.error is None
    assert [v["title"]["text"] for v in still.views.values()] == left


@pytest.mark.parametrize(
    "answer",
    [
        {"response_action": "errors", "errors": {"elsewhere": "x"}},
        {"response_action": "errors"},
        {"response_action": "update", "view": modal(title=plain("x" * 25))},
        {"response_action": "dance"},
        {"text": "On it."},
    ],
)
async def test_an_answer_that_makes_no_sense_is_trouble_for_the_person(
    still: Workspace, app: App, answer: Json
) -> None:
    view = await opened(still, modal(PROMPT))
    app.answer = answer
    seen = await still.submit_view("alice", view["id"], {"prompt": "a fox"})

    assert seen.error == "invalid_response"
    assert "trouble" in seen.text
    assert still.modal_of("alice") is not None


async def test_three_modals_lie_on_each_other_and_closing_goes_back(still: Workspace, app: App) -> None:
    first = await opened(still, modal(AGAIN, notify_on_close=True))
    on_top = [first]
    for name in ("Second", "Third", "Fourth"):
        seen = await still.press_in_view("alice", on_top[-1]["id"], "price")
        view = modal(AGAIN, title=plain(name), notify_on_close=True)
        answer = await api(still, "views.push", trigger_id=seen.payload["trigger_id"], view=view)
        if answer.ok:
            on_top.append(answer.body["view"])
    with pytest.raises(Refused, match="another modal lies on"):
        await still.press_in_view("alice", first["id"], "price")
    await still.close_view("alice", on_top[2]["id"])
    closed = last(app)
    await still.close_view("alice", on_top[1]["id"], whole_stack=True)

    assert answer.body["error"] == "push_limit_reached"
    assert on_top[2]["previous_view_id"] == on_top[1]["id"]
    assert {v["root_view_id"] for v in on_top} == {first["id"]}
    assert (closed["type"], closed["view"]["id"], closed["is_cleared"]) == (
        "view_closed",
        on_top[2]["id"],
        False,
    )
    assert [e["payload"]["view"]["id"] for e in app.envelopes[-2:]] == [on_top[1]["id"], first["id"]]
    assert last(app)["is_cleared"]
    assert still.modal_of("alice") is None


async def test_a_push_wants_a_trigger_from_a_modal(still: Workspace, app: App) -> None:
    seen = await still.use_shortcut("alice", "new")
    answer = await api(still, "views.push", trigger_id=seen.payload["trigger_id"], view=modal(AGAIN))

    assert answer.body["error"] == "invalid_trigger_id"


async def test_nobody_is_told_of_a_close_who_did_not_ask(still: Workspace, app: App) -> None:
    view = await opened(still, modal(PROMPT))
    sent = len(app.envelopes)
    heard = await still.close_view("alice", view["id"])

    assert (heard, len(app.envelopes)) == ([], sent)
    assert not still.views


async def test_a_modal_is_its_persons_only(still: Workspace, app: App) -> None:
    view = await opened(still, modal(PROMPT))
    for doing in (
        still.submit_view("bob", view["id"], {"prompt": "x"}),
        still.close_view("bob", view["id"]),
        still.press_in_view("bob", view["id"], "price"),
    ):
        with pytest.raises(Refused, match="bob has no modal"):
            await doing


async def test_home_keeps_its_id_and_its_buttons_and_choices_reach_the_app(
    still: Workspace, app: App
) -> None:
    pick = {"type": "section", "block_id": "pick", "text": plain("Size")}
    pick |= {"accessory": {**SIZES, "action_id": "size"}}
    home = {"type": "home", "blocks": [pick, AGAIN]}
    first = (await ok(still, "views.publish", user_id="U0ALICE001", view=home))["view"]
    await still.open_home("alice")
    chosen = await still.press_in_view("alice", first["id"], "size", value="story")
    again = (await ok(still, "views.publish", user_id="U0ALICE001", view=home))["view"]
    pressed = await still.press_in_view("alice", again["id"], "price")
    stale = {"user_id": "U0ALICE001", "view": home, "hash": first["hash"]}

    assert again["id"] == first["id"]
    assert chosen.payload["container"] == {"type": "view", "view_id": first["id"]}
    assert chosen.payload["actions"][0]["selected_option"] == option("story")
    held = pressed.payload["view"]["state"]["values"]
    assert held["pick"]["size"]["selected_option"] == option("story")
    assert (await api(still, "views.publish", **stale)).body["error"] == "hash_conflict"
    opens = await api(still, "views.open", trigger_id=pressed.payload["trigger_id"], view=modal(PROMPT))
    assert opens.ok


async def test_the_messages_tab_carries_no_view(still: Workspace, app: App) -> None:
    await ok(still, "views.publish", user_id="U0ALICE001", view={"type": "home", "blocks": []})
    await still.open_home("alice", tab="messages")

    assert app.events[-1]["tab"] == "messages"
    assert "view" not in app.events[-1]
    assert app.events[-1]["channel"].startswith("D")


async def test_a_trigger_of_a_modal_lives_three_seconds(still: Workspace, app: App, clock: Clock) -> None:
    seen = await still.use_shortcut("alice", "new")
    await clock.advance(3.1)
    answer = await api(still, "views.open", trigger_id=seen.payload["trigger_id"], view=modal(PROMPT))

    assert answer.body["error"] == "expired_trigger_id"


async def test_only_the_apps_own_shortcuts_are_in_the_menus(still: Workspace, app: App) -> None:
    still.shortcuts = (Shortcut("edit", "Edit with Darkroom", "message"),)
    file = await still.upload("alice", "cat.png", png())
    message = await still.post("alice", "#lobby", "look", files=(file.id,))
    seen = await still.use_shortcut("alice", "edit", channel="#lobby", message_ts=message.ts)

    assert [f["id"] for f in seen.payload["message"]["files"]] == [file.id]
    assert (await api(still, "files.info", file=file.id)).body["error"] == "file_not_found"
    with pytest.raises(Refused, match="no global shortcut"):
        await still.use_shortcut("alice", "edit")


async def test_a_picked_conversation_brings_a_response_url(still: Workspace, app: App) -> None:
    pick = {"type": "conversations_select", "response_url_enabled": True}
    view = await opened(still, modal(field("room", pick)))
    await still.submit_view("alice", view["id"], {"room": "#general"})
    (given,) = last(app)["response_urls"]
    await still.respond(given["response_url"], {"text": "hello", "response_type": "in_channel"})

    assert (given["block_id"], given["channel_id"]) == ("room", "C0GENERAL1")
    assert [m.text for m in still.channels["C0GENERAL1"].messages.values()] == ["hello"]
