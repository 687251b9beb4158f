"""What is under the hood: money that moves, calls as they happen, switches. A stand-in serves its routes."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, Route, expect

from sandbox.hood.routes import add_hood
from sandbox.images.api import ImageApi
from sandbox.page.routes import add_page
from sandbox.slack.control import add_control
from sandbox.slack.server import RunningServer, serve_app, slack_app
from sandbox.slack.workspace import Workspace
from tests.page.conftest import ALICE, DESIGN, NAMELESS, Bot, OpenPage
from tests.page.hood_standin import BUDGET, CLOCK, EVIL, REAL, Hood, attempt, entry

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WIDEST = """Math.max(...[...document.querySelectorAll('main *, aside *')]
    .map((node) => node.getBoundingClientRect().right))"""


@pytest.fixture
def under(workspace: Workspace) -> Hood:
    return Hood(workspace)


@pytest_asyncio.fixture(loop_scope="session")
async def server(workspace: Workspace, images: ImageApi, under: Hood) -> AsyncIterator[RunningServer]:
    """The sandbox with its page and the stand-in."""
    app = slack_app(workspace)
    under.add_to(app)
    add_control(app)
    add_page(app, workspace, images)
    running = await serve_app(app)
    yield running
    await running.close()


WRITTEN = """() => {
  window.written = 0;
  new MutationObserver((some) => { window.written += some.length; })
    .observe(document.querySelector('.clock'), { childList: true, subtree: true, characterData: true });
}"""
"""Counts what is written anew in the clock: whatever is, a screen reader reads out."""


async def share(page: Page) -> float:
    """How much of its bar the first picture's money fills."""
    return float(
        await page.locator(".attempt .fill").evaluate(
            "(fill) => Number.parseFloat(fill.style.width) / 100",
        )
    )


async def test_money_moves_from_held_to_charged_where_a_wide_page_shows_it_by_itself(
    bot: Bot, under: Hood, server: RunningServer, browser_page: OpenPage
) -> None:
    ts = await bot.say("a fox")
    under.attempts = [attempt("held")]
    granted = {"granted_usd": "5", "drawn_usd": "0", "left_usd": "5", "held_usd": "0"}
    under.budgets = [
        BUDGET,
        BUDGET | granted | {"name": "Bob", "cap_usd": "0.2", "charged_usd": "0.5529"},
        BUDGET
        | granted
        | {"name": "Carol", "cap_usd": "1", "charged_usd": "1.2", "drawn_usd": "0.3"}
        | {"held_usd": "0.1", "left_usd": "4.7"},
    ]
    page = await browser_page(f"{server.url}/#{DESIGN}/{ts}", width=1600)
    hood = page.get_by_role("complementary", name="Under the hood")
    await expect(hood.get_by_role("status")).to_have_text("$0.00 charged, $0.23 held")
    await expect(hood.get_by_label("Budgets").get_by_role("listitem")).to_have_text(
        [
            "Alice's month $3.20 of $10.00 $6.57 left · $0.23 held · renews 1 December",
            "Bob $0.5529 of $0.20 $0.00 left · renews 1 December Granted on top: $5.00, all of it left",
            "Carol $1.00 of $1.00 $0.00 left · $0.10 held · renews 1 December "
            "Granted on top: $5.00, $4.70 of it left",
        ],
        use_inner_text=True,
    )
    assert await share(page) == 1
    async with page.expect_event("pageerror"):
        under.book(attempt("held", classes="an answer that cannot be drawn"))
    browser_page.errors.clear()
    classes = [{"name": "image_output", "tokens": 4160, "charged_usd": "0.0411"}]
    under.book(attempt("settled", "0.0411", version=1, classes=classes, note=EVIL))
    await expect(hood.get_by_role("status")).to_have_text("$0.0411 charged")
    assert await share(page) == pytest.approx(0.0411 / 0.23, abs=0.001)
    row = hood.get_by_role("listitem").filter(has_text="v1")
    await expect(row).to_contain_text("$0.23 was held, $0.1889 came back")
    await row.get_by_text("What it is made of").click()
    await expect(row.get_by_role("row", name="image output")).to_contain_text("4,160")
    await page.get_by_role("button", name="Close the thread").click()
    await expect(hood).to_contain_text("Open a thread to see its money")
    assert await page.evaluate("window.ran") is None


async def test_calls_appear_as_they_happen_are_filtered_and_tell_everything_when_pressed(
    bot: Bot, under: Hood, server: RunningServer, browser_page: OpenPage
) -> None:
    under.entries = [entry(1, "command", "/imagine", f"alice: {EVIL}")]
    page = await browser_page(server.url, width=1600)
    hood = page.get_by_role("complementary", name="Under the hood")
    await hood.get_by_role("tab", name="Ledger").press("ArrowRight")
    await expect(hood.get_by_role("tab", name="Wire")).to_be_focused()
    await expect(hood.get_by_role("button", name="/imagine")).to_contain_text("ack 12 ms")
    under.happen(entry(2, "image", "responses", "a red fox", ms=None, ok=None))
    call = hood.get_by_role("button", name="responses")
    await expect(call).to_contain_text("under way")
    tokens = {"image_output": 4160}
    under.happen(entry(2, "image", "responses", "a red fox", ms=4321.0, tokens=tokens, price_usd="0.0411"))
    await expect(call).to_contain_text("$0.0411 4.3 s")
    under.happen(entry(3, "web", "chat.postMessage", "v1", ok=False, error="channel_not_found"))
    await expect(hood.get_by_role("button", name="chat.postMessage")).to_contain_text("channel_not_found")
    await hood.get_by_label("Which calls").select_option("App → image API")
    await expect(hood.locator(".call")).to_have_count(1)
    await call.press("Enter")
    await expect(call).to_have_attribute("aria-expanded", "true")
    await expect(call).to_be_focused()
    await expect(hood.get_by_label("Request")).to_contain_text(EVIL)
    await expect(hood.locator(".stream")).to_contain_text("420 ms response.created")
    await expect(hood.get_by_role("row", name="image output")).to_contain_text("4,160")
    await hood.get_by_label("Which calls").select_option("Everything")
    await hood.get_by_label("This thread only").check()
    under.happen(entry(4, "web", "users.info", "elsewhere", channel="C0GENERAL1"))
    under.happen(entry(5, "web", "reactions.add", "here"))
    await expect(hood.get_by_role("button", name="reactions.add")).to_be_visible()
    await expect(hood.get_by_role("button", name="users.info")).to_have_count(0)
    assert await page.evaluate("window.ran") is None
    assert await page.evaluate(NAMELESS) == []


async def test_after_a_restart_badges_say_what_is_real_now_and_the_wire_loses_nothing_told_while_it_asks(
    workspace: Workspace, bot: Bot, under: Hood, server: RunningServer, browser_page: OpenPage
) -> None:
    page = await browser_page(server.url, width=1600)
    hood = page.get_by_role("complementary", name="Under the hood")
    await hood.get_by_role("tab", name="Wire").click()
    under.happen(entry(2, "image", "responses", "a red fox", ms=None, ok=None))
    await expect(hood.get_by_role("button", name="responses")).to_contain_text("under way")

    async def late(route: Route) -> None:
        """The list is on its way, and older than what is told: the channel shows that it has been."""
        answer = await route.fetch()
        under.happen(entry(2, "image", "responses", "a red fox", ms=4321.0))
        under.happen(entry(3, "web", "chat.postMessage", "v1"))
        await bot.say("told meanwhile")
        await expect(page.get_by_label("Messages", exact=True)).to_contain_text("told meanwhile")
        await route.fulfill(response=answer)

    await page.route("**/control/hood", late, times=1)
    under.entries.insert(0, entry(1, "command", "/imagine", "only in the list"))
    under.real = REAL | {"images": True, "words": "Pictures are real and cost money."}
    workspace.changed({"kind": "hello"})
    await expect(hood.locator(".call")).to_have_text(
        [re.compile("only in"), re.compile("4.3 s"), re.compile("v1")]
    )
    for badge in await page.locator(".badge").all():
        await expect(badge).to_have_text("real pictures")
        await expect(badge).to_have_attribute("title", "Pictures are real and cost money.")


@pytest.mark.proof
async def test_the_wire_goes_on_at_its_end_when_what_was_open_is_cleared_or_filtered_away(
    bot: Bot, under: Hood, server: RunningServer, browser_page: OpenPage
) -> None:
    under.entries = [entry(1, "command", "/imagine", "a fox")]
    page = await browser_page(server.url, width=1600)
    hood = page.get_by_role("complementary", name="Under the hood")
    await hood.get_by_role("tab", name="Wire").click()
    await hood.get_by_role("button", name="/imagine").click()
    await expect(hood.get_by_label("Answer")).to_be_visible()
    await hood.get_by_role("button", name="Clear").click()
    await expect(hood).to_contain_text("Nothing yet.")
    for number in range(2, 32):
        under.happen(entry(number, "web", f"call.{number}", "words"))
    await expect(hood.get_by_role("button", name="call.31")).to_be_in_viewport(ratio=1)
    await hood.get_by_role("button", name="call.31").click()
    await expect(hood.get_by_label("Answer")).to_be_visible()
    await hood.get_by_label("Which calls").select_option("App → image API")
    for number in range(32, 62):
        under.happen(entry(number, "image", f"picture.{number}", "words"))
    await expect(hood.get_by_role("button", name="picture.61")).to_be_in_viewport(ratio=1)


async def test_switches_are_used_by_keyboard_and_show_what_the_sandbox_says(
    bot: Bot, under: Hood, server: RunningServer, browser_page: OpenPage
) -> None:
    page = await browser_page(server.url, width=1600)
    await expect(page.get_by_role("button", name="sandbox").first).to_have_attribute(
        "title", str(REAL["words"])
    )
    hood = page.get_by_role("complementary", name="Under the hood")
    await hood.get_by_role("tab", name="Switches").click()
    await expect(hood).to_contain_text("Saturday, 21 November 2026, 19:42")
    await page.evaluate(WRITTEN)
    closed = hood.get_by_role("switch", name="No money left")
    await closed.press("Space")
    await expect(closed).to_be_checked()
    await expect(closed).to_be_focused()
    await hood.get_by_label("A picture takes").press("ArrowRight")
    await expect(hood.locator("output")).to_have_text("4.5 s")
    assert await page.evaluate("window.written") == 0
    under.clock = CLOCK | {"said": "Tuesday, 1 December 2026, 00:00"}
    under.real = REAL | {"images": True, "words": "Pictures are real and cost money."}
    await hood.get_by_role("button", name="Next month").click()
    await expect(page.get_by_role("button", name="real pictures").first).to_be_visible()
    await expect(hood.get_by_role("status").filter(has_text="1 December 2026, 00:00")).to_be_visible()
    await page.get_by_role("button", name="real pictures").first.click()
    await expect(page.locator("#toasts")).to_contain_text("Pictures are real and cost money.")
    assert [(one["id"], one["value"], one["viewer"]) for one in under.turned] == [
        ("closed", True, ALICE),
        ("pace", 4.5, ALICE),
        ("next_month", True, ALICE),
    ]


async def test_on_a_phone_it_is_a_sheet_that_opens_from_the_thread_and_gives_the_focus_back(
    bot: Bot, under: Hood, server: RunningServer, browser_page: OpenPage
) -> None:
    ts = await bot.say("a fox")
    under.attempts = [attempt("settled", "0.0411", version=1)]
    page = await browser_page(f"{server.url}/#{DESIGN}/{ts}", width=390, height=844, touch=True)
    hood = page.get_by_role("complementary", name="Under the hood")
    await expect(hood).to_have_count(0)
    opener = page.get_by_role("complementary", name="Thread").get_by_role("button", name="Under the hood")
    await opener.tap()
    await expect(hood).to_contain_text("$0.0411 charged")
    await expect(page.get_by_role("button", name="Close what is under the hood")).to_be_focused()
    under.entries = [entry(number, "web", f"call.{number}", "words") for number in range(1, 31)]
    for tab in ("Wire", "Switches"):
        await hood.get_by_role("tab", name=tab).tap()
        await expect(hood.get_by_role("tab", name=tab)).to_have_attribute("aria-selected", "true")
        if tab == "Wire":
            await hood.get_by_role("button", name="call.30").tap()
            await expect(hood.get_by_label("Answer")).to_be_in_viewport(ratio=1)
        assert await page.evaluate(WIDEST) <= 390
    await page.keyboard.press("Escape")
    await expect(hood).to_have_count(0)
    await expect(opener).to_be_focused()
    await expect(page.get_by_label("Thread", exact=True)).to_be_visible()


@pytest.mark.proof
async def test_who_looks_at_the_end_of_a_thread_goes_on_seeing_it_when_the_panel_opens(
    bot: Bot, under: Hood, server: RunningServer, browser_page: OpenPage
) -> None:
    ts = await bot.say("the parent")
    for number in range(20):
        await bot.say(
            f"Line {number} has " + "words that need more than one line where there is little room " * 3,
            thread_ts=ts,
        )
    page = await browser_page(f"{server.url}/#{DESIGN}/{ts}", width=1500)
    last = page.get_by_label("Messages of the thread").get_by_text("Line 19 has words")
    await page.get_by_role("button", name="Close what is under the hood").click()
    await expect(last).to_be_in_viewport(ratio=1)
    await page.set_viewport_size({"width": 1420, "height": 500})
    await expect(last).to_be_in_viewport(ratio=1)
    await page.get_by_role("main").get_by_role("button", name="Under the hood").click()
    await expect(page.get_by_role("complementary", name="Under the hood")).to_be_visible()
    await expect(last).to_be_in_viewport(ratio=1)


@pytest.mark.proof
async def test_between_wide_and_narrow_it_lies_over_the_thread_beside_the_channel_until_it_is_closed(
    bot: Bot, under: Hood, server: RunningServer, browser_page: OpenPage
) -> None:
    ts = await bot.say("a fox")
    await bot.say("version one", thread_ts=ts)
    under.attempts = [attempt("settled", "0.0411", version=1)]
    page = await browser_page(f"{server.url}/#{DESIGN}/{ts}", width=1200)
    hood = page.get_by_role("complementary", name="Under the hood")
    thread = page.locator("#thread")
    opener = thread.get_by_role("button", name="Under the hood")
    await opener.click()
    await expect(hood).to_contain_text("$0.0411 charged")
    await expect(page.get_by_role("button", name="Close what is under the hood")).to_be_focused()
    await expect(page.get_by_role("main")).to_contain_text("a fox")
    boxes = [await each.bounding_box() for each in (page.get_by_role("main"), thread, hood)]
    edges = [(box["x"], box["x"] + box["width"]) for box in boxes if box is not None]
    assert edges[0][1] <= edges[1][0] + 1
    assert edges[1] == pytest.approx(edges[2], abs=1)
    await expect(thread).to_have_js_property("inert", True)
    await page.keyboard.press("Escape")
    await expect(hood).to_have_count(0)
    await expect(opener).to_be_focused()
    await opener.click()
    await page.get_by_role("main").get_by_role("button", name="1 reply").click()
    await expect(hood).to_have_count(0)
    await expect(page.get_by_label("Reply in the thread")).to_be_focused()
    await page.get_by_role("button", name="Close the thread").click()
    await page.get_by_role("main").get_by_role("button", name="Under the hood").click()
    await expect(hood).to_be_visible()
    await (
        page.get_by_role("main")
        .get_by_role("textbox", name="Message")
        .fill("beside the channel, both can be used")
    )
    await page.reload()
    await expect(hood).to_be_visible()


@pytest.mark.proof
async def test_whether_it_is_open_and_where_is_remembered(
    bot: Bot, under: Hood, server: RunningServer, browser_page: OpenPage
) -> None:
    page = await browser_page(server.url, width=1600)
    hood = page.get_by_role("complementary", name="Under the hood")
    await hood.get_by_role("tab", name="Wire").click()
    await page.reload()
    await expect(hood.get_by_role("tab", name="Wire")).to_have_attribute("aria-selected", "true")
    await page.get_by_role("main").get_by_role("button", name="Under the hood").click()
    await expect(hood).to_have_count(0)
    await page.reload()
    opener = page.get_by_role("main").get_by_role("button", name="Under the hood")
    await expect(opener).to_have_attribute("aria-expanded", re.compile("false"))
    await expect(hood).to_have_count(0)


@pytest.mark.proof
async def test_with_the_sandboxs_own_record_a_command_is_on_the_wire_and_faults_are_switched(
    workspace: Workspace, images: ImageApi, browser_page: OpenPage
) -> None:
    """The routes themselves in place of the stand-in; without a bot beside it there is no ledger."""
    app = slack_app(workspace)
    add_control(app, images)
    add_page(app, workspace, images)
    add_hood(app, workspace, images)
    running = await serve_app(app)
    await workspace.attach(Bot(workspace).send)
    page = await browser_page(running.url, width=1600)
    hood = page.get_by_role("complementary", name="Under the hood")
    await expect(hood.get_by_role("tab")).to_have_text(["Wire", "Switches"])
    await page.get_by_label("Message", exact=True).press("Enter")
    call = hood.get_by_role("button", name="/imagine")
    await expect(call).to_contain_text(re.compile(r"ack .* ms"))
    await call.click()
    await expect(hood.get_by_label("Request")).to_contain_text("a red fox in snow")
    await hood.get_by_role("tab", name="Switches").click()
    await hood.get_by_role("switch", name="Out of credit").check()
    await expect(hood.get_by_role("switch", name="Out of credit")).to_be_checked()
    assert [standing.rule.fault for standing in images.fault_plan.standing] == ["out of credit"]
    await hood.get_by_role("tab", name="Wire").click()
    assert (await page.request.post(f"{running.url}/control/reset", data={})).ok
    await expect(hood).to_contain_text("Nothing yet.")
    await expect(hood.locator(".call")).to_have_count(0)
    await hood.get_by_role("tab", name="Switches").click()
    await expect(hood.get_by_role("switch", name="Out of credit")).not_to_be_checked()
    await running.close()
