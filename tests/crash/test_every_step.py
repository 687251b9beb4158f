"""A real process is killed with SIGKILL at every step that it takes, and keeps its promises all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.bots import Nursery
from tests.crash.recovering import WRECKS, first_start, play_recovery, play_redelivery
from tests.crash.steps import play_all, points_of
from tests.crash.stories import STORIES, Story

SAMPLE = 30
COMMAND = STORIES[0]
BROUGHT = [story for story in STORIES if story.name in ("a command", "two pictures at once")]
INTERRUPTED = [story for story in STORIES if story.name in ("a command", "a reply that edits")]


@pytest.mark.slow
async def test_killed_at_some_steps_of_a_command(forks: Nursery, tmp_path: Path) -> None:
    """A sample of what the proof does for all steps."""
    points = (await points_of(forks, COMMAND, tmp_path / "dry"))[::SAMPLE]
    played = await play_all(forks, COMMAND, points, tmp_path)
    assert played.broken == []
    assert played.died == len(points) > 3


@pytest.mark.proof
@pytest.mark.alone
@pytest.mark.timeout(600)
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
async def test_killed_at_every_step_it_is_as_if_it_had_not_been_or_uncertain(
    forks: Nursery, tmp_path: Path, table: dict[str, int], story: Story
) -> None:
    points = await points_of(forks, story, tmp_path / "dry")
    table[story.name] = len(points)
    played = await play_all(forks, story, points, tmp_path)
    assert played.broken == []
    assert played.outlived == [], "no death at these steps"
    assert played.died == len(points)


@pytest.mark.proof
@pytest.mark.alone
@pytest.mark.timeout(600)
@pytest.mark.parametrize("wreck", range(WRECKS))
@pytest.mark.parametrize("story", INTERRUPTED, ids=lambda story: story.name)
async def test_killed_again_at_every_step_of_taking_up_what_was_left(
    forks: Nursery, tmp_path: Path, table: dict[str, int], story: Story, wreck: int
) -> None:
    played = await play_recovery(forks, story, wreck, tmp_path)
    table[f"recovery {wreck + 1} of {story.name}"] = played.points
    assert played.broken == []
    assert played.outlived == [], "no death at these steps"
    assert played.died == played.points


@pytest.mark.proof
@pytest.mark.alone
@pytest.mark.timeout(600)
@pytest.mark.parametrize("story", BROUGHT, ids=lambda story: story.name)
async def test_killed_at_every_step_of_bringing_what_slack_had_not_taken(
    forks: Nursery, tmp_path: Path, table: dict[str, int], story: Story
) -> None:
    played = await play_redelivery(forks, story, tmp_path)
    table[f"bringing {story.name} after all"] = played.points
    assert played.broken == []
    assert played.outlived == [], "no death at these steps"
    assert played.died == played.points


@pytest.mark.proof
@pytest.mark.alone
@pytest.mark.timeout(300)
async def test_killed_at_every_step_of_the_first_start(
    forks: Nursery, tmp_path: Path, table: dict[str, int]
) -> None:
    """Before and while the database is made: the next start makes it, and a picture."""
    played = await first_start(forks, COMMAND, tmp_path)
    table["a first start"] = played.points
    assert played.broken == []
    assert played.died == played.points > 20
