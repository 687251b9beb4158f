"""Every place in Slack from which a picture can be asked for, and what a person then sees there."""

from __future__ import annotations

import hashlib
import re

import pytest

from sandbox.slack.model import Json, Message
from sandbox.slack.workspace import Workspace
from tests.scenarios.flat import said_in
from tests.scenarios.pictures import png
from tests.scenarios.story import WAIT_S, Person, Thread, Town

PHOTO, OTHER_PHOTO = png(64, 48), png(48, 64, (20, 60, 220))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def _opened(town: Town, channel: str, before: set[str]) -> Thread:
    """The thread that was opened in *channel* since *before*."""

    def root(workspace: Workspace) -> Message | None:
        found = workspace.channel_named(channel).messages.values()
        return next((m for m in found if m.ts not in before and not m.is_reply), None)

    return await town.thread_of((await town.workspace.until(root, WAIT_S)).ts, channel)


def _stand(town: Town, channel: str) -> set[str]:
    return {message.ts for message in town.messages(channel)}


def _dm(town: Town, person: Person) -> str:
    return town.workspace.dm(person.id, town.workspace.bot_user_id).id


async def _until_view_says(person: Person, view_id: str, *words: str) -> Json:
    """Wait until the dialog *view_id* says all of *words*."""

    def says(workspace: Workspace) -> Json | None:
        view = workspace.views.get(view_id)
        return view if view is not None and all(word in said_in(view) for word in words) else None

    return await person.town.workspace.until(says, WAIT_S)


async def test_imagine_without_a_prompt_opens_the_dialog_and_what_was_typed_stands_in_it(town: Town) -> None:
    await town.alice.types("/imagine --size landscape --background transparent")
    view = await town.alice.dialog("new_picture")
    assert "--background transparent" in said_in(view)
    assert re.search(r"\*Price:\* about \d+¢, at most \d+¢", said_in(view)), said_in(view)
    before = _stand(town, "design")
    await town.alice.submits(view, {"prompt": "a red fox in snow", "quality": "low"})
    thread = await _opened(town, "design", before)
    first = await thread.version(1)
    await town.rests()
    assert town.workspace.modal_of(town.alice.id) is None
    asked = town.calls[0].asked
    assert (asked.size, asked.quality, asked.background) == ("1536x1024", "low", "transparent")
    assert "transparent background by" in first.line
    assert asked.model is not None
    assert asked.model in first.line


async def test_the_global_shortcut_asks_where_says_what_it_costs_and_where_it_cannot_be(town: Town) -> None:
    await town.alice.uses("new_picture_shortcut")
    view = await town.alice.dialog("new_picture")
    cheap = said_in(view)
    await town.alice.fills(view, {"number": "3", "quality": "high"})
    view = await _until_view_says(town.alice, view["id"], "for all 3")
    assert said_in(view) != cheap
    lobby = town.workspace.channel_named("lobby").id
    await town.alice.fills(view, {"channel": "lobby"})
    await _until_view_says(town.alice, view["id"], f"<#{lobby}>", "/invite", "direct message")
    await town.alice.fills(view, {"channel": "general", "number": "1"})
    photo = await town.workspace.upload(town.alice.id, "photo.png", PHOTO)
    before = _stand(town, "general")
    await town.alice.submits(view, {"prompt": "like this, in red", "references": [photo.id]})
    thread = await _opened(town, "general", before)
    first = await thread.version(1)
    await town.rests()
    assert "1 reference picture" in first.line
    assert town.calls[0].asked.pictures == (_digest(PHOTO),)
    assert town.calls[0].asked.quality == "high"
    assert town.workspace.channel_named("lobby").messages == {}


async def test_the_message_shortcut_edits_our_picture_and_somebody_elses(town: Town) -> None:
    thread = await town.alice.imagines("a red fox in snow")
    first = await thread.version(1)
    await town.rests()
    await town.bob.uses("edit_with_darkroom", first.message)
    view = await town.bob.dialog("edit_picture")
    assert "v1" in said_in(view)
    await town.bob.submits(view, {"prompt": "make it night"})
    second = await thread.version(2)
    assert (second.parent, second.asker) == (1, town.bob.id)

    shared = await town.bob.shares("look at this", {"photo.png": PHOTO}, "general")
    await town.alice.uses("edit_with_darkroom", shared)
    view = await town.alice.dialog("edit_picture")
    assert "photo.png" in said_in(view)
    await town.alice.submits(view, {"prompt": "make it blue"})
    there = await town.thread_of(shared.ts, "general")
    made = await there.version(1)
    await town.rests()
    assert "1 reference picture" in made.line
    assert town.calls[-1].asked.pictures == (_digest(PHOTO),)
    assert town.calls[1].asked.parent == town.calls[0].response_id

    words = await town.bob.writes("no picture here")
    await town.alice.uses("edit_with_darkroom", words)
    view = await town.alice.dialog("edit_picture")
    assert "no picture that I could edit" in said_in(view)
    assert view["submit"] is None


async def test_where_darkroom_is_not_the_shortcut_and_the_command_go_on_in_our_direct_message(
    town: Town,
) -> None:
    shared = await town.bob.shares("look at this", {"photo.png": PHOTO}, "lobby")
    await town.alice.uses("edit_with_darkroom", shared)
    view = await town.alice.dialog("edit_picture")
    for words in ("cannot read", "direct message", "/invite"):
        assert words in said_in(view)
    photo = await town.workspace.upload(town.alice.id, "photo.png", PHOTO)
    dm = _dm(town, town.alice)
    await town.alice.submits(view, {"prompt": "make it blue", "references": [photo.id]})
    thread = await _opened(town, dm, set())
    await thread.version(1)
    await town.rests()
    assert town.calls[0].asked.pictures == (_digest(PHOTO),)

    before = _stand(town, dm)
    await town.alice.types("/imagine a red fox in snow --quality low", channel="secret")
    await town.alice.is_told("/invite", "Make it in our DM")
    offer = town.workspace.ephemerals_for(town.alice.id)[-1]
    for _ in range(2):
        await town.workspace.press(town.alice.id, "secret", offer.ts, "make_in_dm")
    thread = await _opened(town, dm, before)
    await thread.version(1)
    await town.sends_again()
    assert [call.asked.prompt for call in town.calls] == ["make it blue", "a red fox in snow"]
    assert town.calls[1].asked.quality == "low"
    assert town.workspace.channel_named("secret").messages == {}
    assert len(town.messages("lobby")) == 1


async def test_a_mention_takes_its_own_files_or_the_pictures_above_it(town: Town) -> None:
    us = f"<@{town.workspace.bot_user_id}>"
    shared = await town.bob.shares(f"{us} make a poster of these", {"a.png": PHOTO, "b.png": OTHER_PHOTO})
    thread = await town.thread_of(shared.ts)
    first = await thread.version(1)
    await town.rests()
    assert "2 reference pictures" in first.line
    assert town.calls[0].asked.pictures == (_digest(PHOTO), _digest(OTHER_PHOTO))

    root = await town.bob.shares("which one?", {"a.png": PHOTO}, "general")
    above = await town.thread_of(root.ts, "general")
    await town.bob.replies_with(above, "or this", {"b.png": OTHER_PHOTO})
    await town.bob.replies(above, "I like the second")
    await town.alice.replies(above, f"{us} make this one blue")
    made = await above.version(1)
    await town.alice.replies(above, "and now darker")
    second = await above.version(2)
    await town.rests()
    assert "2 reference pictures" in made.line
    assert town.calls[1].asked.pictures == (_digest(PHOTO), _digest(OTHER_PHOTO))
    assert second.parent == 1
    assert town.calls[2].asked.parent == town.calls[1].response_id
    assert len(town.calls) == 3


async def test_in_our_direct_message_what_reads_like_an_edit_is_asked_first_and_each_answer_acts_once(
    town: Town,
) -> None:
    dm = _dm(town, town.alice)
    top = await town.alice.writes("a red fox in snow", channel="")
    thread = await town.thread_of(top.ts, dm)
    await thread.version(1)
    await town.alice.replies(thread, "make it night")
    await thread.version(2)
    await town.rests()

    async def asked(text: str) -> tuple[Thread, Message]:
        before = _stand(town, dm)
        written = await town.alice.writes(text, channel="")

        def question(_: Workspace) -> Message | None:
            ours = [m for m in town.messages(dm) if m.ts not in before and m.user != town.alice.id]
            return ours[-1] if ours else None

        return await town.thread_of(written.ts, dm), await town.workspace.until(question, WAIT_S)

    _, question = await asked("make it brighter")
    for words in ("Edit v2", "New picture", "Nothing was made yet"):
        assert words in question.text
    assert len(town.calls) == 2
    await town.workspace.press(town.alice.id, dm, question.ts, "edit_last")
    third = await thread.version(3)
    assert third.parent == 2
    await town.rests()
    assert "Editing" in town.workspace.message(dm, question.ts).text

    own, question = await asked("make it darker")
    await town.workspace.press(town.alice.id, dm, question.ts, "make_new")
    fresh = await own.version(1)
    await town.sends_again()
    assert fresh.parent is None
    assert [call.asked.prompt for call in town.calls][2:] == ["make it brighter", "make it darker"]
    assert town.calls[3].asked.parent is None
    assert town.calls[3].asked.pictures == ()
    town.ledger.holds_nothing()


async def test_both_answers_pressed_at_once_make_one_picture(town: Town) -> None:
    dm = _dm(town, town.alice)
    top = await town.alice.writes("a red fox in snow", channel="")
    await (await town.thread_of(top.ts, dm)).version(1)
    await town.rests()
    town.easel.hold()
    await town.alice.writes("make it brighter", channel="")
    text = await town.alice.is_told("Edit v1", "New picture")
    question = next(m for m in town.messages(dm) if m.text == text)
    # Read before the press, which takes the buttons away.
    button = next(e for e in question.blocks[-1]["elements"] if e["action_id"] == "make_new")
    await town.workspace.press(town.alice.id, dm, question.ts, "edit_last")
    # By then the news of the message that changed has been sent, too.
    payloads = [envelope["payload"] for envelope in town.workspace.delivery.sent]
    sent = next(payload for payload in reversed(payloads) if "actions" in payload)
    acted = sent["actions"][0] | {"action_id": "make_new", "value": button["value"]}
    await town.workspace.redeliver(sent | {"trigger_id": "1.2.other", "actions": [acted]})
    await town.alice.is_told("pressed this already")
    town.easel.let_go()
    await town.rests()
    assert len(town.calls) == 2
    town.ledger.holds_nothing()


async def test_several_pictures_with_a_transparent_background_come_in_one_message_that_pings_once(
    town: Town,
) -> None:
    thread = await town.alice.imagines("a paper boat --n 3 --size banner --background transparent")
    assert thread.placeholder is not None
    assert "3 pictures" in thread.placeholder.text
    pictures = [await thread.version(number) for number in (1, 2, 3)]
    await town.rests()
    assert {one.message.ts for one in pictures} == {thread.pictures[0].ts}
    assert len({thread.sha256(number) for number in (1, 2, 3)}) == 3
    assert all("transparent background by gpt-image-" in one.line for one in pictures)
    assert all(one.alt and f"version {one.version}" in one.alt for one in pictures)
    assert len(town.calls) == 3
    width, height = (int(side) for side in str(town.calls[0].asked.size).split("x"))
    assert width >= 2.5 * height
    assert town.alice.pings() == [pictures[0].message.ts]


@pytest.mark.parametrize(
    ("named", "size"), [("square", "1024x1024"), ("portrait", "1024x1536"), ("--ar 16:9", None)]
)
async def test_sizes_have_names(town: Town, named: str, size: str | None) -> None:
    option = named if named.startswith("--") else f"--size {named}"
    thread = await town.alice.imagines(f"a boat {option}")
    await thread.version(1)
    await town.rests()
    asked = str(town.calls[0].asked.size)
    width, height = (int(side) for side in asked.split("x"))
    assert asked == size if size else abs(width / height - 16 / 9) < 0.02


async def test_help_fits_on_a_screen_and_names_what_there_is(town: Town) -> None:
    seen = await town.alice.types("/imagine help")
    for words in ("--n", "--size", "--quality", "--background", "--private", "mask", "undo", "versions"):
        assert words in seen.text
    assert len(seen.text.splitlines()) <= 12
    assert len(seen.text) < 1_600
