"""A turn that wants several pictures: side by side, each with its own money, and told in one message."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkroom.rendering.job import Answer, Billed, FailureKind, NoWord, RenderJob, ResponseIdSeen
from darkroom.turns.closing import BookCloser
from darkroom.turns.endings import Outcome, Reason
from darkroom.turns.model import AttemptState, Options, Surface, TurnState
from darkroom.turns.progress import Slots
from tests.examples import BOB, TEAM, caps, message
from tests.turns.conftest import MakeWorld
from tests.turns.fakes import BROKEN_STREAM, FIRST, SECOND, Script, failed, painted, said
from tests.turns.world import World, opened, turns_of_the_loop

DISPATCHED, RELEASED = AttemptState.DISPATCHED, AttemptState.RELEASED
SETTLED, UNCERTAIN = AttemptState.SETTLED, AttemptState.UNCERTAIN
CHANNEL = "C0PAINT001"


async def prices(world: World) -> tuple[int, int]:
    """What a picture of "a fox" holds, and what it costs."""
    made = await world.made("a fox", channel="C0PRICED01")
    attempt = (await world.attempts(made.turn_id))[0]
    return attempt.hold_nano_usd, attempt.charged_nano_usd


async def test_all_are_made_at_once_and_come_in_one_message(make_world: MakeWorld) -> None:
    """They take one place of their person's, and each has a hold of its own."""
    world = make_world(per_person=2)
    world.gates.shut("render")
    turn_id = await world.imagine("a fox", wanted=3)
    other = await world.imagine("a cat")
    await turns_of_the_loop()
    assert await world.states(turn_id) == [DISPATCHED] * 3
    assert await world.states(other) == [DISPATCHED]
    world.gates.open("render")
    await world.rest()
    assert [post for post in world.slack.posts if post[0] == turn_id] == [(turn_id, n) for n in (1, 2, 3)]
    assert world.slack.uploads.count(turn_id) == 3
    assert world.slack.closed.count(turn_id) == 1
    assert (await world.ending(turn_id)).details == {}
    assert len({picture.file_id for picture in await world.log.pictures(turn_id)}) == 3


async def test_no_more_are_made_at_once_than_all_may_together_and_who_waits_for_that_holds_nothing(
    make_world: MakeWorld,
) -> None:
    world = make_world(per_person=2, overall=2)
    world.gates.shut("render")
    turns = [await world.imagine("a fox", wanted=3), await world.imagine("a cat", wanted=2)]
    await turns_of_the_loop()
    open_attempts = [state for turn_id in turns for state in await world.states(turn_id)]
    assert open_attempts == [DISPATCHED] * 2
    world.gates.open("render")
    await world.rest()
    made = [len(await world.log.pictures(turn_id)) for turn_id in turns]
    assert made == [3, 2]


async def test_the_placeholder_says_the_most_that_all_can_cost(world: World) -> None:
    turn_id = await world.imagine("a fox", wanted=4)
    await world.rest()
    holds = [attempt.hold_nano_usd for attempt in await world.attempts(turn_id)]
    assert world.slack.at_most[turn_id] == sum(holds) == 4 * holds[0]


async def test_all_have_one_parent_and_none_of_them_is_anothers(world: World) -> None:
    first = await world.made()
    second = await world.reply("night", "1763650000.000001", first.turn_id, wanted=3)
    third = await world.reply("day", "1763650000.000002", first.turn_id)
    await world.rest()
    made = await world.log.pictures(second)
    assert {picture.parent_id for picture in made} == {first.id}
    assert [picture.version for picture in made] == [2, 3, 4]
    assert (await world.log.pictures(third))[0].parent_version == 4


async def test_a_first_one_is_not_the_parent_of_one_that_had_to_wait(make_world: MakeWorld) -> None:
    """In a thread that had no picture, and has one by the time the second is made."""
    hold, cost = await prices(make_world())
    world = make_world(caps(channel=cost + hold))
    asked = message("a fox", "1763650000.000001", "1763650000.000001", surface=Surface.MENTION)
    world.gates.shut("render")
    turn_id = await world.ask(replace(asked, channel_id=CHANNEL, wanted=2))
    await turns_of_the_loop()
    assert await world.states(turn_id) == [DISPATCHED]
    world.gates.open("render")
    await world.rest()
    made = await world.log.pictures(turn_id)
    assert [(picture.version, picture.parent_id) for picture in made] == [(1, None), (2, None)]
    assert world.renderer.most_at_once == 1


async def test_where_money_stops_some_the_others_come_and_the_rest_is_explained(
    make_world: MakeWorld,
) -> None:
    hold, cost = await prices(make_world())
    world = make_world(caps(channel=2 * cost + hold - 1))
    turn_id = await world.imagine("a fox", channel=CHANNEL, wanted=4)
    await world.rest()
    ending = await world.ending(turn_id)
    assert ending.outcome is Outcome.PICTURES
    assert {key: ending.details[key] for key in ("wanted", "made", "rest")} == {
        "wanted": 4,
        "made": 2,
        "rest": "no_money",
    }
    assert ending.details["needed_nano_usd"] == hold
    assert ending.details["charged_nano_usd"] == 2 * cost
    assert world.slack.posts == [(turn_id, 1), (turn_id, 2)]


async def test_who_must_wait_for_its_siblings_is_made_when_they_have_ended(make_world: MakeWorld) -> None:
    hold, _ = await prices(make_world())
    world = make_world(caps(channel=2 * hold))
    world.gates.shut("render")
    turn_id = await world.imagine("a fox", channel=CHANNEL, wanted=3)
    await turns_of_the_loop()
    assert await world.states(turn_id) == [DISPATCHED] * 2
    world.gates.open("render")
    await world.rest()
    assert await world.states(turn_id) == [SETTLED] * 3
    assert (await world.ending(turn_id)).details == {}


async def test_a_turn_with_one_of_two_waits_for_money_that_others_hold_and_then_tells_both(
    make_world: MakeWorld,
) -> None:
    hold, cost = await prices(make_world())
    world = make_world(caps(channel=2 * hold + cost - 1))
    world.gates.shut("render:other")
    await world.imagine("other", channel=CHANNEL, user=BOB)
    await world.gates.reached("render:other")
    turn_id = await world.imagine("a fox", channel=CHANNEL, wanted=2)
    await turns_of_the_loop(60)
    assert await world.states(turn_id) == [SETTLED]
    entry = world.line.get(turn_id)
    assert entry is not None
    assert (entry.running, entry.wants is not None) == (False, True)
    assert world.slack.posts == []
    world.gates.open("render:other")
    await world.rest()
    assert await world.states(turn_id) == [SETTLED, SETTLED]
    assert [post for post in world.slack.posts if post[0] == turn_id] == [(turn_id, 1), (turn_id, 2)]


@pytest.mark.parametrize(
    ("answer", "rest", "state"),
    [
        (failed(FailureKind.MODERATION), "moderation", RELEASED),
        (failed(FailureKind.SERVER), "api_failed", RELEASED),
        (BROKEN_STREAM, "uncertain", UNCERTAIN),
        (said("Which fox?"), "words", SETTLED),
    ],
)
async def test_what_the_api_stops_is_explained_and_the_others_come(
    world: World, answer: Answer, rest: str, state: AttemptState
) -> None:
    first = await world.made()
    world.renderer.scripts["night"] = [answer]
    turn_id = await world.reply("night", "1763650000.000001", first.turn_id, wanted=3)
    await world.rest()
    ending = await world.ending(turn_id)
    assert (ending.reason, ending.details["rest"], ending.details["made"]) == (Reason.PICTURES, rest, 2)
    assert await world.states(turn_id) == [state, SETTLED, SETTLED]
    assert len(world.slack.posts) == 1 + 2


async def test_where_none_comes_the_most_telling_of_them_is_told_with_what_all_cost(world: World) -> None:
    unsure = replace(BROKEN_STREAM, response_id=None)
    world.renderer.scripts["a fox"] = [failed(FailureKind.SERVER), unsure, unsure]
    turn_id = await world.imagine("a fox", wanted=3)
    await world.rest()
    ending = await world.ending(turn_id)
    assert ending.outcome is Outcome.UNCERTAIN
    assert ending.details["held_nano_usd"] == await world.charged()
    assert world.slack.told == [(turn_id, Reason.UNCERTAIN)]
    assert world.slack.posts == []


async def test_each_falls_back_by_itself(world: World) -> None:
    world.renderer.scripts["a fox"] = [failed(FailureKind.ACCESS)]
    world.gates.shut("render:a fox")
    turn_id = await world.imagine("a fox", wanted=2)
    await turns_of_the_loop()
    world.gates.open("render:a fox")
    await world.rest()
    attempts = await world.attempts(turn_id)
    assert sorted((each.image_model, each.state) for each in attempts) == [
        (FIRST, RELEASED),
        (FIRST, SETTLED),
        (SECOND, SETTLED),
    ]


async def test_a_rate_limit_holds_up_one_and_the_message_waits_for_it(world: World) -> None:
    world.gates.shut("sleep", "render:a fox")
    world.renderer.scripts["a fox"] = [failed(FailureKind.RATE, wait=17.0)]
    turn_id = await world.imagine("a fox", wanted=2)
    await turns_of_the_loop()
    world.gates.open("render:a fox")
    await world.gates.reached("sleep")
    await turns_of_the_loop()
    assert sorted(await world.states(turn_id)) == [RELEASED, SETTLED]
    assert world.slack.posts == []
    world.gates.open("sleep")
    await world.rest()
    assert world.slack.posts == [(turn_id, 1), (turn_id, 2)]


async def test_one_that_breaks_does_not_cut_off_its_siblings(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Their calls are under way, and paid: what they bring is told with how the broken one was closed."""

    async def breaks(job: RenderJob, seen: ResponseIdSeen) -> Answer:
        await seen("resp_broken")
        raise ZeroDivisionError

    world.gates.shut("render:a fox")
    world.renderer.scripts["a fox"] = [breaks]
    turn_id = await world.imagine("a fox", wanted=3)
    await turns_of_the_loop()
    world.gates.open("render:a fox")
    await world.rest()
    assert await world.states(turn_id) == [UNCERTAIN, SETTLED, SETTLED]
    details = (await world.ending(turn_id)).details
    assert (details["wanted"], details["made"], details["rest"]) == (3, 2, "uncertain")
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [ZeroDivisionError]
    assert len(world.renderer.jobs) == 3
    assert world.slack.posts == [(turn_id, 1), (turn_id, 2)]


async def test_an_edit_or_taking_back_comes_too_late_once_any_was_paid_for(make_world: MakeWorld) -> None:
    """The turn waits for money with one picture of two, which must reach its thread."""
    hold, cost = await prices(make_world())
    world = make_world(caps(channel=2 * hold + cost - 1))
    world.gates.shut("render:other")
    await world.imagine("other", channel=CHANNEL, user=BOB)
    await world.gates.reached("render:other")
    ts = "1763650000.000001"
    asked = message("a fox", ts, ts, surface=Surface.MENTION)
    turn_id = await world.ask(replace(asked, channel_id=CHANNEL, wanted=2))
    await turns_of_the_loop(60)
    assert await world.states(turn_id) == [SETTLED]
    edited = await world.intake.revise(TEAM, CHANNEL, ts, "a cat", Options())
    taken_back = await world.intake.take_back(TEAM, CHANNEL, ts)
    for turn in (edited, taken_back):
        assert turn is not None
        assert (turn.state, turn.request.prompt) == (TurnState.WORKING, "a fox")
    world.worker.reconsider()
    world.gates.open("render:other")
    await world.rest()
    assert await world.states(turn_id) == [SETTLED, SETTLED]


async def cut_short(world: World, wanted: int = 3) -> tuple[str, list[RenderJob]]:
    """A turn whose first picture was made and whose others were sent when Darkroom stopped; started again."""
    sent: list[RenderJob] = []

    async def hangs(job: RenderJob, seen: ResponseIdSeen) -> Answer:
        sent.append(job)
        await seen(f"resp_cut_{len(sent)}")
        await world.gates.passing("hang")
        raise RuntimeError

    async def paints(job: RenderJob, seen: ResponseIdSeen) -> Answer:
        await seen("resp_whole")
        return painted(job, "resp_whole")

    world.gates.shut("hang")
    world.renderer.scripts["a fox"] = [paints, *[hangs] * (wanted - 1)]
    turn_id = await world.imagine("a fox", wanted=wanted)
    await turns_of_the_loop(60)
    assert await world.states(turn_id) == [SETTLED, *[DISPATCHED] * (wanted - 1)]
    await world.restart()
    return turn_id, sent


async def test_after_a_stop_each_that_was_sent_is_asked_for_and_all_are_told_once(world: World) -> None:
    turn_id, sent = await cut_short(world)
    world.renderer.asks = [
        painted(sent[0], "resp_cut_1"),
        NoWord.NOT_FINISHED,
        painted(sent[1], "resp_cut_2"),
    ]
    await world.recover()
    await world.rest()
    assert world.renderer.asked == ["resp_cut_1", "resp_cut_2", "resp_cut_2"]
    assert len(world.renderer.jobs) == 3
    assert world.slack.posts == [(turn_id, 1), (turn_id, 2), (turn_id, 3)]


async def test_after_a_stop_those_that_cannot_be_asked_for_are_asked_for_in_the_same_time(
    world: World,
) -> None:
    """Their thread waits no longer for several than for one."""
    await cut_short(world)
    world.clock.at += timedelta(minutes=30)
    world.gates.shut("sleep")
    world.renderer.asks = [NoWord.NOT_ASKED] * 2
    await world.recover()
    await turns_of_the_loop()
    assert world.renderer.asked == ["resp_cut_1", "resp_cut_2"]
    world.gates.open("sleep")
    await world.rest()


async def test_after_a_stop_one_that_nobody_can_explain_is_the_rest(world: World) -> None:
    turn_id, sent = await cut_short(world)
    world.renderer.asks = [failed(FailureKind.MODERATION), NoWord.NOT_FINISHED]
    await world.recover()
    await world.rest()
    assert len(sent) == 2
    assert await world.states(turn_id) == [SETTLED, RELEASED, UNCERTAIN]
    details = (await world.ending(turn_id)).details
    assert (details["made"], details["rest"]) == (1, "uncertain")
    assert world.slack.posts == [(turn_id, 1)]


async def test_after_a_stop_what_nothing_was_sent_for_is_made(world: World) -> None:
    """The holds that stood are given back first."""
    turn_id = await held_and_paid(world)
    await world.recover()
    await world.rest()
    assert sorted(await world.states(turn_id)) == [RELEASED, SETTLED, SETTLED, SETTLED]
    assert world.slack.posts == [(turn_id, 1), (turn_id, 2), (turn_id, 3)]


async def test_after_a_long_stop_nothing_more_is_made_and_what_was_paid_for_comes(world: World) -> None:
    turn_id = await held_and_paid(world)
    world.clock.at += timedelta(hours=1, seconds=1)
    await world.recover()
    await world.rest()
    details = (await world.ending(turn_id)).details
    assert (details["wanted"], details["made"], details["rest"]) == (3, 1, "too_old")
    assert world.slack.posts == [(turn_id, 1)]


async def held_and_paid(world: World) -> str:
    """A turn that has one picture of three, and one hold for which nothing was sent; started again."""
    turn_id, _ = await cut_short(world, wanted=2)
    await world.database.write(
        lambda db: (
            db.execute(
                "UPDATE attempts SET state = 'held', dispatched_at = NULL, response_id = NULL "
                "WHERE state = 'dispatched'"
            ).rowcount
        )
    )
    query = "UPDATE turns SET wanted = 3 WHERE id = ?"
    await world.database.write(lambda db: db.execute(query, (turn_id,)).rowcount)
    return turn_id


async def test_closing_the_books_twice_counts_and_asks_once(world: World) -> None:
    """As when the first time broke further on."""
    turn_id, sent = await cut_short(world)
    world.renderer.asks = [said("A fox."), painted(sent[1], "resp_cut_2")]
    closer = BookCloser(world.store, world.log, world.maker.attempting, world.limits, world.clock)
    slots = Slots()
    for _ in range(2):
        await closer.close(await world.turn(turn_id), slots, lambda: None, lambda: None)
    assert [ending.reason for ending in slots.paid_for.values()] == [
        Reason.PICTURES,
        Reason.WORDS,
        Reason.PICTURES,
    ]
    assert slots.given_up == []
    assert world.renderer.asked == ["resp_cut_1", "resp_cut_2"]
    await world.recover()


@pytest.mark.parametrize("gate", ["upload", "post", "posted", "close"])
async def test_what_was_being_told_is_told_once(world: World, gate: str) -> None:
    world.gates.shut(gate)
    turn_id = await world.imagine("a fox", wanted=3)
    await world.gates.reached(gate)
    await world.restart()
    world.gates.open(gate)
    await world.recover()
    await world.rest()
    assert world.slack.posts == [(turn_id, n) for n in (1, 2, 3)]
    assert world.slack.uploads == [turn_id] * 3
    assert len(world.renderer.jobs) == 3


async def test_a_parent_that_is_deleted_meanwhile_stops_those_that_are_not_sent(world: World) -> None:
    parent = await world.made()
    world.gates.shut("sleep", "render:night")
    world.renderer.scripts["night"] = [failed(FailureKind.RATE)]
    turn_id = await world.reply("night", "1763650000.000001", parent.turn_id, wanted=2)
    await turns_of_the_loop()
    world.gates.open("render:night")
    await world.gates.reached("sleep")
    await turns_of_the_loop()
    query = "UPDATE pictures SET deleted_at = '2026-11-20T12:00:00.000000Z' WHERE id = ?"
    await world.database.write(lambda db: db.execute(query, (parent.id,)).rowcount)
    world.gates.open("sleep")
    await world.rest()
    details = (await world.ending(turn_id)).details
    assert (details["made"], details["rest"]) == (1, "picture_gone")


async def test_a_parent_that_is_deleted_while_a_call_is_refused_is_not_sent_again(world: World) -> None:
    parent = await world.made()

    async def refuses(job: RenderJob, seen: ResponseIdSeen) -> Answer:
        query = "UPDATE pictures SET deleted_at = '2026-11-20T12:00:00.000000Z' WHERE id = ?"
        await world.database.write(lambda db: db.execute(query, (parent.id,)).rowcount)
        return failed(FailureKind.FORGOTTEN)

    world.renderer.scripts["night"] = [refuses]
    turn_id = await world.reply("night", "1763650000.000001", parent.turn_id)
    await world.rest()
    assert await world.outcome(turn_id) == "picture_gone"
    assert await world.states(turn_id) == [RELEASED]


KINDS = ("picture", "access", "rate", "blocked", "server", "lost", "named and lost", "words")


def answered(kind: str) -> Answer | None:
    """One answer of that kind; None paints."""
    match kind:
        case "picture":
            return None
        case "words":
            return said("Which fox?")
        case "lost":
            return BROKEN_STREAM
        case "named and lost":
            return replace(BROKEN_STREAM, response_id="resp_named")
        case _:
            known = {"access": FailureKind.ACCESS, "rate": FailureKind.RATE, "server": FailureKind.SERVER}
            return failed(known.get(kind, FailureKind.MODERATION), Billed.NOTHING, wait=1.0)


@given(
    wanted=st.integers(1, 4),
    kinds=st.lists(st.sampled_from(KINDS), max_size=9),
    money=st.integers(10, 45),
    stop=st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_under_any_answers_money_and_stop_each_wanted_picture_is_bought_once_and_told_once(
    wanted: int, kinds: list[str], money: int, stop: bool
) -> None:
    """Never more paid for than wanted; every picture in the books reaches the thread once, and the ending
    accounts for each that was wanted. *money* is in tenths of a hold."""
    asyncio.run(_under_any(wanted, kinds, money, stop))


async def _under_any(wanted: int, kinds: list[str], money: int, stop: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with opened(Path(folder)) as database:
            world = World(database, Path(folder) / "pictures")
            hold, _ = await prices(world)
            world = World(database, Path(folder) / "pictures", caps(channel=hold * money // 10), number=1)
            world.renderer.scripts["a fox"] = [painted_or(answered(kind)) for kind in kinds]
            turn_id = await world.imagine("a fox", channel=CHANNEL, wanted=wanted)
            if stop:
                await turns_of_the_loop(len(kinds) * 7 % 40)
                await world.restart()
                await world.recover()
            await world.rest()
            states = await world.states(turn_id)
            assert states.count(SETTLED) + states.count(UNCERTAIN) <= wanted
            assert not {AttemptState.HELD, DISPATCHED} & set(states)
            made = await world.log.pictures(turn_id)
            assert world.slack.posts == [(turn_id, picture.version) for picture in made]
            ending = await world.ending(turn_id)
            assert ending.details.get("made", len(made)) == len(made)
            assert (ending.reason is Reason.PICTURES) == bool(made)
            assert ("rest" in ending.details) == (0 < len(made) < wanted)


def painted_or(answer: Answer | None) -> Script:
    """*answer*, or a painter."""

    async def paints(job: RenderJob, seen: ResponseIdSeen) -> Answer:
        await seen(f"resp_{job.attempt_id}")
        return painted(job, f"resp_{job.attempt_id}")

    return paints if answer is None else answer
