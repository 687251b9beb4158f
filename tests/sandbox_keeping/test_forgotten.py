"""Slack and the image API were killed a while after they last kept anything: Darkroom's books know more."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.app import Darkroom
from bot.cli.world import start_world
from bot.settings import plain_settings
from sandbox.images.api import ImageApi
from sandbox.images.keeping import ImagesKept
from sandbox.keeping.folder import Folder
from sandbox.slack.keeping import WorkspaceKept
from sandbox.slack.workspace import Workspace
from tests.scenarios.story import Easel, Thread, Town, close_town, open_town

pytestmark = pytest.mark.slow


def keep(place: Path, town: Town) -> None:
    """Write Slack and the image API as they are."""
    folder = Folder(place)
    shelf = folder.shelf()
    kept = {"slack": WorkspaceKept(town.workspace).kept(shelf), "images": ImagesKept(town.images).kept(shelf)}
    folder.write(folder.pack(kept, shelf))


async def another_day(place: Path, before: Town) -> Town:
    """The same Darkroom in the Slack that was kept."""
    folder = Folder(place)
    state = folder.read()
    assert state is not None
    workspace, images = Workspace(file_processing_s=0.0), ImageApi(seconds_per_picture=0.0)
    WorkspaceKept(workspace).restore(state["slack"], folder.fetch)
    ImagesKept(images).restore(state["images"], folder.fetch)
    world = await start_world(workspace, images)
    settings = plain_settings(world.settings() | {"storage.data_dir": before.ledger.data_dir})
    darkroom = Darkroom(settings)
    await darkroom.start()
    return Town(world, darkroom, Easel(), before.ledger.data_dir)


async def test_what_slack_has_forgotten_stops_nobody(tmp_path: Path) -> None:
    kept = tmp_path / "sandbox"
    town = await open_town(tmp_path / "data")
    thread = await town.alice.imagines("a red fox in snow")
    await thread.version(1)
    await town.rests()
    keep(kept, town)
    await town.alice.replies(thread, "make it night")
    await thread.version(2)
    lost = await town.alice.imagines("a blue cat", "general")
    await lost.version(1)
    await town.alice.opens_home()
    await town.rests()
    await close_town(town)

    town = await another_day(kept, town)
    thread = Thread(town, town.workspace.channel_named("design"), thread.root)
    assert list(thread.versions) == [1]
    assert town.messages("general") == []
    await town.alice.replies(thread, "add a tree")
    third = await thread.version(3)
    assert third.parent == 2
    # In Home stand pictures whose files Slack does not know.
    assert "a blue cat" in str(await town.alice.opens_home())
    await town.alice.types("/imagine last")
    await town.alice.is_told("a blue cat")
    on = await town.bob.imagines("a green dog", "general")
    await on.version(1)
    await town.rests()
    await close_town(town)
