"""Turns that are too fast for the API, and turns whose first choice it refuses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from darkroom.rendering.fallbacks import RATE_PATIENCE_S
from darkroom.rendering.job import (
    Answer,
    Billed,
    Concern,
    Endpoint,
    Failure,
    FailureKind,
    RenderJob,
)
from darkroom.spending.budgets import Barred, Caps, MustWait, NoMoney
from darkroom.turns.model import Attempt, AttemptState, PassedOver
from darkroom.turns.outages import Trouble
from darkroom.turns.store import Plan
from storage.turns import SqliteTurnStore
from tests.examples import ALICE, BOB
from tests.turns.conftest import MakeWorld
from tests.turns.fakes import FIRST, SECOND, failed, painted
from tests.turns.later import DAY, Later
from tests.turns.virtual import settled
from tests.turns.world import World

RELEASED, SETTLED = AttemptState.RELEASED, AttemptState.SETTLED


@pytest.fixture
def later(make_world: MakeWorld) -> Later:
    """A world whose time passes when it is let."""
    return Later(make_world)


# --- too fast for it -------------------------------------------------------------------------------------


def _limited(later: Later, limit: int) -> Callable[[RenderJob], Answer | None]:
    sent: list[float] = []

    def says(job: RenderJob) -> Answer | None:
        now = later.clock.monotonic()
        recent = [time for time in sent if time > now - 60.0]
        if len(recent) >= limit:
            told = {"x-ratelimit-limit-images": str(limit), "x-ratelimit-remaining-images": "0"}
            return replace(failed(FailureKind.RATE, wait=recent[-limit] + 60.0 - now), headers=told)
        sent.append(now)
        return None

    return says


async def _crowd(world: World) -> dict[str, list[str]]:
    """40 turns of 10 people, each a picture and three replies in its thread; by thread, in order."""
    threads: dict[str, list[str]] = {}
    for number in range(10):
        user = f"U{number:09d}"
        first = await world.imagine(f"start {number}", user=user)
        await settled()
        threads[first] = [first]
        for each in range(3):
            ts = f"1763660000.{number:03d}{each:03d}"
            threads[first].append(await world.reply(f"more {number} {each}", ts, first, user=user))
    return threads


def _told_in_order(world: World, threads: dict[str, list[str]]) -> bool:
    place = {turn_id: number for number, turn_id in enumerate(world.slack.closed)}
    return all(
        [place[turn_id] for turn_id in thread] == sorted(place[turn_id] for turn_id in thread)
        for thread in threads.values()
    )


@pytest.mark.slow
async def test_a_limit_of_pictures_a_minute_is_kept_to_and_everybody_is_served(make_world: MakeWorld) -> None:
    """After the first refusals nothing is refused any more."""
    later = Later(make_world, 20.0)
    world = later.world
    later.says = _limited(later, 5)
    threads = await _crowd(world)
    await later.until_all_ended()
    turns = [turn_id for thread in threads.values() for turn_id in thread]
    assert {await world.outcome(turn_id) for turn_id in turns} == {"pictures"}
    assert _told_in_order(world, threads)
    states = Counter([state for turn_id in turns for state in await world.states(turn_id)])
    assert states[SETTLED] == 40
    assert states[RELEASED] <= 10
    assert later.clock.monotonic() < 40 / 5 * 62.0 + 120.0


@pytest.mark.slow
@pytest.mark.parametrize("wait", [None, 1.0, 600.0])
async def test_a_day_of_refusals_ends_every_turn_and_starves_nobody(
    make_world: MakeWorld, wait: float | None
) -> None:
    """Every turn ends within hours, those of a thread in their order; each had its try, or its hour."""
    later = Later(make_world)
    world = later.world
    later.says = lambda _: failed(FailureKind.RATE, wait=wait)
    threads = await _crowd(world)
    await later.until_all_ended(DAY)
    turns = [turn_id for thread in threads.values() for turn_id in thread]
    outcomes = Counter([await world.outcome(turn_id) for turn_id in turns])
    assert outcomes.keys() <= {"rate", "nothing_to_edit"}
    assert outcomes["rate"] >= 10
    assert _told_in_order(world, threads)
    assert await world.charged() == 0
    assert later.clock.monotonic() <= 4 * RATE_PATIENCE_S


async def test_who_was_refused_goes_before_those_who_came_later(later: Later) -> None:
    one_a_minute = {"x-ratelimit-limit-images": "1", "x-ratelimit-remaining-images": "0"}

    def says(job: RenderJob) -> Answer | None:
        if len(later.api.jobs) == 2:
            return replace(failed(FailureKind.RATE, wait=5.0), headers=one_a_minute)
        return replace(painted(job, f"resp_{len(later.api.jobs)}"), headers=one_a_minute)

    later.says = says
    for prompt in ("a dog", "a fox", "a cat"):
        await later.world.imagine(prompt, user=f"U{prompt}")
        await settled()
    await later.until_all_ended()
    assert later.api.prompts() == ["a dog", "a fox", "a fox", "a cat"]


async def test_who_waits_for_a_rate_can_call_it_off(later: Later) -> None:
    world = later.world
    later.says = lambda _: failed(FailureKind.RATE, wait=600.0)
    turn_id = await world.imagine("a fox")
    await later.clock.run(10.0)
    await world.intake.cancel(turn_id, ALICE)
    await later.clock.run(0.0)
    assert await world.outcome(turn_id) == "called_off"
    assert len(world.line) == 0
    assert later.clock.monotonic() == 10.0


# --- what was refused before it --------------------------------------------------------------------------


def _refuses(*models: str, concerns: Concern | None = None) -> Callable[[RenderJob], Answer | None]:
    def says(job: RenderJob) -> Answer | None:
        candidate = job.candidate
        by_responses = concerns is not Concern.IMAGE_MODEL and candidate.endpoint is Endpoint.RESPONSES
        if candidate.image_model in models or (concerns is not None and by_responses):
            return Answer(failure=Failure(FailureKind.ACCESS, Billed.NOTHING, concerns=concerns))
        return None

    return says


async def test_the_next_model_says_what_was_passed_over_and_later_turns_do_not_ask_again(
    later: Later,
) -> None:
    world = later.world
    later.says = _refuses(FIRST, concerns=Concern.IMAGE_MODEL)
    passed_over = (PassedOver(FIRST, "responses", "access"),)
    first = await world.imagine("a fox")
    await later.until_all_ended()
    refused, made = await world.attempts(first)
    assert (refused.passed_over, made.passed_over) == ((), passed_over)
    second = await world.imagine("a cat")
    await later.until_all_ended()
    (made,) = await world.attempts(second)
    assert (made.image_model, made.passed_over) == (SECOND, passed_over)
    await later.clock.run(3600.0)
    later.says = lambda _: None
    third = await world.imagine("a dog")
    await later.until_all_ended()
    (made,) = await world.attempts(third)
    assert (made.image_model, made.passed_over) == (FIRST, ())


class _Exchanges(SqliteTurnStore):
    """Notes with what a hold was given back."""

    def __init__(self, world: World) -> None:
        super().__init__(world.database)
        self.seen: list[str | None] = []

    async def fall_back(
        self, attempt_id: str, why: str, plan: Plan | None, caps: Caps, at: datetime
    ) -> Attempt | MustWait | NoMoney | Barred | None:
        """See ``TurnStore``."""
        self.seen.append(None if plan is None else plan.candidate.image_model)
        return await super().fall_back(attempt_id, why, plan, caps, at)


async def test_who_falls_back_keeps_their_money(later: Later) -> None:
    """The hold is given back and the next one taken in one transaction: nobody comes between."""
    world = later.world
    world.store = exchanges = _Exchanges(world)
    world.start()
    later.says = _refuses(FIRST, concerns=Concern.IMAGE_MODEL)
    turn_id = await world.imagine("a fox")
    await later.until_all_ended()
    assert await world.outcome(turn_id) == "pictures"
    assert exchanges.seen == [SECOND]


async def test_who_falls_back_to_a_model_that_has_to_be_waited_for_holds_nothing_meanwhile(
    later: Later,
) -> None:
    world = later.world
    later.says = lambda job: failed(
        FailureKind.RATE if job.prompt == "a cat" else FailureKind.ACCESS, wait=99
    )
    await world.imagine("a cat", user=BOB, model=SECOND)
    await settled()
    turn_id = await world.imagine("a fox")
    await settled()
    assert await world.states(turn_id) == [RELEASED]
    assert await world.outcome(turn_id) is None
    later.says = lambda _: None
    await later.until_all_ended()
    assert await world.outcome(turn_id) == "pictures"


async def test_where_the_host_is_refused_the_same_model_is_called_by_the_images_endpoint(
    later: Later,
) -> None:
    world = later.world
    later.says = _refuses(concerns=Concern.HOST)
    turn_id = await world.imagine("a fox")
    await later.until_all_ended()
    refused, made = await world.attempts(turn_id)
    assert (refused.endpoint, refused.image_model) == ("responses", FIRST)
    assert (made.endpoint, made.image_model, made.state) == ("images", FIRST, SETTLED)
    assert [(each.image_model, each.endpoint) for each in made.passed_over] == [
        (FIRST, "responses"),
        (SECOND, "responses"),
    ]


async def test_what_is_remembered_ends_nothing_by_itself(later: Later) -> None:
    """Where all were refused they are asked again: the account may have been verified meanwhile."""
    world = later.world
    later.says = _refuses(FIRST, SECOND, concerns=Concern.IMAGE_MODEL)
    refused = await world.imagine("a fox")
    await later.until_all_ended()
    assert await world.outcome(refused) == "no_access"
    later.says = lambda _: None
    made = await world.imagine("a cat")
    await later.until_all_ended()
    assert await world.outcome(made) == "pictures"
    assert (await world.attempts(made))[0].image_model == FIRST


async def test_admins_of_the_workspace_that_met_it_are_told(later: Later) -> None:
    world = later.world
    later.says = lambda _: failed(FailureKind.REGION)
    await world.imagine("a fox", team_id="T0OTHER001")
    await settled()
    assert await later.alerts() == [("T0OTHER001", Trouble.REGION)]
    later.says = lambda _: None
    await later.until_all_ended()
    assert {team for team, _ in await later.alerts()} == {"T0OTHER001"}
