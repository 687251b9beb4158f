"""Several people in one thread, and several pictures of one request: who pays, what is told, what comes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from bot.app import Overrides
from sandbox.images.faults import RESPONSES, Fault
from sandbox.images.mishaps import mishap
from sandbox.slack.model import Json
from tests.scenarios.carried import adds_up, built_on, response_of, sent
from tests.scenarios.conftest import OpenTown
from tests.scenarios.story import HurriedClock, Thread, Town

FOX = "a red fox in snow"
ANSWERED = "SELECT 1 FROM (SELECT COUNT(response_id) AS answered FROM attempts) WHERE answered = ?"
BLOCKED: Json = {
    "error": {
        "message": "Your request was rejected by the safety system.",
        "type": "image_generation_user_error",
        "param": None,
        "code": "moderation_blocked",
        "moderation_details": {"moderation_stage": "input", "categories": ["violence"]},
    }
}


def paid_by(town: Town) -> list[tuple[str, int]]:
    """Who paid for each picture, by its version."""
    rows = town.ledger.rows(
        """
        SELECT people.user_id, pictures.version FROM pictures
        JOIN journal ON journal.attempt_id = pictures.attempt_id AND charged_delta_nano_usd > 0
        JOIN people ON people.person_key = journal.person_key ORDER BY version
        """
    )
    return [(town.workspace.users[row["user_id"]].name, row["version"]) for row in rows]


async def test_two_at_work_in_one_thread_and_a_third_varies_each_pays_and_talk_costs_nothing(
    town: Town,
) -> None:
    alice, bob, carol = town.alice, town.bob, town.carol
    thread = await alice.imagines(FOX)
    first = await thread.version(1)
    await bob.replies(thread, "I love this one")
    town.easel.hold()
    await alice.replies(thread, "make it night")
    await town.has_called(2)
    await bob.replies(thread, f"<@{town.workspace.bot_user_id}> add a boat")
    await alice.replies(thread, f"<@{bob.id}> good idea!")
    await carol.replies(thread, "you two are fast")
    await carol.varies(first, 2)
    await carol.is_told("working on it", "at most")
    await bob.replies(thread, f"<@{carol.id}> ha")
    await alice.replies(thread, "add a hat")
    await alice.replies(thread, "// we can take this one")
    town.easel.let_go()
    await thread.version(6)
    await adds_up(town, thread)

    assert [asked.prompt for asked in sent(town)] == [
        FOX,
        "make it night",
        "add a boat",
        *[f"A variation of this picture: {FOX}"] * 2,
        "add a hat",
    ]
    resp = {number: response_of(town, number) for number in thread.versions}
    assert [built_on(asked) for asked in sent(town)] == [
        (None, (), False),
        *[(resp[number], (), False) for number in (1, 2, 1, 1, 5)],
    ]
    shown = [thread.versions[number] for number in range(1, 7)]
    assert [one.parent for one in shown] == [None, 1, 2, 1, 1, 5]
    assert shown[4].message is shown[3].message
    assert [one.asker for one in shown] == [alice.id, alice.id, bob.id, carol.id, None, alice.id]
    names = ["alice", "alice", "bob", "carol", "carol", "alice"]
    assert paid_by(town) == list(zip(names, range(1, 7), strict=True))
    assert len(town.ledger.turns()) == 5


async def test_pressed_by_two_at_once_or_sent_five_times_while_at_work_it_is_made_once(town: Town) -> None:
    alice, bob, carol = town.alice, town.bob, town.carol
    thread = await alice.imagines(FOX)
    first = await thread.version(1)
    town.easel.hold()
    await asyncio.gather(alice.presses(first, "picture_again"), bob.presses(first, "picture_again"))
    await town.has_called(2)
    await carol.varies(first, 2)
    sent_by_slack = [sent for sent in town.workspace.delivery.sent if _is_of_a_button(sent["payload"])]
    assert {sent["payload"]["type"] for sent in sent_by_slack} == {"block_actions", "view_submission"}
    await asyncio.gather(*(town.workspace.redeliver(sent, times=5) for sent in sent_by_slack))
    town.easel.let_go()
    await thread.version(4)
    await adds_up(town, thread)
    assert len(town.calls) == 4
    assert len(town.ledger.turns()) == 3
    again = thread.versions[2]
    assert again.parent is None
    (winner,) = [person for person in (alice, bob) if person.id == again.asker]
    loser = bob if winner is alice else alice
    await loser.is_told(f"<@{winner.id}> has pressed this already", "being made", "nothing more was started")
    assert paid_by(town)[1:] == [(town.workspace.users[winner.id].name, 2), ("carol", 3), ("carol", 4)]


def _is_of_a_button(payload: Mapping[str, Any]) -> bool:
    return payload.get("type") in ("block_actions", "view_submission")


@pytest.fixture
async def hurried(towns: OpenTown) -> Town:
    """A town in which waiting takes no time."""
    return await towns(overrides=Overrides(clock=HurriedClock()))


async def _two_of_three(town: Town) -> tuple[Thread, list[str]]:
    """What is shown and privately told when of three pictures two came."""
    thread = await town.alice.imagines(f"{FOX} --n 3")
    await thread.version(2)
    await town.rests()
    assert sorted(thread.versions) == [1, 2]
    assert len(thread.pictures) == 1, "one message"
    assert [call.asked.prompt for call in town.calls] == [FOX] * len(town.calls)
    told = [text for text in town.alice.private() if "2 of 3 pictures came" in text]
    assert len(told) == 1
    placeholder = thread.placeholder
    assert placeholder is not None
    assert "asked Darkroom for 3 pictures" in placeholder.text
    assert "v1 and v2 are in the thread>" in placeholder.text
    assert town.ledger.turns() == [("pictures", "pictures")]
    return thread, told


async def test_one_of_three_blocked_costs_nothing_and_the_others_come(hurried: Town) -> None:
    hurried.images.faults.append(Fault(endpoint=RESPONSES, status=400, body=BLOCKED))
    thread, (told,) = await _two_of_three(hurried)
    assert "moderation" in told
    assert "Nothing was charged for it." in told
    await adds_up(hurried, thread)
    assert sorted(hurried.ledger.attempts()) == ["released", "settled", "settled"]


async def test_money_for_two_of_three_buys_two(towns: OpenTown) -> None:
    rich = await towns()
    await (await rich.alice.imagines(FOX)).version(1)
    await rich.rests()
    charged, held = rich.ledger.rows("SELECT charged_nano_usd, hold_nano_usd FROM attempts")[0]
    # Enough to hold two at once, and not enough to hold a third when these were charged.
    cap = (2 * charged + held - 1_000_000) // 1000 * 1000
    assert cap > 2 * held
    town = await towns(caps__person_usd=f"{cap / 1_000_000_000:.6f}")
    thread, (told,) = await _two_of_three(town)
    assert "up to $0.07, and you have a little less than that left of $0.18 this month" in told
    assert "Nothing was made" not in told
    await adds_up(town, thread)
    assert town.ledger.attempts() == ["settled", "settled"]


async def test_one_of_three_whose_connection_breaks_is_charged_until_it_is_known(hurried: Town) -> None:
    hurried.images.faults.append(mishap("connection lost at once"))
    thread, (told,) = await _two_of_three(hurried)
    assert "nobody can say" in told
    held = hurried.ledger.rows("SELECT hold_nano_usd FROM attempts WHERE state = 'uncertain'")
    assert len(held) == 1
    assert "$0.07 is charged until it is known" in told
    await adds_up(hurried, thread, lost=held[0][0])
    assert len(hurried.calls) == 3, "never sent again unasked"


async def test_stopped_in_the_middle_three_pictures_come_all_the_same(hurried: Town) -> None:
    hurried.easel.hold()
    thread = await hurried.alice.imagines(f"{FOX} --n 3")
    await hurried.has_called(3)
    await hurried.books_say(ANSWERED, 3)
    await hurried.alice.replies(thread, "make it night")
    await hurried.books_say("SELECT 1 FROM turns WHERE prompt = 'make it night' AND state = 'queued'")
    await hurried.stops(0)
    assert hurried.ledger.attempts() == ["dispatched"] * 3
    hurried.easel.let_go()
    await hurried.starts()
    await thread.version(4)
    await adds_up(hurried, thread)
    assert len({thread.versions[number].message.ts for number in (1, 2, 3)}) == 1
    assert len(hurried.calls) == 4
    assert built_on(sent(hurried)[3]) == (response_of(hurried, 3), (), False)
    assert hurried.ledger.attempts() == ["settled"] * 4


async def test_what_waited_when_it_was_stopped_is_made_in_its_place_and_of_what_was_chosen_for_it(
    hurried: Town,
) -> None:
    alice, bob = hurried.alice, hurried.bob
    thread = await alice.imagines(FOX)
    first = await thread.version(1)
    await alice.replies(thread, "make it night")
    second = await thread.version(2)
    await hurried.rests()
    hurried.easel.hold()
    await alice.replies(thread, "add a moon --n 2")
    await hurried.books_say(ANSWERED, 4)
    await alice.chooses(first, "Edit this one")
    await alice.is_told("changes v1")
    await alice.replies(thread, "add a star")
    await bob.varies(second, 2)
    await alice.replies(thread, "undo")
    await hurried.books_say("SELECT 1 FROM turns WHERE intent = 'undo' AND state = 'queued'")
    await hurried.stops(0)
    await alice.replies(thread, "add a boat")
    hurried.easel.let_go()
    await hurried.starts()
    await thread.version(8)
    await adds_up(hurried, thread)
    assert [thread.versions[number].parent for number in range(1, 9)] == [None, 1, 2, 2, 1, 2, 2, 2]
    await thread.says("Back to v2", "v7 stays")
    resp = {number: response_of(hurried, number) for number in thread.versions}
    assert [asked.parent for asked in sent(hurried)] == [
        None,
        *[resp[number] for number in (1, 2, 2, 1, 2, 2, 2)],
    ]
    names = ["alice"] * 5 + ["bob"] * 2 + ["alice"]
    assert paid_by(hurried) == list(zip(names, range(1, 9), strict=True))
