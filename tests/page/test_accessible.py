"""axe-core finds no barrier that is serious on the main views, light and dark, nor at a phone's width."""

from typing import Any, Literal

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped] # it ships no types
from playwright.async_api import Page, expect

from sandbox.slack.model import Shortcut
from sandbox.slack.server import RunningServer
from sandbox.slack.workspace import Workspace
from tests.page.conftest import ALICE, DESIGN, Bot, OpenPage, png
from tests.page.hood_standin import SWITCHES, Hood, attempt, entry
from tests.page.test_blocks_drawn import BLOCK
from tests.page.test_conversation import PICTURES, PROMPT, QUALITY, SIZE, UNDER, interaction, modal
from tests.page.test_hood import server, under

__all__ = ["server", "under"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]


async def barriers(page: Page) -> list[str]:
    """Everything axe calls serious or critical: the rule, and where."""
    found = await Axe().run(page)
    assert "color-contrast" in {rule["id"] for rule in found.response["passes"]}
    return [
        f"{one['id']}: {[node['target'] for node in one['nodes']]}"
        for one in found.response["violations"]
        if one["impact"] in {"serious", "critical"}
    ]


async def furnish(workspace: Workspace, bot: Bot, under: Hood) -> str:
    """A thread with pictures, reactions and a note, every block, and something under the hood; its ts."""
    workspace.shortcuts = (Shortcut("new", "New picture", "global"),)
    ts = await bot.say("a fox")
    file = await bot.file(png(900, 500), "v1.png")
    image = {"type": "image", "slack_file": {"id": file}, "alt_text": "version 1"}
    await bot.say("v1", thread_ts=ts, blocks=[image, *UNDER])
    await workspace.react("bob", DESIGN, ts, "eyes")
    await bot.call("chat.postEphemeral", channel=DESIGN, user=ALICE, text="Your spend: $1.00")
    every = await bot.say("all blocks")
    workspace.channels[DESIGN].messages[every].blocks = [
        block | {"type": kind, "block_id": kind} for kind, block in BLOCK.items()
    ]
    words = {
        "type": "mrkdwn",
        "text": "Ask for a picture, or read <https://example.com/how|how it is done> first.",
    }
    home = {"type": "home", "blocks": [{"type": "section", "text": words}, image, *UNDER]}
    await bot.call("views.publish", user_id=ALICE, view=home)
    under.attempts = [attempt("settled", "0.0411", version=1), attempt("dispatched", id=2)]
    under.entries = [
        entry(1, "command", "/imagine", "a fox"),
        entry(2, "web", "x", "y", ok=False, error="bad"),
    ]
    under.switches = [dict(one) for one in SWITCHES]
    return ts


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.proof)])
async def test_no_serious_barrier_on_the_main_views(
    workspace: Workspace,
    bot: Bot,
    under: Hood,
    server: RunningServer,
    browser_page: OpenPage,
    scheme: Literal["light", "dark"],
) -> None:
    ts = await furnish(workspace, bot, under)
    page = await browser_page(f"{server.url}/#{DESIGN}/{ts}", width=1600, scheme=scheme)
    hood = page.get_by_role("complementary", name="Under the hood")
    await expect(hood.locator(".attempt")).to_have_count(2)
    found: dict[str, Any] = {"thread and ledger": await barriers(page)}
    for tab in ("Wire", "Switches"):
        await hood.get_by_role("tab", name=tab).click()
        found[tab] = await barriers(page)
    await page.get_by_role("button", name="Open the picture: version 1").click()
    found["viewer"] = await barriers(page)
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Shortcuts").click()
    found["menu"] = await barriers(page)
    await page.get_by_role("menuitem", name="New picture").click()
    trigger = (await interaction(workspace, bot, "shortcut"))["trigger_id"]
    view = modal(PROMPT, PICTURES, SIZE, QUALITY)
    await bot.call("views.open", trigger_id=trigger, view=view)
    await page.get_by_role("button", name="Make it").click()
    found["modal"] = await barriers(page)
    await page.keyboard.press("Escape")
    await page.locator("#rooms").get_by_role("button", name="Darkroom").click()
    found["messages with the app"] = await barriers(page)
    await page.get_by_role("button", name="Home").click()
    await expect(page.get_by_role("link", name="how it is done")).to_be_visible()
    found["Home"] = await barriers(page)
    await page.get_by_role("button", name="Close what is under the hood").click()
    await page.set_viewport_size({"width": 390, "height": 844})
    await page.get_by_role("button", name="Channels and people").click()
    await page.locator("#rooms").get_by_role("button", name="#design").click()
    await expect(page.get_by_role("heading", name="A header")).to_be_visible()
    found["channel on a phone"] = await barriers(page)
    assert {view: rules for view, rules in found.items() if rules} == {}


HEARD = """() => {
  window.heard = [];
  const hear = (box) => new MutationObserver((some) => {
    const inside = some.filter((one) => [...one.addedNodes].some((node) => !node.matches?.('.state')));
    if (inside.length) window.heard.push([box.id, box.getAttribute('aria-live'), box.textContent]);
  }).observe(box, { childList: true });
  for (const id of ['channel-log', 'notice']) hear(document.getElementById(id));
}"""
"""Notes what comes into a live region, what that says about being read out, and all that it holds then."""


async def test_a_screen_reader_reads_out_what_is_new_and_not_what_was_there(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    for number in range(5):
        await workspace.post("bob", "#lobby", f"said before {number}")
    page = await browser_page(server.url)
    await page.evaluate(HEARD)
    await page.get_by_role("button", name="#lobby").click()
    log = page.get_by_role("log", name="Messages", exact=True)
    await expect(log).to_contain_text("said before 4")
    await expect(log).not_to_have_attribute("aria-live", "off")
    await workspace.post("bob", "#lobby", "news")
    await expect(log).to_contain_text("news")
    (arrived, remark, told) = await page.evaluate("window.heard")
    assert arrived[:2] == ["channel-log", "off"]
    assert remark[0] == "notice"
    assert "/invite @Darkroom" in remark[2]
    assert told[:2] == ["channel-log", None]
    assert told[2].endswith("news")
