"""The way in: accepting once, editing and taking back at every moment of a turn that still waits."""

from __future__ import annotations

import pytest

from darkroom.rendering.job import FailureKind
from darkroom.turns.endings import Reason
from darkroom.turns.model import Attempt, Options, Surface, Turn, TurnState
from tests.examples import DESIGN, TEAM, caps, command, message
from tests.turns.conftest import MakeWorld
from tests.turns.fakes import failed
from tests.turns.world import World, meddled, turns_of_the_loop

ROOT = "1763650000.000001"
MENTION = message("a fox", ROOT, ROOT, surface=Surface.MENTION)


async def edit(world: World, text: str, model: str | None = None) -> Turn | None:
    return await world.intake.revise(TEAM, DESIGN, ROOT, text, Options(model=model))


async def take_back(world: World) -> Turn | None:
    return await world.intake.take_back(TEAM, DESIGN, ROOT)


async def test_what_slack_sends_twice_is_made_once(world: World) -> None:
    first = await world.intake.accept(command())
    again = await world.intake.accept(command())
    world.intake.submit(first)
    world.intake.submit(again)
    await world.rest()
    assert len(world.renderer.jobs) == 1


async def test_what_is_not_for_darkroom_is_not_submitted(world: World) -> None:
    arrival = await world.intake.accept(message("hello", "2.2", "1.1"))
    world.intake.submit(arrival)
    assert arrival.turn is None
    assert len(world.line) == 0


async def test_a_message_that_never_asked_can_be_edited_and_deleted(world: World) -> None:
    assert await edit(world, "a cat") is None
    assert await take_back(world) is None


@pytest.mark.parametrize("gate", ["guard", "placeholder"])
async def test_editing_while_the_turn_is_taken_in_makes_what_it_then_says(world: World, gate: str) -> None:
    world.gates.shut(gate)
    await world.ask(MENTION)
    await world.gates.reached(gate)
    await edit(world, "a cat")
    world.gates.open(gate)
    await world.rest()
    assert world.renderer.prompts() == ["a cat"]


async def test_editing_while_an_earlier_turn_runs(make_world: MakeWorld) -> None:
    world = make_world(per_person=1)
    world.gates.shut("render:other")
    await world.imagine("other")
    await world.ask(MENTION)
    await turns_of_the_loop()
    await edit(world, "a cat")
    world.gates.open("render:other")
    await world.rest()
    assert world.renderer.prompts() == ["other", "a cat"]


async def test_editing_too_late_changes_nothing_and_says_so(world: World) -> None:
    world.gates.shut("render")
    await world.ask(MENTION)
    await world.gates.reached("render")
    turn = await edit(world, "a cat")
    assert turn is not None
    assert (turn.state, turn.request.prompt) == (TurnState.WORKING, "a fox")
    world.gates.open("render")
    await world.rest()
    assert world.renderer.prompts() == ["a fox"]


async def one_picture(world: World) -> Attempt:
    """What one picture of somebody else's holds and costs."""
    turn_id = await world.imagine("a fox", user="U0CAROL001")
    await world.rest()
    return (await world.attempts(turn_id))[0]


async def test_editing_in_the_moment_before_the_hold(world: World) -> None:
    """What was planned is not what is asked any more: it is planned again."""
    store = meddled(world)
    store.before = lambda: edit(world, "a cat")
    turn_id = await world.ask(MENTION)
    await world.rest()
    assert world.renderer.prompts() == ["a cat"]
    assert len(await world.attempts(turn_id)) == 1


async def test_editing_in_the_moment_after_the_hold_is_too_late(world: World) -> None:
    store = meddled(world)
    store.after = lambda: edit(world, "a cat")
    await world.ask(MENTION)
    await world.rest()
    assert world.renderer.prompts() == ["a fox"]


@pytest.mark.parametrize("gate", ["guard", "placeholder"])
async def test_taking_back_while_the_turn_is_taken_in(world: World, gate: str) -> None:
    world.gates.shut(gate)
    turn_id = await world.ask(MENTION)
    await world.gates.reached(gate)
    await take_back(world)
    world.gates.open(gate)
    await world.rest()
    assert world.slack.told == [(turn_id, Reason.TAKEN_BACK)]
    assert world.renderer.jobs == []


async def test_taking_back_between_acknowledging_and_submitting(world: World) -> None:
    arrival = await world.intake.accept(MENTION)
    await take_back(world)
    world.intake.submit(arrival)
    await world.rest()
    assert [reason for _, reason in world.slack.told] == [Reason.TAKEN_BACK]
    assert world.renderer.jobs == []


async def test_taking_back_while_waiting_lets_the_next_of_the_thread_go(make_world: MakeWorld) -> None:
    world = make_world(per_person=1)
    world.gates.shut("render:other", "tell")
    await world.imagine("other")
    first = await world.ask(MENTION)
    second = await world.ask(message("a dog", "1763650000.000002", ROOT, surface=Surface.MENTION))
    await turns_of_the_loop()
    await take_back(world)
    await take_back(world)
    await world.gates.reached("tell")
    world.gates.open("render:other")
    await turns_of_the_loop()
    assert world.renderer.prompts() == ["other"]
    world.gates.open("tell")
    await world.rest()
    assert world.slack.told == [(first, Reason.TAKEN_BACK)]
    assert world.renderer.prompts() == ["other", "a dog"]
    assert await world.outcome(second) == "pictures"


@pytest.mark.parametrize("others_finish", [False, True])
async def test_taking_back_in_the_moment_before_the_hold_is_told_once(
    make_world: MakeWorld, others_finish: bool
) -> None:
    """Also when another turn ends just then, and looks for who is next."""
    world = make_world(per_person=9)
    world.gates.shut("render:other", "tell")
    store = meddled(world)
    other = await world.imagine("other")
    await world.gates.reached("render:other")

    async def meddle() -> None:
        await take_back(world)
        if others_finish:
            world.gates.open("render:other")

    store.before = meddle
    turn_id = await world.ask(MENTION)
    await world.gates.reached("tell")
    await turns_of_the_loop()
    if not others_finish:
        world.gates.open("render:other")
    world.gates.open("tell")
    await world.rest()
    assert world.slack.told == [(turn_id, Reason.TAKEN_BACK)]
    assert await world.outcome(other) == "pictures"
    assert world.renderer.prompts() == ["other"]


async def test_taking_back_in_the_moment_after_the_hold_is_too_late(world: World) -> None:
    store = meddled(world)
    store.after = lambda: take_back(world)
    turn_id = await world.ask(MENTION)
    await world.rest()
    assert await world.outcome(turn_id) == "pictures"
    assert world.slack.told == []


@pytest.mark.parametrize("moment", ["waiting", "before", "after"])
async def test_taking_back_what_waits_for_money_is_told_at_once(make_world: MakeWorld, moment: str) -> None:
    """Also in the very moment of asking for it: nobody is told only once somebody else's call has ended."""
    hold = (await one_picture(make_world())).hold_nano_usd
    world = make_world(caps(person=hold + hold // 2))
    store = meddled(world)
    world.gates.shut("render:other")
    await world.imagine("other")
    await world.gates.reached("render:other")
    if moment == "before":
        store.before = lambda: take_back(world)
    elif moment == "after":
        store.after = lambda: take_back(world)
    turn_id = await world.ask(MENTION)
    await turns_of_the_loop()
    if moment == "waiting":
        await take_back(world)
        await turns_of_the_loop()
    assert world.slack.told == [(turn_id, Reason.TAKEN_BACK)]
    world.gates.open("render:other")
    await world.rest()


async def test_taking_back_during_a_wait_for_a_rate_limit(world: World) -> None:
    world.gates.shut("sleep")
    world.renderer.scripts["a fox"] = [failed(FailureKind.RATE)]
    turn_id = await world.ask(MENTION)
    await world.gates.reached("sleep")
    await take_back(world)
    world.gates.open("sleep")
    await world.rest()
    assert world.slack.told == [(turn_id, Reason.TAKEN_BACK)]
    assert len(world.renderer.jobs) == 1


async def test_what_is_edited_during_a_wait_is_asked_of_every_model_anew(world: World) -> None:
    """The first model was refused for the first prompt; the new text names it, so it is tried."""
    world.gates.shut("sleep")
    world.renderer.scripts["a fox"] = [failed(FailureKind.ACCESS), failed(FailureKind.RATE)]
    await world.ask(MENTION)
    await world.gates.reached("sleep")
    await edit(world, "a cat", model="gpt-image-2")
    world.gates.open("sleep")
    await world.rest()
    models = [job.candidate.image_model for job in world.renderer.jobs]
    assert models == ["gpt-image-2-2026-04-21", "gpt-image-2.5-flare", "gpt-image-2"]


async def test_taking_back_too_late_leaves_the_turn_alone(world: World) -> None:
    world.gates.shut("render")
    turn_id = await world.ask(MENTION)
    await world.gates.reached("render")
    turn = await take_back(world)
    assert turn is not None
    assert turn.ending is None
    world.gates.open("render")
    await world.rest()
    await take_back(world)
    assert await world.outcome(turn_id) == "pictures"
    await world.rest()
