"""Reword: the dialog opens with everything that moderation did not accept; what is sent off is a new turn."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import InputRole, Options, Request, Surface, Told, Turn, TurnInput
from handlers.blocks import modal
from handlers.blocks.answers import REWORD_ACTION, answer_view, rest_view
from handlers.blocks.modal_memo import Memo
from handlers.blocks.text import Block
from tests.examples import ALICE, BOB, DESIGN, TEAM, command, message, plan
from tests.handlers.dialogs import begins, check, submission, words_of
from tests.handlers.gallery import ROOT, ended_as, made
from tests.handlers.support import DM, OLAF, OTHER_TEAM, Desk, clicked, ended, refused, said_in

STOPPED = Ending(Outcome.BLOCKED, Reason.MODERATION, {"stage": "input", "categories": "violence"})
SOME = Ending(Outcome.PICTURES, Reason.PICTURES, {"wanted": 4, "made": 1, "rest": "moderation"})
REFERENCE = TurnInput(InputRole.REFERENCE, "1" * 64, "png", 64, 64, 3, "cat.png")
LOOKS = Options(width=1536, height=1024, quality="high", model="gpt-image-2", format="jpeg")


async def stopped(desk: Desk, request: Request, ending: Ending = STOPPED, inputs: int = 0) -> Turn:
    """A request that moderation stopped, with so many pictures that went along."""
    turn = await desk.arrive(request)
    if inputs:
        await desk.store.bring(turn.id, 0, [REFERENCE] * inputs, desk.clock.now())
    return await desk.store.end(turn.id, ending, desk.clock.now())


async def stopped_reply(desk: Desk) -> Turn:
    """A reply that built on the thread's picture p1 and was called for in vain."""
    limits, now = desk.services.config.caps, desk.clock.now()
    turn, planned = (
        await desk.arrive(message("a duel", "1763640301.000100", ROOT)),
        plan("b1", parent_id="p1"),
    )
    await desk.store.queue(turn.id, planned, limits, now)
    await desk.store.hold(turn.id, planned, limits, now)
    await desk.store.send("b1", now)
    await desk.store.fall_back("b1", "moderation_blocked", None, limits, now)
    return await desk.store.end(turn.id, STOPPED, now)


def reword(turn: Turn, **fields: Any) -> dict[str, Any]:
    """Somebody (Alice) presses Reword."""
    return clicked(REWORD_ACTION, turn.id, **fields)


def opened(desk: Desk) -> Block:
    view: Block = desk.slack.only("open_view").said["view"]
    check(view)
    return view


async def sent_off(desk: Desk, view: Block, user: str = ALICE, **changes: Any) -> Request:
    """What comes of sending the dialog off."""
    response = await desk.send(submission(view, user=user, **changes))
    assert said_in(response) == "", response.body
    return desk.line.turns[-1].request


def answers(desk: Desk) -> list[str]:
    return [call.text for call in desk.slack.named("respond")]


@pytest.mark.parametrize("ending", [STOPPED, SOME])
def test_what_moderation_stopped_can_be_reworded_and_that_is_said_to_screen_readers(ending: Ending) -> None:
    turn = ended(ending)
    view = (
        answer_view(turn, ending, "It was stopped.")
        if ending is STOPPED
        else rest_view(turn, "It was stopped.")
    )
    (button,) = view.blocks[-1]["elements"]
    assert (button["action_id"], button["value"]) == (REWORD_ACTION, turn.id)
    assert view.text == "It was stopped. The button “Reword…” opens the dialog with what you asked for."


def test_nothing_else_can_be_reworded() -> None:
    turn = ended(Ending(Outcome.FAILED, Reason.API_REFUSED))
    assert turn.ending is not None
    assert answer_view(turn, turn.ending, "No.").blocks == ()
    some = ended(replace(SOME, details={"wanted": 2, "made": 1, "rest": "rate"}))
    assert [block["type"] for block in rest_view(some, "No.").blocks] == ["section"]


async def test_a_command_comes_back_in_the_dialog_with_all_that_was_asked(desk: Desk) -> None:
    turn = await stopped(desk, replace(command("a <!channel> fight"), options=LOOKS, wanted=3))
    await desk.send(reword(turn))
    view = opened(desk)
    assert view["callback_id"] == modal.NEW_VIEW
    assert begins(view, modal.PROMPT) == "a <!channel> fight"
    assert (begins(view, modal.SIZE), begins(view, modal.QUALITY)) == ("1536x1024", "high")
    assert (begins(view, modal.NUMBER), begins(view, modal.CHANNEL)) == ("3", DESIGN)
    assert not begins(view, modal.PRIVATE)
    assert "--model gpt-image-2 --format jpeg" in words_of(view)
    assert "This is what you asked for" in words_of(view)


async def test_sent_off_it_is_a_new_turn_of_its_own_and_the_first_stays_as_it_was(desk: Desk) -> None:
    turn = await stopped(desk, replace(command("a fight", trigger="first"), options=LOOKS))
    await desk.send(reword(turn))
    view = opened(desk)
    request = await sent_off(desk, view, prompt="a dance")
    assert (request.prompt, request.key, request.options) == ("a dance", "view:V111", LOOKS)
    assert (request.channel_id, request.thread_ts, request.chosen_id) == (DESIGN, None, None)
    await desk.send(submission(view, prompt="a dance"))
    assert len(desk.line.turns) == 1
    assert await desk.log.turn(turn.id) == turn


async def test_a_reply_comes_back_as_an_edit_of_the_same_picture_in_the_same_thread(desk: Desk) -> None:
    await made(desk)
    await desk.send(reword(await stopped_reply(desk)))
    view = opened(desk)
    assert view["callback_id"] == modal.EDIT_VIEW
    assert begins(view, modal.PROMPT) == "a duel"
    assert "Editing Darkroom's *v1*" in words_of(view)
    await made(desk, 2)
    request = await sent_off(desk, view, prompt="a dance")
    # Not what the thread has come to since: what was asked for was a change of v1.
    assert (request.chosen_id, request.thread_ts, request.channel_id) == ("p1", ROOT, DESIGN)
    assert (request.surface, request.key, request.private) == (Surface.SHORTCUT, "view:V111", False)


async def test_what_was_private_stays_private(desk: Desk) -> None:
    await desk.services.conversations.met(TEAM, ALICE, DM, desk.clock.now())
    asked = await desk.arrive(replace(command("a fight"), private=True))
    await desk.store.tell(asked.id, Told.PLACE, DM, desk.clock.now())
    turn = await desk.store.end(asked.id, STOPPED, desk.clock.now())
    await desk.send(reword(turn))
    view = opened(desk)
    assert begins(view, modal.PRIVATE) == ["yes"]
    assert begins(view, modal.CHANNEL) is None
    request = await sent_off(desk, view, prompt="a dance")
    assert (request.channel_id, request.private, request.thread_ts) == (DM, True, None)


async def test_a_private_edit_stays_in_our_direct_message(desk: Desk) -> None:
    await made(desk)
    turn = await stopped(desk, replace(command("a fight"), private=True, chosen_id="p1"))
    await desk.send(reword(turn))
    view = opened(desk)
    assert view["callback_id"] == modal.EDIT_VIEW
    request = await sent_off(desk, view, prompt="a dance")
    assert (request.channel_id, request.private, request.chosen_id) == (ALICE, True, "p1")


async def test_the_pictures_that_went_along_go_along_again(desk: Desk) -> None:
    turn = await stopped(desk, command("a fight"), inputs=2)
    await desk.send(reword(turn))
    view = opened(desk)
    assert "The 2 pictures that went along go along again." in words_of(view)
    assert modal.FILES not in {block.get("block_id") for block in view["blocks"]}
    request = await sent_off(desk, view, prompt="a dance")
    assert request.inputs_from == turn.id
    assert len(await desk.log.inputs(desk.line.turns[-1].id)) == 2


async def test_a_mention_in_a_thread_stays_in_that_thread_unless_another_place_is_chosen(desk: Desk) -> None:
    turn = await stopped(desk, message("a fight", "1763640300.000100", ROOT, surface=Surface.MENTION))
    await desk.send(reword(turn))
    view = opened(desk)
    assert view["callback_id"] == modal.NEW_VIEW
    assert "in the same thread" in words_of(view)
    here = await sent_off(desk, view, prompt="a dance")
    assert (here.channel_id, here.thread_ts, here.fresh, here.private) == (DESIGN, ROOT, True, False)
    there = await sent_off(desk, view, view_id="V2", prompt="a dance", channel="C0OTHER001")
    assert (there.channel_id, there.thread_ts) == ("C0OTHER001", None)
    alone = await sent_off(desk, view, view_id="V3", prompt="a dance", private=["yes"])
    assert (alone.thread_ts, alone.private) == (None, True)


async def test_what_was_asked_in_our_direct_message_stays_in_its_thread_there(desk: Desk) -> None:
    await desk.services.conversations.met(TEAM, ALICE, DM, desk.clock.now())
    ts = "1763640300.000100"
    turn = await stopped(desk, replace(message("a fight", ts, ts, surface=Surface.MENTION), channel_id=DM))
    await desk.send(reword(turn))
    request = await sent_off(desk, opened(desk), prompt="a dance")
    assert (request.channel_id, request.thread_ts) == (DM, ts)


async def test_of_several_those_are_asked_for_again_that_did_not_come(desk: Desk) -> None:
    turn = await stopped(desk, replace(command("a fight"), wanted=4), SOME)
    await desk.send(reword(turn))
    assert begins(opened(desk), modal.NUMBER) == "3"


async def test_a_prompt_that_is_too_long_for_the_dialog_is_cut_and_that_is_said(desk: Desk) -> None:
    turn = await stopped(desk, command("fox & <!channel> " * 1_800))
    await desk.send(reword(turn))
    view = opened(desk)
    assert len(begins(view, modal.PROMPT)) == 3_000
    assert modal.TOO_LONG in str(view["blocks"])


async def test_only_who_asked_can_reword(desk: Desk) -> None:
    turn = await stopped(desk, command())
    await desk.send(reword(turn, user=BOB))
    await desk.send(reword(turn, user=OLAF, team=OTHER_TEAM))
    assert answers(desk)[0] == "Only the person who asked can answer this."
    assert "people of the workspace" in answers(desk)[1]
    assert desk.slack.named("open_view") == []


async def test_nobody_elses_pictures_go_along_with_a_dialog_that_was_tampered_with(desk: Desk) -> None:
    turn = await stopped(desk, command("a fight"), inputs=1)
    await desk.send(reword(turn))
    response = await desk.send(submission(opened(desk), user=BOB, prompt="mine"))
    assert response.body is not None
    assert modal.NO_RECORD in response.body
    assert desk.line.turns == []


async def test_words_that_were_deleted_are_gone_and_so_is_a_deleted_parent(desk: Desk) -> None:
    empty = await stopped(desk, command(""))
    await desk.send(reword(empty))
    assert answers(desk)[0].startswith("The words of this request are not kept any more")
    await made(desk)
    turn = await stopped(desk, replace(message("a duel", "1763640301.000100", ROOT), chosen_id="p1"))
    await desk.services.eraser.erase("p1", ALICE, desk.clock.now())
    await desk.send(reword(turn))
    assert answers(desk)[1].startswith("v1 was deleted")
    assert desk.slack.named("open_view") == []


@pytest.mark.parametrize("ending", [Ending(Outcome.FAILED, Reason.API_FAILED), None])
async def test_what_moderation_did_not_stop_is_over(desk: Desk, ending: Ending | None) -> None:
    turn = await desk.arrive(command()) if ending is None else await ended_as(desk, command(), ending)
    await desk.send(reword(turn))
    await desk.send(clicked(REWORD_ACTION, "turn_of_another"))
    assert answers(desk) == ["This question is over. Send your request again."] * 2


async def test_a_dialog_that_comes_too_late_is_told(desk: Desk) -> None:
    turn = await stopped(desk, command())
    desk.slack.faults["open_view"] = [refused("expired_trigger_id", "views.open")]
    await desk.send(reword(turn))
    assert answers(desk)[0].startswith("The dialog could not be opened in time.")


def test_a_dialog_of_before_remembers_no_pictures_that_go_along() -> None:
    written = Memo(channel_id=DESIGN).written().replace(',"i":["",0]', "")
    assert '"i"' not in written
    assert Memo.read(written) == Memo(channel_id=DESIGN)
