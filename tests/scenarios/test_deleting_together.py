"""Deleting beside all else: while it is being changed or shared, twice at once, with bytes in common."""

from __future__ import annotations

import asyncio

import pytest

from sandbox.images.painter import Order
from tests.scenarios.conftest import OpenTown
from tests.scenarios.flat import FlatPainter, painted_flat
from tests.scenarios.leftovers import are_gone, holding, versions_are
from tests.scenarios.story import WAIT_S, Person, Thread, Town

PROMPT = b"a xylophone for two quokkas"


@pytest.fixture
async def flat(towns: OpenTown) -> Town:
    """A town whose pictures have one colour each."""
    return painted_flat(await towns())


async def _delete(person: Person, thread: Thread, version: int) -> None:
    await person.chooses(thread.versions[version], "Delete…")
    await person.submits(await person.dialog("delete_picture"))


async def test_bytes_that_another_picture_has_too_stay_until_that_one_goes(flat: Town) -> None:
    same = FlatPainter()(Order("", 1024, 1024))
    flat.images.painter = lambda order: same
    thread = await flat.alice.imagines(PROMPT.decode())
    first = await thread.version(1)
    await flat.rests()
    await flat.alice.presses(first, "picture_again")
    second = await thread.version(2)
    await flat.rests()
    assert thread.sha256(1) == thread.sha256(2)
    await _delete(flat.alice, thread, 1)
    await versions_are(thread, 2)
    await flat.workspace.until(lambda w: w.files[first.file_id].deleted or None, WAIT_S)
    await flat.restarts()
    await flat.rests()
    assert len(holding(flat, same)) == 1
    assert not flat.workspace.files[second.file_id].deleted
    flat.images.forget(None)
    await flat.alice.replies(thread, "make it night")
    await thread.version(3)
    await flat.rests()
    assert flat.calls[-1].asked.pictures == (thread.sha256(2),)


async def test_deleting_what_is_being_changed_lets_the_change_come(flat: Town) -> None:
    thread = await flat.alice.imagines(PROMPT.decode())
    await thread.version(1)
    await flat.rests()
    flat.easel.hold()
    await flat.alice.replies(thread, "make it night")
    await flat.has_called(2)
    await _delete(flat.alice, thread, 1)
    await flat.alice.is_told("v1 is deleted")
    flat.easel.let_go()
    await versions_are(thread, 2)
    await flat.rests()
    assert [outcome for outcome, _ in flat.ledger.turns()] == ["pictures", "pictures"]
    await flat.restarts()
    await are_gone(flat, PROMPT)
    assert sorted(thread.versions) == [2]


async def test_two_who_delete_at_once_both_read_what_came_of_it(flat: Town) -> None:
    thread = await flat.alice.imagines(PROMPT.decode())
    first = await thread.version(1)
    await flat.rests()
    for person in (flat.alice, flat.carol):
        await person.chooses(first, "Delete…")
    views = [(person, await person.dialog("delete_picture")) for person in (flat.alice, flat.carol)]
    await asyncio.gather(*(person.submits(view) for person, view in views))
    for person in (flat.alice, flat.carol):
        await person.is_told("v1", "deleted")
    await versions_are(thread)
    await are_gone(flat, PROMPT)
    await flat.rests()
    told = [text for text in (*flat.alice.private(), *flat.carol.private()) if "had been deleted" in text]
    assert len(told) == 1


async def test_what_is_deleted_while_it_is_still_on_its_way_to_another_channel_does_not_arrive(
    flat: Town,
) -> None:
    thread = await flat.alice.imagines(PROMPT.decode())
    first = await thread.version(1)
    await flat.rests()
    await flat.alice.chooses(first, "Share to channel…")
    share = await flat.alice.dialog("share_picture")
    await flat.carol.chooses(first, "Delete…")
    await flat.carol.submits(await flat.carol.dialog("delete_picture"))
    await flat.carol.is_told("v1 is deleted")
    seen = await flat.alice.submits(share, {"share_channel": "general"})
    assert "was deleted" in str(seen.payload)
    await flat.rests()
    assert flat.messages("general") == []
