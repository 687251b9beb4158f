"""Looking and pointing: the picture viewer, links to messages, completion of names, who one is."""

import pytest
from playwright.async_api import expect

from sandbox.slack.server import RunningServer
from sandbox.slack.workspace import Workspace
from tests.page.conftest import DESIGN, Bot, OpenPage, png

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DAY_S = 86_400
SIZE = "2 of 3 · 60 \N{MULTIPLICATION SIGN} 20"


async def test_the_viewer_goes_through_the_threads_pictures_and_shows_each_as_large_as_it_is(
    bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    ts = await bot.say("a fox")
    for number in (1, 2, 3):
        file = await bot.file(png(30 * number, 20), f"v{number}.png")
        image = {"type": "image", "slack_file": {"id": file}, "alt_text": f"version {number}"}
        await bot.say(f"v{number}", thread_ts=ts, blocks=[image])
    page = await browser_page(f"{server.url}/#{DESIGN}/{ts}")
    opener = page.get_by_role("button", name="Open the picture: version 2")
    await opener.press("Enter")
    viewer = page.get_by_role("dialog", name="Picture")
    await expect(viewer.get_by_role("status")).to_have_text(SIZE)
    await page.keyboard.press("ArrowRight")
    await expect(viewer.get_by_role("img", name="version 3")).to_be_visible()
    await expect(viewer.get_by_role("button", name="Next picture")).to_be_disabled()
    await page.keyboard.press("ArrowRight")
    await expect(viewer.get_by_role("link", name="Download")).to_have_attribute("download", "v3.png")
    await viewer.get_by_role("button", name="Picture before").click()
    for _ in range(4):
        await page.keyboard.press("+")
    await expect(viewer.get_by_role("status")).to_have_text(f"{SIZE} · 400 %")
    await expect(viewer.get_by_role("img", name="version 2")).to_have_css("width", "240px")
    await viewer.get_by_role("img", name="version 2").click()
    await expect(viewer.get_by_role("status")).to_have_text(SIZE)
    await page.keyboard.press("Escape")
    await expect(viewer).to_have_count(0)
    await expect(opener).to_be_focused()


async def test_on_a_phone_a_picture_fills_the_screen_and_what_was_in_its_middle_stays_there(
    bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    file = await bot.file(png(1000, 1000), "a-fox-in-snow-at-night.png")
    await bot.say("v1", blocks=[{"type": "image", "slack_file": {"id": file}, "alt_text": "a fox"}])
    page = await browser_page(server.url, width=390, height=844, touch=True)
    await page.get_by_role("button", name="Open the picture: a fox").tap()
    viewer = page.get_by_role("dialog", name="Picture")
    for shown in (
        viewer.get_by_text("a-fox-in-snow-at-night.png"),
        viewer.get_by_role("button", name="Close the picture"),
    ):
        await expect(shown).to_be_in_viewport(ratio=1)
    stage = viewer.get_by_label("The picture;")
    for key, scale in (("+", "50 %"), ("+", "100 %"), ("+", "200 %"), ("-", "100 %")):
        await page.keyboard.press(key)
        await expect(viewer.get_by_role("status")).to_contain_text(scale)
        middle = await stage.evaluate("(box) => (box.scrollLeft + box.clientWidth / 2) / box.scrollWidth")
        assert middle == pytest.approx(0.5, abs=0.01)


async def test_a_link_to_a_message_is_copied_and_leads_there(
    bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    ts = await bot.say("the parent")
    replies = [await bot.say(f"reply {n}\n\n\n\n\n", thread_ts=ts) for n in range(20)]
    page = await browser_page(f"{server.url}/#{DESIGN}/{ts}")
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    second = page.get_by_label("Messages of the thread").locator(f'[data-ts="{replies[1]}"]')
    await second.hover()
    await second.get_by_role("button", name="More actions").click()
    await page.get_by_role("menuitem", name="Copy link").click()
    await expect(page.locator("#toasts")).to_contain_text("copied")
    link = await page.evaluate("navigator.clipboard.readText()")
    again = await browser_page(link)
    found = again.get_by_label("Messages of the thread").locator(f'[data-ts="{replies[1]}"]')
    await expect(found).to_be_in_viewport()
    await expect(found).to_have_class("message follows found")


async def test_channels_are_completed_and_become_links_and_yesterday_is_called_so(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    # At noon, whenever that is tested: no midnight comes in between.
    noon = (workspace.now() // DAY_S + 0.5) * DAY_S
    workspace.now = lambda: noon
    await workspace.post("bob", "#design", "see you")
    workspace.now = lambda: noon + DAY_S
    page = await browser_page(server.url)
    log = page.get_by_label("Messages", exact=True)
    await expect(log.locator(".divider")).to_have_text("Yesterday")
    box = page.get_by_label("Message", exact=True)
    await box.fill("")
    await page.keyboard.type("look in #gen")
    await expect(page.get_by_role("option")).to_have_text("#general 6 members")
    await page.keyboard.press("Tab")
    await expect(box).to_have_value("look in #general ")
    await page.keyboard.press("Enter")
    await expect(log.locator(".mention", has_text="#general")).to_be_visible()
    await expect(log.locator(".divider")).to_have_text(["Yesterday", "Today"])


async def test_a_guest_and_somebody_from_elsewhere_see_what_they_would_see(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    await workspace.post("bob", "#partners", "welcome")
    page = await browser_page(server.url)
    rooms = page.locator("#rooms")
    await page.get_by_role("radio", name="Gus").check()
    await expect(rooms.get_by_role("button", name="#design")).to_be_visible()
    await expect(rooms.get_by_role("button", name="#partners")).to_have_count(0)
    await page.get_by_role("radio", name="Olaf").check()
    await expect(rooms.get_by_role("button")).to_have_count(1)
    await expect(page.get_by_label("Messages", exact=True)).to_contain_text("welcome")
    await expect(page.get_by_role("button", name="Shortcuts")).to_be_hidden()
    await page.get_by_label("Message", exact=True).fill("")
    await page.keyboard.type("/")
    await expect(page.get_by_role("option")).to_have_count(0)
