"""Everything begins again while pages are open: they follow, and nobody loses what they were writing."""

import pytest
from playwright.async_api import FilePayload, expect

from sandbox.slack.server import RunningServer
from sandbox.slack.workspace import Workspace
from tests.page.conftest import DESIGN, Bot, OpenPage, png

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.proof
async def test_a_thread_that_is_gone_closes_and_drafts_stay_on_every_page(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    zoe = workspace.add_person("zoe", ("#design",))
    ts = await bot.say("a fox")
    await bot.say("version one", thread_ts=ts)
    page = await browser_page(f"{server.url}/?as=alice#{DESIGN}/{ts}")
    bobs = await browser_page(f"{server.url}/?as=bob#{DESIGN}/{ts}")
    zoes = await browser_page(f"{server.url}/?as=zoe")
    await page.get_by_label("Message", exact=True).fill("half a thought")
    await page.get_by_label("Reply in the thread").fill("half a reply")
    await bobs.get_by_label("Message", exact=True).fill("bob's own")
    await expect(zoes.get_by_role("radio", name=zoe.real_name)).to_be_checked()
    answer = await page.request.post(f"{server.url}/control/reset", data={})
    assert answer.ok
    for each in (page, bobs, zoes):
        await expect(each.get_by_role("complementary", name="Thread")).to_have_count(0)
        await expect(each.get_by_label("Messages", exact=True)).not_to_contain_text("a fox")
        await expect(each.get_by_role("radio", name=zoe.real_name)).to_have_count(0)
    await expect(page.get_by_label("Message", exact=True)).to_have_value("half a thought")
    await expect(page.get_by_label("Message", exact=True)).to_be_focused()
    await expect(bobs.get_by_label("Message", exact=True)).to_have_value("bob's own")
    await expect(zoes.get_by_role("radio", name="Alice")).to_be_checked()
    await bot.say("a new fox")
    for each in (page, bobs, zoes):
        await expect(each.get_by_label("Messages", exact=True)).to_contain_text("a new fox")


@pytest.mark.proof
async def test_an_attached_file_that_was_not_sent_yet_is_still_sent(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    page = await browser_page(server.url)
    picture = FilePayload(name="fox.png", mimeType="image/png", buffer=png())
    await page.locator("#channel-composer input[type=file]").set_input_files(picture)
    chip = page.get_by_role("list", name="Files to be sent").get_by_role("listitem")
    await expect(chip).to_have_text("fox.png")
    answer = await page.request.post(f"{server.url}/control/reset", data={})
    assert answer.ok
    await page.get_by_role("button", name="general").click()
    await expect(chip).to_have_count(0)
    await page.get_by_role("button", name="design").click()
    await expect(chip).to_have_text("fox.png")
    shown = chip.get_by_role("presentation")
    assert await shown.evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 30
    await page.get_by_label("Message", exact=True).fill("like this")
    await page.get_by_label("Message", exact=True).press("Enter")
    message = page.get_by_role("article").filter(has_text="like this")
    await expect(message).to_contain_text("fox.png")
    (said,) = workspace.channels[DESIGN].messages.values()
    assert [workspace.files[each].data for each in said.files] == [png()]
    await expect(chip).to_have_count(0)


async def test_whoever_is_added_can_be_looked_as_at_once(
    bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    page = await browser_page(server.url)
    await page.request.post(f"{server.url}/control/person", data={"name": "dora"})
    await page.get_by_role("radio", name="Dora").check()
    await page.get_by_label("Message", exact=True).fill("it is me")
    await page.get_by_label("Message", exact=True).press("Enter")
    await expect(page.get_by_role("article", name="Dora")).to_contain_text("it is me")


async def test_a_thread_whose_first_message_is_deleted_stays_while_there_are_replies(
    bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    ts = await bot.say("a fox")
    reply = await bot.say("version one", thread_ts=ts)
    page = await browser_page(f"{server.url}/#{DESIGN}/{ts}")
    thread = page.get_by_role("complementary", name="Thread")
    await bot.call("chat.delete", channel=DESIGN, ts=ts)
    await expect(thread).not_to_contain_text("a fox")
    await expect(thread).to_contain_text("version one")
    await bot.call("chat.delete", channel=DESIGN, ts=reply)
    await expect(thread).not_to_contain_text("version one")
    lone = await bot.say("a hare")
    hare = page.get_by_role("main").get_by_role("article").filter(has_text="a hare")
    await hare.hover()
    await hare.get_by_role("button", name="Reply in thread").click()
    await expect(thread).to_contain_text("a hare")
    await bot.call("chat.delete", channel=DESIGN, ts=lone)
    await expect(thread).to_have_count(0)
