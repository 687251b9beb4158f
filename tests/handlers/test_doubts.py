"""A placeholder that Slack posts when nobody waits for its answer any more does not stay beside the other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import Turn
from darkroom.turns.surroundings import Undeliverable
from handlers.delivery import LEFT
from handlers.doubts import DOUBTS_MAX, Doubts
from sandbox.faults.rules import FaultPlan, Rule
from tests.examples import command, turn
from tests.handlers.support import FakeSlack, later, refused, unclear
from tests.handlers.test_delivery import ROOT, TIRED, Post
from tests.matrix.street import DESIGN, Street, on_street
from tests.simulation.checks import is_opening

ASKER = "U0ALICE001"
LATE = "1763640099.000100"
"""A placeholder that came when another stood already."""


async def _posted_twice(of: Turn | None = None) -> Post:
    """A delivery whose first post had no answer, and was neither found nor done before the second."""
    post = Post(of or turn())
    post.slack.faults["post_message"] = [unclear()]
    post.slack.faults["post_private"] = [unclear()]
    assert await post.placeholder() is None
    return post


def _comes_late(post: Post) -> None:
    post.slack.openings.setdefault("turn_1", []).append(LATE)


def _deleted(slack: FakeSlack) -> list[str]:
    return [call.said["ts"] for call in slack.named("delete_message")]


async def test_when_the_picture_is_there_the_late_one_goes_and_the_noted_one_says_so() -> None:
    post = await _posted_twice()
    noted = post.notes.turn.placeholder_ts
    _comes_late(post)
    await post.deliver()
    assert post.order()[-3:] == ["update_message", "find_openings", "delete_message"]
    assert post.slack.only("update_message").said["ts"] == noted
    assert _deleted(post.slack) == [LATE]


async def test_without_a_picture_both_go() -> None:
    post = await _posted_twice()
    _comes_late(post)
    post.notes.turn = replace(post.notes.turn, ending=Ending(Outcome.FAILED, Reason.BROKEN))
    await post.tell()
    assert _deleted(post.slack) == [post.notes.turn.placeholder_ts, LATE]


async def test_one_in_a_direct_message_goes_too() -> None:
    post = await _posted_twice(turn(replace(command(), private=True)))
    post.slack.calls.clear()
    _comes_late(post)
    await post.deliver()
    assert LATE in _deleted(post.slack)
    assert post.notes.turn.placeholder_ts not in _deleted(post.slack)


async def test_one_that_came_after_slack_was_given_up_goes_with_the_refusal() -> None:
    """Nothing was bought, and no placeholder is known at all."""
    post = Post(turn(), FakeSlack(faults={"post_message": [unclear()] * TIRED}))
    ending = await post.placeholder()
    post.slack.openings["turn_1"] = [LATE]
    post.notes.turn = replace(post.notes.turn, ending=ending)
    await post.tell()
    assert _deleted(post.slack) == [LATE]


async def test_an_answer_in_the_channel_is_no_placeholder() -> None:
    """It stands there where its thread is gone, and carries the turn as well."""
    post = await _posted_twice()
    words = Ending(Outcome.WORDS, Reason.WORDS, {"words": "Which fox?"})
    post.notes.turn = replace(post.notes.turn, ending=words)
    post.slack.faults["post_message"] = [refused("thread_not_found")]
    await post.tell()
    assert post.slack.named("post_message")[-1].said["thread_ts"] is None
    assert post.notes.turn.message_ts in post.slack.openings["turn_1"]
    assert post.slack.named("find_openings")
    assert _deleted(post.slack) == []


async def test_who_had_an_answer_is_not_looked_for() -> None:
    for slack in (FakeSlack(), FakeSlack(after={"post_message": [unclear()]})):
        post = Post(turn(), slack)
        await post.placeholder()
        await post.deliver()
        assert post.slack.named("find_openings") == []


async def test_where_slack_does_not_say_what_stands_it_is_asked_when_the_rest_is_closed() -> None:
    post = await _posted_twice()
    _comes_late(post)
    post.slack.faults["find_openings"] = [refused("token_revoked")]
    with pytest.raises(Undeliverable, match=f"{LEFT}token_revoked"):
        await post.deliver()
    post.slack.faults["delete_message"] = [refused("token_revoked")]
    with pytest.raises(Undeliverable, match=f"{LEFT}token_revoked"):
        await post.deliver()
    await post.deliver()
    assert _deleted(post.slack) == [LATE]
    assert len(post.slack.named("upload")) == 1


@pytest.mark.parametrize("error", ["missing_scope", "channel_not_found"])
async def test_where_it_may_not_be_looked_for_that_keeps_nobody_waiting(error: str) -> None:
    post = await _posted_twice()
    post.slack.faults["find_openings"] = [refused(error)]
    await post.deliver()
    assert post.notes.turn.placeholder_closed_at is not None


async def test_after_a_restart_nobody_knows_who_was_in_doubt_and_one_look_is_taken_without_waiting() -> None:
    for trouble in (None, unclear("conversations.history"), refused("token_revoked")):
        post = Post(turn(placeholder_ts=ROOT, thread_ts=ROOT, created_at=later(-60)))
        post.slack.openings["turn_1"] = [ROOT, LATE]
        post.slack.faults["find_openings"] = [trouble]
        await post.deliver()
        assert _deleted(post.slack) == ([LATE] if trouble is None else [])
        assert post.clock.slept == []
    busy = Post(turn(placeholder_ts=ROOT, thread_ts=ROOT, created_at=later(-60)))
    busy.slack.held_s["find_openings"] = 0.1
    await busy.deliver()
    assert busy.notes.turn.placeholder_closed_at is not None


@pytest.mark.parametrize("options", ["", " --private"])
def test_where_slack_posts_it_after_its_answer_was_given_up_one_message_is_left(options: str) -> None:
    """The second stands already when the first comes, and the picture follows both."""

    async def story(street: Street) -> tuple[int, list[str]]:
        slow = Rule("slack", "chat.postMessage", "slow", times=1, args={"seconds": 35.0})
        street.workspace.fault_plan = FaultPlan([slow])
        await street.workspace.type_command(ASKER, DESIGN, f"/imagine a red fox in snow{options}")
        await street.passes(36.0)
        at_first = sum(map(is_opening, street.ours()))
        await street.rests()
        return at_first, [one.text for one in street.ours() if one.thread_ts in (None, one.ts)]

    at_first, left = on_street(story)
    assert at_first == 2
    assert ["Done" in text for text in left] == [True]


def test_doubts_are_bounded_and_the_newest_stay() -> None:
    doubts = Doubts()
    for number in range(DOUBTS_MAX + 1):
        doubts.add(f"turn_{number}")
    assert "turn_0" not in doubts
    assert "turn_1" in doubts
    doubts.add("turn_1")
    doubts.add("another")
    assert "turn_1" in doubts
    assert "turn_2" not in doubts
    doubts.forget("turn_1")
    assert "turn_1" not in doubts
