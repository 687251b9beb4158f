"""Charts are drawn as what they are, from whatever numbers, with all of them in a table."""

import json
import math
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from sandbox.slack.blocks import check_blocks
from sandbox.slack.server import RunningServer
from sandbox.slack.workspace import Workspace
from tests.page.conftest import DESIGN, Bot, OpenPage

Json = dict[str, Any]
EVIL = "<img src=x onerror='window.ran=1'>"
DAYS = ["1 Oct", "2 Oct", "3 Oct", "4 Oct"]
UP, DOWN = [0, 1, 2, 4], [-4, 4, 0, -2]


def block(title: str, chart: Json) -> Json:
    return {"type": "data_visualization", "title": title, "chart": chart}


def plane(kind: str, *series: Any, labels: list[str] = DAYS) -> Json:
    """A chart with axes."""
    made = [
        {
            "name": f"No. {n}",
            "data": [{"label": label, "value": value} for label, value in zip(labels, values, strict=True)],
        }
        for n, values in enumerate(series)
    ]
    axis = {"categories": labels, "x_label": "Day", "y_label": "Dollars"}
    return block(f"A {kind}", {"type": kind, "series": made, "axis_config": axis})


def pie(*values: Any) -> Json:
    segments = [{"label": f"No. {n}", "value": value} for n, value in enumerate(values)]
    return block("A pie", {"type": "pie", "segments": segments})


def check(*blocks: Json) -> list[str]:
    return check_blocks(list(blocks), surface="message", file_refused=lambda _: True)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_json_does_not_have_is_refused(value: float) -> None:
    """A page could not even read the message."""
    assert check(pie(1, 2), plane("line", UP)) == []
    (said,) = check(pie(1, value))
    assert "no NaN" in said


async def shown(page: Page, name: str) -> Locator:
    """A chart by its name, in sight."""
    found = page.get_by_role("img", name=name)
    await expect(found).to_be_visible()
    return found


async def floats(marks: Locator, name: str) -> list[float]:
    """An attribute of each of these."""
    return [float(await mark.get_attribute(name) or 0) for mark in await marks.all()]


async def steps(path: Locator) -> list[list[float]]:
    """The points of a line."""
    d = await path.get_attribute("d") or ""
    return [[float(number) for number in point.split()] for point in d.strip("Mz").split("L")]


@pytest.mark.browser
@pytest.mark.slow
async def test_each_kind_of_chart_is_drawn_as_what_it_is(
    bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    await bot.say("two", blocks=[pie(6, 2, 0, 2), plane("line", UP, DOWN)])
    await bot.say("more", blocks=[plane("area", UP, DOWN), plane("bar", UP, DOWN)])
    page = await browser_page(server.url)
    whole = await shown(page, "Pie: A pie")
    await expect(whole.locator("path")).to_have_count(3)
    await expect(whole.locator("text")).to_have_text(["60%", "20%", "20%"])
    legend = page.locator(".pie .legend li")
    await expect(legend).to_have_text(["No. 0 60%", "No. 1 20%", "No. 2 0%", "No. 3 20%"])

    bars = (await shown(page, "Bars: A bar")).locator("rect")
    heights, tops = await floats(bars, "height"), await floats(bars, "y")
    assert heights[0] == heights[6] == 0
    assert heights[2] == pytest.approx(heights[3] / 2, abs=0.02)
    assert tops[4] == pytest.approx(tops[3] + heights[3], abs=0.02), "what is below nothing hangs from there"

    line = await shown(page, "Line: A line")
    rising, swinging = [await steps(path) for path in await line.locator("path.line").all()]
    assert [y for _, y in rising] == sorted((y for _, y in rising), reverse=True)
    assert swinging[0][1] > swinging[3][1] > swinging[2][1] == rising[0][1] > swinging[1][1]
    assert swinging[1][1] == rising[3][1], "four is as high in each"
    await expect(line.locator(".mark")).to_have_count(8)
    await expect(line.locator(".axis")).to_have_text(["Day", "Dollars"])
    await expect((await shown(page, "Area: A area")).locator("path.area")).to_have_count(2)

    await page.locator("figure", has=line).get_by_text("The numbers").click()
    await expect(page.get_by_role("row", name="4 Oct")).to_have_text("4 Oct4-2")


@pytest.mark.browser
@pytest.mark.proof
async def test_numbers_that_are_none_or_beyond_all_measure_break_no_chart(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    """And five hundred series are not all drawn; names are never markup."""
    strange: list[Any] = [1e308, -1e308, 5e-324, None, "12", [], {}, True, EVIL]
    labels = [f"{EVIL} {n}" for n in range(len(strange))]
    kinds = ("bar", "line", "area")
    given = [
        *[pie(*strange), pie(-1, 0, None), pie(7), pie()],
        *(plane(kind, strange, [0] * 9, labels=labels) for kind in kinds),
        *(plane(kind, *[[n] * 4 for n in range(500)]) for kind in kinds),
        *(plane(kind, labels=[]) for kind in kinds),
        plane("line", [5e-324] * 4),
        plane("bar", [1], labels=[EVIL * 100]),
        *(block(EVIL, chart) for chart in ({"type": "pie"}, {"type": "line", "series": 3}, {"type": "odd"})),
    ]
    ts = await bot.say("text")
    workspace.channels[DESIGN].messages[ts].blocks = [
        {**each, "block_id": str(n)} for n, each in enumerate(given)
    ]
    page = await browser_page(server.url)
    log = page.get_by_label("Messages", exact=True)
    await expect(log.locator("figure.chart")).to_have_count(len(given))
    await expect(log.locator(".unknown")).to_have_count(0)
    await expect(log.get_by_text("488 more are not drawn.")).to_have_count(3)
    await expect(log.get_by_text("Nothing to show")).to_have_count(3)
    written = await log.evaluate(WRITTEN)
    assert "NaN" not in written
    assert "Infinity" not in written
    assert "undefined" not in written
    assert await log.evaluate("(n) => n.querySelectorAll('svg *').length") < 2_500
    assert await page.evaluate("window.ran") is None


WRITTEN = """(log) => [...log.querySelectorAll('svg *')]
    .flatMap((node) => [...node.attributes].map((each) => each.value)).join(' ')"""
CONTRAST = """(names) => {
    const lightness = (colour) => {
        const parts = colour.match(/[0-9.]+/g).slice(0, 3).map((part) => part / 255);
        const [r, g, b] = parts.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = lightness(getComputedStyle(document.body).backgroundColor);
    return [...document.querySelectorAll(names)].map((node) => {
        const [low, high] = [behind, lightness(getComputedStyle(node).fill)].sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05);
    });
}"""


@pytest.mark.browser
@pytest.mark.proof
async def test_every_colour_of_a_chart_stands_out_in_the_light_and_in_the_dark(
    bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    """Three to one, as WCAG 2.2 asks of graphics (1.4.11)."""
    await bot.say("pie", blocks=[pie(1, 1, 1, 1, 1, 1)])
    for scheme in ("light", "dark"):
        page = await browser_page(server.url, scheme=scheme)
        await shown(page, "Pie: A pie")
        found = await page.evaluate(CONTRAST, ".slice")
        assert len(found) == 6
        assert min(found) >= 3, json.dumps(found)
