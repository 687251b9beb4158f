"""Each error on each method that a delivery calls, over real HTTP: no picture is lost, or seen twice."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.handlers.slack_matrix import FOR_EVER, SCENES, TROUBLES, WHOLE, Scene, Stage, stage, whole

pytestmark = pytest.mark.slow

LASTING = [(scene, FOR_EVER) for scene in SCENES]
ONCE = [(scene, 1) for scene in SCENES if scene.method.startswith(("chat.post", "files.c", "conv"))]

GONE = {"not_in_channel", "channel_not_found", "is_archived", "message_not_found"}


@pytest.fixture
async def here() -> AsyncIterator[Stage]:
    """A workspace on a port of its own."""
    async with stage() as made:
        yield made


@pytest.mark.parametrize(("scene", "times"), LASTING + ONCE)
async def test_the_picture_is_seen_once_whatever_a_method_answers(
    here: Stage, scene: Scene, times: int
) -> None:
    """While the trouble lasts, or after it has passed."""
    wrong = {}
    for trouble in TROUBLES:
        seen = await here.play(scene, trouble, times)
        # Nobody can take away what stands where they are no more, nor a reaction that Slack keeps.
        may_stay = trouble.name in GONE or scene.method == "reactions.remove"
        if (seen.times, seen.told) != (1, True) or (seen.working and not may_stay):
            wrong[trouble.name] = seen
    assert wrong == {}


async def test_where_everything_is_in_trouble_it_takes_the_way_that_is_open_and_else_waits() -> None:
    seen = await whole()
    place, thread = (
        [one for one in WHOLE if "in its channel" in one],
        [one for one in WHOLE if "thread" in one],
    )
    assert {name: seen[name].words for name in place} == dict.fromkeys(place, "DM")
    assert {name: seen[name].words for name in thread} == dict.fromkeys(thread, "channel")
    assert seen.pop("a file that is never processed").words == "thread, as a file"
    rest = seen.keys() - {*place, *thread}
    assert {name: seen[name].words for name in rest} == dict.fromkeys(rest, "kept, then thread")
    assert {(one.times, one.told) for one in seen.values()} == {(1, True)}
    # Where Darkroom is no more it cannot take anything away.
    assert {name for name, one in seen.items() if one.working} <= set(place)
