"""Slack, image API and time of a demo are kept and brought back together."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest

from bot.cli import Refused
from bot.cli.demo_clock import DemoClock
from bot.cli.demo_keeping import kept_demo, let_go
from sandbox.images.api import ImageApi
from sandbox.slack.workspace import Workspace
from tests.sandbox_images.support import KEY, quick_api, request
from tests.sandbox_keeping.used import DESIGN


async def test_a_time_that_was_jumped_to_is_still_there_and_what_was_said_at_it(tmp_path: Path) -> None:
    clock = DemoClock()
    workspace, images = Workspace(now=clock.unix, sleep=clock.sleep), ImageApi(now=clock.unix)
    keeper = kept_demo(tmp_path, workspace, images, clock)
    keeper.begin()
    later = clock.jump(datetime.now(UTC) + timedelta(days=40))
    said = await workspace.post("alice", DESIGN, "next month")
    await let_go(keeper)

    clock = DemoClock()
    workspace = Workspace(now=clock.unix, sleep=clock.sleep)
    keeper = kept_demo(tmp_path, workspace, ImageApi(now=clock.unix), clock)
    keeper.begin()
    assert clock.now() >= later
    assert workspace.message(DESIGN, said.ts).text == "next month"
    assert (await workspace.post("alice", DESIGN, "and after that")).ts > said.ts
    await let_go(keeper)


async def test_a_change_is_on_the_disk_a_moment_later(tmp_path: Path) -> None:
    clock = DemoClock()
    workspace, images = Workspace(now=clock.unix, sleep=clock.sleep), ImageApi(now=clock.unix)
    keeper = kept_demo(tmp_path, workspace, images, clock)
    keeper.begin()
    await keeper.settled()
    said = await workspace.post("alice", DESIGN, "hello")
    await keeper.settled()
    assert said.ts in keeper.folder.state.read_text()
    images.asked["a red fox"] = 1
    images.forget()
    await keeper.settled()
    assert json.loads(keeper.folder.state.read_text())["images"]["asked"] == {"a red fox": 1}
    await let_go(keeper)


async def test_only_what_is_kept_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = DemoClock()
    workspace, images = Workspace(now=clock.unix, sleep=clock.sleep), quick_api(now=clock.unix)
    keeper, heard = kept_demo(tmp_path, workspace, images, clock), list[str]()
    monkeypatch.setattr(keeper, "_changed", Mock(set=lambda: heard.append("stirred")))
    for kind in ("hood", "ledger", "socket"):
        workspace.changed({"kind": kind})
    await workspace.call("auth.test", {}, workspace.bot_token)
    await images.models(KEY)
    assert heard == []
    workspace.scopes |= {"im:write"}
    await workspace.call("conversations.open", {"users": "U0BOB00001"}, workspace.bot_token)
    assert heard.pop() == "stirred"
    ticket = {"filename": "fox.png", "length": 3}
    await workspace.call("files.getUploadURLExternal", ticket, workspace.bot_token)
    assert heard.pop() == "stirred"
    await workspace.post("alice", DESIGN, "hello")
    assert heard.pop() == "stirred"
    heard.clear()
    answer = await images.create_response(request("a red fox"), KEY)
    assert heard
    heard.clear()
    assert answer.body is not None
    await images.retrieve_response(answer.body["id"], KEY)
    assert heard == []
    await images.delete_response(answer.body["id"], KEY)
    assert heard
    heard.clear()
    await images.generate_images({"model": "gpt-image-2", "prompt": "a red fox"}, KEY)
    assert heard == ["stirred"]
    monkeypatch.undo()
    await let_go(keeper)


@pytest.mark.parametrize("time", ["soon", None, True, 1e300, float("nan"), 253_402_300_799])
async def test_a_time_that_is_none_is_refused_and_left_alone(tmp_path: Path, time: object) -> None:
    clock = DemoClock()
    workspace, images = Workspace(now=clock.unix, sleep=clock.sleep), ImageApi(now=clock.unix)
    keeper = kept_demo(tmp_path, workspace, images, clock)
    keeper.begin()
    await let_go(keeper)
    file = tmp_path / "sandbox" / "state.json"
    file.write_text(spoiled := json.dumps(json.loads(file.read_text()) | {"clock": time}))
    with pytest.raises(Refused, match="is no time"):
        kept_demo(tmp_path, workspace, images, clock)
    assert file.read_text() == spoiled


async def test_where_nothing_can_be_written_it_is_said(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("no folder")
    clock = DemoClock()
    with pytest.raises(Refused, match="Nothing can be kept in"):
        kept_demo(place, Workspace(), ImageApi(), clock)


async def test_two_demos_cannot_keep_one_folder(tmp_path: Path) -> None:
    clock = DemoClock()
    keeper = kept_demo(tmp_path, Workspace(), ImageApi(), clock)
    keeper.begin()
    with pytest.raises(Refused, match="Another demo is running with"):
        kept_demo(tmp_path, Workspace(), ImageApi(), clock)
    await let_go(keeper)
    await let_go(kept_demo(tmp_path, Workspace(), ImageApi(), clock))
