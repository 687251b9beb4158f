"""Dialogs and questions that were left open: over a restart, with faults in them, by people who may not."""

from __future__ import annotations

import pytest

from sandbox.slack.model import Fault, Message
from sandbox.slack.workspace import Workspace
from tests.scenarios.conftest import OpenTown
from tests.scenarios.flat import said_in
from tests.scenarios.story import WAIT_S, Person, Thread, Town


async def _opened(town: Town, channel: str, before: set[str]) -> Thread:
    def root(workspace: Workspace) -> Message | None:
        found = workspace.channel_named(channel).messages.values()
        return next((m for m in found if m.ts not in before and not m.is_reply), None)

    return await town.thread_of((await town.workspace.until(root, WAIT_S)).ts, channel)


def _dm(town: Town, person: Person) -> str:
    return town.workspace.dm(person.id, town.workspace.bot_user_id).id


async def test_dialogs_and_questions_that_were_open_go_on_after_a_restart_and_act_once(town: Town) -> None:
    thread = await town.alice.imagines("a red fox in snow --n 2")
    first, second = await thread.version(1), await thread.version(2)
    await town.rests()
    await town.alice.presses(first, "picture_variations")
    variations = await town.alice.dialog("variations")
    await town.bob.uses("edit_with_darkroom", second.message)
    edit = await town.bob.dialog("edit_picture")
    assert "*v1* and *v2*" in said_in(edit)
    await town.carol.types("/imagine --size story")
    new = await town.carol.dialog("new_picture")
    await town.restarts()
    before = {message.ts for message in town.messages()}
    await town.alice.submits(variations, {"choice": "1"})
    assert (await thread.version(3)).parent == 1
    await town.bob.submits(edit, {"prompt": "make it night", "which": second.id})
    assert (await thread.version(4)).parent == 2
    await town.carol.submits(new, {"prompt": "a tall tower"})
    await (await _opened(town, "design", before)).version(1)
    await town.sends_again()
    asked = [call.asked.prompt for call in town.calls]
    assert asked[2:] == ["A variation of this picture: a red fox in snow", "make it night", "a tall tower"]
    assert len(asked) == 5

    await town.alice.types("/imagine a boat --private")
    await (await _opened(town, _dm(town, town.alice), set())).version(1)
    await town.rests()
    await town.alice.writes("make it brighter", channel="")
    text = await town.alice.is_told("Edit v1", "New picture")
    await town.restarts()
    question = next(m for m in town.messages(_dm(town, town.alice)) if m.text == text)
    await town.workspace.press(town.alice.id, question.channel, question.ts, "edit_last")
    await town.sends_again()
    assert town.calls[-1].asked.prompt == "make it brighter"
    assert town.calls[-1].asked.parent == town.calls[-2].response_id
    assert len(town.calls) == 7


async def test_what_is_wrong_in_a_dialog_is_said_in_it_and_nothing_that_was_typed_is_lost(town: Town) -> None:
    await town.alice.uses("new_picture_shortcut")
    view = await town.alice.dialog("new_picture")
    seen = await town.alice.submits(view, {"prompt": "a fox --quality splendid", "channel": "design"})
    assert "splendid" in seen.payload["errors"]["prompt"]
    seen = await town.alice.submits(view, {"prompt": "--n 2"})
    assert "Say what should be in the picture" in seen.payload["errors"]["prompt"]
    still = town.workspace.modal_of(town.alice.id)
    assert still is not None
    assert still["id"] == view["id"]
    await town.alice.submits(view, {"prompt": "a fox --quality low"})
    thread = await _opened(town, "design", set())
    await thread.version(1)
    await town.rests()
    assert [call.asked.quality for call in town.calls] == ["low"]


async def test_who_may_not_or_cannot_pay_reads_so_and_nothing_is_bought(towns: OpenTown) -> None:
    town = await towns(caps__person_usd="0.01")
    await town.alice.uses("new_picture_shortcut")
    view = await town.alice.dialog("new_picture")
    await town.alice.submits(view, {"prompt": "a red fox", "channel": "design"})
    await town.alice.is_told("$0.01", "nothing was charged")
    await town.gus.types("/imagine")
    await town.gus.submits(await town.gus.dialog("new_picture"), {"prompt": "a red fox"})
    await town.gus.is_told("guests cannot")
    await town.olaf.mentions("a red fox", channel="partners")
    await town.rests()
    assert town.calls == []
    assert {outcome for outcome, _ in town.ledger.turns()} == {"declined"}
    town.ledger.holds_nothing()


@pytest.mark.parametrize("error", ["expired_trigger_id", "internal_error"])
async def test_a_dialog_that_slack_does_not_open_is_explained_with_the_way_out(
    town: Town, error: str
) -> None:
    town.workspace.faults += [Fault("views.open", error=error, times=3)]
    await town.alice.types("/imagine")
    await town.alice.is_told("could not be opened in time", "/imagine a red fox")
    thread = await town.alice.imagines("a red fox in snow")
    first = await thread.version(1)
    await town.rests()
    await town.alice.presses(first, "picture_variations")
    await town.alice.is_told("again")
    await town.alice.uses("edit_with_darkroom", first.message)
    await town.rests()
    assert town.workspace.modal_of(town.alice.id) is None
    await town.alice.presses(first, "picture_variations")
    await town.alice.dialog("variations")
    assert len(town.calls) == 1


async def test_deleting_where_a_picture_was_shared_deletes_it_everywhere(town: Town) -> None:
    thread = await town.alice.imagines("a red fox in snow")
    first = await thread.version(1)
    await town.rests()
    await town.bob.chooses(first, "Share to channel…")
    await town.bob.submits(await town.bob.dialog("share_picture"), {"share_channel": "general"})

    def shared(_: Workspace) -> Message | None:
        return next(iter(town.messages("general")), None)

    message = await town.workspace.until(shared, WAIT_S)
    await town.rests()
    here = await town.thread_of(message.ts, "general")
    await town.bob.replies(here, "make it night")
    await here.version(2)
    await town.rests()
    for label in ("Delete…", "Edit this one"):
        value = first.menu[label]
        await town.bob.presses(message, "picture_menu", value=value)
        await town.rests()
    assert town.workspace.modal_of(town.bob.id) is None
    await town.alice.presses(message, "picture_menu", value=first.menu["Delete…"])
    await town.alice.submits(await town.alice.dialog("delete_picture"))
    await town.alice.is_told("v1 is deleted", "1 picture that was made from it")

    def gone(workspace: Workspace) -> bool:
        left = workspace.message("general", message.ts)
        return not thread.versions and "red fox" not in f"{left.text} {left.blocks}"

    await town.workspace.until(gone, WAIT_S)
    await town.rests()
    assert list(here.versions) == [2]


async def test_where_darkroom_is_not_the_dialog_stays_open_and_goes_on_in_our_direct_message(
    town: Town,
) -> None:
    await town.alice.uses("new_picture_shortcut")
    view = await town.alice.dialog("new_picture")
    await town.alice.fills(view, {"prompt": "a red fox in snow", "channel": "lobby"})

    def warned(_: Workspace) -> bool:
        return "/invite" in said_in(town.workspace.views[view["id"]])

    await town.workspace.until(warned, WAIT_S)
    seen = await town.alice.submits(view)
    assert list(seen.payload["errors"]) == ["channel"]
    assert town.workspace.modal_of(town.alice.id) is not None
    await town.alice.fills(view, {"private": ["yes"]})
    await town.rests()
    assert "/invite" not in said_in(town.workspace.views[view["id"]])
    await town.alice.submits(view)
    thread = await _opened(town, _dm(town, town.alice), set())
    await thread.version(1)
    await town.rests()
    assert [call.asked.prompt for call in town.calls] == ["a red fox in snow"]
    assert town.messages("lobby") == []


async def test_in_a_direct_message_between_others_it_is_offered_in_ours_and_made_there(town: Town) -> None:
    between = town.workspace.dm(town.alice.id, town.bob.id).id
    await town.workspace.type_command(town.alice.id, between, "/imagine a red fox in snow")
    await town.alice.is_told("between others", "Make it in our DM")
    offer = town.workspace.ephemerals_for(town.alice.id)[-1]
    await town.workspace.press(town.alice.id, between, offer.ts, "make_in_dm")
    first = await _opened(town, _dm(town, town.alice), set())
    await first.version(1)
    await town.rests()
    before = {message.ts for message in town.messages(_dm(town, town.alice))}
    await town.workspace.type_command(town.alice.id, between, "/imagine a boat --private")
    await (await _opened(town, _dm(town, town.alice), before)).version(1)
    await town.rests()
    assert [call.asked.prompt for call in town.calls] == ["a red fox in snow", "a boat"]
    assert town.messages(between) == []
