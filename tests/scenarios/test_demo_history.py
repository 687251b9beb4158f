"""The month before the demo begins: what its people find, and what it has cost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.app import Darkroom, Overrides
from bot.cli import demo_history
from bot.cli.demo_clock import DemoClock
from bot.cli.demo_history import MONTH, play
from bot.cli.demo_stage import StageProblem
from bot.cli.world import app_shortcuts, start_world
from bot.settings import plain_settings
from sandbox.images.api import ImageApi
from sandbox.slack.workspace import Workspace
from tests.sandbox_images.support import quick
from tests.scenarios.story import Easel, Ledger, Town

CAROL = "U0ADMIN001"
NEW_YEAR = datetime(datetime.now(UTC).year + 1, 1, 1, 0, 10, tzinfo=UTC)
"""The next one: who plays what has long been over comes out at the real present."""


@dataclass
class Past:
    """A town, its clock, and how its image API was before."""

    town: Town
    clock: DemoClock


@pytest.fixture
async def past(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Past]:
    """A Darkroom a month before, with an empty workspace. A month of the calendar ends while it is played;
    the one before this moment is played by every demo that begins (``tests/sandbox_keeping``)."""
    monkeypatch.setattr(demo_history, "paint", quick)
    clock = DemoClock(NEW_YEAR - MONTH)
    workspace = Workspace(now=clock.unix, sleep=clock.sleep, shortcuts=app_shortcuts())
    images = ImageApi(now=clock.unix, sleep=clock.sleep, seconds_per_picture=3.0)
    world = await start_world(workspace, images)
    settings = plain_settings(world.settings() | {"slack.admins": (CAROL,), "storage.data_dir": tmp_path})
    darkroom = Darkroom(settings, create_data=True, overrides=Overrides(clock=clock))
    await darkroom.start()
    yield Past(Town(world, darkroom, Easel(), tmp_path), clock)
    await darkroom.aclose()
    await world.close()
    await workspace.close()


@pytest.mark.proof
async def test_a_month_of_three_peoples_pictures_and_talk_ends_in_the_present(past: Past) -> None:
    town, workspace = past.town, past.town.workspace
    began = past.clock.now()
    first = await play(workspace, town.images, town.darkroom, past.clock)
    await town.rests()
    passed = past.clock.now() - began
    assert MONTH <= passed < 2 * MONTH
    assert past.clock.rate == 1.0
    assert (town.images.seconds_per_picture, workspace.file_processing_s) == (3.0, 0.3)
    assert town.images.painter is quick

    # The thread that is open at first: a branch, a variation, and pictures in full size.
    thread = await town.thread_of(first.root, first.channel)
    made = thread.versions
    assert [picture.came_from for picture in made.values()] == [(1, None), (2, 1), (3, 1), (4, 3)]
    assert {picture.asker for picture in made.values()} == {town.alice.id, town.bob.id}
    assert {workspace.files[picture.file_id].width for picture in made.values()} == {1024}
    assert any("A variation of this picture" in picture.alt for picture in made.values())
    # One of its pictures is shared, and a cap has stopped another; its person was granted more.
    shared = [m for m in town.messages("general") if "shared a picture" in m.text]
    shown = [block["slack_file"]["id"] for m in shared for block in m.blocks if block["type"] == "image"]
    assert [workspace.files[file].sha256 for file in shown] == [thread.sha256(3)]
    assert [reason for outcome, reason in town.ledger.turns() if outcome == "declined"] == ["no_money"]
    assert any("granted you $5.00" in said for said in town.bob.private())

    # Three people have spent in several weeks, and talk beside it bought nothing.
    ledger = Ledger(town.ledger.data_dir)
    spent = ledger.rows("SELECT user_id, COUNT(*) AS turns FROM turns WHERE outcome = 'pictures' GROUP BY 1")
    assert {row["user_id"] for row in spent} == {town.alice.id, town.bob.id, town.carol.id}
    # One of them wanted two pictures.
    assert sum(row["turns"] for row in spent) == len(town.calls) - 1
    days = {float(m.ts) // 86_400 for room in workspace.channels.values() for m in room.messages.values()}
    assert len(days) >= 8
    assert set(ledger.turns()) == {("pictures", "pictures"), ("declined", "no_money")}
    ledger.holds_nothing()
    billed = [nano for items in town.images.bill.kept().values() for _, nano in items.values()]
    assert ledger.charged() == sum(billed) > 0
    # Everything was seen before the present began.
    newest = max(only.ts for name in ("alice", "bob", "carol") for only in workspace.ephemerals_for(name))
    assert float(newest) < (began + MONTH).timestamp()


async def test_a_history_that_stops_leaves_a_demo_in_the_present(
    past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(stage: object) -> None:
        raise StageProblem("nothing came")

    monkeypatch.setattr(demo_history, "ACTS", (demo_history.the_boat, breaks))
    town, began = past.town, past.clock.now()
    with pytest.raises(StageProblem):
        await play(town.workspace, town.images, town.darkroom, past.clock)
    assert past.clock.now() - began >= MONTH
    assert town.images.seconds_per_picture == 3.0
