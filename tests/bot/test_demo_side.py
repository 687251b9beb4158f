"""The bot's side of the demo: its books as the page shows them, its caps, and its one clock."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.app import Darkroom, Overrides
from bot.cli.demo_clock import DemoClock
from bot.cli.demo_side import DemoSide, Real
from bot.cli.world import World, start_world
from bot.settings import plain_settings
from darkroom.spending.changes import Author, Change, GiveGrant, Person, SetCap, SetExempt
from darkroom.spending.periods import PeriodKind
from sandbox.hood.bot_side import Jump
from sandbox.hood.record import Entry
from sandbox.images.api import ImageApi
from sandbox.images.painter import Order
from sandbox.slack.model import Ephemeral, Message
from sandbox.slack.workspace import Workspace
from tests.sandbox_images.support import quick

pytestmark = pytest.mark.slow

Json = dict[str, Any]
START = datetime(2026, 11, 21, 18, 42, tzinfo=UTC)
WAIT_S = 60.0
ALICE, CAROL = "U0ALICE001", "U0ADMIN001"


@dataclass
class Demo:
    """A demo that runs in this process."""

    clock: DemoClock
    side: DemoSide
    world: World
    darkroom: Darkroom

    async def picture(self, prompt: str) -> Message:
        """Ask for one as alice, and wait for it."""
        workspace = self.world.workspace
        before = set(self._pictures())
        await workspace.type_command("alice", "design", f"/imagine {prompt}")
        found = await workspace.until(lambda _: set(self._pictures()) - before, WAIT_S)
        return workspace.message("design", found.pop())

    def _pictures(self) -> list[str]:
        room = self.world.workspace.channel_named("design")
        return [m.ts for m in room.messages.values() if any(b["type"] == "image" for b in m.blocks)]

    async def refused(self, prompt: str) -> str:
        """Ask for one as alice, and wait for the words that only she sees."""
        workspace = self.world.workspace
        before = len(workspace.ephemerals_for("alice", "design"))
        seen = await workspace.type_command("alice", "design", f"/imagine {prompt}")
        if seen.text:
            return seen.text

        def told(_: Workspace) -> Ephemeral | None:
            every = workspace.ephemerals_for("alice", "design")
            return every[-1] if len(every) > before else None

        return (await workspace.until(told, WAIT_S)).text

    async def settled(self, message: Message) -> Json:
        """The thread's books once nothing is held in them."""
        while True:
            books = await self.side.ledger(message.channel, message.thread_ts or message.ts)
            states = [attempt["state"] for attempt in books["attempts"]]
            if states and "held" not in states and "dispatched" not in states:
                return books
            await asyncio.sleep(0)


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Demo]:
    clock = DemoClock(START)
    workspace = Workspace(now=clock.unix, sleep=clock.sleep, file_processing_s=0)
    images = ImageApi(now=clock.unix, sleep=clock.sleep, seconds_per_picture=0, paint=quick)
    side = DemoSide(workspace, clock)
    world = await start_world(workspace, images, bot_side=side)
    flags = {"storage.data_dir": tmp_path / "data", "slack.admins": (CAROL,), "image.quality": "low"}
    settings = plain_settings(world.settings() | flags)
    darkroom = Darkroom(settings, create_data=True, overrides=Overrides(clock=clock))
    side.attach(darkroom)
    assert await side.ledger("C0DESIGN01", "1.0") == {"attempts": [], "budgets": []}, "there are no books yet"
    async with darkroom:
        yield Demo(clock, side, world, darkroom)
    await world.close()
    await workspace.close()


async def test_a_thread_s_money_goes_from_hold_to_charge_and_every_class_is_named(demo: Demo) -> None:
    message = await demo.picture("a red fox in snow")
    books = await demo.settled(message)
    (attempt,) = books["attempts"]
    assert (attempt["version"], attempt["state"], attempt["endpoint"]) == (1, "settled", "responses")
    assert Decimal(attempt["held_usd"]) > Decimal(attempt["charged_usd"]) > 0
    classes = {each["name"]: each for each in attempt["classes"]}
    assert classes["image_output"]["tokens"] > 0
    assert sum(Decimal(each["charged_usd"]) for each in classes.values()) == Decimal(attempt["charged_usd"])
    person, *_, workspace = books["budgets"]
    assert (person["name"], workspace["name"]) == ("Alice Ames", "The workspace")
    assert person["renews"] == "1 December"
    assert Decimal(person["cap_usd"]) == 10
    assert Decimal(person["left_usd"]) == 10 - Decimal(attempt["charged_usd"])

    def placed(_: Workspace) -> Entry | None:
        found = demo.world.hood.record.newest(channel=message.channel, thread=message.thread_ts)
        return next((entry for entry in found if entry.kind == "image"), None)

    image = await demo.world.workspace.until(placed, WAIT_S)
    assert Decimal(image.price_usd or 0) == pytest.approx(
        Decimal(attempt["charged_usd"]), abs=Decimal("0.000001")
    )


async def test_a_full_cap_declines_until_it_is_given_back_or_the_month_is_over(demo: Demo) -> None:
    await demo.picture("a red fox in snow")
    assert await demo.side.fill_cap(ALICE) == {"ok": True, "filled": True}
    assert "$" in await demo.refused("a second fox")
    assert await demo.side.fill_cap(ALICE) == {"ok": True, "filled": False}
    await demo.picture("a third fox")
    services = demo.darkroom.services
    assert services is not None
    policy, _ = await services.admin.policy(services.config.team_id)
    assert policy.caps == {}, "what was before is again"
    history = await services.admin.history(services.config.team_id, 10)
    assert [(entry.action, entry.user_id) for entry in history] == [("cap", CAROL)] * 2

    await demo.side.fill_cap(ALICE)
    assert "$" in await demo.refused("a fourth fox")
    clock = await demo.side.jump("month")
    # Time goes on from there at once.
    assert clock.pop("now").startswith("2026-12-01T00:00:")
    assert clock == {"said": "Tuesday, 1 December 2026, 00:00", "timezone": "UTC"}
    await demo.picture("a fifth fox, in another month")
    assert await demo.side.fill_cap(ALICE) == {"ok": True, "filled": True}, "it was given back by then"


@pytest.mark.parametrize(("period", "days"), [(PeriodKind.month, 10), (PeriodKind.week, 2)])
async def test_a_filled_cap_is_given_back_with_its_period_however_the_time_goes_by(
    demo: Demo, period: PeriodKind, days: int
) -> None:
    services = demo.darkroom.services
    assert services is not None
    config, author = services.config, Author(services.config.team_id, CAROL, "key")
    own = SetCap(Person(ALICE), 5_000_000_000, period)
    await services.admin.change(own, author, config.caps, demo.clock.now())
    before, _ = await services.admin.policy(config.team_id)
    await demo.side.fill_cap(ALICE)
    for _day in range(days - 1):
        await demo.side.jump("day")
    assert demo.side.filled(ALICE)
    await demo.side.jump("day")
    assert not demo.side.filled(ALICE)
    after, _ = await services.admin.policy(config.team_id)
    assert after.caps == before.caps


async def test_when_the_month_ends_by_itself_a_filled_cap_is_given_back_and_the_page_looks(
    demo: Demo,
) -> None:
    notices: list[Json] = []
    demo.world.workspace.on_change.append(notices.append)
    going = asyncio.create_task(demo.side.go_on())
    await demo.side.fill_cap(ALICE)
    demo.clock.jump(datetime(2026, 11, 29, 12, tzinfo=UTC))
    for _moment in range(10):
        await asyncio.sleep(0)
    assert demo.side.filled(ALICE)
    demo.clock.jump(datetime(2026, 12, 1, tzinfo=UTC))
    await demo.world.workspace.until(lambda _: {"kind": "switch", "id": "fill_cap"} in notices, WAIT_S)
    assert not demo.side.filled(ALICE)
    going.cancel()


async def test_what_was_decided_for_a_person_comes_back_when_the_switch_is_off(demo: Demo) -> None:
    services = demo.darkroom.services
    assert services is not None
    config = services.config
    own, author = SetCap(Person(ALICE), 5_000_000_000, PeriodKind.week), Author(config.team_id, CAROL, "key")
    await services.admin.change(own, author, config.caps, demo.clock.now())
    before, _ = await services.admin.policy(config.team_id)
    await demo.side.fill_cap(ALICE)
    await demo.side.fill_cap(ALICE)
    after, _ = await services.admin.policy(config.team_id)
    assert after.caps == before.caps
    assert len(after.caps) == 1


async def test_when_the_demo_ends_no_cap_stays_filled_and_what_an_admin_decided_meanwhile_stays(
    demo: Demo,
) -> None:
    services = demo.darkroom.services
    assert services is not None
    config, clock = services.config, demo.clock
    await demo.side.fill_cap(ALICE)
    await demo.side.fill_cap(CAROL)
    decided, author = SetCap(Person(CAROL), 3_000_000_000), Author(config.team_id, CAROL, "key")
    await services.admin.change(decided, author, config.caps, clock.now())
    await demo.side.give_back()
    caps = [
        next(iter(await services.spend.balances(config.team_id, who, None, config.caps, clock.now())))
        for who in (ALICE, CAROL)
    ]
    assert [balance.cap_nano_usd for balance in caps] == [10_000_000_000, 3_000_000_000]


async def test_a_cap_that_cannot_be_filled_is_left_as_it_is(demo: Demo) -> None:
    services = demo.darkroom.services
    assert services is not None
    config, end = services.config, datetime(2026, 12, 24, tzinfo=UTC)
    reasons: list[Change] = [
        GiveGrant(Person(ALICE), 1_000_000_000, end),
        SetExempt(Person(ALICE), exempt=True),
    ]
    for number, change in enumerate(reasons):
        author = Author(config.team_id, CAROL, f"key {number}")
        await services.admin.change(change, author, config.caps, demo.clock.now())
        answer = await demo.side.fill_cap(ALICE)
        assert answer["ok"] is False
        assert answer["error"]


async def test_what_was_granted_is_told_apart_from_the_cap(demo: Demo) -> None:
    services = demo.darkroom.services
    assert services is not None
    config, end = services.config, datetime(2026, 12, 24, tzinfo=UTC)
    decided: list[Change] = [SetCap(Person(ALICE), 0), GiveGrant(Person(ALICE), 1_000_000_000, end)]
    for number, change in enumerate(decided):
        author = Author(config.team_id, CAROL, f"key {number}")
        await services.admin.change(change, author, config.caps, demo.clock.now())
    books = await demo.settled(await demo.picture("a red fox in snow"))
    person = books["budgets"][0]
    charged = Decimal(person["charged_usd"])
    assert charged > 0
    assert [Decimal(person[name]) for name in ("cap_usd", "granted_usd")] == [0, 1]
    assert [Decimal(person[name]) for name in ("drawn_usd", "left_usd")] == [charged, 1 - charged]


async def test_time_jumps_for_everybody_and_is_told_in_words(demo: Demo) -> None:
    workspace = demo.world.workspace
    now = demo.clock.now()
    await demo.side.jump("hour")
    await demo.side.jump("day")
    passed = (demo.clock.now() - now).total_seconds()
    assert 25 * 3600 <= passed < 25 * 3600 + WAIT_S
    posted = await workspace.post("alice", "design", "// tomorrow")
    assert float(posted.ts) == pytest.approx(demo.clock.unix(), abs=WAIT_S)


async def test_a_picture_under_way_is_finished_whatever_time_it_has_become_and_nobody_is_told_it_is_late(
    demo: Demo, caplog: pytest.LogCaptureFixture
) -> None:
    finished = threading.Event()

    def held(order: Order) -> bytes:
        finished.wait(WAIT_S)
        return quick(order)

    demo.world.images.seconds_per_picture, demo.world.images.painter = 1, held
    calls = demo.world.images.calls
    making = asyncio.create_task(demo.picture("a red fox in snow"))
    await demo.world.workspace.until(lambda _: [call for call in calls if call.response_id], WAIT_S)
    await demo.side.jump("month")
    assert not making.done()
    worker, heart = demo.darkroom.worker, demo.darkroom.heart
    assert worker is not None
    assert heart is not None
    assert len(worker.pulse()[2]) == 1, "it seems to stand still"
    await heart.beat()
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []
    finished.set()
    message = await making
    (attempt,) = (await demo.settled(message))["attempts"]
    assert attempt["state"] == "settled"
    assert [call.endpoint for call in calls] == ["responses"]


async def test_when_the_month_has_gone_by_its_report_comes_by_itself(demo: Demo) -> None:
    await demo.picture("a red fox in snow")
    await demo.side.jump("month")
    workspace = demo.world.workspace
    room = workspace.dm(CAROL, workspace.bot_user_id)
    found = await workspace.until(
        lambda _: next((m for m in room.messages.values() if "November" in f"{m.text}{m.blocks}"), None),
        WAIT_S,
    )
    assert found.user == workspace.bot_user_id


async def test_where_pictures_are_real_the_time_cannot_be_moved(tmp_path: Path) -> None:
    clock = DemoClock(START)
    side = DemoSide(Workspace(now=clock.unix), clock, Real(images=True, words="Pictures cost real money."))
    await side.jump("month")
    assert clock.now().month == 11
    assert side.real() == {"images": True, "words": "Pictures cost real money."}
    answer = await side.fill_cap(ALICE)
    assert (answer["ok"], "try again" in answer["error"]) == (False, True)


async def test_where_time_ends_it_jumps_no_further() -> None:
    clock = DemoClock(datetime(8999, 12, 31, 12, tzinfo=UTC))
    side = DemoSide(Workspace(now=clock.unix), clock)
    too_far: list[Jump] = ["month", "day"]
    for to in too_far:
        answer = await side.jump(to)
        assert (answer["ok"], "9000" in answer["error"]) == (False, True)
    assert "said" in await side.jump("hour")
    assert clock.now().hour == 13


async def test_what_waits_for_an_account_without_money_goes_on_when_an_hour_has_gone_by(demo: Demo) -> None:
    switches, workspace = demo.world.hood.switches, demo.world.workspace
    await switches.use("closed", True, ALICE)
    making = asyncio.create_task(demo.picture("a red fox in snow"))
    await workspace.until(lambda _: [call for call in demo.world.images.calls if call.status == 429], WAIT_S)
    admin = workspace.dm(CAROL, workspace.bot_user_id)
    await workspace.until(lambda _: [m for m in admin.messages.values() if "no money left" in m.text], WAIT_S)
    await switches.use("closed", False, ALICE)
    await demo.side.jump("hour")
    await making
