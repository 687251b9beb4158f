"""What people are shown while they wait, calling off, and times when the API is closed."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from darkroom.rendering.job import FailureKind
from darkroom.spending.budgets import MustWait
from darkroom.spending.changes import SetPaused
from darkroom.turn_context import current_turn, working_for
from darkroom.turns import shown_waits
from darkroom.turns.admission import Admission
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import AttemptState, Intent, Turn, TurnState
from darkroom.turns.outages import Closed, Outage, Trouble
from darkroom.turns.rate import WINDOW_S
from darkroom.turns.waiting import Wait, WaitFor
from tests.examples import ALICE, BOB, caps
from tests.turns.conftest import MakeWorld
from tests.turns.fakes import failed
from tests.turns.test_decisions import decides
from tests.turns.world import World, turns_of_the_loop

API_CLOSED = {"trouble": "quota", "message": "the API's own words"}
CALLED_OFF = Ending(Outcome.CANCELLED, Reason.CALLED_OFF, {"by": ALICE})


def shown(world: World, turn_id: str) -> list[Wait | None]:
    """What the placeholder of *turn_id* said, in order."""
    return [wait for each, wait in world.slack.waits if each == turn_id]


async def closed(world: World, kind: FailureKind = FailureKind.QUOTA) -> str:
    """A turn whose call was refused in a way that closes the API; time stands still from then on."""
    world.gates.shut("sleep")
    world.renderer.scripts["a fox"] = [failed(kind)]
    turn_id = await world.imagine("a fox")
    await world.gates.reached("close:a fox") if kind is FailureKind.MODERATION else await turns_of_the_loop(
        80
    )
    assert world.gate.closed() is not None
    return turn_id


async def test_who_has_to_wait_for_a_place_sees_how_many_are_before_them(make_world: MakeWorld) -> None:
    world = make_world(per_person=1)
    world.gates.shut("render:n0", "render:n1")
    turns = [await world.imagine(f"n{number}") for number in range(3)]
    await turns_of_the_loop(60)
    assert [shown(world, turn_id) for turn_id in turns] == [
        [],
        [Wait(WaitFor.PLACE)],
        [Wait(WaitFor.PLACE, ahead=1)],
    ]
    world.gates.open("render:n0")
    await world.gates.reached("render:n1")
    await turns_of_the_loop()
    assert shown(world, turns[1]) == [Wait(WaitFor.PLACE), None]
    await world.worker.round()
    await world.worker.round()
    assert shown(world, turns[2]) == [Wait(WaitFor.PLACE, ahead=1), Wait(WaitFor.PLACE)]
    world.gates.open("render:n1")
    await world.rest()
    assert shown(world, turns[2])[-1] is None


async def test_when_all_places_are_taken_those_of_others_before_oneself_count(make_world: MakeWorld) -> None:
    world = make_world(overall=1)
    world.gates.shut("render")
    await world.imagine("n0", user="U0CAROL001")
    await world.gates.reached("render")
    turns = [await world.imagine(f"n{number}") for number in (1, 2)]
    await turns_of_the_loop(60)
    other = await world.imagine("n3", user=BOB)
    await turns_of_the_loop(60)
    assert shown(world, other) == [Wait(WaitFor.PLACE, ahead=1)], "before the second of somebody else"
    await world.worker.round()
    assert shown(world, turns[1]) == [Wait(WaitFor.PLACE, ahead=1), Wait(WaitFor.PLACE, ahead=2)]
    world.gates.open("render")
    await world.rest()


async def test_who_waits_for_their_thread_is_told_that(world: World) -> None:
    world.gates.shut("render:a fox")
    first = await world.imagine("a fox")
    await world.gates.reached("render:a fox")
    replies = [await world.reply(f"n{number}", f"1763650000.00000{number}", first) for number in range(2)]
    await turns_of_the_loop(60)
    for ahead, reply in enumerate(replies, start=1):
        assert shown(world, reply) == [Wait(WaitFor.THREAD, ahead)]
    world.gates.open("render:a fox")
    await world.rest()


async def test_who_waits_for_money_is_told_that(make_world: MakeWorld) -> None:
    world = make_world()
    first = await world.made("a fox")
    hold = (await world.attempts(first.turn_id))[0].hold_nano_usd
    world = make_world(caps(channel=await world.charged() + 2 * hold - 1), per_person=9)
    world.gates.shut("render:a cat")
    await world.imagine("a cat")
    await world.gates.reached("render:a cat")
    poor, behind = await world.imagine("a dog"), await world.imagine("a hen")
    await turns_of_the_loop(60)
    await world.worker.round()
    assert shown(world, poor) == [Wait(WaitFor.MONEY)]
    assert shown(world, behind) == [Wait(WaitFor.MONEY)]
    world.gates.open("render:a cat")
    await world.rest()


async def test_no_more_placeholders_are_changed_in_a_round_than_slack_allows(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shown_waits, "SHOWN_AT_ONCE_MAX", 2)
    world = make_world(per_person=1)
    world.gates.shut("render:n0", "render:n1")
    turns = [await world.imagine(f"n{number}") for number in range(5)]
    await turns_of_the_loop(60)
    before = len(world.slack.waits)
    world.gates.open("render:n0")
    await world.gates.reached("render:n1")
    await turns_of_the_loop()
    started = len(world.slack.waits)
    await world.worker.round()
    assert (started - before, len(world.slack.waits) - started) == (1, 2)
    await world.worker.round()
    assert [shown(world, turn_id)[-1] for turn_id in turns[2:]] == [
        Wait(WaitFor.PLACE, ahead) for ahead in range(3)
    ]
    world.gates.open("render:n1")
    await world.rest()


async def test_a_round_is_not_held_up_by_placeholders_that_slack_does_not_take(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does more than show; and what hangs takes its places of those that may be changed at once."""
    monkeypatch.setattr(shown_waits, "SHOWN_AT_ONCE_MAX", 2)
    monkeypatch.setattr(shown_waits, "SHOWN_IN_S", 0.01)
    world = make_world(per_person=1)
    world.gates.shut("render:n0", "render:n1")
    for number in range(6):
        await world.imagine(f"n{number}")
    await turns_of_the_loop(90)
    world.gates.open("render:n0")
    await world.gates.reached("render:n1")
    await turns_of_the_loop()
    world.gates.shut("show_wait")
    before = len(world.slack.waits)
    async with asyncio.timeout(20):
        await world.worker.round()
        await world.worker.round()
    world.gates.open("show_wait")
    await turns_of_the_loop()
    assert len(world.slack.waits) - before == 2
    world.gates.open("render:n1")
    await world.rest()


@pytest.mark.parametrize("hangs", [False, True])
async def test_the_end_is_told_after_the_last_change_of_the_placeholder(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch, *, hangs: bool
) -> None:
    """Or the placeholder would stay; but it does not wait for ever."""
    monkeypatch.setattr(shown_waits, "SHOWN_LAST_S", 0.01 if hangs else 20)
    world = make_world(per_person=1)
    world.gates.shut("render:n0", "show_wait")
    await world.imagine("n0")
    await world.gates.reached("render:n0")
    second = await world.imagine("n1")
    await turns_of_the_loop()
    world.gates.open("render:n0")
    await world.gates.reached("show_wait")
    if hangs:
        await world.gates.reached("close:n1")
    else:
        await turns_of_the_loop(100)
        assert second not in world.slack.closed
        world.gates.open("show_wait")
    await world.rest()
    assert second in world.slack.closed
    assert shown(world, second) == [Wait(WaitFor.PLACE), *([] if hangs else [None])]


async def test_what_is_shown_of_a_wait_and_a_look_at_it_are_the_work_of_its_turn(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has the round or decides: what is logged of it names the turn."""
    world = make_world(per_person=1)
    worked_for: list[tuple[str, str | None]] = []
    show_wait, judge = world.delivery.show_wait, Admission.judge

    async def shows(turn: Turn, at_most_nano_usd: int, wait: Wait | None) -> None:
        worked_for.append((turn.id, current_turn()))
        await show_wait(turn, at_most_nano_usd, wait)

    async def judges(self: Admission, turn: Turn) -> Ending | None:
        worked_for.append((turn.id, current_turn()))
        return await judge(self, turn)

    monkeypatch.setattr(world.delivery, "show_wait", shows)
    monkeypatch.setattr(Admission, "judge", judges)
    world.gates.shut("render:n0", "render:n1")
    turns = [await world.imagine(f"n{number}") for number in range(3)]
    await turns_of_the_loop(60)
    world.gates.open("render:n0")
    await world.gates.reached("render:n1")
    await turns_of_the_loop()
    with working_for(None):
        await world.worker.round()
        await decides(world, SetPaused(True))
    await turns_of_the_loop(60)
    world.gates.open("render:n1")
    await world.rest()
    assert [each for each in worked_for if each[0] == turns[2]] == [(turns[2], turns[2])] * 2


async def test_what_waits_is_called_off_for_free_and_its_person_told(make_world: MakeWorld) -> None:
    world = make_world(per_person=1)
    world.gates.shut("render:n0")
    await world.imagine("n0")
    await world.gates.reached("render:n0")
    second, third = await world.imagine("n1"), await world.imagine("n2")
    await turns_of_the_loop(60)
    for _ in range(2):
        turn = await world.intake.cancel(second, ALICE)
        assert turn is not None
        assert turn.ending == CALLED_OFF
    world.gates.open("render:n0")
    await world.rest()
    assert world.slack.told == [(second, Reason.CALLED_OFF)]
    assert await world.attempts(second) == []
    assert await world.outcome(third) == "pictures"


async def test_what_is_being_made_is_not_called_off(world: World) -> None:
    world.gates.shut("render")
    turn_id = await world.imagine("a fox")
    await world.gates.reached("render")
    turn = await world.intake.cancel(turn_id, ALICE)
    assert turn is not None
    assert turn.state is TurnState.WORKING
    world.gates.open("render")
    await world.rest()
    assert await world.outcome(turn_id) == "pictures"
    assert await world.intake.cancel("turn_of_nobody", ALICE) is None


async def test_who_waits_for_the_rate_limit_is_told_so_and_can_call_it_off_at_once(world: World) -> None:
    world.gates.shut("sleep")
    world.renderer.scripts["a fox"] = [failed(FailureKind.RATE, wait=40)]
    turn_id = await world.imagine("a fox")
    await turns_of_the_loop(80)
    await world.worker.round()
    assert shown(world, turn_id) == [Wait(WaitFor.RATE, until=world.clock.now() + timedelta(seconds=40))]
    assert await world.states(turn_id) == [AttemptState.RELEASED]
    await world.intake.cancel(turn_id, ALICE)
    await world.rest()
    assert world.slack.told == [(turn_id, Reason.CALLED_OFF)]
    world.gates.open("sleep")


async def test_each_who_waits_for_the_rate_limit_is_told_their_own_place_and_how_many_may_go_a_minute(
    world: World,
) -> None:
    world.gates.shut("sleep")
    told = {"x-ratelimit-limit-images": "5", "x-ratelimit-remaining-images": "0"}
    world.renderer.scripts["a fox"] = [replace(failed(FailureKind.RATE, wait=40), headers=told)]
    first = await world.imagine("a fox")
    await turns_of_the_loop(80)
    second = await world.imagine("a hare", user=BOB)
    await turns_of_the_loop(80)
    await world.worker.round()
    until = world.clock.now() + timedelta(seconds=WINDOW_S)
    assert shown(world, first) == [Wait(WaitFor.RATE, 0, until=until, per_minute=5)]
    assert shown(world, second) == [Wait(WaitFor.RATE, 1, per_minute=5)]
    for turn_id in (first, second):
        await world.intake.cancel(turn_id, ALICE)
    await world.rest()
    world.gates.open("sleep")


async def test_a_decision_ends_who_waits_for_the_rate_limit_and_may_not_any_more(world: World) -> None:
    world.gates.shut("sleep")
    world.renderer.scripts["a fox"] = [failed(FailureKind.RATE, wait=40)]
    turn_id = await world.imagine("a fox")
    await turns_of_the_loop(80)
    await decides(world, SetPaused(paused=True))
    await world.rest()
    assert world.slack.told == [(turn_id, Reason.PAUSED)]
    world.gates.open("sleep")


async def test_what_only_waits_is_parked_when_darkroom_stops(world: World) -> None:
    """However long the grace is: it would not be over in time."""
    world.gates.shut("sleep")
    world.renderer.scripts["a fox"] = [failed(FailureKind.RATE, wait=40)]
    turn_id = await world.imagine("a fox")
    await turns_of_the_loop(80)
    async with asyncio.timeout(5):
        await world.worker.aclose(60)
    assert (await world.turn(turn_id)).state is TurnState.QUEUED
    await world.restart()
    world.gates.open("sleep")
    await world.recover()
    await world.rest()
    assert await world.outcome(turn_id) == "pictures"


async def test_what_the_closed_api_sends_back_waits_and_goes_on_by_itself(world: World) -> None:
    first = await closed(world)
    assert (await world.turn(first)).state is TurnState.QUEUED
    assert await world.states(first) == [AttemptState.RELEASED]
    await world.worker.round()
    (wait,) = shown(world, first)
    assert wait is not None
    assert (wait.why, wait.trouble) == (WaitFor.API, Trouble.QUOTA)
    world.gates.open("sleep")
    await world.rest()
    assert world.slack.posts == [(first, 1)]
    assert shown(world, first) == [wait, None]


async def test_who_found_the_api_closed_tries_again_only_when_that_may_have_changed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the gate lets turns start again already: nothing goes round in circles."""
    outage = Outage("outage_1", Trouble.FAILING, "", world.clock.now())
    make, tries = world.maker.make, 0

    async def closes(*args: Any) -> Ending | MustWait | Closed:
        nonlocal tries
        tries += 1
        return Closed(outage, world.clock.now()) if tries < 3 else await make(*args)

    monkeypatch.setattr(world.maker, "make", closes)
    turn_id = await world.imagine("a fox")
    await turns_of_the_loop(80)
    assert tries == 1
    await world.worker.round()
    await turns_of_the_loop(80)
    assert tries == 2
    await world.worker.round()
    await world.rest()
    assert await world.outcome(turn_id) == "pictures"


async def test_while_only_an_admin_can_mend_it_nothing_new_is_taken_in_but_what_costs_nothing(
    world: World,
) -> None:
    picture = await world.made("a hen")
    first = await closed(world)
    new = await world.imagine("a cat")
    undo = await world.reply("undo", "1763650000.000001", picture.turn_id, intent=Intent.UNDO)
    await turns_of_the_loop(60)
    assert await world.ending(new) == Ending(Outcome.DECLINED, Reason.API_CLOSED, API_CLOSED)
    assert await world.outcome(undo) == "nothing_to_undo"
    assert await world.outcome(first) is None
    world.gates.open("sleep")
    await world.rest()


async def test_the_next_request_tries_whether_the_api_serves_again(world: World) -> None:
    """Where nothing else waits and it is time to try."""
    first = await closed(world)
    await world.intake.cancel(first, ALICE)
    await turns_of_the_loop(60)
    world.clock.at += timedelta(minutes=2)
    second = await world.imagine("a cat")
    await turns_of_the_loop(80)
    assert await world.outcome(second) == "pictures"
    assert world.gate.closed() is None
    world.gates.open("sleep")
    await world.rest()


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (FailureKind.QUOTA, Reason.QUOTA),
        (FailureKind.KEY, Reason.KEY),
        (FailureKind.REGION, Reason.REGION),
    ],
)
async def test_what_has_waited_a_day_for_the_api_ends(
    world: World, kind: FailureKind, reason: Reason
) -> None:
    first = await closed(world, kind)
    await world.worker.round()
    assert await world.outcome(first) is None
    world.clock.at += timedelta(hours=24, seconds=1)
    await world.worker.round()
    await turns_of_the_loop(60)
    ending = await world.ending(first)
    assert (ending.outcome, ending.reason) == (Outcome.FAILED, reason)
    assert ending.details["message"] == "the API's own words"
    assert (await world.turn(first)).told_at is not None
    world.gates.open("sleep")
    await world.rest()
    assert len(world.renderer.jobs) == 1


@pytest.mark.parametrize(("hours", "outcome"), [(23, "pictures"), (25, "too_old")])
async def test_a_start_in_an_outage_keeps_the_queue_for_a_day(world: World, hours: int, outcome: str) -> None:
    first = await closed(world)
    await world.restart()
    world.clock.at += timedelta(hours=hours)
    await world.recover()
    world.gates.open("sleep")
    await world.rest()
    assert await world.outcome(first) == outcome


async def test_nothing_is_lost_when_the_task_of_a_turn_dies(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, logger="darkroom.turns")
    world.gates.shut("guard:a fox")
    turn_id = await world.imagine("a fox")
    await world.gates.reached("guard:a fox")
    entry = world.line.get(turn_id)
    assert entry is not None
    assert entry.task is not None
    entry.task.cancel()
    await world.rest()
    assert world.slack.told == [(turn_id, Reason.BROKEN)]
    assert turn_id in caplog.text


async def test_a_call_that_was_sent_by_a_task_that_died_is_asked_for(world: World) -> None:
    world.gates.shut("render:a fox")
    turn_id = await world.imagine("a fox")
    await world.gates.reached("render:a fox")
    entry = world.line.get(turn_id)
    assert entry is not None
    assert entry.task is not None
    entry.task.cancel()
    await world.rest()
    assert world.renderer.asked
    assert await world.states(turn_id) == [AttemptState.UNCERTAIN]
    assert world.slack.told == [(turn_id, Reason.UNCERTAIN)]


async def test_the_pulse_tells_what_runs_what_waits_and_what_is_stuck(make_world: MakeWorld) -> None:
    """Whoever waits to be started is not stuck, however long that takes."""
    world = make_world(per_person=1)
    world.gates.shut("render:n0", "guard:bob")
    first = await world.imagine("n0")
    await world.gates.reached("render:n0")
    await world.imagine("n1")
    await turns_of_the_loop(60)
    assert world.worker.pulse() == (1, 1, ())
    world.clock.at += timedelta(seconds=240 + 599)
    bob = await world.imagine("bob", user=BOB)
    await turns_of_the_loop()
    assert world.worker.pulse() == (1, 2, ())
    world.clock.at += timedelta(seconds=2)
    assert world.worker.pulse() == (1, 2, (first,))
    world.clock.at += timedelta(seconds=840)
    assert world.worker.pulse() == (1, 2, (first, bob))
    world.gates.open("render:n0", "guard:bob")
    await world.rest()
    assert world.worker.pulse() == (0, 0, ())
