"""The page's further surfaces: modals, the Home tab, a phone, the names of what can be used."""

import asyncio
from typing import Any, Literal

import pytest
from playwright.async_api import expect

from sandbox.slack.server import RunningServer
from sandbox.slack.workspace import Workspace
from tests.page.conftest import BOB, DESIGN, NAMELESS, Bot, OpenPage, png

pytestmark = [pytest.mark.browser, pytest.mark.slow]

BUTTON = {"type": "button", "action_id": "a", "text": {"type": "plain_text", "text": "Details"}}


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def field(block_id: str, label: str, **element: Any) -> dict[str, Any]:
    return {
        "type": "input",
        "block_id": block_id,
        "label": plain(label),
        "element": {"action_id": "v", **element},
    }


async def test_a_modal_is_filled_in_sent_and_closes(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    options = [{"text": plain(text), "value": text.lower()} for text in ("Low", "High")]
    view = {
        "type": "modal",
        "title": plain("New picture"),
        "submit": plain("Make it"),
        "blocks": [
            field("prompt", "Prompt", type="plain_text_input", multiline=True, initial_value="a fox"),
            field("quality", "Quality", type="static_select", options=options),
            field("extras", "Extras", type="checkboxes", options=options),
        ],
    }
    page = await browser_page(server.url)
    typed = asyncio.ensure_future(workspace.type_command("alice", DESIGN, "/imagine"))
    await workspace.until(lambda w: bot.payloads("slash_commands"))
    trigger = bot.payloads("slash_commands")[0]["trigger_id"]
    await bot.call("views.open", trigger_id=trigger, view=view)
    await typed
    modal = page.get_by_role("dialog", name="New picture")
    await expect(modal.get_by_label("Prompt")).to_have_value("a fox")
    await expect(modal.get_by_label("Prompt")).to_be_focused()
    await modal.get_by_label("Prompt").fill("a red fox")
    await modal.get_by_label("Quality").select_option("High")
    await modal.get_by_label("Low").check()
    await modal.get_by_role("button", name="Make it").click()
    await expect(modal).to_be_hidden()
    sent = bot.payloads("interactive")[0]
    values = sent["view"]["state"]["values"]
    assert sent["type"] == "view_submission"
    assert values["prompt"]["v"] == {"type": "plain_text_input", "value": "a red fox"}
    assert values["quality"]["v"]["selected_option"]["value"] == "high"
    assert [one["value"] for one in values["extras"]["v"]["selected_options"]] == ["low"]


@pytest.mark.proof
async def test_who_was_writing_goes_on_writing_after_a_modal(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    blocks = [field("prompt", "Prompt", type="plain_text_input", initial_value="a fox")]
    label = {"title": plain("New picture"), "submit": plain("Make it")}
    view = {"type": "modal", **label, "blocks": blocks}
    page = await browser_page(server.url)
    box = page.get_by_label("Message", exact=True)
    await box.fill("")
    for number, ending in enumerate(("Escape", "Cancel", "Make it"), 1):
        seen = await workspace.use_shortcut("alice", "new", channel=DESIGN)
        await bot.call("views.open", trigger_id=seen.payload["trigger_id"], view=view)
        modal = page.get_by_role("dialog", name="New picture")
        await expect(modal.get_by_label("Prompt")).to_be_focused()
        if ending == "Escape":
            await page.keyboard.press(ending)
        else:
            await modal.get_by_role("button", name=ending).click()
        await expect(modal).to_have_count(0)
        await expect(box).to_be_focused()
        await page.keyboard.type("x")
        await expect(box).to_have_value("x" * number)


async def test_the_arrow_up_in_an_empty_box_changes_what_was_sent_last(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    page = await browser_page(server.url)
    box = page.get_by_label("Message", exact=True)
    for words in ("first", "secnd"):
        await box.fill(words)
        await box.press("Enter")
        await expect(page.get_by_role("article").filter(has_text=words)).to_be_visible()
    await workspace.post("bob", DESIGN, "bob's")
    await expect(page.get_by_role("article").filter(has_text="bob's")).to_be_visible()
    await box.press("ArrowUp")
    field = page.get_by_role("textbox", name="Edit message")
    await expect(field).to_have_value("secnd")
    await field.fill("second")
    await field.press("Enter")
    await expect(page.get_by_role("article").filter(has_text="second")).to_contain_text("edited")
    await expect(box).to_be_focused()
    await page.keyboard.type("third")
    await expect(box).to_have_value("third")


async def test_the_home_tab_is_opened_and_shown(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    page = await browser_page(server.url)
    await page.get_by_role("button", name="Darkroom", exact=True).click()
    await page.get_by_role("button", name="Home", exact=True).click()
    await workspace.until(lambda w: bot.payloads("events_api"))
    assert bot.payloads("events_api")[0]["event"]["type"] == "app_home_opened"
    blocks = [{"type": "header", "text": plain("Your pictures")}]
    await bot.call("views.publish", user_id="U0ALICE001", view={"type": "home", "blocks": blocks})
    await expect(page.get_by_role("heading", name="Your pictures")).to_be_visible()
    await page.get_by_role("button", name="Messages", exact=True).click()
    await expect(page.get_by_role("heading", name="Your pictures")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_on_a_phone_everything_is_reachable_and_nothing_is_wider_than_the_screen(
    workspace: Workspace,
    bot: Bot,
    server: RunningServer,
    browser_page: OpenPage,
    scheme: Literal["light", "dark"],
) -> None:
    file = await bot.file(png(1600, 400), "wide.png")
    ts = await bot.say("x" * 300)
    image = {"type": "image", "slack_file": {"id": file}, "alt_text": "wide"}
    await bot.say("pic", thread_ts=ts, blocks=[image, {"type": "actions", "elements": [BUTTON]}])
    page = await browser_page(f"{server.url}/?as=bob", width=390, height=844, scheme=scheme, touch=True)
    right = "[...document.querySelectorAll('main *, aside *')].map((n) => n.getBoundingClientRect().right)"
    too_wide = f"Math.max(...{right})"
    await page.get_by_role("button", name="1 reply").tap()
    thread = page.get_by_label("Thread", exact=True)
    box = await thread.bounding_box()
    assert box is not None
    assert (box["x"], box["width"]) == (0, 390)
    await thread.get_by_role("button", name="Details").tap()
    await workspace.until(lambda w: bot.pressed() == ["a"])
    assert await page.evaluate(too_wide) <= 390
    await page.get_by_role("button", name="Close the thread").tap()
    assert await page.evaluate(too_wide) <= 390
    await page.get_by_role("button", name="Channels and people").tap()
    await page.get_by_role("button", name="#general").tap()
    await expect(page.get_by_role("heading", name="#general")).to_be_visible()
    await page.get_by_label("Message", exact=True).fill("from a phone")
    await page.get_by_role("button", name="Send", exact=True).tap()
    posted = await workspace.until(lambda w: list(w.channels["C0GENERAL1"].messages.values()))
    assert (posted[0].user, posted[0].text) == (BOB, "from a phone")


async def test_the_hidden_way_past_the_channels_casts_no_shadow_until_it_is_focused(
    bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    page = await browser_page(server.url)
    skip = page.get_by_role("link", name="Skip to the message box")
    await expect(skip).to_have_css("box-shadow", "none")
    await skip.focus()
    await expect(skip).not_to_have_css("box-shadow", "none")


async def test_everything_that_can_be_used_has_a_name(
    bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    ts = await bot.say("parent", blocks=[{"type": "actions", "elements": [BUTTON]}])
    await bot.say("reply", thread_ts=ts)
    page = await browser_page(f"{server.url}/#{DESIGN}/{ts}")
    assert await page.evaluate(NAMELESS) == []
