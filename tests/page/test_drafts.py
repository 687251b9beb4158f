"""What somebody has begun to write or to attach: it stays where it belongs, and outlives a reload."""

import asyncio

import pytest
from playwright.async_api import FilePayload, Route, expect

from sandbox.slack.server import RunningServer
from sandbox.slack.workspace import Workspace
from tests.page.conftest import ALICE, DESIGN, Bot, OpenPage, png

pytestmark = [pytest.mark.browser, pytest.mark.slow]

GENERAL = "C0GENERAL1"
DROP = """(node, names) => {
    const dataTransfer = new DataTransfer();
    for (const name of names) dataTransfer.items.add(new File(["words"], name, {type: "text/plain"}));
    const drop = new DragEvent("drop", {dataTransfer, bubbles: true, cancelable: true});
    return node.dispatchEvent(drop);
}"""
SENT = """async (places) => {
    const { saveDraft } = await import("/page/drafts.js");
    for (let number = 0; number < places; number++) {
        const place = {viewer: "U0ALICE001", channel: "C0DESIGN01", thread: `${number}.000000`};
        saveDraft({place, text: "", files: []});
    }
}"""
KEPT = "sessionStorage.getItem('darkroom-sandbox-drafts')"


async def test_a_draft_stays_with_its_person_and_room_while_people_and_rooms_change(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    page = await browser_page(server.url)
    box = page.get_by_label("Message", exact=True)
    await box.fill("half a thought")
    await page.get_by_role("button", name="#general").click()
    await expect(box).to_have_value("")
    await page.get_by_role("button", name="#design").click()
    await expect(box).to_have_value("half a thought")
    released = asyncio.Event()

    async def hold(route: Route) -> None:
        await released.wait()
        await route.continue_()

    await page.route("**/page/state?*", hold)
    await page.get_by_role("radio", name="Alice").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft"):
        await page.keyboard.press(key)
    await expect(box).to_have_value("half a thought")
    released.set()
    await expect(page).to_have_url(f"{server.url}/?as=bob#{DESIGN}")
    await expect(box).to_have_value("")
    await expect(page.get_by_role("radio", name="Bob")).to_be_focused()
    await page.unroute("**/page/state?*")
    await page.get_by_role("radio", name="Alice").check()
    await expect(box).to_have_value("half a thought")

    async def refuse(route: Route) -> None:
        await route.fulfill(json={"ok": False, "error": "nobody knows you"})

    await page.route("**/page/state?viewer=U0BOB*", refuse)
    await page.get_by_role("radio", name="Bob").click()
    await expect(page.locator("#toasts")).to_contain_text("nobody knows you")
    await expect(page.get_by_role("radio", name="Alice")).to_be_checked()
    await expect(box).to_have_value("half a thought")


@pytest.mark.proof
async def test_what_is_on_its_way_belongs_to_the_room_where_it_began(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    page = await browser_page(server.url)
    box = page.get_by_label("Message", exact=True)
    chips = page.get_by_role("main").get_by_label("Files to be sent").get_by_role("listitem")
    released = asyncio.Event()

    async def hold(route: Route) -> None:
        await released.wait()
        await route.continue_()

    await page.route("**/control/upload?*", hold)
    await page.route("**/control/post", lambda route: route.fulfill(json={"ok": False, "error": "too late"}))
    picker = page.locator("#channel-composer input[type=file]")
    await picker.set_input_files(FilePayload(name="sketch.png", mimeType="image/png", buffer=png()))
    await box.fill("like this sketch")
    await box.press("Enter")
    await expect(box).to_have_value("")
    await page.get_by_role("button", name="#general").click()
    released.set()
    await expect(page.locator("#toasts")).to_contain_text("too late")
    await expect(box).to_have_value("")
    await expect(chips).to_have_count(0)
    await page.get_by_role("button", name="#design").click()
    await expect(box).to_have_value("like this sketch")
    await expect(chips).to_have_text("sketch.png")
    await page.unroute("**/control/post")
    names = [f"{number}.txt" for number in range(10)]
    assert await page.get_by_label("Messages", exact=True).evaluate(DROP, names) is False
    await expect(chips).to_have_text(["sketch.png", *names[:9]])
    await expect(page.locator("#toasts")).to_contain_text("At most 10 files can be added.")
    await box.press("Enter")
    await workspace.until(lambda w: w.channels[DESIGN].messages)
    (said,) = workspace.channels[DESIGN].messages.values()
    assert (said.text, len(said.files), workspace.files[said.files[0]].data) == (
        "like this sketch",
        10,
        png(),
    )
    assert not workspace.channels[GENERAL].messages


async def test_a_reload_loses_nothing(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    ts = await bot.say("the parent")
    await bot.call("chat.postEphemeral", channel=DESIGN, user=ALICE, text="Your spend: $1.00")
    page = await browser_page(f"{server.url}/#{DESIGN}/{ts}")
    box, log = page.get_by_label("Message", exact=True), page.get_by_label("Messages", exact=True)
    await page.get_by_role("button", name="Dismiss").click()
    await box.fill("half a thought")
    assert await page.get_by_label("Thread", exact=True).evaluate(DROP, ["notes.txt"]) is False
    await page.get_by_label("Reply in the thread").fill("half a reply")
    chips = page.get_by_label("Thread", exact=True).get_by_label("Files to be sent")
    await expect(chips).to_contain_text("notes.txt")
    await bot.say("look", channel=GENERAL)
    await expect(page.get_by_role("button", name="#general, 1 unread")).to_be_visible()
    await page.reload()
    await expect(box).to_have_value("half a thought")
    await expect(page.get_by_label("Reply in the thread")).to_have_value("half a reply")
    await expect(page.get_by_role("button", name="#general, 1 unread")).to_be_visible()
    await expect(log).to_contain_text("the parent")
    await expect(log).not_to_contain_text("Your spend")
    await page.get_by_label("Reply in the thread").press("Enter")
    await workspace.until(lambda w: len(w.thread(DESIGN, ts)) == 2)
    sent = workspace.thread(DESIGN, ts)[-1]
    assert [workspace.files[file].data for file in sent.files] == [b"words"]
    await page.locator("#rooms").get_by_role("button", name="Darkroom").click()
    await page.get_by_role("button", name="Home", exact=True).click()
    await expect(log).to_contain_text("no Home tab yet")
    await page.reload()
    await expect(page.get_by_role("button", name="Home", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    await expect(log).to_contain_text("no Home tab yet")


@pytest.mark.proof
async def test_a_first_prompt_stands_until_it_is_cleared_and_empty_drafts_push_out_no_other(
    bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    page = await browser_page(server.url)
    box = page.get_by_label("Message", exact=True)
    await page.reload()
    await expect(box).to_have_value("/imagine a red fox in snow")
    await box.fill("")
    await page.reload()
    await expect(box).to_have_value("")
    await box.fill("half a thought")
    await page.evaluate(SENT, 30)
    await page.reload()
    await expect(box).to_have_value("half a thought")


@pytest.mark.proof
async def test_replies_from_before_a_reload_are_forgotten_too_when_everything_begins_again(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    ts = await bot.say("the parent")
    page = await browser_page(f"{server.url}/#{DESIGN}/{ts}")
    await page.get_by_label("Message", exact=True).fill("half a thought")
    await page.get_by_label("Reply in the thread").fill("half a reply")
    await page.goto(f"{server.url}/?as=alice")
    log = page.get_by_label("Messages", exact=True)
    await expect(log).to_contain_text("the parent")
    assert "half a reply" in await page.evaluate(KEPT)
    await workspace.reset()
    await expect(log).not_to_contain_text("the parent")
    kept = await page.evaluate(KEPT)
    assert ("half a thought" in kept, "half a reply" in kept) == (True, False)


@pytest.mark.proof
async def test_on_a_phone_the_menu_opens_also_before_the_workspace_has_answered(
    bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    page = await browser_page(server.url, width=390, height=844, touch=True)
    released = asyncio.Event()

    async def hold(route: Route) -> None:
        await released.wait()
        await route.continue_()

    await page.route("**/page/setup", hold)
    await page.reload()
    menu = page.get_by_role("button", name="Channels and people")
    await expect(page.get_by_text("Connecting to the sandbox")).to_be_visible()
    await menu.press("Enter")
    await expect(menu).to_have_attribute("aria-expanded", "true")
    await page.keyboard.press("Escape")
    await expect(menu).to_be_focused()
    released.set()
    await expect(page.get_by_label("Message", exact=True)).to_be_visible()
