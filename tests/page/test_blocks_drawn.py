"""Every kind of block and element of the sandbox's Slack is drawn, and what is put in reaches the app."""

from typing import Any

import pytest
from playwright.async_api import expect

from sandbox.slack.blocks import BLOCKS
from sandbox.slack.elements import ACTIONS, ELEMENTS, INPUTS
from sandbox.slack.model import Shortcut
from sandbox.slack.server import RunningServer
from sandbox.slack.workspace import Workspace
from tests.page.conftest import DESIGN, NAMELESS, Bot, OpenPage

pytestmark = [pytest.mark.browser, pytest.mark.slow]

Json = dict[str, Any]
EVIL = "<img src=x onerror='window.ran=1'>"


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def rich(text: str) -> Json:
    part = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "elements": [part]}


PICTURE = {"type": "image", "image_url": "https://elsewhere.example/x.png", "alt_text": "elsewhere"}
OPTIONS = [{"text": plain(word), "value": word.lower()} for word in ("Square", "Wide")]
THUMB = {"text": plain("Good"), "value": "yes"}
POINTS = [{"label": "Mon", "value": 3}, {"label": "Tue", "value": 5}]
ELEMENT: dict[str, Json] = {
    "button": {"text": plain("Press")},
    "workflow_button": {"text": plain("Begin"), "workflow": {}},
    "icon_button": {"icon": "trash", "text": plain("Throw away")},
    "feedback_buttons": {"positive_button": THUMB, "negative_button": THUMB | {"text": plain("Bad")}},
    "image": PICTURE,
    "overflow": {"options": OPTIONS},
    "number_input": {"is_decimal_allowed": False},
    "datetimepicker": {"initial_date_time": 1795286520},
    "rich_text_input": {"initial_value": rich("begun")},
    **{name: {"options": OPTIONS} for name in ("checkboxes", "radio_buttons", "static_select")},
    "multi_static_select": {"options": OPTIONS},
}


def element(name: str, number: int) -> Json:
    """An element of this kind."""
    return {"action_id": f"a{number}"} | ELEMENT.get(name, {}) | {"type": name}


TASK = {"task_id": "t", "title": "Draw the fox", "status": "complete", "details": rich("with a brush")}
BLOCK: dict[str, Json] = {
    "section": {"text": plain("A section"), "fields": [plain("left"), plain("right")]},
    "divider": {},
    "header": {"text": plain("A header")},
    "image": PICTURE,
    "actions": {"elements": [element(name, n) for n, name in enumerate(ACTIONS)]},
    "context": {"elements": [plain("small words"), PICTURE]},
    "context_actions": {"elements": [element("feedback_buttons", 90), element("icon_button", 91)]},
    "input": {"label": plain("A field"), "element": element("plain_text_input", 92)},
    "rich_text": rich("rich words"),
    "markdown": {"text": "**marked** words"},
    "file": {"external_id": "the-plan", "source": "remote"},
    "video": {
        "alt_text": "a film",
        "title": plain("The film"),
        "video_url": "javascript:window.ran=1",
        "thumbnail_url": "https://elsewhere.example/x.png",
        "description": plain(EVIL),
        "author_name": "Bob",
    },
    "table": {"rows": [[{"type": "raw_text", "text": "cell"}]]},
    "data_table": {"caption": "A data table", "rows": [[{"type": "raw_text", "text": "cell"}]] * 2},
    "data_visualization": {"title": "A chart", "chart": {"type": "pie", "segments": POINTS}},
    "card": {"title": plain("A card"), "body": plain("its body"), "icon": PICTURE},
    "carousel": {"elements": [{"type": "card", "title": plain("In a carousel")}]},
    "alert": {"text": plain("Careful"), "level": "warning"},
    "task_card": TASK | {"title": EVIL},
    "plan": {"title": plain("A plan"), "tasks": [TASK]},
    "container": {
        "title": plain("A container"),
        "is_collapsible": True,
        "default_collapsed": True,
        "child_blocks": [{"type": "section", "text": plain("inside of it")}],
    },
}


def test_there_is_a_specimen_of_every_block() -> None:
    assert set(BLOCK) == set(BLOCKS)
    assert set(ELEMENT) <= set(ELEMENTS)


async def test_no_block_and_no_element_is_left_undrawn(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    ts = await bot.say("text")
    given = [{**block, "type": kind, "block_id": kind} for kind, block in BLOCK.items()]
    inputs = [
        {"type": "input", "block_id": f"i{n}", "label": plain(f"Input {n}"), "element": element(name, n)}
        for n, name in enumerate(INPUTS)
    ]
    workspace.channels[DESIGN].messages[ts].blocks = [*given, *inputs]
    page = await browser_page(server.url)
    log = page.get_by_label("Messages", exact=True)
    await expect(log.locator(".unknown")).to_have_count(0)
    await expect(log.locator(".message-body > .content > *")).to_have_count(len(given) + len(inputs))
    for words in ("The film", "the-plan", "Draw the fox", "A plan", "Careful", "In a carousel"):
        await expect(log).to_contain_text(words)
    await expect(log.get_by_text("inside of it")).to_be_hidden()
    await log.get_by_text("A container").click()
    await expect(log.get_by_text("inside of it")).to_be_visible()
    await expect(log.get_by_role("link", name="The film")).to_have_count(0)
    assert await page.evaluate(NAMELESS) == []
    assert await page.evaluate("window.ran") is None


async def test_a_moment_and_a_marked_text_reach_the_app_from_a_message_and_from_a_modal(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    workspace.shortcuts = (Shortcut("new", "New picture", "global"),)
    both = [element("datetimepicker", 1), element("rich_text_input", 2)]
    await bot.say("when?", blocks=[{"type": "actions", "elements": both}])
    page = await browser_page(server.url)
    log = page.get_by_label("Messages", exact=True)
    await expect(log.get_by_label("Text")).to_have_value("begun")
    await log.get_by_label("Text").fill("all of it")
    await log.get_by_label("Text").press("Enter")
    await workspace.until(lambda w: bot.pressed() == ["a2"])
    await log.get_by_label("Date and time").fill("2026-11-22T08:30")
    await workspace.until(lambda w: bot.pressed() == ["a2", "a1"])
    said, when = [payload["actions"][0] for payload in bot.payloads("interactive")]
    assert said["rich_text_value"] == rich("all of it")
    assert when["selected_date_time"] == await page.evaluate("new Date('2026-11-22T08:30').getTime() / 1000")
    await page.get_by_role("button", name="Shortcuts").click()
    await page.get_by_role("menuitem", name="New picture").click()
    await workspace.until(lambda w: len(bot.payloads("interactive")) == 3)
    fields = [
        {"type": "input", "block_id": each["type"], "label": plain(each["type"]), "element": each}
        for each in (element("datetimepicker", 1), {"type": "rich_text_input", "action_id": "a2"})
    ]
    view = {"type": "modal", "title": plain("Later"), "submit": plain("Send"), "blocks": fields}
    await bot.call("views.open", trigger_id=bot.payloads("interactive")[2]["trigger_id"], view=view)
    dialog = page.get_by_role("dialog", name="Later")
    await dialog.get_by_role("button", name="Send").click()
    await expect(dialog.get_by_role("alert")).to_have_text("This is needed.")
    await dialog.get_by_label("rich_text_input").fill("a fox")
    await dialog.get_by_role("button", name="Send").click()
    await workspace.until(lambda w: bot.payloads("interactive")[-1]["type"] == "view_submission")
    held = bot.payloads("interactive")[-1]["view"]["state"]["values"]
    assert held["datetimepicker"]["a1"]["selected_date_time"] == 1795286520
    assert held["rich_text_input"]["a2"]["rich_text_value"] == rich("a fox")
