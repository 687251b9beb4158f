"""Every switch of the panel is pressed, with the real Darkroom behind the page: what comes of it is seen."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from bot.cli.demo_clock import DemoClock
from bot.cli.world import World
from tests.page.conftest import OpenPage
from tests.page.walking import START, Walk, running_demo

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

HALF_A_SECOND = re.compile(r"[5-9]\d\d ms|\d\.\d s")
TWO_SECONDS = re.compile(r"[2-9]\.\d s")


@pytest.fixture
def clock() -> DemoClock:
    return DemoClock(START)


@pytest_asyncio.fixture(loop_scope="session")
async def demo(tmp_path: Path, clock: DemoClock) -> AsyncIterator[World]:
    async with running_demo(tmp_path / "data", clock) as world:
        yield world


class Panel(Walk):
    """A walk with a hand on the switches. It counts the pictures."""

    def __init__(self, page: Page, clock: DemoClock) -> None:
        super().__init__(page, clock)
        self.pictures = 1
        self.time = self.hood.locator(".clock")
        self.pace = self.hood.get_by_role("slider", name="A picture takes")

    async def look_at(self, tab: str) -> None:
        """Another tab of the panel."""
        await self.hood.get_by_role("tab", name=tab).click()

    def switch(self, group: str, label: str) -> Locator:
        """One that is on or off."""
        return self.hood.get_by_role("group", name=group).get_by_role("switch", name=label)

    async def press(self, label: str) -> None:
        """One that only happens; the page says that it has."""
        await self.hood.get_by_role("button", name=label).click()
        await expect(self.page.locator(".toast").filter(has_text=f"{label}: done")).to_be_visible()

    async def ask(self, words: str) -> None:
        """For another picture in the thread, with nothing on the wire but what comes of it."""
        await self.look_at("Wire")
        await self.hood.get_by_role("button", name="Clear").click()
        await self.reply(words)

    async def wire(self, call: str, says: str | re.Pattern[str]) -> None:
        """Such a call is on the wire; back to the switches."""
        await self.look_at("Wire")
        row = self.hood.locator(".call").filter(has=self.page.get_by_text(call, exact=True))
        await expect(row.filter(has_text=says).first).to_be_visible()
        await self.look_at("Switches")

    async def another(self) -> None:
        """The next picture of the thread is there."""
        self.pictures += 1
        await self.comes(self.pictures, f" from v{self.pictures - 1}")


@pytest_asyncio.fixture(loop_scope="session")
async def panel(demo: World, clock: DemoClock, browser_page: OpenPage) -> Panel:
    """With a first picture in the open thread, and the switches in sight."""
    panel = Panel(await browser_page(demo.page_url, width=1600, height=900), clock)
    await panel.page.keyboard.press("Enter")
    await panel.comes(1)
    await panel.look_at("Switches")
    return panel


@pytest.mark.proof
async def test_what_the_image_api_can_do_wrong(panel: Panel) -> None:
    pace, unit = panel.pace, panel.hood.get_by_role("group", name="image API").get_by_role("status")
    await expect(unit).to_have_text("0 seconds")
    await pace.press("ArrowRight")
    await expect(unit).to_have_text("0.5 seconds")
    await panel.ask("give it a pace")
    await panel.wire("responses", HALF_A_SECOND)
    await panel.another()
    await panel.look_at("Switches")
    await pace.press("Home")
    await expect(unit).to_have_text("0 seconds")

    refuse = panel.switch("image API", "Refuse the next picture")
    await refuse.check()
    await panel.ask("something to be refused")
    await panel.whispered("moderation did not accept this request")
    await panel.wire("responses", "moderation_blocked")
    await expect(refuse).not_to_be_checked()

    drop = panel.switch("image API", "Drop the next connection")
    await drop.check()
    await panel.ask("a picture that is fetched")
    await panel.another()
    await panel.wire("responses", "the connection ended before the answer did")
    await panel.wire("responses.retrieve", "resp_")
    await expect(drop).not_to_be_checked()

    await panel.press("Forget all conversations")
    await panel.ask("one out of a new conversation")
    await panel.another()
    await panel.wire("responses", "previous_response_not_found")
    await panel.wire("responses", "1 sent along")

    limit = panel.switch("image API", "Rate limit")
    await limit.check()
    await panel.ask("one that is held up")
    await panel.wire("responses", "rate_limit_exceeded")
    await limit.uncheck()
    await panel.another()

    closed = panel.switch("image API", "Out of credit")
    await closed.check()
    await panel.ask("one that nobody can pay")
    await panel.wire("responses", "credit_balance_exhausted")
    await closed.uncheck()
    await panel.press("An hour later")
    await expect(panel.time).to_contain_text(re.compile("21 November 2026, (19|20):"))
    await panel.another()

    slow = panel.switch("image API", "Slow")
    await slow.check()
    await panel.ask("one that takes its time")
    await panel.wire("responses", "under way")
    await panel.another()
    await panel.wire("responses", HALF_A_SECOND)
    await slow.uncheck()
    await expect(panel.hood.get_by_role("switch", checked=True)).to_have_count(0)


@pytest.mark.proof
async def test_what_slack_can_do_wrong_and_what_money_and_time_can(panel: Panel, demo: World) -> None:
    slow = panel.switch("Slack", "Slow")
    await slow.check()
    await panel.ask("slowly told")
    await panel.wire("reactions.add", TWO_SECONDS)
    await slow.uncheck()
    await panel.another()

    limit = panel.switch("Slack", "Rate limit")
    await limit.check()
    await panel.ask("told too often")
    with panel.quickly():
        await panel.wire("chat.postMessage", "ratelimited")
    await limit.uncheck()
    await panel.another()

    drop = panel.switch("Slack", "Drop answers")
    await drop.check()
    await panel.ask("told without an answer")
    await panel.another()
    await panel.wire("chat.postMessage", "the connection ended without an answer")
    await panel.wire("conversations.replies", "#design")
    await drop.uncheck()
    await expect(panel.version(panel.pictures)).to_have_count(1)

    await panel.look_at("Wire")
    await panel.hood.get_by_role("button", name="Clear").click()
    await panel.look_at("Switches")
    await panel.press("Refresh the socket")
    await panel.wire("apps.connections.open", "ms")
    await panel.ask("by the new socket")
    await panel.another()

    await panel.look_at("Switches")
    full = panel.switch("money", "Fill my cap")
    await full.check()
    await panel.ask("what cannot be paid")
    await panel.whispered("Nothing was made and nothing was charged")
    await panel.look_at("Switches")
    await full.uncheck()
    await panel.ask("with money again")
    await panel.another()

    await panel.look_at("Switches")
    await panel.press("A day later")
    await expect(panel.time).to_contain_text(re.compile("Sunday, 22 November 2026, (18|19):"))
    await panel.ask("on a Sunday")
    await panel.another()
    sunday = (START + timedelta(days=1)).timestamp()
    posted = await panel.version(panel.pictures).get_attribute("data-ts")
    assert sunday <= float(posted or 0) < sunday + 3600

    await panel.look_at("Switches")
    await full.check()
    await panel.press("Next month")
    await expect(panel.time).to_contain_text("Tuesday, 1 December 2026, 00:0")
    await expect(full).not_to_be_checked()
    await panel.ask("with new money")
    await panel.another()
    assert not demo.workspace.fault_plan.standing
