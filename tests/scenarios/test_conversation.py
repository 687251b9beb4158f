"""A long conversation: back and forth, aside and on, and each request carries exactly what it builds on."""

from __future__ import annotations

import hashlib

import pytest

from bot.app import Overrides
from darkroom.turns.planning import CHAIN_PICTURES_MAX
from tests.scenarios.carried import adds_up, built_on, response_of, sent
from tests.scenarios.conftest import OpenTown
from tests.scenarios.pictures import mask_png, png
from tests.scenarios.story import HurriedClock, Person, Thread, Town, nano

REFERENCE = png(80, 60)


@pytest.fixture
async def town(towns: OpenTown) -> Town:
    """One in which nobody really waits for Slack, which takes about one message a second in a channel."""
    return await towns(overrides=Overrides(clock=HurriedClock(moment_s=0.002)))


async def edits(person: Person, thread: Thread, text: str, version: int) -> None:
    """A reply, and the picture that comes of it."""
    await person.replies(thread, text)
    await thread.version(version)


async def test_ten_turns_with_a_branch_an_undo_a_reference_a_mask_several_and_other_options(
    town: Town,
) -> None:
    alice = town.alice
    thread = await alice.imagines("a red fox in snow")
    await thread.version(1)
    await edits(alice, thread, "make it night", 2)
    await edits(alice, thread, "add a moon", 3)
    await edits(alice, thread, "add a star --n 3", 6)
    third = await thread.version(3)
    await alice.chooses(third, "Edit this one")
    await alice.is_told("changes v3")
    await alice.replies_with(thread, "a hat like this one", {"hat.png": REFERENCE})
    seventh = await thread.version(7)
    assert "1 reference picture" in seventh.line
    await alice.replies(thread, "undo")
    await thread.says("Back to v3")
    await edits(alice, thread, "make it day --quality high", 8)
    await alice.replies_with(thread, "a tree here", {"mask.png": mask_png(1024, 1024)})
    ninth = await thread.version(9)
    assert "Only the marked 25 % of v8" in ninth.line
    town.images.forget()
    await edits(alice, thread, "add a bird", 10)
    await edits(alice, thread, "add a boat", 11)
    await adds_up(town, thread)

    calls = sent(town)
    resp = {number: response_of(town, number) for number in thread.versions}
    sha = {number: thread.sha256(number) for number in thread.versions}
    assert len(set(sha.values())) == len(sha) == 11
    reference = hashlib.sha256(REFERENCE).hexdigest()
    assert [built_on(asked) for asked in calls] == [
        (None, (), False),
        (resp[1], (), False),
        (resp[2], (), False),
        *[(resp[3], (), False)] * 3,
        (resp[3], (reference,), False),
        (resp[3], (), False),
        (None, (sha[8],), True),
        (resp[9], (), False),
        (None, (sha[9],), False),
        (resp[10], (), False),
    ]
    assert [town.calls[number].outcome for number in (9, 10)] == [
        "refused:previous_response_not_found",
        "picture",
    ]
    assert [asked.prompt for asked in calls][-4:] == ["a tree here", "add a bird", "add a bird", "add a boat"]
    assert [asked.quality for asked in calls] == ["medium"] * 7 + ["high"] * 5
    assert {asked.size for asked in calls} == {"1024x1024"}
    came_from = [thread.versions[number].came_from for number in range(1, 12)]
    parents = [None, 1, 2, 3, 3, 3, 3, 3, 8, 9, 10]
    assert came_from == list(zip(range(1, 12), parents, strict=True))
    assert thread.versions[6].message is thread.versions[4].message, "one message for all three"
    mask = town.ledger.rows("SELECT sha256, covers_ppm FROM inputs WHERE role = 'mask'")
    assert [(row["sha256"], row["covers_ppm"]) for row in mask] == [(calls[8].mask, 250_000)]


async def test_a_long_conversation_goes_on_from_the_saved_picture_and_then_from_its_response(
    town: Town,
) -> None:
    alice = town.alice
    thread = await alice.imagines("a red fox in snow")
    last = CHAIN_PICTURES_MAX + 2
    for number in range(2, last + 1):
        await thread.version(number - 1)
        await alice.replies(thread, f"add star number {number}")
    await thread.version(last)
    await adds_up(town, thread)
    resp = {number: response_of(town, number) for number in thread.versions}
    assert [built_on(asked) for asked in sent(town)] == [
        (None, (), False),
        *[(resp[number], (), False) for number in range(1, CHAIN_PICTURES_MAX)],
        (None, (thread.sha256(CHAIN_PICTURES_MAX),), False),
        (resp[CHAIN_PICTURES_MAX + 1], (), False),
    ]


async def test_back_and_back_again_and_no_further_then_on_from_there(town: Town) -> None:
    alice = town.alice
    thread = await alice.imagines("a red fox in snow")
    await thread.version(1)
    await edits(alice, thread, "make it night", 2)
    await edits(alice, thread, "add a moon", 3)
    charged = town.ledger.charged()
    await alice.replies(thread, "undo")
    await thread.says("Back to v2", "v3 stays")
    await alice.replies(thread, " Undo. ")
    await thread.says("Back to v1", "v2 stays")
    await alice.replies(thread, "undo")
    assert "nothing to go back to" in await alice.is_told("v1 was not made from another picture")
    await town.rests()
    assert (len(town.calls), town.ledger.charged()) == (3, charged), "the way back costs nothing"

    await edits(alice, thread, "make it day", 4)
    await alice.replies(thread, "versions")
    listed = await thread.says("4 versions")
    rows = [block for block in listed.blocks if "*v" in block.get("text", {}).get("text", "")]
    assert [block["text"]["text"].split("·")[0].strip(" *") for block in rows] == [
        "v1",
        "v2 from v1",
        "v3 from v2",
        "v4 from v1",
    ]
    assert [block["accessory"]["slack_file"]["id"] for block in rows] == [
        thread.versions[number].file_id for number in range(1, 5)
    ]
    for number, block in enumerate(rows, start=1):
        assert nano(block["text"]["text"]) == [thread.versions[number].nano_usd]
        assert ("builds on this one" in block["text"]["text"]) == (number == 4)
    for words in ("last supper", "undo the snow"):
        await edits(alice, thread, words, len(thread.versions) + 1)
    await adds_up(town, thread)
    assert [asked.prompt for asked in sent(town)][3:] == ["make it day", "last supper", "undo the snow"]
    resp = {number: response_of(town, number) for number in thread.versions}
    assert [asked.parent for asked in sent(town)] == [None, *[resp[n] for n in (1, 2, 1, 4, 5)]]


async def test_a_version_chosen_while_a_turn_is_at_work_counts_for_what_is_asked_after_the_choice(
    town: Town,
) -> None:
    alice = town.alice
    thread = await alice.imagines("a red fox in snow")
    await thread.version(1)
    await edits(alice, thread, "make it night", 2)
    town.easel.hold()
    await alice.replies(thread, "add a moon")
    await town.has_called(3)
    await alice.replies(thread, "add a star")
    await alice.chooses(await thread.version(1), "Edit this one")
    await alice.is_told("changes v1")
    await alice.replies(thread, "make it day")
    await alice.replies(thread, "add a bird")
    town.easel.let_go()
    await thread.version(6)
    await adds_up(town, thread)
    shown = thread.versions
    assert [shown[number].came_from for number in range(3, 7)] == [(3, 2), (4, 3), (5, 1), (6, 5)]
    resp = {number: response_of(town, number) for number in shown}
    assert [asked.parent for asked in sent(town)] == [None, *[resp[n] for n in (1, 2, 3, 1, 5)]]
    assert [asked.prompt for asked in sent(town)][2:] == [
        "add a moon",
        "add a star",
        "make it day",
        "add a bird",
    ]


async def test_the_way_back_waits_for_its_place_and_is_gone_once_however_often_slack_sends_it(
    town: Town,
) -> None:
    alice = town.alice
    thread = await alice.imagines("a red fox in snow")
    await thread.version(1)
    await edits(alice, thread, "make it night", 2)
    town.easel.hold()
    for text in ("add a moon", "undo", "versions", "add a star", "undo", "undo", "add a bird --n 2"):
        await alice.replies(thread, text)
    town.easel.let_go()
    await thread.version(6)
    await adds_up(town, thread)
    assert "the next change builds on this one: make it night" in (await thread.says("3 versions")).text
    before = [message.text for message in thread.messages]
    await town.sends_again()
    await town.restarts()
    await town.sends_again()
    assert [message.text for message in thread.messages] == before
    await edits(alice, thread, "add a hat", 7)
    await adds_up(town, thread)
    parents = [thread.versions[number].parent for number in range(1, 8)]
    assert parents == [None, 1, 2, 2, 1, 1, 6]
    resp = {number: response_of(town, number) for number in thread.versions}
    assert [asked.parent for asked in sent(town)] == [None, *[resp[n] for n in (1, 2, 2, 1, 1, 6)]]


async def test_again_takes_along_what_the_picture_was_made_with_also_when_the_api_has_forgotten_it(
    town: Town,
) -> None:
    alice = town.alice
    thread = await alice.imagines("a red fox in snow")
    await thread.version(1)
    await alice.replies_with(thread, "a tree here", {"mask.png": mask_png(512, 512)})
    masked = await thread.version(2)
    two = {"a.png": REFERENCE, "b.png": mask_png(512, 512)}
    await alice.replies_with(thread, "like these", two)
    alike = await thread.version(3)
    assert "2 reference pictures" in alike.line, "no mask, since it did not come alone"
    town.images.forget()
    await town.bob.presses(masked, "picture_again")
    again = await thread.version(4)
    assert "Only the marked 25 % of v1" in again.line
    await town.bob.presses(alike, "picture_again")
    await thread.version(5)
    await adds_up(town, thread)
    sha = {number: thread.sha256(number) for number in thread.versions}
    references = tuple(hashlib.sha256(data).hexdigest() for data in two.values())
    second = response_of(town, 2)
    calls = sent(town)
    assert [built_on(asked) for asked in calls] == [
        (None, (), False),
        (None, (sha[1],), True),
        (second, references, False),
        (None, (sha[1],), True),
        (second, references, False),
        (None, (sha[2], *references), False),
    ]
    assert calls[3].mask == calls[1].mask
    assert [asked.prompt for asked in calls[3:]] == ["a tree here", "like these", "like these"]
    assert [thread.versions[number].parent for number in range(1, 6)] == [None, 1, 2, 1, 2]
