"""After Delete: nothing of a picture is left in Slack, at OpenAI or on disk, and its charge stays."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.app import Overrides
from darkroom.clock import SystemClock
from sandbox.images.faults import DELETE
from sandbox.images.faults import Fault as ApiFault
from sandbox.slack.model import Fault
from sandbox.slack.workspace import Workspace
from tests.scenarios.flat import said_in
from tests.scenarios.leftovers import are_gone, holding, versions_are
from tests.scenarios.pictures import Pictured, png
from tests.scenarios.story import WAIT_S, HurriedClock, Person, Thread, Town, close_town, open_town

PROMPT = "a xylophone for two quokkas"
RETRIES_S = {30.0: 0.2, 60.0: 0.02, 120.0: 0.02, 240.0: 0.02, 480.0: 0.02}
"""The waits between rounds that could not do everything, and what of them is really waited. The first is also
how long a call that deletes a stored response may take."""


class HastyClock(HurriedClock):
    """Hurries also through the waits after a round that was in vain."""

    def monotonic(self) -> float:
        """What was not really waited counts."""
        return super().monotonic() + self._ahead.total_seconds()

    async def sleep(self, seconds: float) -> None:
        """See ``HurriedClock``."""
        if seconds not in RETRIES_S:
            await super().sleep(seconds)
            return
        await SystemClock.sleep(self, RETRIES_S[seconds])
        self._ahead += timedelta(seconds=seconds)


@pytest.fixture
async def hasty(tmp_path: Path) -> AsyncIterator[Town]:
    """A town in which what was in vain is soon tried again."""
    town = await open_town(tmp_path / "data", Overrides(clock=HastyClock()), image__timeout_s=200)
    yield town
    await close_town(town)


def _bytes(town: Town, pictured: Pictured) -> bytes:
    """The beginning of a picture's bytes, its colour included; no other picture has them."""
    data = town.workspace.files[pictured.file_id].data
    assert holding(town, data[:120]) != []
    return data[:120]


async def _delete(person: Person, pictured: Pictured) -> str:
    """Delete it by its menu; gives what the dialog said."""
    await person.chooses(pictured, "Delete…")
    view = await person.dialog("delete_picture")
    await person.submits(view)
    return said_in(view)


async def _status(town: Town, response_id: str | None) -> int:
    """What the API answers when it is asked for a stored response."""
    answer = await town.images.retrieve_response(str(response_id), {"authorization": "Bearer sk-sandbox"})
    return answer.status


async def _forgotten(town: Town) -> None:
    """Wait until the API has deleted a stored response, and has nothing of the first one any more."""

    def deleted(_: Workspace) -> bool:
        return any(call.endpoint == DELETE and call.outcome == "ok" for call in town.images.calls)

    await town.workspace.until(deleted, WAIT_S)
    assert await _status(town, town.calls[0].response_id) == 404


async def _made(town: Town, prompt: str = PROMPT, wanted: int = 1) -> Thread:
    thread = await town.alice.imagines(f"{prompt} --n {wanted}")
    await thread.version(wanted)
    await town.rests()
    return thread


async def test_what_its_person_deletes_is_gone_everywhere_but_from_the_books(town: Town) -> None:
    thread = await _made(town)
    first, charged = thread.versions[1], town.ledger.charged()
    data = _bytes(town, first)
    await town.alice.chooses(first, "Share to channel…")
    comment = {"share_channel": "general", "share_comment": "look, quokkas"}
    await town.alice.submits(await town.alice.dialog("share_picture"), comment)
    shared = await town.workspace.until(lambda _: next(iter(town.messages("general")), None), WAIT_S)
    copy = town.workspace.files[shared.blocks[1]["slack_file"]["id"]]
    assert copy.data.startswith(data)
    await town.rests()
    assert holding(town, PROMPT.encode()) != []
    assert await _status(town, town.calls[0].response_id) == 200

    said = await _delete(town.alice, first)
    for words in ("for everybody", "charge of $0.05", "cannot be recalled", "backups"):
        assert words in said
    await town.alice.is_told("v1 is deleted")
    await are_gone(town, PROMPT.encode(), b"quokkas", data)
    await town.rests()
    assert thread.versions == {}
    assert town.messages("general") == []
    assert town.workspace.files[first.file_id].deleted
    assert copy.deleted
    assert await _status(town, town.calls[0].response_id) == 404
    assert thread.placeholder is not None
    assert "quokka" not in thread.placeholder.text + str(thread.placeholder.blocks)
    assert town.ledger.charged() == charged
    assert PROMPT not in said_in(await town.alice.opens_home())
    await town.restarts()
    await town.sends_again()
    assert holding(town, b"quokkas", data) == []
    assert town.ledger.charged() == charged
    assert len(town.calls) == 1


async def test_a_stranger_to_it_is_refused_and_an_admin_is_not(town: Town) -> None:
    thread = await _made(town)
    first = thread.versions[1]
    data = _bytes(town, first)
    await town.bob.chooses(first, "Delete…")
    await town.bob.is_told("only who asked for a picture and admins")
    await town.rests()
    assert town.workspace.modal_of(town.bob.id) is None
    assert holding(town, data) != []
    await _delete(town.carol, first)
    await town.carol.is_told("v1 is deleted")
    await are_gone(town, PROMPT.encode(), data)
    assert await _status(town, town.calls[0].response_id) == 404


async def test_it_is_recalled_in_the_end_though_slack_and_the_api_refuse_for_a_while(hasty: Town) -> None:
    thread = await _made(hasty)
    first = thread.versions[1]
    data = _bytes(hasty, first)
    hasty.workspace.faults += [
        Fault("chat.delete", error="fatal_error", times=2),
        Fault("chat.update", status=503, times=3),
        Fault("files.delete", error="ratelimited", status=429, headers={"Retry-After": "1"}, times=9),
    ]
    hasty.images.faults += [ApiFault(endpoint=DELETE, status=403) for _ in range(3)]
    await _delete(hasty.alice, first)
    await hasty.alice.is_told("v1 is deleted")
    await are_gone(hasty, PROMPT.encode(), data)
    await _forgotten(hasty)
    await hasty.workspace.until(lambda w: w.files[first.file_id].deleted or None, WAIT_S)
    await versions_are(thread)
    await hasty.rests()
    assert holding(hasty, b"quokkas", data) == []


async def test_what_could_not_be_recalled_before_a_restart_is_recalled_after_it(town: Town) -> None:
    thread = await _made(town)
    first = thread.versions[1]
    data = _bytes(town, first)
    town.workspace.faults += [
        Fault(method, error="internal_error", times=100_000)
        for method in ("chat.delete", "chat.update", "files.delete")
    ]
    town.images.faults += [ApiFault(endpoint=DELETE, status=401) for _ in range(50)]
    await _delete(town.alice, first)
    await are_gone(town, PROMPT.encode(), data)
    assert (await _status(town, town.calls[0].response_id), list(thread.versions)) == (200, [1])
    await town.darkroom.aclose()
    town.workspace.faults.clear()
    town.images.faults.clear()
    await town.restarts()
    await versions_are(thread)
    await town.workspace.until(lambda w: w.files[first.file_id].deleted or None, WAIT_S)
    await town.rests()
    await _forgotten(town)
    assert holding(town, b"quokkas", data) == []


async def test_one_of_three_goes_from_their_message_and_the_others_stay_until_they_go_too(town: Town) -> None:
    thread = await _made(town, wanted=3)
    pictures = [thread.versions[number] for number in (1, 2, 3)]
    bytes_ = [_bytes(town, one) for one in pictures]
    await _delete(town.alice, pictures[1])
    await versions_are(thread, 1, 3)
    await are_gone(town, bytes_[1])
    await town.rests()
    assert [bool(holding(town, data)) for data in bytes_] == [True, False, True]
    assert {number: one.id for number, one in thread.versions.items()} == {
        1: pictures[0].id,
        3: pictures[2].id,
    }
    assert [town.workspace.files[one.file_id].deleted for one in pictures] == [False, True, False]
    assert thread.versions[3].asker in (None, town.alice.id)
    assert sorted([await _status(town, call.response_id) for call in town.calls]) == [200, 200, 404]
    await town.bob.presses(thread.versions[3], "picture_again")
    assert (await thread.version(4)).parent is None
    await town.rests()
    for version, left in ((1, (3, 4)), (3, (4,))):
        await _delete(town.alice, thread.versions[version])
        await versions_are(thread, *left)
    await town.rests()
    await _delete(town.bob, thread.versions[4])
    await are_gone(town, b"quokkas", *bytes_)


async def test_a_child_lives_on_without_its_parent_and_goes_on_from_its_own_bytes(town: Town) -> None:
    thread = await _made(town)
    first = thread.versions[1]
    data = _bytes(town, first)
    await town.alice.replies(thread, "make it night")
    second = await thread.version(2)
    await town.rests()
    said = await _delete(town.alice, first)
    assert "the picture made from it" in said
    await town.alice.is_told("v1 is deleted", "made from it still show")
    await are_gone(town, PROMPT.encode(), data)
    await versions_are(thread, 2)
    await town.rests()

    await town.bob.presses(second, "picture_again")
    await town.bob.is_told("was deleted", "nothing was charged")
    await town.alice.replies(thread, "undo")
    await town.alice.is_told("nothing to go back to")
    await town.alice.replies(thread, "add a moon")
    third = await thread.version(3)
    await town.rests()
    assert third.parent == 2
    sent = town.calls[-1].asked
    assert (sent.parent, sent.pictures) == (None, (thread.sha256(2),))
    await town.alice.replies(thread, "versions")
    listed = await thread.says("3 versions")
    assert "deleted" in listed.text
    assert "quokka" not in listed.text + str(listed.blocks)
    town.ledger.holds_nothing()


async def test_what_went_along_with_the_prompt_goes_too_and_the_own_message_is_named(town: Town) -> None:
    photo = png(60, 44, (3, 99, 200))
    shared = await town.alice.shares(
        f"<@{town.workspace.bot_user_id}> {PROMPT}", {"quokka-secret.png": photo}
    )
    thread = await town.thread_of(shared.ts)
    first = await thread.version(1)
    await town.rests()
    assert holding(town, photo) != []
    data = _bytes(town, first)
    await _delete(town.alice, first)
    await town.alice.is_told("v1 is deleted", "delete it yourself")
    await are_gone(town, PROMPT.encode(), b"quokka", photo, data)
    await town.rests()
    assert town.workspace.message("design", shared.ts).text.endswith(PROMPT)
