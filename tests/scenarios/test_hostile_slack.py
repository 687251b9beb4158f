"""Slack refuses, stalls or loses answers at each step: nothing comes twice, nothing is left behind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from bot.app import Overrides
from sandbox.slack.model import Fault
from tests.scenarios.conftest import OpenTown
from tests.scenarios.hostile_api import HastyClock
from tests.scenarios.story import HurriedClock, Thread, Town, picture

METHODS = (
    "users.info",
    "chat.postMessage",
    "files.getUploadURLExternal",
    "upload",
    "files.completeUploadExternal",
    "files.info",
    "chat.getPermalink",
    "chat.update",
)
TROUBLES: dict[str, dict[str, Any]] = {
    "429": {"status": 429, "headers": {"Retry-After": "3"}, "error": "ratelimited"},
    "429_without_a_time": {"status": 429, "error": "ratelimited"},
    "500": {"status": 500, "body": {"oops": True}},
    "503_for_a_while": {"status": 503, "error": "service_unavailable", "times": 3},
    "internal_error": {"error": "internal_error", "times": 2},
    "before": {"drop": "before"},
    "after": {"drop": "after"},
    "after_twice": {"drop": "after", "times": 2},
}


@pytest.fixture
async def hasty(towns: OpenTown) -> Town:
    """A town in which no wait is long, and only Slack makes trouble: a call has all the time it may take."""
    call_s = 241.0
    return await towns(overrides=Overrides(clock=HastyClock(keeps=call_s)), image__timeout_s=call_s)


def _one_of_each(town: Town, turns: int = 1) -> None:
    """One call and one message with a picture a turn, and one root: the placeholder, closed."""
    assert len(town.calls) == turns
    everything = town.messages()
    assert sum(any(b["type"] == "image" for b in m.blocks) for m in everything) == turns
    assert len([m for m in everything if not m.is_reply and m.user == town.workspace.bot_user_id]) == 1
    assert not [m.text for m in everything if "Working on it" in m.text]
    assert not [m for m in everything if "eyes" in m.reactions]
    town.ledger.holds_nothing()


@pytest.mark.proof
@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("method", METHODS)
async def test_a_passing_trouble_anywhere_still_brings_one_picture(
    hasty: Town, method: str, trouble: str
) -> None:
    fault = Fault(method, **TROUBLES[trouble])
    if method == "upload" and fault.status == 200 and fault.drop is None:
        fault.status = 502
    hasty.workspace.faults.append(fault)
    await hasty.alice.types("/imagine a red fox")
    await hasty.rests()
    assert hasty.ledger.turns() == [("pictures", "pictures")]
    if method == "chat.update":
        # The picture is there in any case; its placeholder may say that it is being worked on.
        assert len(hasty.calls) == 1
        return
    _one_of_each(hasty)


@pytest.mark.proof
@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("method", ["reactions.add", "reactions.remove", "conversations.replies"])
async def test_a_passing_trouble_with_a_reply_still_brings_one_picture(
    hasty: Town, method: str, trouble: str
) -> None:
    thread = await hasty.alice.imagines("a red fox")
    await thread.shows(picture(version=1))
    await hasty.rests()
    hasty.workspace.faults.append(Fault(method, **TROUBLES[trouble]))
    # Without its answer the picture's message is looked for, by its metadata.
    hasty.workspace.faults.append(Fault("chat.postMessage", drop="after"))
    await hasty.alice.replies(thread, "make it night")
    await hasty.rests()
    assert hasty.ledger.turns() == [("pictures", "pictures")] * 2
    _one_of_each(hasty, turns=2)


@pytest.mark.parametrize("hours", [-1, 1])
async def test_what_was_posted_without_an_answer_is_found_by_a_clock_that_is_an_hour_off(
    towns: OpenTown, hours: int
) -> None:
    clock = HurriedClock(ahead=timedelta(hours=hours))
    town = await towns(overrides=Overrides(clock=clock))
    town.workspace.faults.append(Fault("chat.postMessage", drop="after", times=1))
    await town.alice.types("/imagine a red fox")
    await town.rests()
    _one_of_each(town)


async def test_every_answer_of_slack_comes_late_and_every_first_try_is_refused(hasty: Town) -> None:
    for method in (*METHODS, "reactions.add", "reactions.remove"):
        hasty.workspace.faults.append(
            Fault(method, status=429, headers={"Retry-After": "1"}, error="ratelimited")
        )
    await hasty.alice.types("/imagine a red fox")
    await hasty.rests()
    _one_of_each(hasty)


LASTING: dict[str, tuple[Fault, tuple[str, str]]] = {
    "nobody_is_known": (Fault("users.info", error="internal_error", times=99), ("declined", "cannot_post")),
    "never_a_file": (
        Fault("files.getUploadURLExternal", error="internal_error", times=99),
        ("pictures", "pictures"),
    ),
    "never_the_bytes": (Fault("upload", status=500, times=99), ("pictures", "pictures")),
    "never_complete": (
        Fault("files.completeUploadExternal", error="internal_error", times=99),
        ("pictures", "pictures"),
    ),
    "never_a_post": (
        Fault("chat.postMessage", error="internal_error", times=99),
        ("declined", "cannot_post"),
    ),
    "a_lost_token": (Fault("chat.postMessage", error="token_revoked", times=99), ("declined", "cannot_post")),
}


@pytest.mark.parametrize("name", LASTING)
async def test_a_lasting_trouble_is_told_and_leaves_no_placeholder_that_promises_work(
    hasty: Town, name: str
) -> None:
    fault, ending = LASTING[name]
    hasty.workspace.faults.append(fault)
    await hasty.alice.types("/imagine a red fox")
    await hasty.rests()
    assert hasty.ledger.turns() == [ending]
    hasty.ledger.holds_nothing()
    assert len(hasty.alice.private()) == 1, "its person is told why, once"
    kept = ["Made and kept" in message.text for message in hasty.messages()]
    assert kept == ([True] if ending[0] == "pictures" else [])


async def test_an_unclear_placeholder_that_stands_is_not_posted_twice_nor_left(hasty: Town) -> None:
    """Each answer to the placeholder's post is lost, though each post arrives; looking works."""
    hasty.workspace.faults.append(Fault("chat.postMessage", drop="after", times=1))
    await hasty.alice.types("/imagine a red fox")
    await hasty.rests()
    _one_of_each(hasty)


async def test_everything_is_revoked_in_the_middle(hasty: Town) -> None:
    hasty.easel.hold()
    await hasty.alice.imagines("a red fox")
    await hasty.has_called()
    hasty.workspace.faults.append(Fault("*", error="token_revoked", times=10_000, when=lambda p: True))
    hasty.easel.let_go()
    await hasty.rests()
    assert hasty.ledger.turns() == [("pictures", "pictures")]
    assert hasty.ledger.charged() > 0
    reason = hasty.ledger.rows("SELECT undelivered_reason FROM turns")[0][0]
    assert reason == "token_revoked"
    hasty.ledger.holds_nothing()


async def _archive(town: Town, thread: Thread) -> None:
    thread.channel.archived = True


async def _put_out(town: Town, thread: Thread) -> None:
    thread.channel.members.discard(town.workspace.bot_user_id)


async def _delete_root(town: Town, thread: Thread) -> None:
    del thread.channel.messages[thread.root]


@pytest.mark.parametrize("what", [_archive, _put_out, _delete_root])
async def test_the_place_is_gone_in_the_middle(
    hasty: Town, what: Callable[[Town, Thread], Awaitable[None]]
) -> None:
    hasty.easel.hold()
    thread = await hasty.alice.imagines("a red fox")
    await hasty.has_called()
    await what(hasty, thread)
    hasty.easel.let_go()
    await hasty.rests()
    assert hasty.ledger.turns() == [("pictures", "pictures")]
    assert len(hasty.calls) == 1
    hasty.ledger.holds_nothing()
    everywhere = [m for room in hasty.workspace.channels.values() for m in room.messages.values()]
    shown = [m for m in everywhere if any(b["type"] == "image" for b in m.blocks)]
    dm = hasty.workspace.dm(hasty.alice.id, hasty.workspace.bot_user_id)
    assert [m.channel for m in shown] == [thread.channel.id if what is _delete_root else dm.id]
    assert not [text for text in hasty.alice.private() if "picture is made" in text]


async def test_files_that_are_never_processed_are_shared_another_way(hasty: Town) -> None:
    hasty.workspace.file_processing_s = float("inf")
    await hasty.alice.types("/imagine a red fox")
    await hasty.rests()
    assert hasty.ledger.turns() == [("pictures", "pictures")]
    assert len(hasty.calls) == 1
    shared = [m for m in hasty.messages() if m.files]
    assert len(shared) == 1
    assert hasty.alice.private() == []


async def test_a_reply_url_serves_its_person_only_and_five_times_at_most(hasty: Town) -> None:
    for _ in range(3):
        hasty.workspace.faults.append(Fault("response_url", drop="after", times=9))
        await hasty.alice.types("/imagine something forbidden")
        await hasty.bob.types("/imagine something forbidden")
    await hasty.rests()
    for known in hasty.workspace.response_urls.values():
        assert known.uses >= 0
    assert hasty.workspace.ephemerals_for("carol") == []
    for person in (hasty.alice, hasty.bob):
        assert len([text for text in person.private() if "moderation" in text]) >= 3


async def test_sockets_are_replaced_again_and_again_while_people_write(hasty: Town) -> None:
    """What is said while no socket is there comes with the next, once."""
    thread = await hasty.alice.imagines("a red fox")
    await thread.shows(picture(version=1))
    for number in range(6):
        await asyncio.gather(
            hasty.workspace.refresh_sockets(),
            hasty.alice.replies(thread, f"make it night {number}"),
            hasty.bob.mentions(f"a cat {number}"),
        )
    await hasty.rests()
    assert len(hasty.calls) == 13
    assert hasty.ledger.turns() == [("pictures", "pictures")] * 13
    assert len(thread.pictures) == 7
