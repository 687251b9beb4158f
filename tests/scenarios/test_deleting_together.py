"""Deleting beside all else: while it is being changed or shared, twice at once, with bytes in common."""

from __future__ import annotations

import asyncio

from sandbox.images.painter import Order
from tests.scenarios.flat import FlatPainter
from tests.scenarios.leftovers import are_gone, holding, versions_are
from tests.scenarios.story import WAIT_S, Person, Thread, Town

PROMPT = b"a xylophone for two quokkas"


async def _delete(person: Person, thread: Thread, version: int) -> None:
    await person.chooses(thread.versions[version], "Delete…")
    await person.submits(await person.dialog("delete_picture"))


async def test_bytes_that_another_picture_has_too_stay_until_that_one_goes(town: Town) -> None:
    same = FlatPainter()(Order("", 1024, 1024))
    town.images.painter = lambda order: same
    thread = await town.alice.imagines(PROMPT.decode())
    first = await thread.version(1)
    await town.rests()
    await town.alice.presses(first, "picture_again")
    second = await thread.version(2)
    await town.rests()
    assert thread.sha256(1) == thread.sha256(2)
    await _delete(town.alice, thread, 1)
    await versions_are(thread, 2)
    await town.workspace.until(lambda w: w.files[first.file_id].deleted or None, WAIT_S)
    await town.restarts()
    await town.rests()
    assert len(holding(town, same)) == 1
    assert not town.workspace.files[second.file_id].deleted
    town.images.forget(None)
    await town.alice.replies(thread, "make it night")
    await thread.version(3)
    await town.rests()
    assert town.calls[-1].asked.pictures == (thread.sha256(2),)


async def test_deleting_what_is_being_changed_lets_the_change_come(town: Town) -> None:
    thread = await town.alice.imagines(PROMPT.decode())
    await thread.version(1)
    await town.rests()
    town.easel.hold()
    await town.alice.replies(thread, "make it night")
    await town.has_called(2)
    await _delete(town.alice, thread, 1)
    await town.alice.is_told("v1 is deleted")
    town.easel.let_go()
    await versions_are(thread, 2)
    await town.rests()
    assert [outcome for outcome, _ in town.ledger.turns()] == ["pictures", "pictures"]
    await town.restarts()
    await are_gone(town, PROMPT)
    assert sorted(thread.versions) == [2]


async def test_two_who_delete_at_once_both_read_what_came_of_it(town: Town) -> None:
    thread = await town.alice.imagines(PROMPT.decode())
    first = await thread.version(1)
    await town.rests()
    for person in (town.alice, town.carol):
        await person.chooses(first, "Delete…")
    views = [(person, await person.dialog("delete_picture")) for person in (town.alice, town.carol)]
    await asyncio.gather(*(person.submits(view) for person, view in views))
    for person in (town.alice, town.carol):
        await person.is_told("v1", "deleted")
    await versions_are(thread)
    await are_gone(town, PROMPT)
    await town.rests()
    told = [text for text in (*town.alice.private(), *town.carol.private()) if "had been deleted" in text]
    assert len(told) == 1


async def test_what_is_deleted_while_it_is_still_on_its_way_to_another_channel_does_not_arrive(
    town: Town,
) -> None:
    thread = await town.alice.imagines(PROMPT.decode())
    first = await thread.version(1)
    await town.rests()
    await town.alice.chooses(first, "Share to channel…")
    share = await town.alice.dialog("share_picture")
    await town.carol.chooses(first, "Delete…")
    await town.carol.submits(await town.carol.dialog("delete_picture"))
    await town.carol.is_told("v1 is deleted")
    seen = await town.alice.submits(share, {"share_channel": "general"})
    assert "was deleted" in str(seen.payload)
    await town.rests()
    assert town.messages("general") == []
