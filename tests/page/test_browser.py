"""The page in a real browser: what a person does in it, and what they see."""

import pytest
from playwright.async_api import expect

from sandbox.slack.control import LIVE
from sandbox.slack.server import RunningServer
from sandbox.slack.workspace import Workspace
from tests.page.conftest import ALICE, DESIGN, Bot, OpenPage, png

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CONFIRM = {
    "title": {"type": "plain_text", "text": "Delete v1?"},
    "text": {"type": "plain_text", "text": "It leaves the thread."},
    "confirm": {"type": "plain_text", "text": "Delete"},
    "deny": {"type": "plain_text", "text": "Keep"},
}


def button(action_id: str, label: str, **more: object) -> dict[str, object]:
    return {"type": "button", "action_id": action_id, "text": {"type": "plain_text", "text": label}, **more}


async def test_one_press_of_enter_sends_the_first_prompt(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    page = await browser_page(server.url)
    await expect(page.get_by_label("Message", exact=True)).to_be_focused()
    await page.keyboard.press("Enter")
    await workspace.until(lambda w: bot.payloads("slash_commands"))
    sent = bot.payloads("slash_commands")[0]
    assert (sent["command"], sent["text"], sent["user_id"]) == ("/imagine", "a red fox in snow", ALICE)
    await expect(page.get_by_label("Message", exact=True)).to_have_value("")


async def test_the_first_picture_is_followed_where_an_older_thread_is_open(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    """And no other one: neither what comes in the older thread, nor what somebody else has begun."""
    old = await bot.say("made before")
    await bot.say("the old picture", thread_ts=old)
    bobs = await workspace.post("bob", DESIGN, "@Darkroom a hare")
    page = await browser_page(f"{server.url}/#{DESIGN}/{old}")
    box, thread = page.get_by_label("Message", exact=True), page.get_by_label("Messages of the thread")
    await expect(thread).to_contain_text("the old picture")
    await page.keyboard.press("Enter")
    await workspace.until(lambda w: bot.payloads("slash_commands"))
    await bot.say("an older edit", thread_ts=old)
    await bot.say("a hare", thread_ts=bobs.ts)
    await bot.say("elsewhere", channel="C0GENERAL1", thread_ts=await bot.say("x", channel="C0GENERAL1"))
    await expect(thread).to_contain_text("an older edit")
    await expect(page.get_by_role("button", name="#general, 2 unread")).to_be_visible()
    await box.fill("meanwhile")
    await box.press("Home")
    await bot.say("the new picture", thread_ts=await bot.say("working on it"))
    await expect(thread).to_contain_text("the new picture")
    await expect(box).to_be_focused()
    await page.keyboard.type("and ")
    await expect(box).to_have_value("and meanwhile")


async def test_a_first_command_that_asks_for_no_picture_opens_no_thread(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    page = await browser_page(server.url)
    await page.get_by_label("Message", exact=True).fill("/spend")
    await page.keyboard.press("Enter")
    await workspace.until(lambda w: bot.payloads("slash_commands"))
    await bot.say("a fox", thread_ts=await bot.say("working on it"))
    await expect(page.get_by_role("button", name="1 reply")).to_be_visible()
    await expect(page.get_by_label("Thread", exact=True)).to_be_hidden()


async def test_shift_enter_writes_a_second_line_and_enter_sends_both(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    page = await browser_page(server.url)
    await page.get_by_label("Message", exact=True).fill("one")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("two")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Messages", exact=True)).to_contain_text("one\ntwo", use_inner_text=True)


async def test_a_command_is_completed_with_the_keyboard(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    page = await browser_page(server.url)
    box = page.get_by_label("Message", exact=True)
    await box.fill("")
    await page.keyboard.type("/")
    await expect(page.get_by_role("option")).to_have_count(2)
    await page.keyboard.type("sp")
    await page.keyboard.press("Tab")
    await expect(box).to_have_value("/spend ")
    await page.keyboard.press("Enter")
    await workspace.until(lambda w: bot.payloads("slash_commands"))
    assert bot.payloads("slash_commands")[0]["command"] == "/spend"


async def test_messages_edits_and_reactions_appear_by_themselves(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    page = await browser_page(server.url)
    log = page.get_by_label("Messages", exact=True)
    ts = await bot.say("Working on it")
    await expect(log).to_contain_text("Working on it")
    await bot.call("chat.update", channel=DESIGN, ts=ts, text="Done *now*")
    await expect(log.locator("strong", has_text="now")).to_be_visible()
    await expect(log).to_contain_text("(edited)")
    await workspace.react("bob", "#design", ts, "eyes")
    await expect(log.get_by_role("button", name="eyes: Bob Brown")).to_be_visible()
    await bot.call("chat.delete", channel=DESIGN, ts=ts)
    await expect(log).not_to_contain_text("Done")


async def test_an_empty_room_says_how_to_ask_there(
    bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    page = await browser_page(server.url)
    log = page.get_by_label("Messages", exact=True)
    await expect(log).to_contain_text("Send /imagine")
    await page.locator("#rooms").get_by_role("button", name="Darkroom").click()
    await expect(log).to_contain_text("without a command")
    await page.locator("#rooms").get_by_role("button", name="#lobby").click()
    await expect(page.locator("#notice")).to_contain_text("/invite @Darkroom")


async def test_an_edit_is_typed_at_once_and_saved_with_enter_and_no_change_is_no_edit(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    await workspace.post("alice", "#design", "make it big")
    page = await browser_page(server.url)
    log = page.get_by_label("Messages", exact=True)
    await log.get_by_text("make it big").hover()
    await log.get_by_role("button", name="Edit message").click()
    field = page.get_by_role("dialog").get_by_label("Edit message")
    await expect(field).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(field).to_have_count(0)
    await log.get_by_role("button", name="Edit message").click()
    await page.keyboard.press("Control+A")
    await page.keyboard.type("make it blue")
    await page.keyboard.press("Enter")
    await expect(log).to_contain_text("make it blue")
    changed = [e for e in bot.payloads("events_api") if e["event"].get("subtype") == "message_changed"]
    assert [e["event"]["message"]["text"] for e in changed] == ["make it blue"]


async def test_a_reply_goes_into_the_thread_and_also_to_the_channel_when_asked(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    page = await browser_page(server.url)
    ts = await bot.say("the parent")
    await bot.say("v1", thread_ts=ts)
    await page.get_by_role("button", name="1 reply").click()
    await expect(page.get_by_label("Reply in the thread")).to_be_focused()
    await page.get_by_label("Also send to #design").check()
    await page.get_by_label("Reply in the thread").fill("@Darkroom make it night")
    await page.get_by_label("Reply in the thread").press("Enter")
    await expect(page.get_by_label("Messages of the thread")).to_contain_text("@Darkroom make it night")
    reply = workspace.thread(DESIGN, ts)[-1]
    assert (reply.text, reply.broadcast) == (f"<@{workspace.bot_user_id}> make it night", True)
    await expect(page.get_by_label("Messages", exact=True)).to_contain_text("replied to a thread")
    await page.keyboard.press("Escape")
    await expect(page.get_by_label("Thread", exact=True)).to_be_hidden()
    await expect(page.get_by_role("button", name="2 replies")).to_be_focused()


async def test_slacks_own_links_open_their_thread(
    bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    ts = await bot.say("the parent")
    link = (await bot.call("chat.getPermalink", channel=DESIGN, message_ts=ts))["permalink"]
    await bot.say("the picture", thread_ts=ts)
    await bot.say(f"<{link}|it is in the thread>")
    page = await browser_page(server.url)
    await page.get_by_role("link", name="it is in the thread").click()
    await expect(page.get_by_label("Messages of the thread")).to_contain_text("the picture")
    again = await browser_page(link)
    await expect(again.get_by_label("Messages of the thread")).to_contain_text("the picture")
    for nowhere, said in (
        (f"{DESIGN}/p1000000000000001", "is gone"),
        ("C0NOBODY01/p1", "not in that channel"),
    ):
        await again.goto(f"{server.url}/archives/{nowhere.ljust(28, '1')}")
        await expect(again.locator("#toasts")).to_contain_text(said)


async def test_a_command_in_a_thread_says_why_not_and_stays_written(
    bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    ts = await bot.say("the parent")
    page = await browser_page(f"{server.url}/#{DESIGN}/{ts}")
    box = page.get_by_label("Reply in the thread")
    await box.fill("/imagine a fox")
    await box.press("Enter")
    await expect(page.locator("#toasts")).to_contain_text("not supported in threads")
    await expect(box).to_have_value("/imagine a fox")
    assert not bot.payloads("slash_commands")


async def test_buttons_are_pressed_and_dangerous_ones_ask_first(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    buttons = [button("details", "Details"), button("delete", "Delete", style="danger", confirm=CONFIRM)]
    await bot.say("a picture", blocks=[{"type": "actions", "elements": buttons}])
    page = await browser_page(server.url)
    log = page.get_by_label("Messages", exact=True)
    await log.get_by_role("button", name="Details", exact=True).click()
    await workspace.until(lambda w: bot.pressed() == ["details"])
    asked = page.get_by_role("dialog", name="Delete v1?")
    await log.get_by_role("button", name="Delete", exact=True).click()
    await asked.get_by_role("button", name="Keep").click()
    await expect(asked).to_be_hidden()
    await log.get_by_role("button", name="Delete", exact=True).click()
    await asked.get_by_role("button", name="Delete").click()
    await workspace.until(lambda w: bot.pressed() == ["details", "delete"])


async def test_a_menu_sends_what_was_chosen(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    options = [{"text": {"type": "plain_text", "text": t}, "value": t.lower()} for t in ("Square", "Wide")]
    menu = {"type": "static_select", "action_id": "size", "options": options}
    text = {"type": "mrkdwn", "text": "Size"}
    await bot.say("size", blocks=[{"type": "section", "text": text, "accessory": menu}])
    page = await browser_page(server.url)
    await page.get_by_label("Choose…").select_option("Wide")
    await workspace.until(lambda w: bot.pressed() == ["size"])
    assert bot.payloads("interactive")[0]["actions"][0]["selected_option"]["value"] == "wide"


async def test_an_ephemeral_message_is_seen_by_its_person_only(
    bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    for_alice = await browser_page(f"{server.url}/?as=alice")
    for_bob = await browser_page(f"{server.url}/?as=bob")
    await bot.call("chat.postEphemeral", channel=DESIGN, user=ALICE, text="Your spend: $1.00")
    await bot.say("for everybody")
    await expect(for_alice.get_by_label("Messages", exact=True)).to_contain_text("Only visible to you")
    await expect(for_alice.get_by_label("Messages", exact=True)).to_contain_text("Your spend: $1.00")
    await expect(for_bob.get_by_label("Messages", exact=True)).to_contain_text("for everybody")
    await expect(for_bob.get_by_text("Your spend")).to_have_count(0)
    await for_alice.get_by_role("radio", name="Bob").check()
    await expect(for_alice.get_by_text("Your spend")).to_have_count(0)
    await for_alice.get_by_role("radio", name="Alice").check()
    await for_alice.get_by_role("button", name="Dismiss").click()
    await expect(for_alice.get_by_text("Your spend")).to_have_count(0)


async def test_a_thread_shows_what_the_app_is_doing(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    ts = await bot.say("the parent")
    page = await browser_page(f"{server.url}/#{DESIGN}/{ts}")
    await bot.call("assistant.threads.setStatus", channel_id=DESIGN, thread_ts=ts, status="is painting…")
    thread = page.get_by_label("Messages of the thread")
    await expect(thread).to_contain_text("Darkroom is painting…")
    await bot.say("here it is", thread_ts=ts)
    await expect(thread).to_contain_text("here it is")
    await expect(thread).not_to_contain_text("is painting")


async def test_a_picture_opens_large_and_downloads_unchanged(
    bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    data = png()
    file = await bot.file(data, "fox.png")
    await bot.say("fox", blocks=[{"type": "image", "slack_file": {"id": file}, "alt_text": "a red fox"}])
    page = await browser_page(server.url)
    await page.get_by_role("button", name="Open the picture: a red fox").click()
    viewer = page.get_by_role("dialog", name="Picture")
    await expect(viewer.get_by_role("img", name="a red fox")).to_be_visible()
    async with page.expect_download() as download:
        await viewer.get_by_role("link", name="Download").click()
    saved = await download.value
    assert saved.suggested_filename == "fox.png"
    assert (await saved.path()).read_bytes() == data
    await page.keyboard.press("Escape")
    await expect(viewer).to_be_hidden()


async def test_a_file_is_attached_by_button_and_posted(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    page = await browser_page(server.url)
    await page.get_by_label("Message", exact=True).fill("my sketch")
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Attach a file").click()
    await (await chooser.value).set_files(
        {"name": "sketch.png", "mimeType": "image/png", "buffer": png(40, 40)}
    )
    await expect(page.get_by_role("main").get_by_label("Files to be sent")).to_contain_text("sketch.png")
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.get_by_role("button", name="Open the picture: sketch.png")).to_be_visible()
    posted = list(workspace.channels[DESIGN].messages.values())[-1]
    assert workspace.files[posted.files[0]].data == png(40, 40)


async def test_a_block_nobody_knows_is_shown_as_such(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    ts = await bot.say("text")
    workspace.channels[DESIGN].messages[ts].blocks = [
        {"type": "hologram", "block_id": "b", "secret": "inside"}
    ]
    page = await browser_page(server.url)
    await page.get_by_text("A “hologram” block").click()
    await expect(page.get_by_label("Messages", exact=True)).to_contain_text('"secret": "inside"')


async def test_the_page_says_when_the_bot_is_not_connected(
    workspace: Workspace, server: RunningServer, browser_page: OpenPage
) -> None:
    page = await browser_page(server.url)
    await expect(page.locator("#notice")).to_contain_text("Darkroom is not connected")
    await workspace.attach(Bot(workspace).send)
    await expect(page.locator("#notice")).to_be_hidden()


async def test_after_a_lost_connection_the_page_catches_up(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    page = await browser_page(server.url)
    links = server.runner.app[LIVE]
    for link in list(links):
        await link.close()
    await bot.say("said meanwhile")
    await expect(page.get_by_label("Messages", exact=True)).to_contain_text("said meanwhile")
    await expect(page.locator("#notice")).to_be_hidden()
    assert len(links) == 1


async def test_other_channels_show_what_is_unread(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    page = await browser_page(server.url)
    await bot.say("look", channel="C0GENERAL1")
    await bot.say(f"<@{ALICE}> and you", channel="C0GENERAL1")
    await page.get_by_role("button", name="#general, 2 unread, 1 for you").click()
    await expect(page.get_by_label("Messages", exact=True)).to_contain_text("@Alice Ames and you")
    await expect(page.get_by_role("button", name="#general", exact=True)).to_be_visible()
