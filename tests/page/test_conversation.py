"""What a conversation about pictures uses of the page: menus, thumbs, shortcuts, dialogs to be filled in."""

from typing import Any

import pytest
from playwright.async_api import FilePayload, Page, expect

from sandbox.slack.model import Shortcut
from sandbox.slack.server import RunningServer
from sandbox.slack.workspace import Workspace
from tests.page.conftest import ALICE, DESIGN, NAMELESS, Bot, OpenPage, png

pytestmark = [pytest.mark.browser, pytest.mark.slow]

Json = dict[str, Any]
WIDEST = """Math.max(...[...document.querySelectorAll('main *, aside *, dialog *, .popup *')]
    .map((node) => node.getBoundingClientRect().right))"""

BEHIND = """Object.fromEntries(["channel", "thread"].map((id) => [id, document.getElementById(id).inert]))"""

PLACE = """async (box) => {
    for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame);
    return [box.scrollHeight > box.clientHeight, box.scrollTop];
}"""


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def option(text: str) -> Json:
    return {"text": plain(text), "value": text.lower()}


def field(block_id: str, label: str, element: Json, **more: Any) -> Json:
    return {
        "type": "input",
        "block_id": block_id,
        "label": plain(label),
        "element": {"action_id": "v", **element},
        **more,
    }


CONFIRM = {
    "title": plain("Spend 84¢?"),
    "text": {"type": "mrkdwn", "text": "*Four* pictures."},
    "confirm": plain("Make them"),
    "deny": plain("Not now"),
}
AGAIN = {"type": "button", "action_id": "again", "text": plain("Again"), "confirm": CONFIRM}
MORE = {"type": "overflow", "action_id": "more", "options": [option("Details"), option("Delete")]}
THUMBS = {
    "type": "feedback_buttons",
    "action_id": "feedback",
    "positive_button": {"text": plain("Good"), "value": "yes", "accessibility_label": "v1 fits"},
    "negative_button": {"text": plain("Bad"), "value": "no", "accessibility_label": "v1 does not fit"},
}
UNDER = [
    {"type": "actions", "elements": [AGAIN, MORE]},
    {"type": "context_actions", "elements": [THUMBS]},
]
PROMPT = field("prompt", "Prompt", {"type": "plain_text_input", "multiline": True})
PICTURES = field("pictures", "References", {"type": "file_input", "max_files": 2}, optional=True)
SIZES: Json = {"type": "static_select", "options": [option("Square"), option("Story")]}
SIZE = field("size", "Size", {**SIZES, "initial_option": option("Square")}, dispatch_action=True)
QUALITY = field("quality", "Quality", {"type": "radio_buttons", "options": [option("Low"), option("High")]})


def modal(*blocks: Json, **more: Any) -> Json:
    words = {"title": plain("New picture"), "submit": plain("Make it"), "close": plain("Cancel")}
    return {"type": "modal", **words, "notify_on_close": True, "blocks": list(blocks), **more}


@pytest.fixture
def shortcuts(workspace: Workspace) -> None:
    workspace.shortcuts = (
        Shortcut("edit_with_darkroom", "Edit with Darkroom", "message"),
        Shortcut("new_picture_shortcut", "New picture", "global"),
    )


async def interaction(workspace: Workspace, bot: Bot, kind: str) -> Json:
    """The newest payload of a kind, waiting for the first."""
    await workspace.until(lambda w: [p for p in bot.payloads("interactive") if p["type"] == kind])
    return [p for p in bot.payloads("interactive") if p["type"] == kind][-1]


async def opened(workspace: Workspace, bot: Bot, page: Page, view: Json) -> str:
    """Have the app answer the global shortcut with a modal; the view's id."""
    await page.get_by_role("button", name="Shortcuts").click()
    await page.get_by_role("menuitem", name="New picture").click()
    trigger = (await interaction(workspace, bot, "shortcut"))["trigger_id"]
    return str((await bot.call("views.open", trigger_id=trigger, view=view))["view"]["id"])


async def test_a_menu_behind_dots_thumbs_and_a_question_are_used_by_keyboard(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    await bot.say("v1", blocks=UNDER)
    page = await browser_page(server.url)
    more = page.get_by_role("button", name="More options")
    await more.press("Enter")
    await expect(page.get_by_role("menuitem", name="Details")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("menu")).to_have_count(0)
    await expect(more).to_be_focused()
    await more.press("Enter")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await workspace.until(lambda w: bot.pressed() == ["more"])
    chosen = bot.payloads("interactive")[0]["actions"][0]["selected_option"]["value"]
    good, bad = page.get_by_label("v1 fits"), page.get_by_label("v1 does not fit")
    await good.press("Enter")
    await expect(good).to_have_attribute("aria-pressed", "true")
    await bad.press("Enter")
    await expect(good).to_have_attribute("aria-pressed", "false")
    await page.reload()
    await expect(bad).to_have_attribute("aria-pressed", "true")
    await page.get_by_role("button", name="Again").press("Enter")
    asked = page.get_by_role("dialog", name="Spend 84¢?")
    await expect(asked.locator("strong")).to_have_text("Four")
    await page.keyboard.press("Enter")
    await workspace.until(lambda w: bot.pressed() == ["more", "feedback", "feedback", "again"])
    thumbs = [p["actions"][0].get("value") for p in bot.payloads("interactive")[1:3]]
    assert (chosen, thumbs) == ("delete", ["yes", "no"])


@pytest.mark.usefixtures("shortcuts")
async def test_the_menu_of_a_message_and_of_the_composer_hold_the_shortcuts(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    file = await workspace.upload("bob", "cat.png", png())
    message = await workspace.post("bob", "#lobby", "my cat", files=(file.id,))
    page = await browser_page(f"{server.url}/#C0LOBBY001")
    await page.get_by_role("article").hover()
    await page.get_by_role("button", name="More actions").click()
    await page.get_by_role("menuitem", name="Edit with Darkroom").click()
    sent = await interaction(workspace, bot, "message_action")
    await page.get_by_role("button", name="Shortcuts").click()
    await page.get_by_role("menuitem", name="New picture").click()
    anywhere = await interaction(workspace, bot, "shortcut")
    assert (sent["callback_id"], sent["message_ts"]) == ("edit_with_darkroom", message.ts)
    assert [f["id"] for f in sent["message"]["files"]] == [file.id]
    assert anywhere["callback_id"] == "new_picture_shortcut"
    assert "channel" not in anywhere


@pytest.mark.usefixtures("shortcuts")
async def test_a_modal_keeps_what_was_typed_when_the_app_updates_it(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    page = await browser_page(server.url)
    view_id = await opened(workspace, bot, page, modal(PROMPT, PICTURES, SIZE, QUALITY))
    dialog = page.get_by_role("dialog", name="New picture")
    async with page.expect_file_chooser() as chooser:
        await dialog.get_by_role("button", name="Add files").click()
    picture = FilePayload(name="cat.png", mimeType="image/png", buffer=png())
    await (await chooser.value).set_files([picture] * 3)
    chosen = dialog.get_by_label("Chosen files").get_by_role("listitem")
    await expect(chosen).to_have_text(["cat.png", "cat.png"])
    # A screen reader hears nothing of what is said beside a modal.
    await expect(dialog.get_by_text("At most 2 files can be added.")).to_be_visible()
    await dialog.get_by_role("button", name="Leave out cat.png").last.click()
    await dialog.get_by_label("High").check()
    await dialog.get_by_label("Size").select_option("Story")
    told = await interaction(workspace, bot, "block_actions")
    await dialog.get_by_label("Prompt").fill("a fox in")
    price = {"type": "context", "elements": [plain("At most 5¢")]}
    changed = modal(PROMPT, PICTURES, SIZE, QUALITY, price)
    await bot.call("views.update", view_id=view_id, view=changed, hash=told["view"]["hash"])
    await expect(dialog).to_contain_text("At most 5¢")
    await expect(dialog.get_by_label("Prompt")).to_be_focused()
    await page.keyboard.type(" rain")
    await dialog.get_by_role("button", name="Make it").click()
    sent = await interaction(workspace, bot, "view_submission")
    held = sent["view"]["state"]["values"]
    assert told["actions"][0]["selected_option"]["value"] == "story"
    assert held["prompt"]["v"]["value"] == "a fox in rain"
    assert held["quality"]["v"]["selected_option"]["value"] == "high"
    assert held["size"]["v"]["selected_option"]["value"] == "story"
    assert [f["name"] for f in held["pictures"]["v"]["files"]] == ["cat.png"]
    await expect(dialog).to_be_hidden()
    await expect(page.locator("body > #toasts")).to_have_count(1)


@pytest.mark.usefixtures("shortcuts")
async def test_a_modal_says_what_is_missing_and_goes_back_when_another_lies_on_it(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    page = await browser_page(server.url)
    on_top = {"type": "actions", "elements": [{**MORE, "action_id": "sure"}]}
    await opened(workspace, bot, page, modal(PROMPT, on_top))
    dialog = page.get_by_role("dialog", name="New picture")
    await dialog.get_by_role("button", name="Make it").click()
    await expect(dialog.get_by_role("alert")).to_have_text("This is needed.")
    await expect(dialog.get_by_label("Prompt")).to_be_focused()
    await dialog.get_by_role("button", name="More options").click()
    await dialog.get_by_role("menuitem", name="Details").click()
    trigger = (await interaction(workspace, bot, "block_actions"))["trigger_id"]
    pushed = await bot.call("views.push", trigger_id=trigger, view=modal(title=plain("Sure?")))
    await page.get_by_role("dialog", name="Sure?").get_by_role("button", name="Cancel").click()
    closed = await interaction(workspace, bot, "view_closed")
    await expect(dialog).to_be_visible()
    assert closed["view"]["id"] == pushed["view"]["id"]


@pytest.mark.usefixtures("shortcuts")
async def test_a_field_that_wants_the_focus_has_it_and_choices_say_more_below_their_words(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    page = await browser_page(server.url)
    wanted = field("prompt", "Prompt", {"type": "plain_text_input", "focus_on_load": True})
    private = {"text": plain("Private"), "description": plain("Only you see it."), "value": "yes"}
    boxes = {"type": "checkboxes", "action_id": "private", "options": [private]}
    await opened(workspace, bot, page, modal(SIZE, wanted, {"type": "actions", "elements": [boxes]}))
    dialog = page.get_by_role("dialog", name="New picture")
    await expect(dialog.get_by_label("Prompt")).to_be_focused()
    await expect(dialog).to_contain_text("Only you see it.")


@pytest.mark.usefixtures("shortcuts")
async def test_on_a_phone_what_is_wrong_with_a_field_is_scrolled_into_sight(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    """It stands below its field, where the buttons of the dialog begin."""
    page = await browser_page(server.url, width=390, height=500, touch=True)
    many = [field(f"f{n}", f"Field {n}", {"type": "plain_text_input"}, optional=True) for n in range(8)]
    await opened(workspace, bot, page, modal(PROMPT, *many[:3], field("last", "Where", SIZES), *many[3:]))
    dialog = page.get_by_role("dialog", name="New picture")
    await dialog.get_by_label("Prompt").fill("a fox")
    # The field itself is in sight, at the very edge: the focus alone has nothing to scroll.
    await dialog.get_by_label("Where").evaluate(
        """(select) => {
            const body = select.closest(".body");
            body.scrollTop += select.getBoundingClientRect().bottom - body.getBoundingClientRect().bottom;
        }"""
    )
    await dialog.get_by_role("button", name="Make it").click()
    wrong = dialog.get_by_role("alert").filter(has_text="This is needed.")
    said, buttons = await wrong.bounding_box(), await dialog.locator(".buttons").bounding_box()
    assert said is not None
    assert buttons is not None
    assert said["y"] + said["height"] <= buttons["y"] + 1


@pytest.mark.proof
@pytest.mark.usefixtures("shortcuts")
async def test_on_a_phone_versions_modal_and_home_fit_and_home_pages(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    ts = await bot.say("a fox")
    ids = [await bot.file(png(900, 500), f"v{n}.png") for n in range(3)]
    for n, file in enumerate(ids):
        image = {"type": "image", "slack_file": {"id": file}, "alt_text": f"version {n}"}
        await bot.say(f"v{n}", thread_ts=ts, blocks=[image, *UNDER])
    await bot.call("files.delete", file=ids[0])
    page = await browser_page(f"{server.url}/#{DESIGN}/{ts}", width=390, height=844, touch=True)
    thread = page.get_by_label("Messages of the thread")
    await expect(thread.get_by_role("img", name="This picture was deleted: version 0")).to_be_visible()
    assert await page.evaluate(BEHIND) == {"channel": True, "thread": False}
    await thread.get_by_role("button", name="More options").last.tap()
    assert await page.evaluate(WIDEST) <= 390
    await page.keyboard.press("Escape")
    await expect(thread).to_be_visible()
    await page.get_by_role("button", name="Close the thread").tap()
    await opened(workspace, bot, page, modal(PROMPT, PICTURES, SIZE, QUALITY))
    await expect(page.get_by_role("dialog", name="New picture")).to_be_visible()
    assert await page.evaluate(WIDEST) <= 390
    assert await page.evaluate(NAMELESS) == []
    await page.get_by_role("button", name="Cancel").tap()

    def gallery(file: str) -> Json:
        image = {"type": "image", "slack_file": {"id": file}, "alt_text": f"picture {file}"}
        section = {"type": "section", "text": plain("x" * 200), "accessory": image}
        pick = {"type": "section", "text": plain("Size"), "accessory": {**SIZES, "action_id": "size"}}
        older = {"type": "button", "action_id": "older", "text": plain("Older")}
        return {"type": "home", "blocks": [pick, section, {"type": "actions", "elements": [older]}]}

    await bot.call("views.publish", user_id=ALICE, view=gallery(ids[1]))
    await page.get_by_role("button", name="Channels and people").tap()
    rooms = page.locator("#rooms")
    await expect(rooms.locator("[aria-current]")).to_be_focused()
    assert await page.evaluate(BEHIND) == {"channel": True, "thread": True}
    await page.keyboard.press("Escape")
    menu = page.get_by_role("button", name="Channels and people")
    await expect(menu).to_be_focused()
    await menu.press("Enter")
    await rooms.get_by_role("button", name="Darkroom").tap()
    assert await page.evaluate(BEHIND) == {"channel": False, "thread": False}
    home = page.get_by_role("button", name="Home", exact=True)
    pressed_first = await home.element_handle()
    await bot.say("a redraw", channel="C0GENERAL1")
    await expect(page.locator(".room.unread .name")).to_have_text("general")
    assert await pressed_first.evaluate("(node) => node.isConnected")
    await home.tap()
    await expect(page.get_by_role("button", name=f"picture {ids[1]}")).to_be_visible()
    assert await page.evaluate(WIDEST) <= 390
    assert await page.evaluate(NAMELESS) == []
    await page.get_by_role("button", name="Older").tap()
    pressed = await interaction(workspace, bot, "block_actions")
    await bot.call("views.publish", user_id=ALICE, view=gallery(ids[2]))
    await expect(page.get_by_role("button", name=f"picture {ids[2]}")).to_be_visible()
    await expect(page.get_by_role("button", name="Older")).to_be_focused()
    assert pressed["view"]["type"] == "home"
    await bot.say("a word", channel="D0ALICE001")
    await page.set_viewport_size({"width": 390, "height": 300})
    await page.reload()
    await expect(page.get_by_role("button", name=f"picture {ids[2]}")).to_have_count(1)
    assert await page.get_by_label("Messages", exact=True).evaluate(PLACE) == [True, 0]
