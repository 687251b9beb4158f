"""Whatever people, apps and files are called or say, the page shows it and runs none of it."""

from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from playwright.async_api import Page, expect

from sandbox.images.api import ImageApi
from sandbox.page.routes import add_page
from sandbox.slack.control import add_control
from sandbox.slack.model import Shortcut
from sandbox.slack.server import RunningServer, serve_app, slack_app
from sandbox.slack.workspace import Workspace
from tests.page.conftest import ALICE, BOB, DESIGN, Bot, OpenPage, png
from tests.page.hood_standin import Hood, attempt, entry

pytestmark = [pytest.mark.browser, pytest.mark.slow]

EVIL = [
    "<script>window.ran = 1</script>",
    "<img src=x onerror='window.ran = 1'>",
    "\"><svg onload='window.ran = 1'>",
    "<iframe srcdoc='<script>parent.ran = 1</script>'></iframe>",
    "&lt;img src=x onerror=window.ran=1&gt;",
    "<javascript:window.ran=1|click>",
    "<JaVaScRiPt:window.ran=1>",
    "<data:text/html,<script>window.ran=1</script>|click>",
    "<@U1|<img src=x onerror=window.ran=1>>",
    "<!date^1^{date}^javascript:window.ran=1|later>",
    "`<img src=x onerror=window.ran=1>` ```<script>window.ran=1</script>```",
    "__proto__ :constructor: <#C1|constructor>",
]
SCRIPT = EVIL[1]


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def blocks(file: str) -> list[dict[str, Any]]:
    """One block of every kind with something evil wherever there is text."""
    link = {"type": "link", "url": "javascript:window.ran=1", "text": "a rich link"}
    rich = [{"type": "text", "text": SCRIPT}, link, {"type": "emoji", "name": "constructor"}]
    pressed = {"type": "button", "action_id": "b", "text": plain(SCRIPT), "url": "javascript:window.ran=1"}
    options = [{"text": plain(SCRIPT), "value": SCRIPT}]
    return [
        {"type": "header", "text": plain(SCRIPT)},
        {"type": "section", "text": {"type": "mrkdwn", "text": " ".join(EVIL)}, "fields": [plain(SCRIPT)]},
        {"type": "context", "elements": [plain(SCRIPT), {"type": "mrkdwn", "text": EVIL[5]}]},
        {"type": "image", "slack_file": {"id": file}, "alt_text": SCRIPT, "title": plain(SCRIPT)},
        {"type": "image", "image_url": "javascript:window.ran=1", "alt_text": SCRIPT},
        {"type": "image", "image_url": "https://evil.example/x.png", "alt_text": "from elsewhere"},
        {
            "type": "actions",
            "elements": [pressed, {"type": "static_select", "action_id": "s", "options": options}],
        },
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": rich}]},
        {"type": "markdown", "text": f"# {SCRIPT}\n[a marked link](javascript:window.ran=1) **{SCRIPT}**"},
        {
            "type": "table",
            "rows": [[{"type": "raw_text", "text": SCRIPT}], [{"type": "raw_text", "text": SCRIPT}]],
        },
        {"type": SCRIPT, "anything": SCRIPT},
        {"type": "constructor", "anything": SCRIPT},
    ]


async def nothing_ran(page: Page) -> None:
    assert await page.evaluate("window.ran") is None
    made = "main :is(script, iframe, object, embed, svg[onload], [onerror], [onclick])"
    assert await page.locator(made).count() == 0
    assert await page.locator("a[href^='javascript' i], a[href^='data' i]").count() == 0


async def test_evil_texts_are_shown_as_text(bot: Bot, server: RunningServer, browser_page: OpenPage) -> None:
    page = await browser_page(server.url)
    for text in EVIL:
        await bot.say(text)
    log = page.get_by_label("Messages", exact=True)
    await expect(log.locator("article")).to_have_count(len(EVIL))
    await expect(log).to_contain_text("<script>window.ran = 1</script>")
    for refused in await log.locator(".refused").all():
        await refused.click()
    await nothing_ran(page)


async def test_evil_blocks_names_and_files_are_shown_as_text(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    workspace.users[ALICE] = replace(workspace.users[ALICE], real_name=f"{SCRIPT} Ames")
    workspace.channels[DESIGN].name = SCRIPT
    workspace.team_name = SCRIPT
    file = await bot.file(png(), f"{SCRIPT}.png")
    ts = await bot.say("blocks")
    for number, block in enumerate(blocks(file)):
        block["block_id"] = f"{SCRIPT}{number}"
    workspace.channels[DESIGN].messages[ts].blocks = [
        {**block, "block_id": f"{SCRIPT}{number}"} for number, block in enumerate(blocks(file))
    ]
    document = await workspace.upload("alice", f"{SCRIPT}.html", SCRIPT.encode())
    await workspace.post("alice", DESIGN, SCRIPT, files=(document.id,))
    workspace.channels[DESIGN].messages[ts].reactions[SCRIPT] = [ALICE]
    await bot.call("assistant.threads.setStatus", channel_id=DESIGN, thread_ts=ts, status=SCRIPT)
    await bot.call("chat.postEphemeral", channel=DESIGN, user=ALICE, text=SCRIPT)
    page = await browser_page(server.url)
    log = page.get_by_label("Messages", exact=True)
    await expect(log.get_by_text("a rich link")).to_be_visible()
    await expect(log.get_by_text("A picture from elsewhere, not loaded: from elsewhere")).to_be_visible()
    for pressed in await log.get_by_role("button", name=SCRIPT, exact=True).all():
        await pressed.click()
    await workspace.until(lambda w: bot.pressed() == ["b"])
    await log.get_by_role("button", name=f"Open the picture: {SCRIPT}").first.click()
    await expect(page.get_by_role("dialog", name="Picture")).to_be_visible()
    await nothing_ran(page)


async def test_an_evil_modal_and_what_is_put_into_it_run_nothing(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    workspace.shortcuts = (Shortcut("evil", SCRIPT, "global"),)
    page = await browser_page(server.url)
    await page.get_by_role("button", name="Shortcuts").click()
    await page.get_by_role("menuitem", name=SCRIPT).click()
    await workspace.until(lambda w: bot.payloads("interactive"))
    text = {
        "type": "plain_text_input",
        "action_id": "v",
        "initial_value": SCRIPT,
        "placeholder": plain(SCRIPT),
    }
    menu = {"type": "static_select", "action_id": "v", "options": [{"text": plain(SCRIPT), "value": SCRIPT}]}
    fields = [
        {"type": "input", "block_id": f"b{n}", "label": plain(SCRIPT), "hint": plain(SCRIPT), "element": each}
        for n, each in enumerate((text, menu))
    ]
    view = {"type": "modal", "title": plain("<svg onload=x()>"), "submit": plain("Send"), "blocks": fields}
    trigger = bot.payloads("interactive")[0]["trigger_id"]
    await bot.call("views.open", trigger_id=trigger, view=view)
    dialog = page.get_by_role("dialog", name="<svg onload=x()>")
    await expect(dialog.get_by_role("textbox", name=SCRIPT)).to_have_value(SCRIPT)
    await dialog.get_by_role("combobox", name=SCRIPT).select_option(SCRIPT)
    bot.answer = {"response_action": "errors", "errors": {"b0": EVIL[2]}}
    await dialog.get_by_role("button", name="Send").click()
    await expect(dialog.get_by_role("alert")).to_have_text(EVIL[2])
    held = bot.payloads("interactive")[-1]["view"]["state"]["values"]
    assert held["b0"]["v"]["value"] == SCRIPT
    await nothing_ran(page)


async def test_a_drawing_with_a_script_in_it_is_a_file_to_be_downloaded_and_no_picture(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    script = b'onload="window.ran = 1"><script>window.ran = 1</script>'
    evil = b'<svg xmlns="http://www.w3.org/2000/svg" ' + script + b"</svg>"
    drawing = await workspace.upload("bob", "fox.svg", evil)
    await workspace.post("bob", DESIGN, "", files=(drawing.id,))
    page = await browser_page(server.url)
    async with page.expect_download() as download:
        await page.get_by_role("link", name="fox.svg").click()
    assert (await download.value).suggested_filename == "fox.svg"
    async with page.expect_download():
        await page.evaluate("(id) => window.open(`/control/files/${id}`)", drawing.id)
    await nothing_ran(page)


async def test_a_posted_html_file_is_downloaded_rather_than_opened(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    document = await workspace.upload("bob", "page.html", b"<script>window.ran = 1</script>")
    await workspace.post("bob", DESIGN, "", files=(document.id,))
    page = await browser_page(server.url)
    async with page.expect_download() as download:
        await page.get_by_role("link", name="page.html").click()
    assert (await download.value).suggested_filename == "page.html"


async def test_the_browser_itself_refuses_to_turn_strings_into_markup(
    bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    page = await browser_page(server.url)
    refused = await page.evaluate(
        """() => { try { document.createElement('p').innerHTML = '<b>x</b>'; return false; }
                   catch (error) { return error instanceof TypeError; } }"""
    )
    assert refused
    assert "TrustedHTML" in browser_page.errors.pop()


async def test_evil_names_are_completed_as_text(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    workspace.users[BOB] = replace(workspace.users[BOB], name=f"b{SCRIPT}", real_name=f"b{EVIL[0]}")
    workspace.channels[DESIGN].name = f"d{SCRIPT}"
    page = await browser_page(server.url)
    field = page.get_by_label("Message", exact=True)
    for start, name in (("@b", f"@b{SCRIPT}"), ("#d", f"#d{SCRIPT}")):
        await field.fill("")
        await field.press_sequentially(start)
        await expect(page.get_by_role("listbox").get_by_text(name, exact=True)).to_be_visible()
        await field.press("Tab")
        await expect(field).to_have_value(f"{name} ")
        await field.press("Enter")
        await expect(page.get_by_label("Messages", exact=True).get_by_text(name)).to_be_visible()
    await nothing_ran(page)


@pytest.mark.proof
async def test_an_app_with_an_evil_name_is_called_so_everywhere(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    ts = await bot.say("words of the app")
    await bot.call("assistant.threads.setStatus", channel_id=DESIGN, thread_ts=ts, status=SCRIPT)
    page = await browser_page(server.url)
    features = {
        "shortcuts": [
            {"callback_id": SCRIPT, "name": SCRIPT, "type": kind} for kind in ("global", "message")
        ],
        "slash_commands": [{"command": f"/{SCRIPT}"}],
    }
    manifest = {"display_information": {"name": SCRIPT}, "features": features}
    assert (await page.request.post(f"{server.url}/control/app", data=manifest)).ok
    message = page.get_by_role("article").filter(has_text="words of the app")
    await expect(message.locator(".byline")).to_contain_text(SCRIPT)
    await expect(message.locator(".status-line")).to_contain_text(SCRIPT)
    for opener in (page.get_by_role("button", name="Shortcuts"), message.get_by_label("More actions")):
        await message.hover()
        await opener.click()
        await page.get_by_role("menuitem", name=SCRIPT).click()
    await workspace.until(lambda w: len(bot.payloads("interactive")) == 2)
    await page.locator("#rooms").get_by_role("button", name=SCRIPT).click()
    await expect(page.get_by_role("main").get_by_role("heading")).to_have_text(SCRIPT)
    await workspace.uninstall()
    await expect(page.locator("#notice")).to_contain_text(SCRIPT)
    await nothing_ran(page)


@pytest.mark.proof
async def test_evil_addresses_of_the_page_lead_nowhere(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    ts = await bot.say("the parent")
    addresses = [
        f"/archives/{quote(SCRIPT, safe='')}/{quote(SCRIPT, safe='')}",
        f"/archives/{DESIGN}/p{quote(SCRIPT, safe='')}",
        f"/archives/{DESIGN}/p{ts.replace('.', '')}?thread_ts={quote(SCRIPT)}",
        "/archives/__proto__/constructor",
        f"/?as={quote(SCRIPT)}#{quote(SCRIPT)}/{quote(SCRIPT)}",
        "/?as=javascript:window.ran=1#__proto__/constructor",
        f"/#{DESIGN}/javascript:window.ran=1",
    ]
    page = await browser_page(server.url)
    for address in addresses:
        # An address that differs behind its # only would open nothing anew.
        await page.goto("about:blank")
        await page.goto(f"{server.url}{address}")
        await expect(page.get_by_label("Messages", exact=True)).to_contain_text("the parent")
        await expect(page.get_by_role("complementary", name="Thread")).to_have_count(0)
        await nothing_ran(page)
    hostile = f"{server.url}/archives/{DESIGN}/p1795000000000001?thread_ts=javascript:window.ran=1"
    await bot.say(f"<{hostile}|a way out> <{server.url}/archives/{DESIGN}/../../control/reset|another>")
    await page.get_by_role("link", name="a way out").click()
    await expect(page.locator(".toast")).to_have_text("That message is gone.")
    await nothing_ran(page)
    assert await page.get_by_role("link", name="another").get_attribute("target") == "_blank"


async def test_whatever_is_told_under_the_hood_is_text(
    workspace: Workspace, images: ImageApi, browser_page: OpenPage
) -> None:
    hood = Hood(workspace)
    hood.real = hood.real | {"words": SCRIPT}
    hood.clock = {"now": SCRIPT, "said": SCRIPT, "timezone": SCRIPT}
    classes = [{"name": SCRIPT, "tokens": 1, "charged_usd": "0.01"}]
    hood.attempts = [attempt(SCRIPT, "0.02", model=SCRIPT, note=SCRIPT, classes=classes, version=SCRIPT)]
    hood.budgets = [hood.budgets[0] | {"name": SCRIPT, "renews": SCRIPT}]
    hood.switches = [one | {"label": SCRIPT, "about": SCRIPT, "group": SCRIPT} for one in hood.switches]
    hood.answer = {SCRIPT: SCRIPT, "error": {"message": EVIL[2]}}
    wrong = {"ok": False, "error": SCRIPT, "tokens": {SCRIPT: 3}, "price_usd": SCRIPT}
    hood.entries = [entry(1, "image", SCRIPT, SCRIPT, **wrong), entry(2, SCRIPT, f"{SCRIPT}.png", SCRIPT)]
    app = slack_app(workspace)
    hood.add_to(app)
    add_control(app)
    add_page(app, workspace, images)
    running = await serve_app(app)
    ts = (await workspace.post("alice", DESIGN, "a fox")).ts
    page = await browser_page(f"{running.url}/#{DESIGN}/{ts}", width=1600)
    panel = page.get_by_role("complementary", name="Under the hood")
    await panel.get_by_text("What it is made of").click()
    await expect(panel.get_by_role("rowheader", name=SCRIPT)).to_be_visible()
    await expect(panel.locator(".budget")).to_contain_text(SCRIPT)
    await panel.get_by_role("tab", name="Wire").click()
    for row in await panel.locator(".call").all():
        await row.click()
        await expect(panel.get_by_label("Request")).to_contain_text(SCRIPT.split()[0])
        await expect(panel.get_by_label("Answer")).to_contain_text("<svg onload")
    await panel.get_by_role("tab", name="Switches").click()
    await expect(panel.get_by_role("switch", name=SCRIPT)).to_be_visible()
    await panel.get_by_role("button", name=SCRIPT).click()
    await expect(page.locator(".toast")).to_contain_text(SCRIPT)
    await page.locator("#sidebar .badge").click()
    await expect(page.locator(".toast").last).to_have_text(SCRIPT)
    await nothing_ran(page)
    assert await panel.locator(":is(script, iframe, object, embed, img)").count() == 0
    await running.close()


@pytest.mark.proof
async def test_the_viewers_caption_is_text_and_its_download_stays_in_its_folder(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    name = f"../../{SCRIPT}.png"
    await bot.say(
        "v1",
        blocks=[{"type": "image", "slack_file": {"id": await bot.file(png(), name)}, "alt_text": EVIL[0]}],
    )
    page = await browser_page(server.url)
    await page.get_by_role("button", name=f"Open the picture: {EVIL[0]}").click()
    viewer = page.get_by_role("dialog", name="Picture")
    await expect(viewer.locator(".caption")).to_have_text(EVIL[0])
    await expect(viewer.locator("strong")).to_have_text(name)
    async with page.expect_download() as download:
        await viewer.get_by_role("link", name="Download").click()
    suggested = (await download.value).suggested_filename
    assert suggested.endswith(".png")
    assert not set(suggested) & set("/\\<>")
    await nothing_ran(page)
