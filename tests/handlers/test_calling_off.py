"""Cancel: for who asked and for admins, as long as it waits; once, whoever presses, also after a restart."""

from __future__ import annotations

from typing import Any

import pytest

from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import Turn, TurnState
from handlers.blocks.placeholder import CANCEL_ACTION
from storage.database import Database
from tests.examples import ALICE, BOB, command, plan
from tests.handlers.gallery import ended_as, made
from tests.handlers.support import CAROL, GUEST, OLAF, OTHER_TEAM, Desk, clicked, refused, unclear

OFF = Ending(Outcome.CANCELLED, Reason.CALLED_OFF, {"by": ALICE})
NOT_YOURS = "Only who asked for this and admins can cancel it."


async def waiting(desk: Desk) -> Turn:
    """A request of Alice's that is in the line."""
    turn = await desk.arrive(command(trigger="waits"))
    await desk.store.queue(turn.id, plan("a1"), desk.services.config.caps, desk.clock.now())
    return turn


def cancel(turn: Turn, **fields: Any) -> dict[str, Any]:
    """Somebody (Alice) presses Cancel."""
    return clicked(CANCEL_ACTION, turn.id, **fields)


async def now(desk: Desk, turn: Turn) -> Turn:
    found = await desk.log.turn(turn.id)
    assert found is not None
    return found


def answers(desk: Desk) -> list[str]:
    return [call.text for call in desk.slack.named("respond")]


async def test_who_asked_cancels_what_waits_and_reads_so_like_any_other_ending(desk: Desk) -> None:
    turn = await waiting(desk)
    await desk.send(cancel(turn))
    assert (await now(desk, turn)).ending == OFF
    # The worker tells the person; a second answer would say the same.
    assert [one.id for one in desk.line.withdrawn] == [turn.id]
    assert answers(desk) == []
    assert await desk.log.attempts(turn.id) == []


async def test_what_has_only_arrived_can_be_cancelled_too(desk: Desk) -> None:
    turn = await desk.arrive(command())
    await desk.send(cancel(turn))
    assert (await now(desk, turn)).ending == OFF


async def test_pressed_twice_it_says_that_it_was_cancelled_and_withdraws_once(desk: Desk) -> None:
    turn = await waiting(desk)
    for _ in range(2):
        await desk.send(cancel(turn))
    assert answers(desk) == ["This request was cancelled before: nothing was made and nothing was charged."]
    assert len(desk.line.withdrawn) == 1


async def test_what_is_being_made_is_not_cancelled_and_that_is_said(desk: Desk) -> None:
    turn = await waiting(desk)
    await desk.store.hold(turn.id, plan("a1"), desk.services.config.caps, desk.clock.now())
    await desk.send(cancel(turn))
    assert (await now(desk, turn)).state is TurnState.WORKING
    assert "already being made, so it will still arrive and be charged" in answers(desk)[0]
    assert desk.line.withdrawn == []


async def test_a_picture_that_is_there_is_left_alone(desk: Desk) -> None:
    picture = await made(desk)
    turn = await desk.log.turn(picture.turn_id)
    assert turn is not None
    ending = Ending(Outcome.PICTURES, Reason.PICTURES)
    await desk.store.end(turn.id, ending, desk.clock.now())
    await desk.send(cancel(turn))
    assert (await now(desk, turn)).ending == ending
    assert answers(desk)[0].startswith("There is nothing left to cancel")


async def test_a_message_that_was_deleted_before_had_been_cancelled(desk: Desk) -> None:
    turn = await ended_as(desk, command(), Ending(Outcome.CANCELLED, Reason.TAKEN_BACK))
    await desk.send(cancel(turn))
    assert answers(desk)[0].startswith("This request was cancelled before")


@pytest.mark.parametrize("user", [BOB, GUEST])
async def test_whoever_did_not_ask_and_is_no_admin_cannot(desk: Desk, user: str) -> None:
    turn = await waiting(desk)
    await desk.send(cancel(turn, user=user))
    assert (await now(desk, turn)).ending is None
    assert answers(desk)[0].startswith(NOT_YOURS)


async def test_an_outsider_cannot_though_they_are_an_admin_at_home(desk: Desk) -> None:
    turn = await waiting(desk)
    await desk.send(cancel(turn, user=OLAF, team=OTHER_TEAM))
    # As Slack has it in a shared channel: the installing team for an outsider's press.
    await desk.send(cancel(turn, user=OLAF))
    assert (await now(desk, turn)).ending is None
    assert "people of the workspace" in answers(desk)[0]
    assert answers(desk)[1].startswith(NOT_YOURS)


async def test_an_admin_cancels_for_somebody_else_and_reads_that_they_are_told(desk: Desk) -> None:
    turn = await waiting(desk)
    await desk.send(cancel(turn, user=CAROL))
    ending = (await now(desk, turn)).ending
    assert ending is not None
    assert ending.details == {"by": CAROL}
    assert answers(desk) == [
        f"Cancelled: nothing was made and nothing was charged. <@{ALICE}> is told that you did."
    ]
    await desk.send(cancel(turn, user=CAROL))
    assert answers(desk)[1].startswith("This request was cancelled before")


async def test_where_the_settings_name_admins_nobody_else_is_one(database: Database) -> None:
    desk = Desk.make(database, admins=(BOB,))
    turn = await waiting(desk)
    await desk.send(cancel(turn, user=CAROL))
    assert answers(desk)[0] == f"{NOT_YOURS} Ask them, or <@{BOB}>."
    await desk.send(cancel(turn, user=BOB))
    assert (await now(desk, turn)).state is TurnState.ENDED


@pytest.mark.parametrize("fault", [refused("user_not_found", "users.info"), unclear("users.info")])
async def test_who_slack_does_not_know_is_no_admin(desk: Desk, fault: Exception) -> None:
    turn = await waiting(desk)
    desk.slack.faults["user"] = [fault] * 5
    await desk.send(cancel(turn, user=CAROL))
    assert (await now(desk, turn)).ending is None
    assert answers(desk)[0].startswith(NOT_YOURS)


async def test_what_began_while_slack_was_asked_who_is_an_admin_goes_on(desk: Desk) -> None:
    turn = await waiting(desk)
    look = desk.slack.user

    async def slow(user_id: str) -> Any:
        await desk.store.hold(turn.id, plan("a1"), desk.services.config.caps, desk.clock.now())
        return await look(user_id)

    desk.slack.user = slow  # type: ignore[method-assign]  # one answer comes late
    await desk.send(cancel(turn, user=CAROL))
    assert (await now(desk, turn)).state is TurnState.WORKING
    assert "already being made" in answers(desk)[0]


async def test_what_its_person_cancelled_while_slack_was_asked_is_not_cancelled_again(desk: Desk) -> None:
    turn = await waiting(desk)
    look = desk.slack.user

    async def slow(user_id: str) -> Any:
        await desk.services.intake.cancel(turn.id, ALICE)
        return await look(user_id)

    desk.slack.user = slow  # type: ignore[method-assign]  # one answer comes late
    await desk.send(cancel(turn, user=CAROL))
    assert (await now(desk, turn)).ending == OFF
    assert answers(desk)[0].startswith("This request was cancelled before")
    assert len(desk.line.withdrawn) == 1


async def test_after_a_restart_the_button_still_works(desk: Desk, database: Database) -> None:
    turn = await waiting(desk)
    again = Desk.make(database)
    await again.send(cancel(turn))
    assert (await now(again, turn)).ending == OFF


async def test_a_button_of_nothing_says_that_there_is_nothing_to_cancel(desk: Desk) -> None:
    await desk.send(clicked(CANCEL_ACTION, "turn_of_another"))
    assert answers(desk)[0].startswith("There is nothing left to cancel")
    assert desk.line.withdrawn == []
