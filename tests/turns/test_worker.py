"""The order of things: threads, people, places, money, and who waits for whom."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from darkroom.rendering.job import FailureKind
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.erasing import Recall
from darkroom.turns.model import AttemptState, Surface, Turn, TurnState
from storage.erasing import SqliteEraser
from tests.examples import ALICE, BOB, caps, command, message
from tests.turns.conftest import MakeWorld
from tests.turns.fakes import NO_ANSWER, NOT_A_MEMBER, failed, said
from tests.turns.world import World, meddled, turns_of_the_loop

CAROL = "U0CAROL001"


async def prices(world: World) -> tuple[int, int]:
    """What one picture of "a fox" holds and costs, found out without a cap."""
    turn_id = await world.imagine("a fox", user=CAROL, channel="C0ELSEWHERE")
    await world.rest()
    attempt = (await world.attempts(turn_id))[0]
    world.renderer.jobs.clear()
    return attempt.hold_nano_usd, attempt.charged_nano_usd


async def test_a_command_becomes_a_picture_in_its_thread(world: World) -> None:
    turn_id = await world.imagine()
    await world.rest()
    turn = await world.turn(turn_id)
    assert turn.ending == Ending(Outcome.PICTURES, Reason.PICTURES)
    assert turn.thread_ts == turn.placeholder_ts
    assert world.slack.posts == [(turn_id, 1)]
    assert world.slack.closed == [turn_id]
    assert turn.told_at is not None
    assert await world.states(turn_id) == [AttemptState.SETTLED]


async def test_of_what_was_deleted_while_it_was_told_the_rest_is_recalled_afterwards(world: World) -> None:
    """Before that, the placeholder would be written once more, with the prompt."""
    world.gates.shut("close:a fox")
    turn_id = await world.imagine("a fox")
    await world.gates.reached("close:a fox")
    picture = (await world.log.pictures(turn_id))[0]
    eraser = SqliteEraser(world.database)
    await eraser.erase(picture.id, ALICE, world.clock.now())
    world.gates.open("close:a fox")
    await world.imagine("a hen")
    await world.rest()
    assert world.to_recall == [1]
    assert (await world.turn(turn_id)).request.prompt == ""
    assert Recall.PLACEHOLDER in {errand.kind for errand in await eraser.open_errands(10)}


async def test_a_turn_whose_pictures_are_all_deleted_before_they_are_shown_ends_quietly(world: World) -> None:
    """Their bytes go, even while they are on their way to Slack: the next try finds nothing to show."""
    world.gates.shut("upload:a fox")
    world.delivery.faults["upload"] = [FileNotFoundError("0.png")]
    turn_id = await world.imagine("a fox", wanted=2)
    await world.gates.reached("upload:a fox")
    eraser = SqliteEraser(world.database)
    for picture in await world.log.pictures(turn_id):
        await eraser.erase(picture.id, ALICE, world.clock.now())
    world.gates.open("upload:a fox")
    await world.rest()
    turn = await world.turn(turn_id)
    assert (turn.told_at is not None, turn.undelivered_reason) == (True, None)
    assert (world.slack.uploads, world.slack.posts, world.slack.told) == ([], [], [])
    assert world.slack.closed == [turn_id]
    assert turn.request.prompt == ""


async def test_a_reply_waits_for_the_first_picture_and_builds_on_it(world: World) -> None:
    world.gates.shut("render:a fox")
    first = await world.imagine("a fox")
    await world.gates.reached("render:a fox")
    reply = await world.reply("make it night", "1763650000.000001", first)
    await turns_of_the_loop()
    assert world.renderer.prompts() == ["a fox"]
    world.gates.open("render:a fox")
    await world.rest()
    assert world.renderer.prompts() == ["a fox", "make it night"]
    parent = (await world.log.pictures(first))[0]
    child = (await world.log.pictures(reply))[0]
    assert world.renderer.jobs[1].previous_response_id == parent.response_id
    assert (child.parent_id, child.parent_version, child.version) == (parent.id, 1, 2)
    assert world.slack.posts == [(first, 1), (reply, 2)]


async def test_a_reply_starts_only_when_the_picture_before_it_was_told(world: World) -> None:
    world.gates.shut("close:a fox")
    first = await world.imagine("a fox")
    await world.gates.reached("close:a fox")
    await world.reply("make it night", "1763650000.000001", first)
    await turns_of_the_loop()
    assert world.renderer.prompts() == ["a fox"]
    world.gates.open("close:a fox")
    await world.rest()
    assert world.renderer.prompts() == ["a fox", "make it night"]


async def test_a_thread_goes_in_the_order_of_its_messages(world: World) -> None:
    """The earlier message is still being looked at when the later one is ready."""
    first = await world.imagine("a fox")
    await world.rest()
    world.gates.shut("guard:earlier")
    earlier = await world.reply("earlier", "1763650000.000001", first)
    await world.gates.reached("guard:earlier")
    later = await world.reply("later", "1763650000.000002", first)
    await turns_of_the_loop()
    assert world.renderer.prompts() == ["a fox"]
    world.gates.open("guard:earlier")
    await world.rest()
    assert world.slack.posts[1:] == [(earlier, 2), (later, 3)]


async def test_messages_that_arrive_the_wrong_way_round_are_made_in_their_order(world: World) -> None:
    world.gates.shut("render:a fox")
    first = await world.imagine("a fox")
    await world.gates.reached("render:a fox")
    later = await world.reply("later", "1763650000.000002", first)
    earlier = await world.reply("earlier", "1763650000.000001", first)
    world.gates.open("render:a fox")
    await world.rest()
    assert world.slack.posts == [(first, 1), (earlier, 2), (later, 3)]


async def test_a_reply_to_a_blocked_picture_buys_nothing_and_asks(world: World) -> None:
    world.gates.shut("render:a fox")
    world.renderer.scripts["a fox"] = [failed(FailureKind.MODERATION)]
    first = await world.imagine("a fox")
    await world.gates.reached("render:a fox")
    reply = await world.reply("make it night", "1763650000.000001", first)
    world.gates.open("render:a fox")
    await world.rest()
    assert await world.outcome(first) == "moderation"
    assert await world.outcome(reply) == "nothing_to_edit"
    assert await world.attempts(reply) == []
    assert await world.charged() == 0


async def test_a_mention_in_a_thread_without_a_picture_makes_the_first(world: World) -> None:
    root = "1763650000.000001"
    turn_id = await world.ask(message("a fox", root, root, surface=Surface.MENTION))
    await world.rest()
    picture = (await world.log.pictures(turn_id))[0]
    assert (picture.thread_ts, picture.version, picture.parent_id) == (root, 1, None)


async def test_nobody_runs_more_than_their_share_at_once(make_world: MakeWorld) -> None:
    world = make_world(per_person=2, overall=3)
    world.gates.shut("render")
    for number in range(5):
        await world.imagine(f"alice {number}")
    for number in range(5):
        await world.imagine(f"bob {number}", user=BOB)
    await turns_of_the_loop()
    assert world.renderer.prompts() == ["alice 0", "alice 1", "bob 0"]
    world.gates.open("render")
    await world.rest()
    assert world.renderer.most_at_once == 3
    assert len(world.renderer.jobs) == 10


async def test_who_has_no_money_is_refused_before_anything_is_shown(make_world: MakeWorld) -> None:
    world = make_world(caps(person=1))
    turn_id = await world.imagine()
    await world.rest()
    turn = await world.turn(turn_id)
    assert turn.ending is not None
    assert turn.ending.outcome is Outcome.DECLINED
    assert turn.ending.details["budget"] == "person"
    assert turn.ending.details["cap_nano_usd"] == 1
    assert turn.ending.details["renews_at"] == "2026-12-01T00:00:00+00:00"
    assert world.slack.placeholders == []
    assert world.slack.told == [(turn_id, Reason.NO_MONEY)]


async def test_who_waits_for_money_goes_on_as_soon_as_some_is_back(make_world: MakeWorld) -> None:
    hold, cost = await prices(make_world())
    assert cost < hold
    world = make_world(caps(channel=hold + cost))
    world.gates.shut("render")
    first = await world.imagine("a fox", channel="C0PAINT001")
    await world.gates.reached("render")
    second = await world.imagine("a cat", channel="C0PAINT001")
    await turns_of_the_loop()
    assert (await world.turn(second)).state is TurnState.QUEUED
    assert await world.attempts(second) == []
    world.gates.open("render")
    await world.rest()
    assert [await world.outcome(turn_id) for turn_id in (first, second)] == ["pictures", "pictures"]


async def test_money_is_given_in_the_order_of_asking_and_others_are_not_held_up(
    make_world: MakeWorld,
) -> None:
    """Two fit at once. When one is done the first who waits starts; the second who waits need not wait for
    that one's end, only for money."""
    hold, cost = await prices(make_world())
    world = make_world(caps(channel=2 * hold + 2 * cost), per_person=9)
    world.gates.shut(*(f"render:n{number}" for number in range(4)))
    turns = [await world.imagine(f"n{number}", channel="C0PAINT001") for number in range(4)]
    await turns_of_the_loop()
    assert world.renderer.prompts() == ["n0", "n1"]
    world.gates.open("render:n0")
    await turns_of_the_loop()
    assert world.renderer.prompts() == ["n0", "n1", "n2"]
    world.gates.open("render:n1")
    await turns_of_the_loop()
    assert world.renderer.prompts() == ["n0", "n1", "n2", "n3"]
    world.gates.open("render:n3", "render:n2")
    await world.rest()
    assert {await world.outcome(turn_id) for turn_id in turns} == {"pictures"}


async def test_who_waits_for_a_channels_money_does_not_hold_up_other_channels(make_world: MakeWorld) -> None:
    hold, _ = await prices(make_world())
    world = make_world(caps(channel=hold))
    world.gates.shut("render:a fox")
    await world.imagine("a fox", channel="C0PAINT001")
    waits = await world.imagine("a cat", channel="C0PAINT001", user=BOB)
    await world.imagine("a dog", channel="C0OTHER001", user=CAROL)
    await turns_of_the_loop()
    assert world.renderer.prompts() == ["a fox", "a dog"]
    world.gates.open("render:a fox")
    await world.rest()
    assert await world.outcome(waits) == "no_money"


async def test_money_that_comes_back_in_the_very_moment_of_refusal_is_not_missed(
    make_world: MakeWorld,
) -> None:
    """The other call ends after this hold was refused, and before this turn has heard of that."""
    hold, cost = await prices(make_world())
    world = make_world(caps(channel=hold + cost))
    store = meddled(world)
    world.gates.shut("render:a fox")
    await world.imagine("a fox", channel="C0PAINT001")
    await world.gates.reached("render:a fox")

    async def finish() -> None:
        world.gates.open("render:a fox")
        await turns_of_the_loop()

    store.after = finish
    waits = await world.imagine("a cat", channel="C0PAINT001", user=BOB)
    await world.rest()
    assert world.renderer.prompts() == ["a fox", "a cat"]
    assert await world.outcome(waits) == "pictures"


async def test_fifty_at_once_buy_what_the_cap_pays_and_the_rest_is_told_so(make_world: MakeWorld) -> None:
    """Three pictures and the fourth one's hold do not fit; nobody is refused while a call is unfinished."""
    hold, cost = await prices(make_world())
    world = make_world(caps(channel=2 * cost + hold), per_person=50, overall=50)
    turns = [await world.imagine("a fox", channel="C0PAINT001", user=f"U{n:03d}") for n in range(50)]
    await world.rest()
    outcomes = [await world.outcome(turn_id) for turn_id in turns]
    assert outcomes == ["pictures"] * 3 + ["no_money"] * 47
    for turn_id in turns[3:]:
        ending = (await world.turn(turn_id)).ending
        assert ending is not None
        assert ending.details["charged_nano_usd"] == 3 * cost
    assert len(world.renderer.jobs) == 3


async def test_a_later_message_that_waits_for_money_does_not_stand_in_its_threads_way(
    make_world: MakeWorld,
) -> None:
    """The message before it arrived late: it comes first, also for the money."""
    world = make_world()
    first = await world.imagine("a fox")
    await world.rest()
    # Holds the whole budget.
    turn = await world.turn(first)
    limited = make_world(caps(channel=await world.charged() + 2 * world.hold_of(turn)), per_person=9)
    limited.slack.seconds = 1000
    limited.gates.shut("render:other")
    await limited.imagine("other")
    await limited.gates.reached("render:other")
    later = await limited.reply("later", "1763650000.000002", first)
    await turns_of_the_loop()
    entry = limited.line.get(later)
    assert entry is not None
    assert entry.wants is not None
    earlier = await limited.reply("earlier", "1763650000.000001", first)
    await turns_of_the_loop()
    limited.gates.open("render:other")
    await limited.rest()
    assert limited.renderer.prompts()[:2] == ["other", "earlier"]
    assert {await limited.outcome(turn_id) for turn_id in (earlier, later)} <= {"pictures", "no_money"}


async def test_where_darkroom_is_no_member_the_person_is_told_and_nothing_bought(world: World) -> None:
    world.delivery.no_place = NOT_A_MEMBER
    turn_id = await world.imagine()
    await world.rest()
    assert world.slack.told == [(turn_id, Reason.NOT_IN_CHANNEL)]
    assert world.renderer.jobs == []


async def test_where_slack_does_not_answer_no_picture_is_bought(world: World) -> None:
    world.delivery.faults["placeholder"] = [NO_ANSWER]
    turn_id = await world.imagine()
    await world.rest()
    assert await world.outcome(turn_id) == "cannot_post"
    assert world.renderer.jobs == []


async def test_who_may_not_is_told_and_sees_no_placeholder(world: World) -> None:
    world.guard.refused[BOB] = Ending(Outcome.DECLINED, Reason.GUEST)
    turn_id = await world.imagine(user=BOB)
    await world.rest()
    assert world.slack.told == [(turn_id, Reason.GUEST)]
    assert world.slack.placeholders == []


async def test_a_full_queue_turns_away_without_holding_up_those_inside(make_world: MakeWorld) -> None:
    world = make_world(per_person=1, waiting_max=2)
    world.gates.shut("render", "tell:n3")
    turns = [await world.imagine(f"n{number}") for number in range(1)]
    await world.gates.reached("render")
    turns += [await world.imagine(f"n{number}") for number in range(1, 4)]
    await world.gates.reached("tell:n3")
    world.gates.open("render")
    await turns_of_the_loop(60)
    assert world.renderer.prompts() == ["n0", "n1", "n2"]
    world.gates.open("tell:n3")
    await world.rest()
    assert [await world.outcome(turn_id) for turn_id in turns] == [*["pictures"] * 3, "queue_full"]
    ending = (await world.turn(turns[3])).ending
    assert ending is not None
    assert ending.details == {"waiting": 2}


async def test_one_person_cannot_fill_the_line_for_everybody(make_world: MakeWorld) -> None:
    world = make_world(per_person=1, waiting_per_person=1)
    world.gates.shut("render")
    turns = [await world.imagine("n0")]
    await world.gates.reached("render")
    turns += [await world.imagine("n1"), await world.imagine("n2"), await world.imagine("n3", user=BOB)]
    world.gates.open("render")
    await world.rest()
    outcomes = [await world.outcome(turn_id) for turn_id in turns]
    assert outcomes == ["pictures", "pictures", "queue_full", "pictures"]
    ending = (await world.turn(turns[2])).ending
    assert ending is not None
    assert ending.details == {"waiting": 1, "own": 1}


async def test_who_found_no_place_takes_none_from_others_meanwhile(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even before that is written down: a flood is written down slowly."""
    world = make_world(per_person=1, waiting_max=1)
    world.gates.shut("render:n0", "render:n1")
    written, end = asyncio.Event(), world.store.end

    async def slowly(turn_id: str, ending: Ending, *given: Any, **more: Any) -> Turn:
        if ending.reason is Reason.QUEUE_FULL:
            await written.wait()
        return await end(turn_id, ending, *given, **more)

    monkeypatch.setattr(world.store, "end", slowly)
    turns = [await world.imagine("n0")]
    await world.gates.reached("render:n0")
    turns += [await world.imagine("n1"), await world.imagine("n2")]
    world.gates.open("render:n0")
    await world.gates.reached("render:n1")
    turns.append(await world.imagine("n3"))
    written.set()
    world.gates.open("render:n1")
    await world.rest()
    outcomes = [await world.outcome(turn_id) for turn_id in turns]
    assert outcomes == ["pictures", "pictures", "queue_full", "pictures"]


async def test_being_told_of_a_refusal_takes_nobodys_place(make_world: MakeWorld) -> None:
    """However slowly Slack takes the refusals, whoever may have a picture gets it."""
    world = make_world(per_person=1, overall=1)
    world.guard.refused[BOB] = Ending(Outcome.DECLINED, Reason.GUEST)
    world.gates.shut("tell")
    for number in range(3):
        await world.imagine(f"b{number}", user=BOB)
    await world.gates.reached("tell")
    turn_id = await world.imagine()
    await turns_of_the_loop(60)
    assert world.slack.posts == [(turn_id, 1)]
    world.gates.open("tell")
    await world.rest()


async def test_submitting_twice_is_submitting_once(world: World) -> None:
    arrival = await world.intake.accept(command("a fox"))
    assert arrival.turn is not None
    world.worker.submit(arrival.turn)
    world.worker.submit(arrival.turn)
    await world.rest()
    world.worker.submit(arrival.turn)
    await world.rest()
    assert world.renderer.prompts() == ["a fox"]
    assert len(world.slack.posts) == len(world.slack.closed) == 1


async def test_words_are_an_ending_and_cost_what_they_cost(world: World) -> None:
    first = await world.imagine("a fox")
    await world.rest()
    before = await world.charged()
    world.renderer.scripts["what is it?"] = [said(" A fox. ")]
    world.renderer.scripts["thank you"] = [said("")]
    answer = await world.reply("what is it?", "1763650000.000001", first)
    nothing = await world.reply("thank you", "1763650000.000002", first)
    await world.rest()
    ending = (await world.turn(answer)).ending
    assert ending == Ending(Outcome.WORDS, Reason.WORDS, {"words": "A fox.", "charged_nano_usd": 300_000})
    assert await world.outcome(nothing) == "nothing_to_say"
    assert await world.charged() > before
    assert not world.renderer.jobs[1].forced


async def test_a_command_that_is_answered_in_words_has_them_told(world: World) -> None:
    world.renderer.scripts["a fox"] = [said("I would rather not.")]
    turn_id = await world.imagine("a fox")
    await world.rest()
    assert await world.outcome(turn_id) == "words"
    assert world.renderer.jobs[0].forced


async def test_a_picture_that_slack_will_not_take_is_kept_and_the_thread_goes_on(world: World) -> None:
    world.delivery.faults["upload"] = [NO_ANSWER]
    first = await world.imagine("a fox")
    await world.rest()
    turn = await world.turn(first)
    assert turn.undelivered_reason == NO_ANSWER.reason
    assert turn.ending is not None
    assert turn.ending.outcome is Outcome.PICTURES
    reply = await world.reply("make it night", "1763650000.000001", first)
    await world.rest()
    assert world.slack.posts == [(reply, 2)]


async def test_stopping_lets_what_runs_finish(world: World) -> None:
    world.gates.shut("render")
    turn_id = await world.imagine()
    await world.gates.reached("render")
    stopping = asyncio.create_task(world.worker.aclose(20))
    await turns_of_the_loop()
    assert not stopping.done()
    world.gates.open("render")
    await stopping
    assert world.slack.posts == [(turn_id, 1)]
    await world.rest()


async def test_what_arrives_while_stopping_is_left_to_the_next_start(world: World) -> None:
    await world.worker.aclose(0)
    turn_id = await world.imagine()
    await turns_of_the_loop()
    assert (await world.turn(turn_id)).state is TurnState.RECEIVED
    assert len(world.line) == 0
    world.start()
    assert await world.recover() == 1
    await world.rest()
    assert await world.outcome(turn_id) == "pictures"


async def test_nothing_starts_once_darkroom_is_stopping(make_world: MakeWorld) -> None:
    world = make_world(per_person=1)
    world.gates.shut("render")
    first, second = await world.imagine("one"), await world.imagine("two")
    await world.gates.reached("render")
    stopping = asyncio.create_task(world.worker.aclose(20))
    await turns_of_the_loop()
    world.gates.open("render")
    await stopping
    assert world.renderer.prompts() == ["one"]
    world.start()
    await world.recover()
    await world.rest()
    assert world.slack.posts == [(first, 1), (second, 1)]


async def test_it_is_the_same_with_storage_on_its_own_thread(threaded: World) -> None:
    turns = [await threaded.imagine(f"n{number}", user=f"U{number}") for number in range(6)]
    await threaded.rest()
    for number, turn_id in enumerate(list(turns)):
        user = (await threaded.turn(turn_id)).request.user_id
        turns.append(await threaded.reply("again", f"1763650000.00000{number}", turn_id, user=user))
    await threaded.rest()
    assert {await threaded.outcome(turn_id) for turn_id in turns} == {"pictures"}
    assert len(threaded.slack.posts) == 12
