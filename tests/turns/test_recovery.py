"""Starting again after a stop in the middle of anything."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from darkroom.rendering.job import Answer, Billed, FailureKind, NoWord
from darkroom.spending.bound import estimate
from darkroom.spending.policy import Access
from darkroom.turns.breaker import FAILING_WAITS_S, FAILURES
from darkroom.turns.endings import Outcome, Reason
from darkroom.turns.model import AttemptState, Surface, Turn, TurnState
from darkroom.turns.sending import ASK_PATIENCE_S, ASK_PAUSES_S
from darkroom.turns.wish import Wish
from tests.examples import BOB, caps, message, plan
from tests.turns.conftest import MakeWorld
from tests.turns.fakes import FIRST, failed, painted, said
from tests.turns.later import Later
from tests.turns.world import World, turns_of_the_loop

RELEASED, SETTLED, UNCERTAIN = AttemptState.RELEASED, AttemptState.SETTLED, AttemptState.UNCERTAIN
UNKNOWN = Billed.UNKNOWN
BROKEN = failed(FailureKind.UNREACHABLE, UNKNOWN, answered="resp_named")


@pytest.fixture
def later(make_world: MakeWorld) -> Later:
    """A world whose time passes when it is let."""
    return Later(make_world)


async def stopped_at(world: World, gate: str) -> str:
    """A command that was on its way when Darkroom stopped, just as it came to *gate*; started again."""
    world.gates.shut(gate)
    turn_id = await world.imagine("a fox")
    await world.gates.reached(gate)
    await world.restart()
    world.gates.open(gate)
    return turn_id


async def recovered(world: World) -> None:
    await world.recover()
    await world.rest()


@pytest.mark.parametrize("gate", ["guard", "placeholder"])
async def test_what_was_being_taken_in_is_taken_in(world: World, gate: str) -> None:
    turn_id = await stopped_at(world, gate)
    await recovered(world)
    assert world.slack.posts == [(turn_id, 1)]
    assert world.slack.placeholders == [turn_id]


async def test_what_waited_goes_on_waiting_and_is_made(make_world: MakeWorld) -> None:
    world = make_world(per_person=1)
    world.gates.shut("render")
    first, second = await world.imagine("one"), await world.imagine("two")
    await world.gates.reached("render")
    await world.restart()
    world.gates.open("render")
    await recovered(world)
    assert await world.states(first) == [UNCERTAIN]
    assert world.slack.posts == [(second, 1)]
    assert world.slack.placeholders == [first, second]


async def test_a_hold_that_was_never_sent_is_given_back_and_the_picture_made(world: World) -> None:
    turn_id = await _held(world)
    await recovered(world)
    assert await world.states(turn_id) == [RELEASED, SETTLED]
    assert world.slack.posts == [(turn_id, 1)]


async def test_what_waited_for_the_client_to_be_loaded_was_never_sent_and_costs_nothing(world: World) -> None:
    turn_id = await stopped_at(world, "ready")
    assert not world.renderer.jobs
    await recovered(world)
    assert await world.states(turn_id) == [RELEASED, SETTLED]
    assert world.slack.posts == [(turn_id, 1)]


async def test_what_was_sent_without_a_name_is_uncertain_and_never_sent_again(world: World) -> None:
    attempt_id = await _sent(world, None)
    await recovered(world)
    attempt = (await world.attempts(await _turn_of(world, attempt_id)))[0]
    assert (attempt.state, attempt.charged_nano_usd) == (UNCERTAIN, attempt.hold_nano_usd)
    assert world.renderer.jobs == []
    assert [reason for _, reason in world.slack.told] == [Reason.UNCERTAIN]


async def test_what_was_sent_with_a_name_is_asked_for(world: World) -> None:
    turn_id = await stopped_at(world, "render")
    job = world.renderer.jobs[0]
    world.renderer.asks = [NoWord.NOT_FINISHED, painted(job, "resp_1")]
    await recovered(world)
    assert world.renderer.asked == ["resp_1"] * 2
    assert len(world.renderer.jobs) == 1
    assert await world.states(turn_id) == [SETTLED]
    assert world.slack.posts == [(turn_id, 1)]


async def test_a_charge_without_usage_is_estimated_as_the_call_was_sent_though_the_settings_changed(
    world: World,
) -> None:
    """Other settings after the restart would plan another quality, and charge for that."""
    turn_id = await stopped_at(world, "render")
    job = world.renderer.jobs[0]
    sent = (await world.attempts(turn_id))[0].ask
    assert sent is not None
    world.settings = replace(world.settings, quality="high")
    world.start()
    world.renderer.asks = [replace(painted(job, "resp_1"), host_usage=None, image_usage=None)]
    await recovered(world)
    assert (await world.attempts(turn_id))[0].charged_nano_usd == estimate(
        sent, world.planner.catalogue
    ).total_nano_usd


async def test_what_was_sent_long_ago_is_asked_for_twice_at_most(world: World) -> None:
    turn_id = await stopped_at(world, "render")
    world.clock.at += timedelta(days=2)
    await recovered(world)
    assert len(world.renderer.asked) == 1
    assert await world.states(turn_id) == [UNCERTAIN]


async def test_a_question_that_failed_is_asked_again_though_the_call_is_long_over(world: World) -> None:
    """As when the network comes up after Darkroom does: the picture was made, and is paid for."""
    turn_id = await stopped_at(world, "render")
    job = world.renderer.jobs[0]
    world.clock.at += timedelta(hours=5)
    world.renderer.asks = [*[NoWord.NOT_ASKED] * 10, painted(job, "resp_1")]
    await recovered(world)
    assert world.slack.posts == [(turn_id, 1)]
    assert await world.states(turn_id) == [SETTLED]
    assert world.clock.slept == [*ASK_PAUSES_S, *[ASK_PAUSES_S[-1]] * 5]


async def test_questions_that_all_fail_are_given_up_after_half_an_hour(world: World) -> None:
    turn_id = await stopped_at(world, "render")
    world.clock.at += timedelta(hours=5)
    world.renderer.asks = [NoWord.NOT_ASKED] * 100
    await recovered(world)
    assert await world.states(turn_id) == [UNCERTAIN]
    assert ASK_PATIENCE_S - ASK_PAUSES_S[-1] <= sum(world.clock.slept) <= ASK_PATIENCE_S


@pytest.mark.parametrize("word", [NoWord.NOT_FINISHED, NoWord.NEVER, failed(FailureKind.SERVER, UNKNOWN)])
async def test_one_answer_is_enough_when_the_call_is_long_over(world: World, word: Answer | NoWord) -> None:
    """Also that the API does not know it: only a question that failed is not one."""
    turn_id = await stopped_at(world, "render")
    world.clock.at += timedelta(hours=5)
    world.renderer.asks = [NoWord.NOT_ASKED, word, word]
    await recovered(world)
    assert len(world.renderer.asked) == 2
    assert await world.states(turn_id) == [UNCERTAIN]


async def test_a_stop_while_questions_fail_leaves_them_to_the_next_start(world: World) -> None:
    turn_id = await stopped_at(world, "render")
    job = world.renderer.jobs[0]
    world.clock.at += timedelta(hours=5)
    world.renderer.asks = [NoWord.NOT_ASKED] * 100
    world.gates.shut(f"sleep:{ASK_PAUSES_S[0]:g}")
    await world.recover()
    await world.gates.reached(f"sleep:{ASK_PAUSES_S[0]:g}")
    await world.restart()
    assert await world.states(turn_id) == [AttemptState.DISPATCHED]
    world.renderer.asks = [painted(job, "resp_1")]
    await recovered(world)
    assert world.slack.posts == [(turn_id, 1)]


async def test_who_waits_for_the_answer_to_a_question_is_not_stuck(later: Later) -> None:
    """Be it after a stop, or in the life in which the call broke off; and other threads go on meanwhile."""
    world = later.world

    async def never() -> list[tuple[str, ...]]:
        world.renderer.asks = [NoWord.NOT_ASKED] * 100
        other = await world.imagine("a cat", user=BOB)
        stuck = []
        for _ in range(25):
            await later.clock.run(60.0)
            stuck += [world.worker.pulse()[2]]
        assert await world.outcome(other) == "pictures"
        return stuck

    later.says = lambda job: None if job.prompt == "a cat" else BROKEN
    turn_id = await world.imagine("a fox")
    assert set(await never()) == {()}
    await world.restart()
    assert await world.states(turn_id) == [AttemptState.DISPATCHED]
    await world.recover()
    assert set(await never()) == {()}
    assert await world.outcome(turn_id) is None
    await later.until_all_ended()
    assert await world.outcome(turn_id) == "uncertain"


async def test_a_call_that_is_asked_for_in_vain_takes_no_place_of_its_person(make_world: MakeWorld) -> None:
    later = Later(make_world, per_person=1)
    world = later.world
    world.renderer.asks = [NoWord.NOT_ASKED] * 100
    later.says = lambda job: BROKEN if job.prompt == "a fox" else None
    waits, other = await world.imagine("a fox"), await world.imagine("a cat")
    await later.clock.run(60.0)
    assert await world.outcome(other) == "pictures"
    assert await world.outcome(waits) is None
    await later.until_all_ended()


async def test_who_asks_in_vain_what_became_of_a_try_leaves_the_next_try_to_others(later: Later) -> None:
    """The API was left alone, and a call that tried it broke off: others do not wait until that is known."""
    world = later.world
    world.renderer.asks = [NoWord.NOT_ASKED] * 100
    later.says = lambda _: BROKEN
    for number in range(FAILURES + 1):
        await world.imagine(f"a fox {number}", user=f"U{number}")
        await later.clock.run(FAILING_WAITS_S[0])
    assert len(later.api.jobs) == FAILURES + 1
    assert world.gate.closed() is not None
    later.says = lambda _: None
    other = await world.imagine("a cat", user=BOB)
    await later.clock.run(FAILING_WAITS_S[1])
    assert await world.outcome(other) == "pictures"
    await later.until_all_ended()


async def test_words_that_could_not_be_asked_for_at_first_are_asked_for_again(world: World) -> None:
    turn_id = await _turn_of(world, await _sent(world, "resp_1"))
    await _settle(world, turn_id, picture=False)
    world.renderer.asks = [NoWord.NOT_ASKED, said("A fox.")]
    await recovered(world)
    assert await world.outcome(turn_id) == "words"


async def test_what_was_sent_and_refused_is_given_back(world: World) -> None:
    turn_id = await stopped_at(world, "render")
    world.renderer.asks = [failed(FailureKind.MODERATION)]
    await recovered(world)
    assert await world.outcome(turn_id) == "moderation"
    assert await world.states(turn_id) == [RELEASED]


async def test_a_reply_waits_for_a_first_picture_that_is_being_asked_for(world: World) -> None:
    world.gates.shut("render", "ask")
    first = await world.imagine("a fox")
    await world.gates.reached("render")
    reply = await world.reply("night", "1763650000.000001", first)
    await turns_of_the_loop()
    job = world.renderer.jobs[0]
    await world.restart()
    world.gates.open("render")
    world.renderer.asks = [painted(job, "resp_1")]
    await world.recover()
    await turns_of_the_loop()
    assert len(world.renderer.jobs) == 1
    world.gates.open("ask")
    await world.rest()
    assert world.slack.posts == [(first, 1), (reply, 2)]


async def test_an_earlier_message_waits_for_a_later_one_that_was_sent_already(world: World) -> None:
    """It came late; what was sent is finished first, and then it builds on that."""
    first = await world.imagine("a fox")
    await world.rest()
    world.gates.shut("render", "ask")
    later = await world.reply("later", "1763650000.000002", first)
    await turns_of_the_loop()
    earlier = await world.reply("earlier", "1763650000.000001", first)
    await turns_of_the_loop()
    world.renderer.asks = [painted(world.renderer.jobs[1], "resp_2")]
    await world.restart()
    world.gates.open("render")
    await world.recover()
    await turns_of_the_loop()
    assert world.renderer.prompts() == ["a fox", "later"]
    world.gates.open("ask")
    await world.rest()
    assert world.slack.posts == [(first, 1), (later, 2), (earlier, 3)]


@pytest.mark.parametrize("step", ["upload", "post", "posted", "close"])
async def test_what_was_made_but_not_told_is_told_once(world: World, step: str) -> None:
    """Whatever had been done before is not done again."""
    turn_id = await stopped_at(world, step)
    assert (await world.turn(turn_id)).state is TurnState.ENDED
    await recovered(world)
    assert world.slack.posts == [(turn_id, 1)]
    assert world.slack.uploads == [turn_id]
    assert world.slack.closed == [turn_id]
    assert len(world.renderer.jobs) == 1


async def test_who_was_not_told_of_a_refusal_is_told(world: World) -> None:
    world.renderer.scripts["a fox"] = [failed(FailureKind.MODERATION)]
    turn_id = await stopped_at(world, "tell")
    await recovered(world)
    assert world.slack.told == [(turn_id, Reason.MODERATION)]


async def test_a_picture_in_the_books_is_delivered_though_its_turn_had_not_ended(world: World) -> None:
    attempt_id = await _sent(world, "resp_1")
    turn_id = await _turn_of(world, attempt_id)
    await _settle(world, turn_id, picture=True)
    await recovered(world)
    assert world.slack.posts == [(turn_id, 1)]
    assert world.renderer.jobs == []


async def test_words_that_were_paid_for_are_fetched_again(world: World) -> None:
    """The books know of the charge; only the API still knows the words."""
    turn_id = await _turn_of(world, await _sent(world, "resp_1"))
    await _settle(world, turn_id, picture=False)
    world.renderer.asks = [said("A fox.")]
    await recovered(world)
    ending = (await world.turn(turn_id)).ending
    assert ending is not None
    assert (ending.outcome, ending.details) == (
        Outcome.WORDS,
        {"words": "A fox.", "charged_nano_usd": 300_000},
    )
    assert world.renderer.asked == ["resp_1"]
    assert world.renderer.jobs == []


async def test_words_that_nobody_has_any_more_are_no_picture(world: World) -> None:
    turn_id = await _turn_of(world, await _sent(world, "resp_1"))
    await _settle(world, turn_id, picture=False)
    await recovered(world)
    assert await world.outcome(turn_id) == "no_picture"


async def test_an_uncertain_call_in_the_books_is_told_though_its_turn_had_not_ended(world: World) -> None:
    turn_id = await _turn_of(world, await _sent(world, None))
    turn, attempt = await world.turn(turn_id), (await world.attempts(turn_id))[0]
    await world.maker.attempting.write_off(turn, attempt)
    await recovered(world)
    assert world.slack.told == [(turn_id, Reason.UNCERTAIN)]


@pytest.mark.parametrize("gate", ["guard", "placeholder"])
async def test_what_is_older_than_an_hour_is_cancelled(world: World, gate: str) -> None:
    turn_id = await stopped_at(world, gate)
    world.clock.at += timedelta(hours=1, seconds=1)
    await recovered(world)
    assert world.slack.told == [(turn_id, Reason.TOO_OLD)]
    assert world.renderer.jobs == []


async def test_what_is_older_than_an_hour_has_its_hold_given_back_first(world: World) -> None:
    turn_id = await _held(world)
    world.clock.at += timedelta(hours=1, seconds=1)
    await recovered(world)
    assert await world.states(turn_id) == [RELEASED]
    assert await world.outcome(turn_id) == "too_old"


async def test_a_stop_during_a_wait_for_a_rate_limit_leaves_nothing_held(world: World) -> None:
    world.renderer.scripts["a fox"] = [failed(FailureKind.RATE)]
    turn_id = await stopped_at(world, "sleep")
    await recovered(world)
    assert await world.states(turn_id) == [RELEASED, SETTLED]


async def test_money_that_an_old_call_holds_is_waited_for(make_world: MakeWorld) -> None:
    """Who comes in before recovery has closed the books waits for them instead of being refused."""
    world = make_world()
    turn_id = await stopped_at(world, "render")
    hold = (await world.attempts(turn_id))[0].hold_nano_usd
    world.limits = caps(channel=hold + hold // 2)
    world.start()
    other = await world.imagine("b fox")
    await turns_of_the_loop()
    assert (await world.turn(other)).state is TurnState.QUEUED
    world.renderer.asks = [failed(FailureKind.MODERATION)]
    await recovered(world)
    assert await world.outcome(other) == "pictures"


async def test_recovery_leaves_what_came_in_meanwhile_alone(world: World) -> None:
    world.gates.shut("guard")
    turn_id = await world.imagine("a fox")
    await world.recover()
    world.gates.open("guard")
    await recovered(world)
    assert world.slack.placeholders == [turn_id]
    assert len(world.renderer.jobs) == 1


async def test_a_call_whose_model_nobody_knows_any_more_is_written_off(world: World) -> None:
    """It cannot be priced, so it cannot be settled; but its person is told and its hold does not stay."""
    attempt_id = await _sent(world, "resp_1", model="gpt-image-0")
    await recovered(world)
    turn_id = await _turn_of(world, attempt_id)
    assert await world.states(turn_id) == [UNCERTAIN]
    assert world.slack.told == [(turn_id, Reason.UNCERTAIN)]


async def test_stopping_twice_in_the_middle_is_like_stopping_once(world: World) -> None:
    turn_id = await stopped_at(world, "post")
    world.gates.shut("post", "sleep")
    await world.recover()
    await turns_of_the_loop()
    await world.restart()
    world.gates.open("post", "sleep")
    await recovered(world)
    assert world.slack.posts == [(turn_id, 1)]


async def _held(world: World) -> str:
    """A mention with a hold, as a stop between the hold and the sending leaves it."""
    arrival = await world.intake.accept(message("a fox", "5.5", "5.5", surface=Surface.MENTION))
    assert arrival.turn is not None
    turn = await world.store.queue(arrival.turn.id, plan("none", 1), world.limits, world.clock.now())
    assert isinstance(turn, Turn)
    wish = Wish(turn, Access(), world.clock.now().date())
    step = world.planner.step(wish, world.planner.candidates(wish)[0], "try_1")
    await world.store.hold(turn.id, step.plan, world.limits, world.clock.now())
    return turn.id


async def _sent(world: World, response_id: str | None, model: str = FIRST) -> str:
    """The same, sent and perhaps named; gives the attempt's id."""
    turn_id = await _held(world)
    if model != FIRST:
        query = "UPDATE attempts SET image_model = ? WHERE turn_id = ?"
        await world.database.write(lambda db: db.execute(query, (model, turn_id)).rowcount)
    assert await world.store.send("try_1", world.clock.now())
    if response_id is not None:
        await world.store.send("try_1", world.clock.now(), response_id)
    return "try_1"


async def _turn_of(world: World, attempt_id: str) -> str:
    query = "SELECT turn_id FROM attempts WHERE id = ?"
    return str(await world.database.look(lambda db: db.execute(query, (attempt_id,)).fetchone()[0]))


async def _settle(world: World, turn_id: str, *, picture: bool) -> None:
    """End the attempt in the books, as a stop just before the turn's end leaves it."""
    turn, attempt = await world.turn(turn_id), (await world.attempts(turn_id))[0]
    wish = Wish(turn, Access(), world.clock.now().date())
    step = world.planner.step(wish, world.planner.candidates(wish)[0], attempt.id)
    answer = painted(step.job, "resp_1") if picture else replace(said("A fox."), response_id="resp_1")
    await world.maker.attempting._settle(answer, step, attempt, turn)
