"""One turn's attempts: what is tried after a failure, what it costs, and what is never sent again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from darkroom.rendering.fallbacks import RATE_PATIENCE_S, UNSENT_WAITS_S
from darkroom.rendering.job import (
    Answer,
    Billed,
    Endpoint,
    Failure,
    FailureKind,
    NoWord,
    RenderJob,
    ResponseIdSeen,
)
from darkroom.spending.bound import estimate
from darkroom.turns.breaker import FAILURES
from darkroom.turns.endings import Outcome
from darkroom.turns.model import Attempt, AttemptState
from darkroom.turns.outages import Pass, Patience
from darkroom.turns.sending import ASK_AGAIN_S, USAGE_ASKS_MAX
from storage.turns import SqliteTurnStore
from tests.examples import TEAM, caps
from tests.turns.conftest import MakeWorld
from tests.turns.fakes import BROKEN_STREAM, FIRST, HOST_USAGE, SECOND, SETTINGS, failed, painted, said
from tests.turns.world import World, turns_of_the_loop

RELEASED, SETTLED, UNCERTAIN = AttemptState.RELEASED, AttemptState.SETTLED, AttemptState.UNCERTAIN
DEARER = "gpt-image-2.6-sunburst"
NAMED_AND_BROKEN = replace(BROKEN_STREAM, response_id="resp_named")


async def make(world: World, *script: Answer) -> str:
    """A picture of "a fox", its attempts answered by *script*; gives the turn's id when all is over."""
    world.renderer.scripts["a fox"] = list(script)
    turn_id = await world.imagine("a fox")
    await world.rest()
    return turn_id


async def _attempt(world: World) -> Attempt:
    return (await world.attempts(await make(world)))[0]


@pytest.mark.parametrize("kind", [FailureKind.ACCESS, FailureKind.MODEL_GONE])
async def test_a_model_that_may_not_be_used_gives_way_to_the_next(world: World, kind: FailureKind) -> None:
    turn_id = await make(world, failed(kind))
    first, second = await world.attempts(turn_id)
    assert (first.state, first.image_model, first.charged_nano_usd) == (RELEASED, FIRST, 0)
    assert (second.state, second.image_model) == (SETTLED, SECOND)
    assert second.charged_nano_usd == await world.charged() > 0
    assert (await world.log.pictures(turn_id))[0].image_model == SECOND


async def test_when_no_model_may_be_used_nothing_is_charged(world: World) -> None:
    turn_id = await make(world, failed(FailureKind.ACCESS), failed(FailureKind.MODEL_GONE))
    assert await world.outcome(turn_id) == "no_access"
    assert await world.charged() == 0


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (FailureKind.MODERATION, "moderation"),
        (FailureKind.BAD_REQUEST, "api_refused"),
        (FailureKind.SERVER, "api_failed"),
        (FailureKind.BAD_PICTURE, "bad_picture"),
    ],
)
async def test_what_no_other_model_would_mend_stops(world: World, kind: FailureKind, reason: str) -> None:
    turn_id = await make(world, failed(kind))
    assert await world.outcome(turn_id) == reason
    assert await world.states(turn_id) == [RELEASED]
    assert await world.charged() == 0


async def test_a_rate_limit_is_waited_out_by_the_clock_without_a_hold(make_world: MakeWorld) -> None:
    """The budget pays one picture: while one turn waits, another has the money, for another model."""
    hold = (await _attempt(make_world())).hold_nano_usd
    world = make_world(caps(channel=hold + hold // 2))
    world.gates.shut("sleep")
    world.renderer.scripts["a fox"] = [failed(FailureKind.RATE, wait=17.0)]
    waits = await world.imagine("a fox", channel="C0PAINT001")
    await world.gates.reached("sleep")
    other = await world.imagine("a cat", channel="C0PAINT001", model=SECOND)
    await turns_of_the_loop()
    assert await world.outcome(other) == "pictures"
    world.gates.open("sleep")
    await world.rest()
    assert world.clock.slept == [17.0]
    assert await world.outcome(waits) == "pictures"
    assert await world.states(waits) == [RELEASED, SETTLED]


@pytest.mark.parametrize("kind", [FailureKind.RATE, FailureKind.ACCESS, FailureKind.MODERATION])
async def test_what_is_given_back_goes_to_who_waits_for_it_at_once(
    make_world: MakeWorld, kind: FailureKind
) -> None:
    """Whatever becomes of the turn that gave it back: it waits for the clock, cannot pay its next model, or
    has ended."""
    dearer = replace(SETTINGS, fallback=(DEARER,))
    hold = (await _attempt(make_world(settings=dearer))).hold_nano_usd
    world = make_world(caps(channel=hold + 1), settings=dearer)
    world.gates.shut("render:a fox", "sleep", "tell")
    world.renderer.scripts["a fox"] = [failed(kind)]
    await world.imagine("a fox", channel="C0PAINT001")
    await world.gates.reached("render:a fox")
    waits = await world.imagine("a cat", channel="C0PAINT001", model=SECOND)
    await turns_of_the_loop()
    assert world.renderer.prompts() == ["a fox"]
    world.gates.open("render:a fox")
    await turns_of_the_loop()
    assert world.renderer.prompts() == ["a fox", "a cat"]
    world.gates.open("sleep", "tell")
    await world.rest()
    assert await world.outcome(waits) == "pictures"


@pytest.mark.parametrize("wait", [None, 1.0, 45.0, 1000.0])
async def test_a_rate_limit_that_never_ends_is_given_up_after_an_hour(
    world: World, wait: float | None
) -> None:
    """However often that was in vain."""
    turn_id = await make(world, *[failed(FailureKind.RATE, wait=wait)] * 200)
    assert await world.outcome(turn_id) == "rate"
    assert len(world.renderer.jobs) < 200
    assert sum(world.clock.slept) == pytest.approx(RATE_PATIENCE_S)
    assert await world.charged() == 0


async def test_a_rate_limit_that_ends_within_the_hour_is_waited_for(world: World) -> None:
    """Fifty-nine minutes of being refused, once a minute."""
    turn_id = await make(world, *[failed(FailureKind.RATE, wait=60.0)] * 59)
    assert await world.outcome(turn_id) == "pictures"
    assert sum(world.clock.slept) == 59 * 60.0
    assert await world.states(turn_id) == [RELEASED] * 59 + [SETTLED]


async def test_a_call_that_never_left_is_made_again_after_a_while(world: World) -> None:
    turn_id = await make(world, *[failed(FailureKind.UNREACHABLE)] * 2)
    assert await world.outcome(turn_id) == "pictures"
    assert world.clock.slept == list(UNSENT_WAITS_S[:2])
    assert await world.states(turn_id) == [RELEASED, RELEASED, SETTLED]


async def test_calls_that_never_leave_are_given_up_while_others_get_through(world: World) -> None:
    """Where nobody gets through, the API is left alone instead."""

    async def alone(job: RenderJob, seen: ResponseIdSeen) -> Answer:
        passed = await world.gate.enter(job.candidate, Patience(60.0))
        assert isinstance(passed, Pass)
        world.gate.learn(passed, said("others get through"), TEAM)
        return failed(FailureKind.UNREACHABLE)

    world.renderer.scripts["a fox"] = [alone] * 10
    turn_id = await world.imagine("a fox")
    await world.rest()
    assert await world.outcome(turn_id) == "unreachable"
    assert world.clock.slept == list(UNSENT_WAITS_S)
    assert await world.states(turn_id) == [RELEASED] * (len(UNSENT_WAITS_S) + 1)
    assert await world.charged() == 0


async def test_a_forgotten_conversation_goes_on_from_the_saved_picture_once(world: World) -> None:
    first = await make(world)
    world.renderer.scripts["night"] = [failed(FailureKind.FORGOTTEN), failed(FailureKind.FORGOTTEN)]
    reply = await world.reply("night", "1763650000.000001", first)
    await world.rest()
    chained, resent = world.renderer.jobs[1:]
    picture = (await world.log.pictures(first))[0]
    assert (chained.previous_response_id, chained.input_pictures) == (picture.response_id, ())
    assert resent.previous_response_id is None
    assert [given.path.name for given in resent.input_pictures] == [f"{picture.sha256}.png"]
    assert await world.outcome(reply) == "api_refused"
    assert await world.states(reply) == [RELEASED, RELEASED]


@pytest.mark.parametrize(("more", "reason"), [(-1, "no_money"), (0, "pictures")])
async def test_a_fall_back_to_a_dearer_model_needs_its_money(
    make_world: MakeWorld, more: int, reason: str
) -> None:
    """Refused when the cap is just too small for it, and then nothing stays held."""
    dearer = replace(SETTINGS, fallback=(DEARER,))
    priced = make_world(settings=dearer)
    second = (await priced.attempts(await make(priced, failed(FailureKind.ACCESS))))[1]
    assert second.hold_nano_usd > (await priced.attempts(second.turn_id))[0].hold_nano_usd
    world = make_world(caps(channel=second.hold_nano_usd + more), settings=dearer)
    world.renderer.scripts["a fox"] = [failed(FailureKind.ACCESS)]
    turn_id = await world.imagine("a fox", channel="C0PAINT001")
    await world.rest()
    assert await world.outcome(turn_id) == reason
    assert (await world.states(turn_id))[0] is RELEASED


async def test_a_fall_back_waits_for_money_that_another_call_holds_and_then_goes_on(
    make_world: MakeWorld,
) -> None:
    """With the model it had come to: the first is not tried again."""
    dearer = replace(SETTINGS, fallback=(DEARER,))
    hold = (await _attempt(make_world(settings=dearer))).hold_nano_usd
    world = make_world(caps(channel=2 * hold), settings=dearer)
    world.gates.shut("render:other")
    await world.imagine("other", channel="C0PAINT001")
    world.renderer.scripts["a fox"] = [failed(FailureKind.ACCESS)]
    turn_id = await world.imagine("a fox", channel="C0PAINT001")
    await turns_of_the_loop()
    assert await world.states(turn_id) == [RELEASED]
    world.gates.open("render:other")
    await world.rest()
    assert await world.outcome(turn_id) == "pictures"
    models = [job.candidate.image_model for job in world.renderer.jobs if job.prompt == "a fox"]
    assert models == [FIRST, DEARER]


async def test_a_broken_stream_is_asked_for_by_its_id_and_settled(world: World) -> None:
    async def breaks(job: RenderJob, seen: ResponseIdSeen) -> Answer:
        await seen("resp_named")
        world.renderer.asks = [NoWord.NOT_FINISHED, BROKEN_STREAM, painted(job, "resp_named")]
        return NAMED_AND_BROKEN

    world.renderer.scripts["a fox"] = [breaks]
    turn_id = await world.imagine("a fox")
    await world.rest()
    assert world.renderer.asked == ["resp_named"] * 3
    assert await world.outcome(turn_id) == "pictures"
    assert await world.states(turn_id) == [SETTLED]
    assert len(world.renderer.jobs) == 1


def _not_counted(answer: Answer) -> Answer:
    return replace(answer, host_usage=None, image_usage=None)


async def test_a_picture_whose_call_broke_off_at_its_end_costs_what_the_api_counted(world: World) -> None:
    """It came, and what it cost did not: the API is asked for that, while it ends the response."""

    async def breaks(job: RenderJob, seen: ResponseIdSeen) -> Answer:
        await seen("resp_named")
        whole = painted(job, "resp_named")
        world.renderer.asks = [NoWord.NOT_FINISHED, whole]
        return _not_counted(whole)

    world.renderer.scripts["a fox"] = [breaks]
    turn_id = await world.imagine("a fox")
    other_id = await world.imagine("a cat")
    await world.rest()
    assert await world.outcome(turn_id) == "pictures"
    (counted,), (usual,) = await world.attempts(turn_id), await world.attempts(other_id)
    assert counted.charged_nano_usd == usual.charged_nano_usd
    assert counted.ask is not None
    assert counted.charged_nano_usd != estimate(counted.ask, world.planner.catalogue).total_nano_usd


@pytest.mark.parametrize(
    ("words", "asks"),
    [
        ([NoWord.NOT_ASKED, BROKEN_STREAM], 1),
        ([NoWord.NOT_FINISHED] * 9, USAGE_ASKS_MAX),
        ([BROKEN_STREAM], 1),
    ],
)
async def test_a_picture_waits_no_longer_for_its_price_than_people_do(
    world: World, words: list[Answer | NoWord], asks: int
) -> None:
    async def breaks(job: RenderJob, seen: ResponseIdSeen) -> Answer:
        await seen("resp_named")
        return _not_counted(painted(job, "resp_named"))

    world.renderer.scripts["a fox"] = [breaks]
    world.renderer.asks = [*words]
    turn_id = await world.imagine("a fox")
    await world.rest()
    assert await world.outcome(turn_id) == "pictures"
    assert len(world.renderer.asked) == asks
    attempt = (await world.attempts(turn_id))[0]
    assert attempt.ask is not None
    assert attempt.charged_nano_usd == estimate(attempt.ask, world.planner.catalogue).total_nano_usd


async def test_a_broken_stream_that_cost_nothing_is_released(world: World) -> None:
    world.renderer.asks = [failed(FailureKind.SERVER)]
    turn_id = await make(world, NAMED_AND_BROKEN)
    assert await world.outcome(turn_id) == "api_failed"
    assert await world.states(turn_id) == [RELEASED]
    assert await world.charged() == 0


async def test_calls_that_broke_off_and_brought_their_pictures_all_the_same_are_no_reason_to_stop(
    world: World,
) -> None:
    async def breaks(job: RenderJob, seen: ResponseIdSeen) -> Answer:
        await seen("resp_named")
        world.renderer.asks = [painted(job, "resp_named")]
        return NAMED_AND_BROKEN

    for number in range(2 * FAILURES):
        world.renderer.scripts[f"a fox {number}"] = [breaks]
        await world.imagine(f"a fox {number}")
        await world.rest()
        assert world.gate.closed() is None


async def test_what_nobody_can_explain_is_uncertain_and_costs_its_hold(world: World) -> None:
    """Asked from the moment it was sent until its time is over, and once more; never sent again."""
    turn_id = await make(world, NAMED_AND_BROKEN)
    attempt = (await world.attempts(turn_id))[0]
    assert attempt.state is UNCERTAIN
    assert attempt.charged_nano_usd == attempt.hold_nano_usd == await world.charged()
    assert attempt.response_id == "resp_named"
    assert len(world.renderer.jobs) == 1
    assert set(world.clock.slept) == {ASK_AGAIN_S}
    assert len(world.renderer.asked) == SETTINGS.timeout_s / ASK_AGAIN_S + 1
    ending = (await world.turn(turn_id)).ending
    assert ending is not None
    assert ending.outcome is Outcome.UNCERTAIN
    assert ending.details == {"held_nano_usd": attempt.hold_nano_usd}


async def test_a_call_goes_on_though_its_name_could_not_be_noted(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """As when the disk was full for that moment: the picture is paid for, and comes."""

    class Forgetful(SqliteTurnStore):
        async def send(self, attempt_id: str, at: datetime, response_id: str | None = None) -> bool:
            if response_id is not None:
                raise ZeroDivisionError
            return await super().send(attempt_id, at, response_id)

    world.store = Forgetful(world.database)
    world.start()
    attempt = await _attempt(world)
    assert (attempt.state, attempt.response_id) == (SETTLED, "resp_1")
    assert world.slack.posts == [(attempt.turn_id, 1)]
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [ZeroDivisionError]


async def test_the_time_to_ask_counts_from_the_sending(world: World) -> None:
    async def breaks_late(job: RenderJob, seen: ResponseIdSeen) -> Answer:
        await seen("resp_named")
        await world.clock.sleep(job.timeout_s - 1)
        return NAMED_AND_BROKEN

    world.renderer.scripts["a fox"] = [breaks_late]
    await world.imagine("a fox")
    await world.rest()
    assert len(world.renderer.asked) == 2


async def test_a_call_without_a_name_is_uncertain_at_once(world: World) -> None:
    turn_id = await make(world, BROKEN_STREAM)
    assert await world.states(turn_id) == [UNCERTAIN]
    assert world.renderer.asked == []


async def test_uncertain_is_never_followed_by_another_attempt(world: World) -> None:
    turn_id = await make(world, failed(FailureKind.RATE, Billed.UNKNOWN))
    assert await world.states(turn_id) == [UNCERTAIN]
    turn_id = await make(world, failed(FailureKind.ACCESS, Billed.UNKNOWN))
    assert await world.states(turn_id) == [UNCERTAIN]


async def test_a_failure_with_usage_is_charged_what_it_says(world: World) -> None:
    blocked = Failure(FailureKind.MODERATION, Billed.REPORTED, moderation_stage="output")
    turn_id = await make(world, Answer(response_id="r", failure=blocked, host_usage=HOST_USAGE))
    assert await world.outcome(turn_id) == "moderation"
    assert await world.states(turn_id) == [SETTLED]
    assert 0 < await world.charged() < (await world.attempts(turn_id))[0].hold_nano_usd


async def test_a_model_that_darkroom_does_not_know_is_refused_with_the_remedy(world: World) -> None:
    turn_id = await world.imagine(model="gpt-image-9")
    await world.rest()
    ending = (await world.turn(turn_id)).ending
    assert ending is not None
    assert ending.reason.value == "model_unusable"
    assert "gpt-image-9" in str(ending.details["why"])
    assert world.slack.placeholders == []


async def test_a_message_edited_to_an_unknown_model_while_it_waits_is_refused(make_world: MakeWorld) -> None:
    world = make_world(per_person=1)
    first = await make(world)
    world.gates.shut("render:other")
    await world.imagine("other")
    reply = await world.reply("night", "1763650000.000001", first)
    await turns_of_the_loop()
    turn = await world.turn(reply)
    options = replace(turn.request.options, model="gpt-image-9")
    await world.intake.revise(
        turn.request.team_id, turn.request.channel_id, "1763650000.000001", "n", options
    )
    world.gates.open("render:other")
    await world.rest()
    assert await world.outcome(reply) == "model_unusable"


async def test_what_was_really_called_is_what_is_kept(world: World) -> None:
    """The answer's own names win over those asked for."""

    async def renamed(job: RenderJob, seen: ResponseIdSeen) -> Answer:
        await seen("resp_1")
        return replace(painted(job, "resp_1"), image_model="gpt-image-2.5-flare-2026-09-08")

    world.renderer.scripts["a fox"] = [renamed]
    turn_id = await world.imagine("a fox")
    await world.rest()
    picture = (await world.log.pictures(turn_id))[0]
    assert picture.image_model == "gpt-image-2.5-flare-2026-09-08"
    assert picture.endpoint == Endpoint.RESPONSES
    assert (await world.log.charge_of(picture.id)).total_nano_usd == picture.charged_nano_usd
