"""What waits says what for: in its placeholder, or to its person alone; with a way to call it off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.rendering.job import Endpoint
from darkroom.spending.catalogue import load_catalogue
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import PassedOver, Request, Surface, Turn
from darkroom.turns.outages import Trouble
from darkroom.turns.waiting import Wait, WaitFor
from handlers.blocks.answers import REWORD_ACTION
from handlers.blocks.placeholder import CANCEL_ACTION
from handlers.blocks.text import Block
from handlers.words_waiting import ordinal, wait_words
from tests.examples import BOB, DESIGN, NOON, command, message, turn
from tests.handlers.gallery import attempt
from tests.handlers.support import FakeSlack, ended, later, refused, unclear
from tests.handlers.test_delivery import MANNER, REPLY, ROOT, Post, asked, reply

AT_MOST = 80_000_000
THIRD = Wait(WaitFor.PLACE, 2)
NEXT = Wait(WaitFor.PLACE)
THREAD = Wait(WaitFor.THREAD, 1)
MONEY = Wait(WaitFor.MONEY)
RATE = Wait(WaitFor.RATE, 0, until=later(37), per_minute=5)
QUOTA = Wait(WaitFor.API, 3, Trouble.QUOTA, later(290))
FAILING = Wait(WaitFor.API, 0, Trouble.FAILING)
PRESSED = replace(reply(), surface=Surface.BUTTON, message_ts=None)


@pytest.mark.parametrize(
    ("wait", "words"),
    [
        (NEXT, "next in line"),
        (THIRD, "3rd in line"),
        (THREAD, "what was asked before it in this thread is made first"),
        (MONEY, "other pictures have to be finished first"),
        (RATE, "OpenAI lets this account make 5 pictures a minute; this one is next in line, in about 40 s"),
        (
            Wait(WaitFor.RATE, 10),
            "OpenAI lets this account make only so many pictures a minute; this one is 11th in line",
        ),
        (
            QUOTA,
            "the OpenAI account has no money left or has reached its limit; the request keeps its place (4th "
            "in line), and I go on by myself as soon as it works; the next try is in about 5 min",
        ),
        (
            FAILING,
            "OpenAI fails call after call at the moment; the request keeps its place, and I go on by myself "
            "as soon as it works",
        ),
    ],
)
def test_what_it_waits_for_is_said_with_its_place_and_when_it_is_known(wait: Wait, words: str) -> None:
    assert wait_words(wait, NOON) == words


def test_places_are_counted_in_words() -> None:
    first = "1st 2nd 3rd 4th 5th 6th 7th 8th 9th 10th 11th 12th 13th 14th 15th 16th 17th 18th 19th 20th 21st"
    assert " ".join(ordinal(number) for number in range(1, 22)) == first
    assert [ordinal(number) for number in (102, 111, 1_003, 1_112)] == [
        "102nd",
        "111th",
        "1,003rd",
        "1,112th",
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-60, "in a moment"),
        (6, "in about 10 s"),
        (41, "in about 50 s"),
        (60, "in about 60 s"),
        (61, "in about 2 min"),
        (3_600, "in about 1 h"),
        (86_400, "in about 24 h"),
    ],
)
def test_a_time_is_said_in_steps_and_never_in_the_past(seconds: int, words: str) -> None:
    assert wait_words(replace(RATE, until=later(seconds)), NOON).endswith(words)


@given(st.sampled_from(WaitFor), st.integers(0, 10**6), st.sampled_from([None, *Trouble]), st.integers(-9, 9))
def test_every_wait_has_its_words(why: WaitFor, ahead: int, trouble: Trouble | None, hours: int) -> None:
    words = wait_words(Wait(why, ahead, trouble, NOON + timedelta(hours=hours)), NOON)
    assert 0 < len(words) < 400
    assert "None" not in words


def button(blocks: Sequence[Block]) -> tuple[str, str] | None:
    """The action and the value of the one button, if there is any."""
    found = [one for block in blocks if block["type"] == "actions" for one in block["elements"]]
    assert len(found) <= 1
    return (found[0]["action_id"], found[0]["value"]) if found else None


async def shown_at_first(of: Turn, wait: Wait | None, slack: FakeSlack | None = None) -> Post:
    post = Post(of, slack)
    assert await post.delivery.placeholder(post.notes.turn, AT_MOST, post.notes, wait) is None
    return post


async def show(post: Post, *waits: Wait | None) -> None:
    for wait in waits:
        await post.delivery.show_wait(post.notes.turn, AT_MOST, wait)


async def test_a_placeholder_says_its_place_in_line_and_has_a_way_to_call_it_off() -> None:
    post = await shown_at_first(turn(command("a <!channel> fox", user=BOB)), THIRD)
    said = post.slack.only("post_message").said
    assert said["text"] == (
        "Bob &lt;!channel&gt; asked Darkroom for a picture: a &lt;!channel&gt; fox. Waiting: 3rd in line. It "
        "costs at most $0.08. The button “Cancel” calls it off; then nothing is charged."
    )
    assert button(said["blocks"]) == (CANCEL_ACTION, "turn_1")
    assert "Waiting: 3rd in line · at most $0.08" in str(said["blocks"])


async def test_a_placeholder_is_changed_as_it_comes_nearer_and_says_in_the_end_that_it_is_worked_on() -> None:
    post = await shown_at_first(turn(command()), THIRD)
    await show(post, NEXT, None)
    first, last = post.slack.named("update_message")
    assert first.said["ts"] == post.notes.turn.placeholder_ts
    assert "Waiting: next in line." in first.text
    assert button(first.said["blocks"]) == (CANCEL_ACTION, "turn_1")
    assert last.text.endswith("Working on it; it costs at most $0.08.")
    assert button(last.said["blocks"]) is None


async def test_what_need_not_wait_has_nothing_to_press() -> None:
    post = await shown_at_first(turn(command()), None)
    assert button(post.slack.only("post_message").said["blocks"]) is None


@pytest.mark.parametrize("fault", [refused("message_not_found", "chat.update"), unclear("chat.update")])
async def test_a_placeholder_that_cannot_be_changed_is_left_after_one_try(fault: Exception) -> None:
    post = Post(asked(), FakeSlack(faults={"update_message": [fault]}))
    await show(post, THIRD)
    assert post.order() == ["update_message refused"]
    assert post.clock.slept == []


@pytest.mark.parametrize("changes", [{"placeholder_ts": None}, {"placeholder_closed_at": NOON}])
async def test_a_placeholder_that_does_not_stand_is_not_changed(changes: dict[str, object]) -> None:
    post = Post(replace(asked(), **changes))  # type: ignore[arg-type]  # fields by name
    await show(post, THIRD, None)
    assert post.order() == []


@pytest.mark.parametrize("wait", [THIRD, MONEY, RATE, QUOTA])
async def test_a_reply_that_waits_for_more_than_its_thread_is_told_so_alone_in_its_thread(wait: Wait) -> None:
    post = await shown_at_first(turn(reply()), wait)
    assert post.order() == ["add_reaction", "post_ephemeral"]
    said = post.slack.only("post_ephemeral").said
    assert (said["channel"], said["thread_ts"]) == (DESIGN, ROOT)
    assert said["text"] == (
        f"Your request waits (bluer): {wait_words(wait, NOON)}. It costs at most $0.08. The button “Cancel” "
        "calls it off; then nothing is charged."
    )
    assert button(said["blocks"]) == (CANCEL_ACTION, "turn_1")


async def test_a_reply_that_only_waits_for_its_thread_has_its_reaction() -> None:
    post = await shown_at_first(turn(reply()), THREAD)
    await show(post, THREAD, None)
    assert post.order() == ["add_reaction"]


async def test_what_cannot_be_changed_is_said_once_in_the_line_and_once_for_each_trouble() -> None:
    post = await shown_at_first(turn(reply()), THIRD)
    await show(post, NEXT, RATE, MONEY, QUOTA, QUOTA, FAILING, THIRD, None, THIRD)
    said = [call.text for call in post.slack.named("post_ephemeral")]
    assert [text.partition(": ")[2][:12] for text in said] == ["3rd in line.", "the OpenAI a", "OpenAI fails"]


async def test_a_mention_on_top_level_is_told_outside_the_thread_that_it_may_open() -> None:
    post = await shown_at_first(turn(message("a fox", REPLY, REPLY, surface=Surface.MENTION)), THIRD)
    assert post.slack.only("post_ephemeral").said["thread_ts"] is None


async def test_whoever_pressed_a_button_reads_that_it_waits_in_place_of_that_it_is_worked_on() -> None:
    post = await shown_at_first(turn(PRESSED), THIRD)
    said = post.slack.only("post_ephemeral").said
    assert "3rd in line" in said["text"]
    assert button(said["blocks"]) == (CANCEL_ACTION, "turn_1")
    thread = await shown_at_first(turn(PRESSED), THREAD)
    assert thread.slack.only("post_ephemeral").text.startswith("Working on it: 1 picture")


@pytest.mark.parametrize("fault", [refused("user_not_in_channel", "chat.postEphemeral"), unclear()])
async def test_who_cannot_be_told_that_it_waits_has_their_picture_made_all_the_same(fault: Exception) -> None:
    post = await shown_at_first(turn(reply()), THIRD, FakeSlack(faults={"post_ephemeral": [fault]}))
    assert post.order() == ["add_reaction", "post_ephemeral refused"]
    assert post.clock.slept == []


async def test_a_message_that_is_gone_is_told_nothing() -> None:
    gone = [refused("message_not_found", "reactions.add")] * 3
    post = Post(turn(reply()), FakeSlack(faults={"add_reaction": list(gone)}))
    ending = await post.delivery.placeholder(post.notes.turn, AT_MOST, post.notes, THIRD)
    assert ending == Ending(Outcome.CANCELLED, Reason.TAKEN_BACK)
    assert post.slack.named("post_ephemeral") == []


@pytest.mark.parametrize("what", [reply(), PRESSED])
async def test_after_a_restart_only_an_outage_is_told_anew(what: Request) -> None:
    """Who asked before it was told then; of an outage they may have to wait for hours."""
    post = await shown_at_first(turn(what, created_at=later(-60)), THIRD)
    assert post.slack.named("post_ephemeral") == []
    await show(post, QUOTA)
    assert "keeps its place" in post.slack.only("post_ephemeral").text


async def test_a_prompt_is_named_in_a_few_words_that_call_nobody() -> None:
    post = await shown_at_first(turn(replace(reply(), prompt="<!channel> " * 500)), THIRD)
    text = post.slack.only("post_ephemeral").text
    assert "<!" not in text
    assert len(text) < 400


async def test_what_was_called_off_takes_its_placeholder_along_and_is_told_to_who_asked() -> None:
    off = Ending(Outcome.CANCELLED, Reason.CALLED_OFF, {"by": BOB})
    post = Post(ended(off, placeholder_ts=ROOT, thread_ts=ROOT))
    await post.tell()
    assert post.order() == ["respond", "delete_message"]
    assert post.slack.only("respond").text.startswith(
        f"<@{BOB}> cancelled your request: nothing was made and"
    )


async def test_why_some_pictures_were_stopped_is_told_with_a_way_to_reword_them() -> None:
    some = Ending(Outcome.PICTURES, Reason.PICTURES, {"wanted": 2, "made": 1, "rest": "moderation"})
    post = Post(ended(some, placeholder_ts=ROOT, thread_ts=ROOT))
    await post.deliver()
    assert button(post.slack.only("respond").said["blocks"]) == (REWORD_ACTION, "turn_1")


async def test_what_was_passed_over_for_a_picture_is_read_from_its_call_and_shown_with_it() -> None:
    post = Post(asked(), manner=replace(MANNER, catalogue=load_catalogue()))
    over = PassedOver("gpt-image-2.5-flare", Endpoint.RESPONSES, "access")
    post.thread.calls = [attempt(passed_over=(over,))]
    await post.deliver()
    said = post.slack.only("post_message").said
    assert "gpt-image-2.5-flare is not available to this account; made with gpt-image-2-2026" in said["text"]
    assert said["blocks"][2]["type"] == "context"
