"""Sockets and deliveries that go wrong by rule, on a clock that the test turns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from sandbox.faults.named import DELIVERIES, HELLO, Side
from sandbox.faults.rules import FaultPlan, Rule
from sandbox.faults.vocabulary import NAMES
from sandbox.slack.model import Seen
from sandbox.slack.rough_delivery import RoughDelivery
from sandbox.slack.server import RunningServer, serve_slack
from sandbox.slack.workspace import Workspace
from tests.sandbox_slack.conftest import App, Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def place(clock: Clock) -> AsyncIterator[Workspace]:
    made = Workspace(now=clock.now, sleep=clock.sleep)
    yield made
    await made.close()


def break_(place: Workspace, on: str, fault: str, times: int | None = 1, **args: Any) -> None:
    """Let things go wrong."""
    place.fault_plan = FaultPlan([Rule("slack", on, fault, times=times, args=args)])


def texts(app: App) -> list[str]:
    return [event["text"] for event in app.events]


def pressing(place: Workspace) -> asyncio.Future[Seen]:
    """Somebody types a command."""
    return asyncio.ensure_future(place.type_command("alice", "#design", "/imagine a fox"))


async def test_every_fault_of_a_delivery_can_be_met_there(place: Workspace) -> None:
    named = [name for (_, name), each in NAMES.items() if set(each.where) <= {*DELIVERIES, HELLO}]
    for name in named:
        assert isinstance(place.delivery, RoughDelivery)
        app = App(place)
        await place.attach(app.send)
        break_(place, "events_api", name)
        await place.post("alice", "#design", "a fox")
        side: Side = "slack"
        assert place.fault_plan.counts[side, name] == 1


async def test_a_socket_is_cut_before_a_delivery_which_then_takes_the_next(place: Workspace) -> None:
    first, second, ended = App(place), App(place), asyncio.Event()

    async def end() -> None:
        ended.set()

    await place.attach(first.send, end)
    break_(place, "events_api", "socket cut")
    await place.post("alice", "#design", "a fox")
    await ended.wait()
    assert (texts(first), place.delivery.sockets, len(place.delivery.backlog)) == ([], [], 1)
    await place.attach(second.send)
    assert texts(second) == ["a fox"]


async def test_a_command_whose_socket_is_cut_before_it_is_not_dispatched(place: Workspace) -> None:
    app = App(place)
    await place.attach(app.send)
    break_(place, "slash_commands", "socket cut")
    assert (await pressing(place)).error == "dispatch_failed"
    assert app.envelopes == []


async def test_a_socket_is_cut_after_a_delivery_which_comes_again_unless_it_was_acknowledged(
    place: Workspace, clock: Clock
) -> None:
    deaf, second = App(place, acks=False), App(place)
    await place.attach(deaf.send)
    break_(place, "events_api", "socket cut after")
    await place.post("alice", "#design", "a fox")
    await clock.settle()
    await place.attach(second.send)
    assert (texts(deaf), texts(second)) == (["a fox"], ["a fox"])
    assert second.envelopes[0]["retry_attempt"] == 1


async def test_through_a_socket_that_hangs_nothing_passes_until_the_app_gives_it_up(
    place: Workspace, clock: Clock
) -> None:
    first, second = App(place, acks=False), App(place)
    socket = await place.attach(first.send)
    await place.post("alice", "#design", "before")
    break_(place, "events_api", "socket hangs")
    await place.post("alice", "#design", "one")
    await place.post("alice", "#design", "two")
    assert place.acknowledge(first.envelopes[0]["envelope_id"])
    await place.refresh_sockets()
    assert texts(first) == ["before"]
    assert first.got[-1].get("type") != "disconnect"
    assert not place.delivery.acks
    place.detach(socket)
    await clock.settle()
    await place.attach(second.send)
    assert sorted(texts(second)) == ["before", "one", "two"]


async def test_a_refresh_comes_right_after_a_delivery(place: Workspace) -> None:
    app = App(place)
    await place.attach(app.send)
    break_(place, "events_api", "socket refresh")
    await place.post("alice", "#design", "a fox")
    assert texts(app) == ["a fox"]
    assert app.got[-1]["reason"] == "refresh_requested"


async def test_the_same_payload_comes_again_in_other_envelopes(place: Workspace, clock: Clock) -> None:
    app = App(place)
    await place.attach(app.send)
    break_(place, "events_api", "delivered twice", copies=2, seconds=10)
    await place.post("alice", "#design", "a fox")
    assert texts(app) == ["a fox"]
    await clock.advance(21)
    assert texts(app) == ["a fox"] * 3
    assert len({e["payload"]["event_id"] for e in app.envelopes}) == 1
    assert len({e["envelope_id"] for e in app.envelopes}) == 3


async def test_a_command_delivered_twice_has_one_answer(place: Workspace, clock: Clock) -> None:
    app = App(place)
    app.answer = {"text": "On it."}
    await place.attach(app.send)
    break_(place, "slash_commands", "delivered twice")
    assert (await pressing(place)).text == "On it."
    await clock.settle()
    assert len({e["payload"]["trigger_id"] for e in app.envelopes}) == 1
    assert len(app.envelopes) == 2


async def test_a_delivery_comes_late_and_the_next_overtakes_it(place: Workspace, clock: Clock) -> None:
    app = App(place)
    await place.attach(app.send)
    break_(place, "events_api", "delivery late", seconds=30)
    await place.post("alice", "#design", "one")
    await place.post("alice", "#design", "two")
    await clock.advance(29)
    assert texts(app) == ["two"]
    assert len(place.delivery.unanswered) == 1
    await clock.advance(2)
    assert texts(app) == ["two", "one"]
    assert not place.delivery.unanswered
    await clock.advance(600)
    assert texts(app) == ["two", "one"], "acknowledged, it does not come again"


async def test_a_late_event_that_finds_no_socket_waits_for_one(place: Workspace, clock: Clock) -> None:
    first, second = App(place), App(place)
    socket = await place.attach(first.send)
    break_(place, "events_api", "delivery late", seconds=30)
    await place.post("alice", "#design", "a fox")
    place.detach(socket)
    await clock.advance(31)
    await place.attach(second.send)
    assert texts(second) == ["a fox"]
    assert second.envelopes[0]["retry_attempt"] == 0


async def test_a_late_command_that_finds_no_socket_is_lost(place: Workspace, clock: Clock) -> None:
    first, second = App(place), App(place)
    socket = await place.attach(first.send)
    break_(place, "slash_commands", "delivery late", seconds=30)
    typing = pressing(place)
    await clock.settle()
    place.detach(socket)
    await clock.advance(31)
    await place.attach(second.send)
    assert ((await typing).error, second.envelopes) == ("operation_timeout", [])


async def test_a_command_that_comes_too_late_times_out_and_arrives_all_the_same(
    place: Workspace, clock: Clock
) -> None:
    app = App(place)
    await place.attach(app.send)
    break_(place, "slash_commands", "delivery late", seconds=5)
    typing = pressing(place)
    await clock.advance(3.5)
    assert (await typing).error == "operation_timeout"
    assert app.envelopes == []
    await clock.advance(2)
    assert len(app.envelopes) == 1


async def test_a_delivery_waits_until_another_has_overtaken_it_or_its_time_is_up(
    place: Workspace, clock: Clock
) -> None:
    app = App(place)
    await place.attach(app.send)
    place.fault_plan = FaultPlan(
        [Rule("slack", "events_api", "delivery out of order", times=2, args={"seconds": 5})]
    )
    await place.post("alice", "#design", "one")
    await place.post("alice", "#design", "two")
    await place.post("alice", "#design", "three")
    await clock.settle()
    assert texts(app) == ["three", "one", "two"]
    assert [each["retry_attempt"] for each in app.envelopes] == [0, 0, 0]
    break_(place, "events_api", "delivery out of order", seconds=5)
    await place.post("alice", "#design", "alone")
    await clock.advance(4)
    assert "alone" not in texts(app)
    await clock.advance(2)
    assert texts(app)[-1] == "alone"


async def test_a_lost_delivery_comes_again_as_one_that_nobody_acknowledged(
    place: Workspace, clock: Clock
) -> None:
    app = App(place)
    await place.attach(app.send)
    break_(place, "events_api", "delivery lost")
    await place.post("alice", "#design", "a fox")
    assert texts(app) == []
    await clock.advance(4)
    assert texts(app) == ["a fox"]
    assert app.envelopes[0]["retry_attempt"] == 1


async def test_a_lost_acknowledgement_brings_the_event_again_and_the_person_a_timeout(
    place: Workspace, clock: Clock
) -> None:
    app = App(place)
    await place.attach(app.send)
    break_(place, "events_api", "acknowledgement lost")
    await place.post("alice", "#design", "a fox")
    await clock.advance(4)
    assert texts(app) == ["a fox"] * 2
    assert len(place.delivery.acks) == 1
    break_(place, "slash_commands", "acknowledgement lost")
    typing = pressing(place)
    await clock.advance(4)
    assert (await typing).error == "operation_timeout"


@pytest.mark.parametrize(("fault", "left"), [("socket cut", 0), ("socket hangs", 1), ("socket refresh", 1)])
async def test_a_socket_goes_wrong_as_soon_as_it_was_opened(place: Workspace, fault: str, left: int) -> None:
    break_(place, HELLO, fault)
    app, second = App(place), App(place)
    await place.post("alice", "#design", "waiting")
    await place.attach(app.send)
    assert (texts(app), len(place.delivery.sockets)) == ([], left)
    assert app.got[0]["type"] == "hello"
    for socket in list(place.delivery.sockets):
        place.detach(socket)
    await place.attach(second.send)


async def test_two_runs_of_one_seed_are_alike_to_the_last_delivery() -> None:
    async def run(seed: int) -> list[object]:
        clock = Clock()
        place = Workspace(now=clock.now, sleep=clock.sleep)
        names = ("delivered twice", "delivery late", "delivery out of order", "acknowledgement lost")
        rules = [Rule("slack", "*", name, times=None, probability=0.3) for name in names]
        place.fault_plan = FaultPlan(rules, seed=seed)
        app = App(place)
        await place.attach(app.send)
        for number in range(12):
            await place.post("alice", "#design", f"fox {number}")
            await clock.advance(7)
        await place.close()
        return [*app.got]

    assert await run(1) == await run(1)
    assert await run(1) != await run(2)


@pytest.fixture
async def server(workspace: Workspace) -> AsyncIterator[RunningServer]:
    running = await serve_slack(workspace)
    yield running
    await running.close()


@pytest.fixture
async def workspace() -> AsyncIterator[Workspace]:
    made = Workspace()
    yield made
    await made.close()


async def _opened(workspace: Workspace) -> str:
    answer = await workspace.call("apps.connections.open", {}, workspace.app_token)
    return str(answer.body["url"])


async def test_a_real_connection_answers_a_ping_and_one_that_hangs_does_not(
    workspace: Workspace, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = asyncio.Event()
    monkeypatch.setattr(workspace, "acknowledge", lambda *given: heard.set())
    async with aiohttp.ClientSession() as session:
        for hangs, answers in ((False, aiohttp.WSMsgType.PONG), (True, aiohttp.WSMsgType.CLOSE)):
            heard.clear()
            async with session.ws_connect(await _opened(workspace), autoping=False) as link:
                assert (await link.receive_json())["type"] == "hello"
                socket = workspace.delivery.sockets[-1]
                socket.hung = hangs
                await link.ping(b"there?")
                await link.send_json({"envelope_id": "x"})
                await heard.wait()
                assert socket.hang_up is not None
                ending = asyncio.ensure_future(socket.hang_up())
                assert (await link.receive()).type == answers
            await ending


async def test_a_real_connection_is_cut_without_a_word(workspace: Workspace, server: RunningServer) -> None:
    break_(workspace, HELLO, "socket cut")
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(await _opened(workspace)) as link:
            kinds = [(await link.receive()).type for _ in range(2)]
        assert kinds[0] in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.CLOSED)
        assert link.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE


async def test_a_page_instead_of_json_arrives_as_html(workspace: Workspace, server: RunningServer) -> None:
    break_(workspace, "auth.test", "page instead of json")
    async with aiohttp.ClientSession() as session, session.post(f"{server.url}/api/auth.test") as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")
        assert "<h1>" in await answer.text()
