"""What waits says so and is called off; what moderation stopped is worded anew."""

from __future__ import annotations

from sandbox.images.faults import RESPONSES, Fault
from sandbox.slack.model import Ephemeral
from sandbox.slack.workspace import Workspace
from tests.scenarios.conftest import OpenTown
from tests.scenarios.story import WAIT_S, Person, Thread, Town
from tests.scenarios.test_together import BLOCKED


async def _says(town: Town, thread: Thread, *words: str) -> None:
    def said(_: Workspace) -> bool | None:
        root = thread.placeholder
        return True if root is not None and all(word in root.text for word in words) else None

    await town.workspace.until(said, WAIT_S)


async def _alone(town: Town, person: Person, *words: str) -> Ephemeral:
    """Wait for what only this person sees."""

    def said(workspace: Workspace) -> Ephemeral | None:
        shown = workspace.ephemerals_for(person.id)
        return next((one for one in shown if all(word in one.text for word in words)), None)

    return await town.workspace.until(said, WAIT_S)


async def test_of_three_who_wait_one_is_called_off_and_the_others_come_in_their_order(
    towns: OpenTown,
) -> None:
    town = await towns(queue__per_person=1)
    alice = town.alice
    town.easel.hold()
    first = await alice.imagines("a fox")
    await town.has_called(1)
    second = await alice.imagines("a wolf")
    await _says(town, second, "Waiting: next in line")
    third = await alice.imagines("a bear")
    await _says(town, third, "Waiting: 2nd in line")
    assert second.placeholder is not None
    await town.bob.presses(second.placeholder, "cancel_turn")
    await town.bob.is_told("Only who asked for this and admins can cancel it")
    await alice.presses(second.placeholder, "cancel_turn")
    await alice.is_told("Your request was cancelled", "nothing was charged")
    town.easel.let_go()
    await third.version(1)
    await first.version(1)
    await town.rests()
    assert second.placeholder is None
    assert town.ledger.turns() == [
        ("pictures", "pictures"),
        ("cancelled", "called_off"),
        ("pictures", "pictures"),
    ]
    assert "cancel_turn" not in str(third.placeholder)
    assert len(town.calls) == 2


async def test_a_reply_that_waits_for_its_persons_other_pictures_is_told_so_once_with_a_way_to_call_it_off(
    towns: OpenTown,
) -> None:
    town = await towns(queue__per_person=1)
    alice = town.alice
    thread = await alice.imagines("a fox")
    await thread.version(1)
    await town.rests()
    town.easel.hold()
    await alice.imagines("a wolf")
    await town.has_called(2)
    await alice.replies(thread, "make it night")
    told = await _alone(town, alice, "Your request waits (make it night): next in line")
    assert (told.channel, told.thread_ts) == (thread.channel.id, thread.root)
    (button,) = told.blocks[-1]["elements"]
    assert button["action_id"] == "cancel_turn"
    town.easel.let_go()
    await thread.version(2)
    await town.rests()
    assert len([one for one in town.workspace.ephemerals_for(alice.id) if "waits" in one.text]) == 1


async def test_what_moderation_stopped_is_worded_anew_in_the_dialog_and_made(town: Town) -> None:
    """One of two pictures: for the other one the dialog opens with everything but the number."""
    alice = town.alice
    town.images.faults.append(Fault(endpoint=RESPONSES, status=400, body=BLOCKED))
    await alice.types("/imagine a fight --size landscape --n 2")
    told = await _alone(town, alice, "moderation", "Reword…")
    await town.rests()
    await town.workspace.press(alice.id, told.channel, told.ts, "reword")
    view = await alice.dialog("new_picture")
    await alice.submits(view, {"prompt": "a dance"})
    await town.has_called(3)
    await town.rests()
    assert [call.asked.prompt for call in town.calls] == ["a fight", "a fight", "a dance"]
    assert {call.asked.size for call in town.calls} == {"1536x1024"}
    assert town.ledger.turns() == [("pictures", "pictures")] * 2
    assert town.ledger.attempts() == ["released", "settled", "settled"]
