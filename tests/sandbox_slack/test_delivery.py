"""Second deliveries, lost connections and late answers, on a clock that the test turns."""

import asyncio
import gc

import pytest

from sandbox.faults.rules import FaultPlan, Rule
from sandbox.slack.workspace import Workspace
from tests.sandbox_slack.conftest import App, Clock


async def test_an_unacknowledged_event_comes_again_at_once_then_after_one_and_five_minutes(
    still: Workspace, clock: Clock
) -> None:
    app = App(still, acks=False)
    await still.attach(app.send)
    began = clock.now()
    await still.post("alice", "#design", "a fox")
    seen = [(0.0, 0)]
    for _ in range(400):
        await clock.advance(1)
        if len(app.envelopes) > len(seen):
            seen.append((clock.now() - began, app.envelopes[-1]["retry_attempt"]))
    await clock.advance(10)

    assert seen == [(0.0, 0), (3.0, 1), (66.0, 2), (369.0, 3)]
    assert len({e["payload"]["event_id"] for e in app.envelopes}) == 1
    assert len({e["envelope_id"] for e in app.envelopes}) == 4
    assert len(still.delivery.given_up) == 1


async def test_what_a_lost_connection_left_unacknowledged_goes_to_the_next_one(
    still: Workspace, clock: Clock
) -> None:
    first, second = App(still, acks=False), App(still)
    socket = await still.attach(first.send)
    await still.post("alice", "#design", "a fox")
    still.detach(socket)
    await clock.settle()
    await still.attach(second.send)

    assert second.events == first.events
    assert second.envelopes[0]["retry_attempt"] == 1
    assert not still.delivery.unanswered


async def test_a_command_may_be_acknowledged_over_the_next_connection(still: Workspace, clock: Clock) -> None:
    first, second = App(still, acks=False), App(still)
    socket = await still.attach(first.send)
    typing = asyncio.ensure_future(still.type_command("alice", "#design", "/imagine a fox"))
    await clock.settle()
    still.detach(socket)
    await clock.settle()
    await still.attach(second.send)
    still.acknowledge(first.envelopes[0]["envelope_id"], {"text": "On it."})

    assert (await typing).text == "On it."
    assert not second.envelopes


async def test_an_acknowledgement_after_three_seconds_is_late_and_the_person_saw_the_timeout(
    still: Workspace, clock: Clock
) -> None:
    app = App(still, acks=False)
    await still.attach(app.send)
    typing = asyncio.ensure_future(still.type_command("alice", "#design", "/imagine a fox"))
    await clock.advance(3.5)
    still.acknowledge(app.envelopes[0]["envelope_id"], {"text": "On it."})

    assert (await typing).error == "operation_timeout"
    ack = still.delivery.acks[-1]
    assert (ack.late, round(ack.elapsed_ms)) == (True, 3500)


async def test_acknowledging_something_never_sent_is_noticed(still: Workspace) -> None:
    assert not still.acknowledge("no-such-envelope")


async def test_redelivery_repeats_the_event_id_and_the_trigger_id(still: Workspace) -> None:
    app = App(still)
    await still.attach(app.send)
    await still.post("alice", "#design", "a fox")
    await still.type_command("alice", "#design", "/imagine a fox")
    event, command = app.envelopes

    await still.redeliver(event, 2)
    await still.redeliver(command["payload"])

    repeated = app.envelopes[2:]
    assert [e["payload"] for e in repeated] == [event["payload"], event["payload"], command["payload"]]
    assert len({e["envelope_id"] for e in app.envelopes}) == 5


async def test_events_beyond_the_backlog_are_given_up_and_counted(still: Workspace) -> None:
    still.delivery.backlog_max = 2
    for text in ("one", "two", "three"):
        await still.post("alice", "#design", text)

    assert len(still.delivery.backlog) == 2
    assert len(still.delivery.given_up) == 1


async def test_a_connection_that_breaks_while_sending_is_given_up_for_another(still: Workspace) -> None:
    async def broken(message: dict[str, object]) -> None:
        if message["type"] != "hello":
            raise ConnectionResetError

    app = App(still)
    await still.attach(broken)
    await still.attach(app.send)
    for text in ("one", "two"):
        await still.post("alice", "#design", text)

    assert [event["text"] for event in app.events] == ["one", "two"]
    assert len(still.delivery.sockets) == 1


async def test_a_connection_asked_to_go_gets_nothing_more(still: Workspace) -> None:
    app = App(still)
    await still.attach(app.send)
    await still.refresh_sockets()
    await still.post("alice", "#design", "a fox")

    assert app.got[-1]["reason"] == "refresh_requested"
    assert not app.envelopes
    assert len(still.delivery.backlog) == 1


async def test_until_gives_what_the_predicate_found(still: Workspace, clock: Clock) -> None:
    found = asyncio.ensure_future(still.until(lambda w: list(w.channels["C0DESIGN01"].messages.values())))
    await clock.settle()
    assert not found.done()
    message = await still.post("alice", "#design", "a fox")

    assert await found == [message]


async def test_until_fails_with_a_transcript_when_time_is_up(still: Workspace, clock: Clock) -> None:
    await still.post("alice", "#design", "a fox")
    waiting = asyncio.ensure_future(still.until(lambda w: w.ephemerals, timeout=2))
    await clock.advance(3)

    with pytest.raises(AssertionError, match=r"not within 2 s(.|\n)*alice: 'a fox'"):
        await waiting


async def test_two_runs_on_the_same_clock_are_alike_to_the_last_id() -> None:
    async def run() -> list[object]:
        clock = Clock()
        workspace = Workspace(now=clock.now, sleep=clock.sleep)
        app = App(workspace)
        await workspace.attach(app.send)
        await workspace.post("alice", "#design", "@Darkroom a fox")
        await workspace.type_command("bob", "#design", "/imagine a hen")
        await workspace.close()
        return [*app.got]

    assert await run() == await run()


async def test_what_is_under_way_when_all_begins_again_never_arrives(still: Workspace, clock: Clock) -> None:
    """Nor does it stumble over what is not there any more."""
    app, troubles = App(still), list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _, trouble: troubles.append(trouble))
    await still.attach(app.send)
    late = Rule("slack", "events_api", "delivery late", times=1, args={"seconds": 30})
    still.fault_plan = FaultPlan([late])
    await still.post("alice", "#design", "hello")
    await clock.settle()
    still.delivery.forget()
    await clock.advance(60)
    gc.collect()

    assert not app.events
    assert not troubles


async def test_what_begins_while_all_begins_again_is_of_before(still: Workspace, clock: Clock) -> None:
    done: list[str] = []

    async def first() -> None:
        try:
            await still.sleep(10)
        finally:
            still.spawn(then())

    async def then() -> None:
        await still.sleep(10)
        done.append("then")

    still.spawn(first())
    await clock.settle()
    await still.reset()
    await clock.advance(60)

    assert not done
