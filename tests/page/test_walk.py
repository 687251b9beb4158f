"""A walk through all of it with the real Darkroom behind the page, as somebody takes it who has just come."""

import io
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import expect

from bot.cli.demo_clock import DemoClock
from bot.cli.world import World
from tests.page.conftest import OpenPage, png
from tests.page.walking import PATIENCE_MS, START, Walk, running_demo

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

LIGHTHOUSE = re.compile("^Open the picture: .*a lighthouse")


def holed(width: int, height: int) -> bytes:
    """A PNG with a transparent area: a mask."""
    sheet, out = Image.new("RGBA", (width, height), "black"), io.BytesIO()
    sheet.paste((0, 0, 0, 0), (0, 0, width // 2, height // 2))
    sheet.save(out, "PNG")
    return out.getvalue()


async def upload(demo: World, name: str) -> str:
    """A file of bob's; its id."""
    return (await demo.workspace.upload("bob", name, png(64, 64))).id


@pytest.fixture
def clock() -> DemoClock:
    return DemoClock(START)


@pytest_asyncio.fixture(loop_scope="session")
async def demo(tmp_path: Path, clock: DemoClock) -> AsyncIterator[World]:
    async with running_demo(tmp_path / "data", clock) as world:
        yield world


async def test_from_the_first_key_press_to_an_empty_purse_and_into_the_next_month(
    demo: World, clock: DemoClock, browser_page: OpenPage
) -> None:
    page = await browser_page(demo.page_url, width=1600, height=900)
    walk = Walk(page, clock)
    await page.keyboard.press("Enter")
    await walk.comes(1)
    await expect(walk.hood.get_by_role("status")).to_contain_text("charged", timeout=PATIENCE_MS)
    await walk.reply("make it night")
    await walk.comes(2, " from v1")
    await walk.reply("add a moon")
    await walk.comes(3, " from v2")
    await walk.choose(1, "Edit this one")
    await walk.reply("give it a hat")
    await walk.comes(4, " from v1")
    await expect(walk.hood.locator(".attempt")).to_have_count(4)
    await page.reload()
    await walk.comes(4, " from v1")
    await expect(walk.hood.locator(".attempt")).to_have_count(4)
    await walk.version(4).get_by_role("button", name="Variations").click()
    await page.get_by_role("dialog").get_by_role("button", name="Make them").click()
    await walk.comes(5, " from v4")
    await walk.choose(4, "Share to channel…")
    share = page.get_by_role("dialog", name="Share to channel")
    await share.get_by_label("Channel", exact=True).select_option("#general")
    await share.get_by_role("button", name="Share").click()
    await expect(page.get_by_role("button", name="#general, 1 unread")).to_be_visible(timeout=PATIENCE_MS)
    await walk.send("/spend")
    await walk.whispered("left")
    await walk.be("Carol")
    await walk.send("/spend cap @alice 0.2")
    await walk.whispered("$0.20")
    await walk.be("Alice")
    await walk.send("/imagine a blue whale")
    await walk.whispered("Nothing was made and nothing was charged")
    await walk.hood.get_by_role("tab", name="Switches").click()
    await walk.hood.get_by_role("button", name="Next month").click()
    await expect(walk.hood).to_contain_text("December 2026")
    await walk.send("/imagine a green whale")
    await expect(walk.log.get_by_role("button", name="a green whale").first).to_be_visible(
        timeout=PATIENCE_MS
    )


@pytest.mark.proof
async def test_a_dialog_a_reference_a_mask_a_shortcut_and_home_with_a_second_window_beside(
    demo: World, clock: DemoClock, browser_page: OpenPage
) -> None:
    page = await browser_page(demo.page_url, width=1600, height=900)
    bobs = await browser_page(f"{demo.page_url}?as=bob", width=390, height=844, touch=True)
    walk = Walk(page, clock)
    await page.get_by_role("button", name="Shortcuts").click()
    await page.get_by_role("menuitem", name="New picture").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("textbox").first.fill("a lighthouse")
    await dialog.get_by_role("combobox", name="Where").select_option("#design")
    await dialog.locator(".buttons .primary").click()
    await expect(dialog).to_have_count(0)
    await expect(page.get_by_role("button", name=LIGHTHOUSE).first).to_be_visible(timeout=PATIENCE_MS)
    await expect(bobs.get_by_role("button", name=LIGHTHOUSE).first).to_be_visible(timeout=PATIENCE_MS)
    await page.get_by_role("button", name=re.compile("repl")).first.click()
    for number, (name, data) in enumerate((("sketch.png", png(64, 64)), ("mask.png", holed(1024, 1024))), 2):
        async with page.expect_file_chooser() as chooser:
            await page.get_by_role("complementary", name="Thread").get_by_label("Attach a file").click()
        await (await chooser.value).set_files({"name": name, "mimeType": "image/png", "buffer": data})
        await expect(page.get_by_role("complementary", name="Thread")).to_contain_text(name)
        await walk.reply(f"in the manner of {name}")
        await walk.comes(number, f" from v{number - 1}")
    posted = await demo.workspace.post("bob", "#design", "my cat", files=(await upload(demo, "cat.png"),))
    message = walk.log.locator(f'[data-ts="{posted.ts}"]')
    await message.hover()
    await message.get_by_role("button", name="More actions").click()
    await page.get_by_role("menuitem", name="Edit with Darkroom").click()
    await page.get_by_role("dialog").get_by_role("textbox").first.fill("give it wings")
    await page.get_by_role("dialog").locator(".buttons .primary").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(message.get_by_role("button", name=re.compile("repl"))).to_be_visible(timeout=PATIENCE_MS)
    await page.locator("#rooms").get_by_role("button", name="Darkroom").click()
    await page.get_by_role("main").get_by_role("button", name="Home", exact=True).click()
    await expect(walk.log).to_contain_text("left", timeout=PATIENCE_MS)
    await expect(walk.log.get_by_role("button", name=re.compile("^Open the picture")).first).to_be_visible()
