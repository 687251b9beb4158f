"""The buttons of private answers: on in our direct message, edit or make anew; each acts once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import Attachment, Request, Surface, Told, Turn
from darkroom.turns.retention import Keep
from handlers.blocks.answers import EDIT_LAST_ACTION, IN_DM_ACTION, MAKE_NEW_ACTION
from storage.database import Database
from storage.retention import SqliteRetentionBook
from storage.turns import SqliteTurnStore
from tests.examples import ALICE, BOB, TEAM, command, message
from tests.handlers.gallery import ROOT, ended_as, made
from tests.handlers.support import DM, OLAF, OTHER_TEAM, Desk, clicked, refused

ASKED = "1763640050.000100"
NO_PLACE = Ending(Outcome.DECLINED, Reason.NOT_IN_CHANNEL)
QUESTION = Ending(Outcome.DECLINED, Reason.EDIT_OR_NEW, {"picture_id": "p1", "version": 1})
ANSWERS = [EDIT_LAST_ACTION, MAKE_NEW_ACTION]


async def declined(desk: Desk, ending: Ending = NO_PLACE) -> Turn:
    """A command of Alice's that could not be."""
    files = (Attachment("F0FILE0001", "cat.png", "image/png", 3),)
    asked = replace(command("a blue cat", trigger="declined"), wanted=2, attachments=files)
    return await ended_as(desk, asked, ending)


async def questioned(desk: Desk) -> Turn:
    """A message in our direct message that reads like a change of p1."""
    await made(desk)
    said = replace(message("make it blue", ASKED, ASKED, surface=Surface.MENTION), channel_id=DM)
    return await ended_as(desk, said, QUESTION)


def pressed(action_id: str, turn: Turn, **fields: Any) -> dict[str, Any]:
    """One of the buttons."""
    payload = clicked(action_id, turn.id, **fields)
    payload["actions"][0]["action_ts"] = "1763640200.000001"
    return payload


def in_dm(action_id: str, turn: Turn, **fields: Any) -> dict[str, Any]:
    """One of the buttons, in our direct message."""
    payload = pressed(action_id, turn, **fields)
    payload["channel"] = {"id": DM}
    payload["container"] = {"channel_id": DM, "message_ts": "1763640060.000100"}
    return payload


def only(desk: Desk) -> Request:
    """The request of the one turn that was submitted."""
    assert len(desk.line.turns) == 1
    return desk.line.turns[0].request


async def test_what_had_no_place_is_made_in_our_direct_message_with_all_that_was_asked(desk: Desk) -> None:
    turn = await declined(desk)
    await desk.send(pressed(IN_DM_ACTION, turn))
    request = only(desk)
    assert (request.prompt, request.wanted, request.private) == ("a blue cat", 2, True)
    assert (request.opens_thread, request.fresh) == (True, True)
    assert request.attachments == turn.request.attachments
    assert request.key == f"in-dm:{turn.id}"
    assert desk.slack.calls == []


async def test_pressed_in_our_direct_message_it_is_not_said_that_it_comes_there(desk: Desk) -> None:
    await desk.services.conversations.met(TEAM, ALICE, DM, desk.clock.now())
    await desk.send(in_dm(IN_DM_ACTION, await declined(desk)))
    assert (only(desk).channel_id, only(desk).private) == (DM, True)


async def test_pressed_in_a_direct_message_of_others_it_leads_to_our_own(desk: Desk) -> None:
    turn = await declined(desk)
    await desk.services.conversations.met(TEAM, ALICE, "D0OTHERONE", desk.clock.now())
    await desk.send(in_dm(IN_DM_ACTION, turn))
    assert (only(desk).channel_id, only(desk).private) == (turn.request.channel_id, True)


@pytest.mark.parametrize("action", [IN_DM_ACTION, *ANSWERS])
async def test_pressed_twice_it_acts_once(desk: Desk, action: str) -> None:
    turn = await declined(desk) if action == IN_DM_ACTION else await questioned(desk)
    await desk.send(pressed(action, turn))
    await desk.send(pressed(action, turn))
    assert len(desk.line.turns) == 1
    assert "You have pressed this already: it is being made" in desk.slack.only("respond").text


@pytest.mark.parametrize("action", [IN_DM_ACTION, *ANSWERS])
async def test_only_who_asked_can_answer(desk: Desk, action: str) -> None:
    turn = await declined(desk) if action == IN_DM_ACTION else await questioned(desk)
    await desk.send(pressed(action, turn, user=BOB))
    await desk.send(pressed(action, turn, user=OLAF, team=OTHER_TEAM))
    assert desk.line.turns == []
    said = [call.text for call in desk.slack.named("respond")]
    assert said[0] == "Only the person who asked can answer this."
    assert "people of the workspace" in said[1]


@pytest.mark.parametrize("action", [IN_DM_ACTION, *ANSWERS])
async def test_a_button_of_another_ending_or_of_nothing_is_over(desk: Desk, action: str) -> None:
    turn = await declined(desk, Ending(Outcome.CANCELLED, Reason.TOO_OLD))
    open_turn = await desk.arrive(command(trigger="open"))
    for one in (turn, open_turn, replace(turn, id="turn_of_another")):
        await desk.send(pressed(action, one))
    assert [call.text for call in desk.slack.named("respond")] == [
        "This question is over. Send your request again."
    ] * 3
    assert desk.line.turns == []


async def test_edit_changes_the_last_picture_in_its_own_thread(desk: Desk) -> None:
    turn = await questioned(desk)
    await desk.send(in_dm(EDIT_LAST_ACTION, turn))
    request = only(desk)
    assert (request.prompt, request.thread_ts, request.chosen_id) == ("make it blue", ROOT, "p1")
    assert (request.fresh, request.message_ts, request.user_id) == (False, None, ALICE)
    changed = desk.slack.only("update_message")
    assert (changed.said["channel"], changed.said["ts"]) == (DM, "1763640060.000100")
    assert changed.text.startswith("Editing your last picture")
    assert "button" not in changed.payload


async def test_new_makes_a_new_picture_in_the_thread_of_the_message(desk: Desk) -> None:
    turn = await questioned(desk)
    await desk.send(in_dm(MAKE_NEW_ACTION, turn))
    request = only(desk)
    assert (request.prompt, request.thread_ts, request.channel_id) == ("make it blue", ASKED, DM)
    assert (request.chosen_id, request.fresh) == (None, True)
    assert desk.slack.only("update_message").text.startswith("Making a new picture")


async def test_one_of_the_two_answers_acts(desk: Desk) -> None:
    turn = await questioned(desk)
    for action in ANSWERS:
        await desk.send(in_dm(action, turn))
    assert only(desk).chosen_id == "p1"


async def test_a_question_that_cannot_be_changed_any_more_has_been_answered_all_the_same(desk: Desk) -> None:
    turn = await questioned(desk)
    desk.slack.faults["update_message"] = [refused("message_not_found", "chat.update")]
    await desk.send(in_dm(MAKE_NEW_ACTION, turn))
    assert only(desk).fresh
    assert desk.slack.named("respond") == []


async def test_the_last_picture_may_have_been_deleted_meanwhile(desk: Desk) -> None:
    turn = await questioned(desk)
    await desk.services.eraser.erase("p1", ALICE, desk.clock.now())
    await desk.send(in_dm(EDIT_LAST_ACTION, turn))
    assert "v1 was deleted" in desk.slack.only("respond").text
    assert desk.line.turns == []
    await desk.send(in_dm(MAKE_NEW_ACTION, turn))
    assert only(desk).fresh


@pytest.mark.parametrize("action", [IN_DM_ACTION, *ANSWERS])
async def test_nothing_is_bought_for_words_that_are_not_kept_any_more(
    desk: Desk, database: Database, action: str
) -> None:
    turn = await declined(desk) if action == IN_DM_ACTION else await questioned(desk)
    now = desk.clock.now()
    await SqliteTurnStore(database).tell(turn.id, Told.DONE, None, now)
    before = Keep(prompts_days=1).before(now + timedelta(days=2))
    assert (await SqliteRetentionBook(database).take_words(before, 100)).number
    await desk.send(pressed(action, turn))
    assert desk.line.turns == []
    assert "Send what you want as a new request" in desk.slack.only("respond").text
