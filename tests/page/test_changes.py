"""What changed since a look: together with what was seen before, it is what a look at everything shows."""

import asyncio
import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.async_api import expect

from sandbox.slack import view
from sandbox.slack.changes import Journal
from sandbox.slack.server import RunningServer
from sandbox.slack.workspace import Workspace
from tests.page.conftest import ALICE, DESIGN, Bot, OpenPage, png

Json = dict[str, Any]
STAMP = "(node) => node.closest('[data-ts]').dataset.ts"
ADDS_UP = """async (looks) => {
    const { learn, now } = await import("/page/state.js?of=its-own");
    return looks.map((look) => {
        const { told, whole } = JSON.parse(look);
        if (!learn(told)) return "it does not fit";
        const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
        for (const room of whole.channels) {
            const drawn = now.world.rooms.get(room.id);
            const wrong = Object.keys(room).find((key) => !same(drawn[key], room[key]));
            if (wrong) return `${room.id} ${wrong}`;
        }
        if (now.world.rooms.size !== whole.channels.length) return "rooms";
        return Object.keys(whole.files).find((id) => !same(now.world.files[id], whole.files[id])) ?? null;
    });
}"""
"""For each look the first place where the page's own module shows something else than a whole look."""
ACTS = (
    "post",
    "reply",
    "say",
    "update",
    "delete",
    "forget",
    "react",
    "whisper",
    "picture",
    "file gone",
    "status",
    "rename",
)


class Person:
    """Looks now and then, and puts together what they were told, as the page does."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.journal = Journal()
        workspace.on_change.append(self.journal.note)
        self.token = ""
        self.seen: Json = {}
        self.looks = {True: 0, False: 0}

    def look(self) -> Json:
        """Everything as it was told until now."""
        changes = self.journal.since(self.token)
        told = view.snapshot(self.workspace, ALICE, changes)
        self.token = self.journal.token
        self.looks[changes is None] += 1
        before = {room["id"]: room for room in self.seen.get("channels", [])}
        files = {} if changes is None else self.seen["files"]
        for room in told["channels"]:
            if room.pop("partial", False):
                known = {one["ts"]: one for one in before[room["id"]]["messages"]}
                for ts in room.pop("gone"):
                    known.pop(ts, None)
                known |= {one["ts"]: one for one in room["messages"]}
                room["messages"] = [known[ts] for ts in sorted(known)]
        self.seen = told | {"files": files | told["files"]}
        return self.seen


async def act(workspace: Workspace, bot: Bot, what: str, number: int) -> None:
    """Let something happen; *number* chooses to what."""
    room = workspace.channels[DESIGN]
    messages = list(room.messages.values())
    mine = [one for one in messages if one.user == workspace.bot_user_id]
    one = messages[number % len(messages)] if messages else None
    if what == "post":
        await workspace.post("bob", DESIGN, f"words {number}")
    elif what == "say":
        await bot.say(f"bot {number}")
    elif what == "picture":
        file = await bot.file(png(), f"{number}.png")
        await bot.say("v", blocks=[{"type": "image", "slack_file": {"id": file}, "alt_text": "v"}])
    elif what == "whisper":
        await bot.call("chat.postEphemeral", channel=DESIGN, user=ALICE, text=f"only you {number}")
    elif what == "rename":
        room.name = f"design-{number}"
        workspace.changed({"kind": "renamed", "channel": room.id})
    elif what == "forget":
        workspace.changed({"kind": "nobody knows this one"})
    elif what == "file gone" and (files := [f for f in workspace.files.values() if not f.deleted]):
        await bot.call("files.delete", file=files[number % len(files)].id)
    elif what == "reply" and one is not None:
        await bot.say("reply", thread_ts=one.thread_ts or one.ts)
    elif what == "react" and one is not None:
        await workspace.react("carol", DESIGN, one.ts, ("eyes", "tada")[number % 2])
    elif what == "status" and one is not None:
        status = {"channel_id": DESIGN, "thread_ts": one.thread_ts or one.ts, "status": "is painting"}
        await bot.call("assistant.threads.setStatus", **status)
    elif what == "update" and mine:
        await bot.call("chat.update", channel=DESIGN, ts=mine[number % len(mine)].ts, text=f"new {number}")
    elif what == "delete" and mine:
        await bot.call("chat.delete", channel=DESIGN, ts=mine[number % len(mine)].ts)


def same(seen: Json, whole: Json) -> None:
    """Whatever is shown is as it is; more files may be remembered than are shown."""
    timeless = {key: value for key, value in whole.items() if key not in ("files", "now")}
    assert {key: seen[key] for key in timeless} == timeless
    assert {file: seen["files"].get(file) for file in whole["files"]} == whole["files"]


@settings(max_examples=40, deadline=None)
@given(acts=st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 9), st.booleans()), max_size=25))
def test_what_is_told_bit_by_bit_adds_up_to_what_there_is(acts: list[tuple[str, int, bool]]) -> None:
    async def play() -> None:
        workspace = Workspace(file_processing_s=0)
        bot, person = Bot(workspace), Person(workspace)
        await workspace.attach(bot.send)
        person.look()
        for what, number, looks in acts:
            await act(workspace, bot, what, number)
            if looks:
                same(person.look(), view.snapshot(workspace, ALICE))
        same(person.look(), view.snapshot(workspace, ALICE))
        await workspace.close()

    asyncio.run(play())


@pytest.mark.browser
@pytest.mark.slow
async def test_the_page_adds_up_what_it_is_told_as_a_look_at_everything_shows_it(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    journal, token = Journal(), ""
    chance = random.Random(28)  # noqa: S311 -- any example will do
    workspace.on_change.append(journal.note)
    looks = []
    for number in range(150):
        await act(workspace, bot, chance.choice(ACTS), chance.randrange(10))
        if number % 3 == 0:
            told = view.snapshot(workspace, ALICE, journal.since(token))
            token = journal.token
            looks.append(json.dumps({"told": told, "whole": view.snapshot(workspace, ALICE)}))
    page = await browser_page(server.url)
    assert await page.evaluate(ADDS_UP, looks) == [None] * len(looks)


async def test_a_look_after_one_message_tells_of_that_one_only(workspace: Workspace, bot: Bot) -> None:
    person = Person(workspace)
    for number in range(20):
        await bot.say(f"words {number}")
    person.look()
    await bot.say("one more")
    told = view.snapshot(workspace, ALICE, person.journal.since(person.token))
    assert [one["text"] for room in told["channels"] for one in room["messages"]] == ["one more"]
    assert person.looks == {True: 1, False: 0}


@pytest.mark.parametrize("token", ["", "elsewhere.3", ".", "x.-1", "{name}.99", "{name}.x"])
def test_a_moment_that_is_not_known_means_everything(token: str) -> None:
    journal = Journal()
    journal.note({"kind": "message", "channel": DESIGN, "ts": "1.0"})
    assert journal.since(token.replace("{name}", journal.token.partition(".")[0])) is None


def test_what_is_remembered_is_bounded_and_whoever_looked_before_that_reads_everything() -> None:
    journal = Journal(most=3)
    early = journal.token
    for number in range(4):
        journal.note({"kind": "message", "channel": DESIGN, "ts": f"{number}.0"})
    assert journal.since(early) is None
    late = journal.token
    journal.note({"kind": "message", "channel": DESIGN, "ts": "9.0"})
    changes = journal.since(late)
    assert changes is not None
    assert changes.messages == {(DESIGN, "9.0")}


@pytest.mark.browser
@pytest.mark.proof
async def test_a_long_channel_is_drawn_from_its_end_and_further_up_as_somebody_reads(
    workspace: Workspace, bot: Bot, server: RunningServer, browser_page: OpenPage
) -> None:
    for number in range(300):
        await bot.say(f"message {number}\nof many\nwith lines")
    page = await browser_page(server.url)
    log = page.get_by_label("Messages", exact=True)
    await expect(log.get_by_text("message 299")).to_be_in_viewport()
    assert await log.get_by_role("article").count() < 100
    # Nothing of the beginning is under way any more: the next answer is about the next message.
    await page.wait_for_load_state("networkidle")
    async with page.expect_response("**/page/state?*") as answer:
        await bot.say("the newest")
    assert len(await (await answer.value).body()) < 20_000
    await expect(log.get_by_text("the newest")).to_be_in_viewport()
    await log.evaluate("(log) => { log.scrollTop = 300; }")
    await expect(log.get_by_text("message 220", exact=False)).to_have_count(1)
    held = "(node) => Math.round(node.getBoundingClientRect().top)"
    reading = log.get_by_text("message 250")
    await reading.scroll_into_view_if_needed()
    place = await reading.evaluate(held)
    await bot.say("one that comes in meanwhile")
    await expect(log.get_by_text("one that comes in meanwhile")).to_have_count(1)
    assert abs(await reading.evaluate(held) - place) <= 2
    thread = page.get_by_label("Thread", exact=True)
    await page.locator(f'[data-focus="Reply in thread {await reading.evaluate(STAMP)}"]').press("Enter")
    await expect(thread).to_contain_text("message 250")
    await expect(reading).to_be_in_viewport()
    await page.get_by_role("button", name="Close the thread").click()
    await expect(thread).to_be_hidden()
    await expect(reading).to_be_in_viewport()
    for _ in range(12):
        await log.evaluate("(log) => { log.scrollTop = 0; }")
        await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    await expect(log.get_by_text("message 0", exact=False).first).to_be_visible()
    await expect(log.get_by_role("article")).to_have_count(302)
