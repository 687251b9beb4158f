"""What a long channel costs on the sandbox's page: 1,000 messages with pictures beside 20, in one browser.

``python -m bench.page`` fills #design of two sandboxes and opens each in the system's Chromium:

- *interactive*: from the address to the frame after the one in which the message box is there;
- *news*: from the app's message to the frame after the one in which it is drawn, a median of ten;
- *frames*: the gap between two frames while the list is scrolled from its end to its beginning and back, the
  95th percentile; the yardstick is the short channel, which is scrolled as often;
- *a look*: what the server's loop needs to tell of one new message, beside telling of everything, and how
  many bytes each is;
- *memory*: by how much a server in a process of its own has grown at most when it was sent as many pictures,
  all different, and was asked for each (`bench.page_memory`), beside how much it was sent.

Both channels are measured by turns, a round of each, so that a busy machine is busy for both.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import struct
import sys
import time
import zlib
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any

from playwright.async_api import Browser, Page, async_playwright

from bench import page_memory
from sandbox.page.routes import add_page
from sandbox.slack import view
from sandbox.slack.changes import Journal
from sandbox.slack.control import add_control
from sandbox.slack.server import RunningServer, serve_app, slack_app
from sandbox.slack.workspace import Workspace

LONG, SHORT = 1_000, 20
ROUNDS = 3
NEWS = 10
DESIGN, ALICE = "C0DESIGN01", "U0ALICE001"
MOST_INTERACTIVE = 3.0
MOST_NEWS = 3.0
MOST_FRAMES = 2.5
MOST_LOOK = 0.1
"""The share of a look at everything that a look at one new message may cost, in time and in bytes."""
MOST_MEMORY = 0.15
"""The share of what was posted by which the server may have grown: 64 MB of pictures stay in memory."""
_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
_FRAME = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
_SCROLL = """async () => {
    const log = document.getElementById("channel-log");
    const gaps = [];
    let last = await new Promise(requestAnimationFrame);
    for (let step = 0; step < 240; step += 1) {
        log.scrollTop += step < 120 ? -400 : 400;
        const now = await new Promise(requestAnimationFrame);
        gaps.push(now - last);
        last = now;
    }
    return gaps;
}"""


@dataclass
class Cost:
    """What one channel needed, round by round: seconds, and milliseconds between frames."""

    interactive_s: list[float] = field(default_factory=list)
    news_s: list[float] = field(default_factory=list)
    frames_ms: list[float] = field(default_factory=list)


def picture(width: int, height: int) -> bytes:
    """A PNG of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + bytes(width) for _ in range(height)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


async def say(workspace: Workspace, text: str, file: str | None = None, thread_ts: str | None = None) -> str:
    """A message of the app's, with a picture and what stands below one; its ts."""
    blocks: list[Any] = [{"type": "section", "text": {"type": "mrkdwn", "text": f"*{text}* of a red fox"}}]
    if file is not None:
        button = {"type": "button", "action_id": "again", "text": {"type": "plain_text", "text": "Again"}}
        blocks += [
            {"type": "image", "slack_file": {"id": file}, "alt_text": f"{text}: a red fox in snow"},
            {"type": "actions", "elements": [button]},
        ]
    params = {"channel": DESIGN, "text": text, "blocks": blocks, "thread_ts": thread_ts}
    given = {name: value for name, value in params.items() if value is not None}
    answer = await workspace.call("chat.postMessage", given, workspace.bot_token)
    assert answer.ok, answer.body
    return str(answer.body["ts"])


async def filled(messages: int) -> Workspace:
    """A workspace whose #design has so many messages with pictures, and a reply to every tenth."""
    workspace = Workspace(file_processing_s=0)
    for number in range(messages):
        data = picture(480, 300 + number % 40)
        ticket = {"filename": f"v{number}.png", "length": len(data)}
        begun = await workspace.call("files.getUploadURLExternal", ticket, workspace.bot_token)
        await workspace.send_bytes(str(begun.body["upload_url"]), data)
        file = str(begun.body["file_id"])
        done = {"files": [{"id": file, "title": f"v{number}"}]}
        await workspace.call("files.completeUploadExternal", done, workspace.bot_token)
        ts = await say(workspace, f"message {number}", file)
        if number % 10 == 0:
            await say(workspace, "a reply", thread_ts=ts)
    return workspace


async def visit(browser: Browser, server: RunningServer, workspace: Workspace, cost: Cost) -> None:
    """One round: open the page, tell it something new, scroll."""
    page = await browser.new_page(viewport={"width": 1280, "height": 800})
    begun = time.perf_counter()
    await page.goto(server.url)
    await page.locator("#channel-text").wait_for()
    await page.evaluate(_FRAME)
    cost.interactive_s.append(time.perf_counter() - begun)
    news = [await _news(page, workspace, number) for number in range(NEWS)]
    cost.news_s.append(median(news))
    cost.frames_ms += await page.evaluate(_SCROLL)
    await page.close()


async def _news(page: Page, workspace: Workspace, number: int) -> float:
    begun = time.perf_counter()
    ts = await say(workspace, f"news {number}")
    await page.locator(f'#channel-log [data-ts="{ts}"]').wait_for(state="attached")
    await page.evaluate(_FRAME)
    return time.perf_counter() - begun


async def look(workspace: Workspace) -> dict[str, tuple[float, float]]:
    """A look at everything, and one after a new message: (milliseconds of CPU, KB) each."""
    journal = Journal()
    workspace.on_change.append(journal.note)
    found: dict[str, list[tuple[float, float]]] = {"everything": [], "news": []}
    for number in range(NEWS):
        token = journal.token
        await say(workspace, f"news {number}")
        for name, since in (("everything", ""), ("news", token)):
            begun = time.process_time()
            text = json.dumps(view.snapshot(workspace, ALICE, journal.since(since)))
            found[name].append(((time.process_time() - begun) * 1000, len(text) / 1024))
    workspace.on_change.remove(journal.note)
    return {
        name: (median(ms for ms, _ in each), median(kb for _, kb in each)) for name, each in found.items()
    }


async def measure(chromium: str) -> dict[str, Any]:
    """All of it: costs of both channels, and of the looks."""
    costs = {LONG: Cost(), SHORT: Cost()}
    worlds: dict[int, tuple[Workspace, RunningServer]] = {}
    for size in costs:
        workspace = await filled(size)
        app = slack_app(workspace)
        add_control(app)
        add_page(app, workspace)
        worlds[size] = workspace, await serve_app(app)
    looks = await look(worlds[LONG][0])
    memory = await page_memory.measure(LONG) if page_memory.measurable() else None
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=chromium, args=_ARGUMENTS)
        for _ in range(ROUNDS):
            for size, cost in costs.items():
                workspace, server = worlds[size]
                await visit(browser, server, workspace, cost)
        await browser.close()
    for workspace, server in worlds.values():
        await server.close()
        await workspace.close()
    return {"long": costs[LONG], "short": costs[SHORT], "looks": looks, "memory": memory}


def _rows(found: dict[str, Any]) -> list[tuple[str, float, float, float]]:
    """Name, yardstick, ours and the limit of their ratio."""
    long, short = found["long"], found["short"]
    everything, news = found["looks"]["everything"], found["looks"]["news"]
    p95 = {size: quantiles(cost.frames_ms, n=20)[-1] for size, cost in ((LONG, long), (SHORT, short))}
    inter = [median(cost.interactive_s) * 1000 for cost in (short, long)]
    told = [median(cost.news_s) * 1000 for cost in (short, long)]
    rows = [
        ("until it can be used, ms", inter[0], inter[1], MOST_INTERACTIVE),
        ("until a new message is drawn, ms", told[0], told[1], MOST_NEWS),
        ("between frames while scrolling, p95, ms", p95[SHORT], p95[LONG], MOST_FRAMES),
        ("server: a look at news, of everything, ms", everything[0], news[0], MOST_LOOK),
        ("server: bytes of it, KB", everything[1], news[1], MOST_LOOK),
    ]
    if (memory := found["memory"]) is not None:
        grown = memory.most - memory.before
        rows.append(("server: memory, of the pictures posted, MB", memory.posted, grown, MOST_MEMORY))
    return rows


def main() -> dict[str, Any]:
    """Measure, print the table, and give it: the rows, and whether the limits hold."""
    chromium = next((path for name in ("chromium", "google-chrome") if (path := shutil.which(name))), None)
    if chromium is None:
        print("no Chromium on this machine: the page is not measured (Debian: apt install chromium)")
        return {"rows": [], "holds": True}
    rows = _rows(asyncio.run(measure(chromium)))
    print(f"the page with {LONG:,} messages with pictures, beside {SHORT}")
    print(f"{'':44}{'yardstick':>10}{'ours':>9}{'ratio':>8}  holds")
    for name, yardstick, ours, limit in rows:
        ratio = ours / yardstick
        holds = "yes" if ratio <= limit else "no"
        print(f"{name:44}{yardstick:10.1f}{ours:9.1f}{ratio:8.2f}  {holds} (at most {limit:g})")
    return {"rows": rows, "holds": all(ours / yardstick <= limit for _, yardstick, ours, limit in rows)}


if __name__ == "__main__":
    sys.exit(0 if main()["holds"] else 1)
