"""On what a turn builds: choices and the order of requests, the way back, and where private turns go."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from darkroom.rendering.job import FailureKind
from darkroom.spending.changes import Author, SetPaused
from darkroom.turns.endings import Outcome, Reason
from darkroom.turns.model import Attachment, Intent, Options, Picture, Surface
from storage.admin import SqliteAdminBooks
from storage.conversations import SqliteConversations
from tests.examples import ALICE, BOB, DESIGN, TEAM, caps, message
from tests.turns.conftest import MakeWorld
from tests.turns.fakes import failed
from tests.turns.world import World, turns_of_the_loop

DM = "D0ALICE001"


def ts(second: int) -> str:
    """A moment after every command."""
    return f"17636500{second:02d}.000001"


async def three(world: World) -> list[Picture]:
    """A thread with three versions, each made from the one before."""
    made = [await world.made()]
    for second in (1, 2):
        turn_id = await world.reply(f"edit {second}", ts(second), made[0].turn_id)
        await world.rest()
        made += await world.log.pictures(turn_id)
    return made


async def choose(world: World, picture: Picture, second: int, user: str = ALICE) -> None:
    """ "Edit this one" under *picture*."""
    thread = picture.channel_id, picture.thread_ts
    await SqliteConversations(world.database).choose(picture.id, *thread, user, ts(second), world.clock.now())


async def parent_of(world: World, turn_id: str) -> int | None:
    """The version that the picture of a turn was made from."""
    return (await world.log.pictures(turn_id))[0].parent_version


async def edit(world: World, first: Picture, second: int, text: str = "night") -> str:
    """A reply, when all is over."""
    turn_id = await world.reply(text, ts(second), first.turn_id)
    await world.rest()
    return turn_id


async def undo(world: World, first: Picture, second: int) -> str:
    """ "undo", when all is over."""
    turn_id = await world.reply("undo", ts(second), first.turn_id, intent=Intent.UNDO)
    await world.rest()
    return turn_id


async def delete(world: World, picture: Picture) -> None:
    """The picture is gone, whoever did it."""
    query = "UPDATE pictures SET deleted_at = '2026-11-20T12:00:00.000000Z' WHERE id = ?"
    await world.database.write(lambda db: db.execute(query, (picture.id,)).rowcount)


async def test_the_version_that_was_chosen_is_built_on_once_and_then_what_came_of_it(world: World) -> None:
    made = await three(world)
    await choose(world, made[0], 10)
    branch = await edit(world, made[0], 11)
    after = await edit(world, made[0], 12)
    assert await parent_of(world, branch) == 1
    assert await parent_of(world, after) == 4
    assert world.renderer.jobs[3].previous_response_id == made[0].response_id


async def test_a_request_from_before_a_choice_that_waits_keeps_what_it_meant(world: World) -> None:
    made = await three(world)
    world.gates.shut("guard:earlier")
    earlier = await world.reply("earlier", ts(10), made[0].turn_id)
    await world.gates.reached("guard:earlier")
    await choose(world, made[0], 11)
    later = await world.reply("later", ts(12), made[0].turn_id)
    world.gates.open("guard:earlier")
    await world.rest()
    assert await parent_of(world, earlier) == 3
    assert await parent_of(world, later) == 1


async def test_a_turn_that_fails_leaves_the_choice_as_it_is(world: World) -> None:
    made = await three(world)
    await choose(world, made[0], 10)
    world.renderer.scripts["blocked"] = [failed(FailureKind.MODERATION)]
    await edit(world, made[0], 11, "blocked")
    assert await parent_of(world, await edit(world, made[0], 12)) == 1


async def test_a_request_that_names_its_picture_builds_on_that_wherever_the_thread_is(world: World) -> None:
    made = await three(world)
    button = await world.reply("again", ts(10), made[0].turn_id, surface=Surface.BUTTON, chosen_id=made[1].id)
    fresh = await world.reply("new", ts(11), made[0].turn_id, surface=Surface.MENTION, fresh=True)
    await world.rest()
    assert await parent_of(world, button) == 2
    assert await parent_of(world, fresh) is None
    assert [job.forced for job in world.renderer.jobs[3:]] == [True, False]


async def test_a_chosen_picture_of_another_thread_is_the_parent_in_a_thread_of_its_own(world: World) -> None:
    made = await three(world)
    turn_id = await world.imagine("a fox by night", surface=Surface.BUTTON, chosen_id=made[2].id)
    await world.rest()
    picture = (await world.log.pictures(turn_id))[0]
    assert (picture.version, picture.parent_id) == (1, made[2].id)
    assert picture.thread_ts != made[2].thread_ts


async def test_a_chosen_picture_that_was_deleted_buys_nothing(world: World) -> None:
    made = await three(world)
    await delete(world, made[1])
    turn_id = await world.reply(
        "again", ts(10), made[0].turn_id, surface=Surface.BUTTON, chosen_id=made[1].id
    )
    await world.rest()
    assert await world.outcome(turn_id) == "picture_gone"
    assert await world.attempts(turn_id) == []


async def test_a_choice_that_was_deleted_is_no_choice(world: World) -> None:
    made = await three(world)
    await choose(world, made[1], 10)
    await delete(world, made[1])
    assert await parent_of(world, await edit(world, made[0], 11)) == 3


async def test_a_reply_in_a_thread_whose_pictures_were_all_deleted_asks(world: World) -> None:
    made = await world.made()
    await delete(world, made)
    assert await world.outcome(await edit(world, made, 10)) == "nothing_to_edit"


async def test_undo_goes_back_to_what_the_current_picture_was_made_from(world: World) -> None:
    made = await three(world)
    turn_id = await undo(world, made[0], 10)
    ending = await world.ending(turn_id)
    assert (ending.outcome, ending.reason) == (Outcome.WORDS, Reason.UNDONE)
    assert ending.details == {"picture_id": made[1].id, "version": 2, "undone": 3}
    assert world.slack.told[-1] == (turn_id, Reason.UNDONE)
    assert await parent_of(world, await edit(world, made[0], 11)) == 2


async def test_undo_again_and_again_ends_at_the_first(world: World) -> None:
    made = await three(world)
    told = [(await world.ending(await undo(world, made[0], second))) for second in (10, 11, 12)]
    assert [ending.details.get("version") for ending in told] == [2, 1, 1]
    assert [ending.reason for ending in told] == [Reason.UNDONE, Reason.UNDONE, Reason.NOTHING_TO_UNDO]
    assert told[2].outcome is Outcome.DECLINED


async def test_undo_passes_over_what_was_deleted(world: World) -> None:
    made = await three(world)
    await delete(world, made[1])
    assert (await world.ending(await undo(world, made[0], 10))).details["version"] == 1


async def test_undo_takes_its_place_between_what_was_asked_before_and_after(world: World) -> None:
    """All three wait while the first picture is made: the last one builds on what the undo went back to."""
    world.gates.shut("render:a fox")
    first = await world.imagine("a fox")
    await world.gates.reached("render:a fox")
    second = await world.reply("night", ts(1), first)
    back = await world.reply("undo", ts(2), first, intent=Intent.UNDO)
    third = await world.reply("day", ts(3), first)
    await turns_of_the_loop()
    world.gates.open("render:a fox")
    await world.rest()
    assert await parent_of(world, second) == 1
    assert (await world.ending(back)).details["undone"] == 2
    assert await parent_of(world, third) == 1


async def test_what_costs_nothing_is_shown_no_price_and_asks_no_budget(world: World) -> None:
    made = await world.made()
    calls = len(world.renderer.jobs)
    listed = await world.reply("versions", ts(10), made.turn_id, intent=Intent.VERSIONS)
    await world.rest()
    back = await undo(world, made, 11)
    assert world.slack.told[-2:] == [(listed, Reason.VERSIONS), (back, Reason.NOTHING_TO_UNDO)]
    assert (await world.ending(listed)).outcome is Outcome.WORDS
    assert not {listed, back} & set(world.slack.at_most)
    assert len(world.renderer.jobs) == calls
    assert await world.attempts(listed) == []


async def test_what_costs_nothing_goes_on_while_admins_have_paused_darkroom(world: World) -> None:
    made = await three(world)
    world.gates.shut("render:night")
    waits = await world.reply("night", ts(9), made[0].turn_id)
    await world.gates.reached("render:night")
    back = await world.reply("undo", ts(10), made[0].turn_id, intent=Intent.UNDO)
    await turns_of_the_loop()
    pause, who = SetPaused(True), Author(TEAM, "U0ADMIN001", "k1")
    await SqliteAdminBooks(world.database).change(pause, who, world.limits, world.clock.now())
    world.worker.reconsider()
    await turns_of_the_loop()
    assert await world.outcome(back) is None
    world.gates.open("render:night")
    await world.rest()
    assert await world.outcome(waits) == "pictures"
    assert (await world.ending(back)).details["undone"] == 4


async def test_undo_survives_a_stop(world: World) -> None:
    made = await three(world)
    world.gates.shut("tell")
    back = await world.reply("undo", ts(10), made[0].turn_id, intent=Intent.UNDO)
    await world.gates.reached("tell")
    await world.restart()
    world.gates.open("tell")
    await world.recover()
    await world.rest()
    assert world.slack.told.count((back, Reason.UNDONE)) == 1
    assert await parent_of(world, await edit(world, made[0], 11)) == 2


async def test_what_is_remembered_of_a_thread_holds_for_later_replies(world: World) -> None:
    made = await world.made()
    await world.reply("night", ts(1), made.turn_id, options=Options(quality="high"))
    await world.rest()
    await edit(world, made, 2)
    assert [job.quality for job in world.renderer.jobs] == ["medium", "high", "high"]


async def test_a_private_turn_goes_on_in_the_direct_message(world: World) -> None:
    turn_id = await world.imagine("a fox", private=True)
    await world.rest()
    turn = await world.turn(turn_id)
    picture = (await world.log.pictures(turn_id))[0]
    assert (turn.request.channel_id, picture.channel_id, picture.thread_ts) == (DM, DM, turn.thread_ts)
    reply = await world.reply("night", ts(1), turn_id)
    await world.rest()
    assert await parent_of(world, reply) == 1


async def test_a_reply_in_the_direct_message_queues_behind_the_private_turn(world: World) -> None:
    """The lane opens where the turn is by now."""
    world.gates.shut("render:a fox")
    turn_id = await world.imagine("a fox", private=True)
    await world.gates.reached("render:a fox")
    reply = await world.reply("night", ts(1), turn_id)
    await turns_of_the_loop()
    assert world.renderer.prompts() == ["a fox"]
    world.gates.open("render:a fox")
    await world.rest()
    assert await parent_of(world, reply) == 1


async def test_a_private_request_is_not_paid_by_the_channel_where_it_was_asked(make_world: MakeWorld) -> None:
    """Its money is spent; that of the direct message is not."""
    world = make_world(caps(channel=150_000_000))
    while await world.outcome(await spent(world)) == "pictures":
        pass
    turn_id = await world.imagine("a fox", private=True)
    await world.rest()
    assert await world.outcome(turn_id) == "pictures"


async def spent(world: World) -> str:
    """One more picture of the channel's."""
    turn_id = await world.imagine("a fox")
    await world.rest()
    return turn_id


async def in_dm(world: World, text: str, second: int, user: str = ALICE, **changes: Any) -> str:
    """A direct message on top level, when all is over."""
    asked = message(text, ts(second), ts(second), user=user, surface=Surface.MENTION)
    turn_id = await world.ask(replace(asked, **({"channel_id": DM} | changes)))
    await world.rest()
    return turn_id


async def test_a_direct_message_that_reads_like_an_edit_is_asked_about(world: World) -> None:
    first = await in_dm(world, "a fox", 1)
    asked = await in_dm(world, "make it blue", 2)
    picture = (await world.log.pictures(first))[0]
    ending = await world.ending(asked)
    assert (ending.outcome, ending.reason) == (Outcome.DECLINED, Reason.EDIT_OR_NEW)
    assert (ending.details["picture_id"], ending.details["version"]) == (picture.id, 1)
    assert 0 < int(ending.details["new_nano_usd"]) < int(ending.details["edit_nano_usd"])
    assert world.renderer.prompts() == ["a fox"]
    assert asked not in world.slack.placeholders


@pytest.mark.parametrize(
    ("text", "user", "channel", "files"),
    [
        ("a fox by night", ALICE, DM, ()),
        ("make it blue", BOB, DM, ()),
        ("make it blue", ALICE, DESIGN, ()),
        ("make it blue", ALICE, DM, (Attachment("F1", "a.png", "image/png", 9),)),
    ],
)
async def test_a_message_that_is_clear_is_not_asked_about(
    world: World, text: str, user: str, channel: str, files: tuple[Attachment, ...]
) -> None:
    """Another picture, nothing of this person's to edit, a channel, or a picture of its own to change."""
    await in_dm(world, "a fox", 1)
    await in_dm(world, "a cat", 2, channel_id=DESIGN)
    turn_id = await in_dm(world, text, 3, user, channel_id=channel, attachments=files)
    assert await world.outcome(turn_id) == ("bad_file" if files else "pictures")


async def test_what_was_taken_in_as_clear_is_not_asked_about_after_a_stop(world: World) -> None:
    """There was nothing to edit when it came; by now there is its own first picture."""
    world.gates.shut("sleep")
    world.renderer.scripts["make it blue"] = [failed(FailureKind.RATE, wait=17.0)]
    asked = message("make it blue", ts(1), ts(1), surface=Surface.MENTION)
    turn_id = await world.ask(replace(asked, channel_id=DM, wanted=2))
    await world.gates.reached("sleep")
    await turns_of_the_loop()
    await world.restart()
    world.gates.open("sleep")
    await world.recover()
    await world.rest()
    assert (await world.ending(turn_id)).details == {}
    assert world.slack.posts == [(turn_id, 1), (turn_id, 2)]


async def test_a_reply_in_a_direct_message_edits_without_being_asked_about(world: World) -> None:
    first = await in_dm(world, "a fox", 1)
    reply = await world.reply("make it blue", ts(2), first)
    await world.rest()
    assert await parent_of(world, reply) == 1


async def test_who_chose_in_somebody_elses_thread_is_followed_by_anyones_next_request(world: World) -> None:
    """Each pays for their own turn."""
    made = await three(world)
    await world.intake.join(TEAM, made[0].channel_id, made[0].thread_ts, BOB)
    await choose(world, made[0], 10, BOB)
    turn_id = await world.reply("night", ts(11), made[0].turn_id, user=BOB)
    await world.rest()
    assert await parent_of(world, turn_id) == 1
    assert (await world.turn(turn_id)).person_key != (await world.turn(made[0].turn_id)).person_key
