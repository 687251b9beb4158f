"""Tables that are sorted and leafed through, what of them is refused, and both they and charts on a phone."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from sandbox.slack.blocks import CELL_CHARACTERS, check_blocks
from sandbox.slack.server import RunningServer
from tests.page.conftest import Bot, OpenPage

EVIL = "<img src=x onerror='window.ran=1'>"


def word(text: str) -> dict[str, Any]:
    return {"type": "raw_text", "text": text}


def amount(value: float) -> dict[str, Any]:
    return {"type": "raw_number", "value": value, "text": f"${value:,.2f}"}


def people(count: int, **more: Any) -> dict[str, Any]:
    """A table of names and amounts; the fourth has no amount, and the third has an evil name."""
    rows = [[word(f"Person {n:03d}"), amount(n * 7 % 50)] for n in range(count)]
    rows[2][0] = word(EVIL)
    rows[3][1] = word("no cap")
    return {"type": "data_table", "caption": "People", "rows": [[word("Who"), word("Cap")], *rows], **more}


def bars(**more: Any) -> dict[str, Any]:
    days = ["1 Oct", "2 Oct", "3 Oct"]
    series = [
        {"name": name, "data": [{"label": day, "value": n} for n, day in enumerate(days)]}
        for name in ("Image output", EVIL[:20])
    ]
    chart = {"type": "bar", "series": series, "axis_config": {"categories": days}}
    return {"type": "data_visualization", "title": "Spend per day", "chart": chart, **more}


def check(*blocks: dict[str, Any]) -> list[str]:
    return check_blocks(list(blocks), surface="message", file_refused=lambda _: True)


def test_a_number_needs_the_words_it_is_shown_by() -> None:
    table = people(5)
    assert check(table) == []
    table["rows"][1][1] = {"type": "raw_number", "value": 5}
    assert "missing required field: text" in check(table)[0]
    table["rows"][1][1] = {"type": "raw_number", "value": 5, "text": ""}
    assert "must be more than 0 characters" in check(table)[0]


def test_a_header_is_plain() -> None:
    table = people(5)
    part = {"type": "rich_text_section", "elements": [{"type": "text", "text": "Who"}]}
    table["rows"][0][0] = {"type": "rich_text", "elements": [part]}
    assert "rich_text is not allowed in the header" in check(table)[0]


def test_the_cells_of_a_message_have_ten_thousand_characters_together() -> None:
    def table(kind: str, characters: int) -> dict[str, Any]:
        rows = [[word("x")], [word("x" * (characters - 1))]]
        return {"type": kind, "rows": rows, **({"caption": "c"} if kind == "data_table" else {})}

    half = CELL_CHARACTERS // 2
    assert check(table("table", half), table("data_table", half)) == []
    (said,) = check(table("table", half), table("data_table", half + 1))
    assert "no more than 10000 characters" in said


async def cells(page: Page, column: int) -> list[str]:
    return await page.locator(f"tbody tr > :nth-child({column})").all_text_contents()


@pytest.mark.browser
@pytest.mark.slow
async def test_a_table_is_sorted_by_its_headings_and_leafed_through(
    bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    await bot.say("table", blocks=[people(45, page_size=20)])
    page = await browser_page(server.url)
    await expect(page.get_by_role("status").get_by_text("1 to 20 of 45")).to_be_visible()
    assert (await cells(page, 1))[:3] == ["Person 000", "Person 001", EVIL]
    await page.get_by_role("button", name="Next").click()
    await page.get_by_role("button", name="Next").click()
    await expect(page.get_by_text("41 to 45 of 45")).to_be_visible()
    await expect(page.get_by_role("button", name="Next")).to_be_disabled()
    await page.get_by_role("button", name="Cap").click()
    await expect(page.get_by_text("1 to 20 of 45")).to_be_visible()
    falling = [float(text[1:]) for text in await cells(page, 2)]
    assert falling == sorted(falling, reverse=True)
    await expect(page.get_by_role("columnheader", name="Cap")).to_have_attribute("aria-sort", "descending")
    await page.get_by_role("button", name="Cap").click()
    assert (await cells(page, 2))[:2] == ["no cap", "$0.00"]
    await page.get_by_role("button", name="Who").click()
    await expect(page.get_by_role("columnheader", name="Cap")).not_to_have_attribute("aria-sort", "ascending")
    assert await page.evaluate("window.ran") is None


@pytest.mark.browser
@pytest.mark.slow
async def test_on_a_phone_tables_and_charts_scroll_in_their_own_box(
    bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    """No word or amount is broken, the chart's labels can be read, and the page itself does not widen."""
    head = [word(text) for text in ("Person", "Provider", "Model", "Spent", "Share")]
    row = [
        word("Alice Ames"),
        word("127.0.0.1:35959"),
        word("gpt-image-2-2026-04-21"),
        amount(0.33),
        amount(1),
    ]
    await bot.say("report", blocks=[{"type": "data_table", "caption": "People", "rows": [head, row]}, bars()])
    page = await browser_page(server.url, width=400, touch=True)
    table = page.get_by_role("region", name="Table: People")
    chart = page.get_by_role("region", name="Chart: Spend per day")
    heights = await table.evaluate("(n) => [...n.querySelectorAll('th, td')].map((c) => c.clientHeight)")
    assert max(heights) < 40
    labels = await chart.evaluate(
        "(n) => [...n.querySelectorAll('text')].map((t) => t.getBoundingClientRect().height)"
    )
    assert min(labels) > 10
    for box in (table, chart):
        assert await box.evaluate("(n) => n.getBoundingClientRect().right <= 400 && n.scrollWidth > 400")
        await box.evaluate("(n) => n.addEventListener('scroll', () => n.setAttribute('data-moved', 'yes'))")
        await box.focus()
        await page.keyboard.press("ArrowRight")
        await expect(box).to_have_attribute("data-moved", "yes")
    log = page.get_by_label("Messages", exact=True)
    assert await log.evaluate("(n) => n.scrollWidth - n.clientWidth") == 0
    assert await page.evaluate("document.documentElement.scrollWidth") == 400


@pytest.mark.browser
@pytest.mark.slow
async def test_a_text_longer_than_a_column_may_be_wraps_in_its_cell(
    bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    rows = [[word("What"), word("Cap")], [word("w" * 900), amount(1)]]
    await bot.say("table", blocks=[{"type": "data_table", "caption": "Long", "rows": rows}])
    page = await browser_page(server.url)
    assert await page.get_by_role("rowheader").evaluate("(n) => n.clientWidth") < 450
