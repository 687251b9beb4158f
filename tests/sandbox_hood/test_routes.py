"""The record, the switches and a bot's books over HTTP and over the live socket."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from sandbox.faults.rules import FaultPlan, Rule
from sandbox.hood.switches import BadSwitch, Switchboard
from sandbox.slack.workspace import Workspace
from tests.sandbox_hood.conftest import ALICE, DESIGN, Place, Side
from tests.sandbox_images.support import KEY, ask, request

Json = dict[str, Any]
TOGGLES = ["refuse", "drop", "limit", "closed", "slow", "slack_slow", "slack_limit", "slack_drop"]


async def _heard(live: aiohttp.ClientWebSocketResponse, kind: str) -> Json:
    """The next notice of a kind."""
    while True:
        notice: Json = await live.receive_json(timeout=30)
        if notice["kind"] == kind:
            return notice


async def test_entries_come_live_and_can_be_fetched_from_where_one_stands(place: Place) -> None:
    async with place.http.ws_connect("/control/live") as live:
        await place.web("chat.postMessage", channel=DESIGN, text="one")
        running, done = (await _heard(live, "hood"))["entry"], (await _heard(live, "hood"))["entry"]
    assert (running["id"], running["ok"]) == (done["id"], None)
    assert done["ok"] is True
    await place.web("chat.postMessage", channel=DESIGN, text="two")
    _, shown = await place.get("/control/hood", after=str(done["id"]))
    assert [entry["said"] for entry in shown["entries"]] == ["#design: two"]
    assert shown["last"] == done["id"] + 1


async def test_money_that_may_have_moved_is_announced(place: Place) -> None:
    async with place.http.ws_connect("/control/live") as live:
        await ask(place.images)
        assert await _heard(live, "ledger") == {"kind": "ledger"}


async def test_what_is_not_there_or_not_a_number_is_said(place: Place) -> None:
    assert (await place.get("/control/hood", after="soon"))[0] == 400
    for strange in ("999", "-1", "x", "9" * 40):
        status, told = await place.get(f"/control/hood/{strange}")
        assert (status, told["ok"]) == (404, False)


@pytest.mark.parametrize("path", ["/control/hood", "/control/hood/1", "/control/switches", "/control/ledger"])
async def test_pages_of_others_see_nothing(place: Place, path: str) -> None:
    async with place.http.get(path, headers={"Origin": "http://evil.example"}) as answer:
        assert answer.status == 403


async def test_others_switch_nothing(place: Place) -> None:
    evil = {"Origin": "http://evil.example"}
    async with place.http.post("/control/switch", json={"id": "closed", "value": True}, headers=evil) as no:
        assert no.status == 403
    assert await place.value("closed") is False


@pytest.mark.parametrize("toggle", TOGGLES)
async def test_a_toggle_is_a_rule_and_off_takes_away_that_rule_only(place: Place, toggle: str) -> None:
    plans = (place.workspace.fault_plan, place.images.fault_plan)
    for plan in plans:
        plan.add(Rule("slack", "*", "slow", args={"seconds": 1.0}))
    status, shown = await place.switch(id=toggle, value=True)
    assert status == 200
    assert next(s["value"] for s in shown["switches"] if s["id"] == toggle) is True
    await place.switch(id=toggle, value=True)
    assert sum(len(plan.standing) for plan in plans) == 3, "switched on twice it is one rule"
    await place.switch(id=toggle, value=False)
    assert [[standing.rule.fault for standing in plan.standing] for plan in plans] == [["slow"], ["slow"]]
    assert await place.value(toggle) is False


async def test_what_happens_once_is_off_afterwards(place: Place) -> None:
    await place.switch(id="refuse", value=True)
    assert (await place.images.create_response(request(), KEY)).status == 400
    assert await place.value("refuse") is False
    await ask(place.images)
    await place.switch(id="refuse", value=True)
    assert (await place.images.create_response(request(), KEY)).status == 400
    assert len(place.images.fault_plan.standing) == 1, "the rule that was used up is gone"


async def test_a_rule_that_somebody_else_clears_is_off(place: Place) -> None:
    await place.switch(id="closed", value=True)
    place.images.fault_plan.clear()
    assert await place.value("closed") is False
    await place.switch(id="closed", value=True)
    place.images.fault_plan = FaultPlan()
    assert await place.value("closed") is False
    await place.switch(id="closed", value=True)
    assert (await place.images.create_response(request(), KEY)).status == 429


async def test_the_pace_is_a_number_of_seconds(place: Place) -> None:
    await place.switch(id="pace", value=2.5)
    assert place.images.seconds_per_picture == 2.5
    for strange in (-1, 61, "fast", True, None, 10**400, float("nan"), float("inf")):
        status, told = await place.switch(id="pace", value=strange)
        assert (status, told["ok"]) == (400, False)
    assert await place.value("pace") == 2.5


async def test_presses_happen_at_once(place: Place) -> None:
    answer = await ask(place.images)
    await place.switch(id="forget")
    assert (await place.images.retrieve_response(answer["id"], KEY)).status == 404
    app = await place.join()
    await place.switch(id="refresh")
    assert app.got[-1]["reason"] == "refresh_requested"


@pytest.mark.parametrize(
    "given", [{}, {"id": 5}, {"id": "nonsense"}, {"id": "closed", "value": "yes"}, {"id": "fill_cap"}]
)
async def test_a_switch_that_makes_no_sense_is_refused(place: Place, given: Json) -> None:
    status, told = await place.switch(**given)
    assert (status, told["ok"]) == (400, False)


async def test_a_bots_side_adds_books_clock_caps_and_what_is_real(place: Place, side: Side) -> None:
    assert await place.get("/control/ledger", channel=DESIGN, thread="1.0") == (
        200,
        {"attempts": [], "budgets": [], "of": [DESIGN, "1.0"]},
    )
    assert (await place.get("/control/ledger"))[0] == 400
    for name in ("next_hour", "next_day", "next_month"):
        _, shown = await place.switch(id=name, viewer=ALICE)
    assert side.jumps == ["hour", "day", "month"]
    assert shown["clock"]["said"] == "after 3"
    assert shown["real"]["images"] is False


async def test_a_cap_is_filled_for_one_person_and_given_back(place: Place, side: Side) -> None:
    await place.switch(id="fill_cap", value=True, viewer=ALICE)
    await place.switch(id="fill_cap", value=True, viewer=ALICE)
    assert side.full == {ALICE}
    assert await place.value("fill_cap") is True
    assert await place.value("fill_cap", viewer="alice") is True
    assert await place.value("fill_cap", viewer="bob") is False
    side.full.clear()
    assert await place.value("fill_cap") is False, "the side itself has given it back"
    await place.switch(id="fill_cap", value=True, viewer=ALICE)
    await place.switch(id="fill_cap", value=False, viewer=ALICE)
    assert side.full == set()
    side.able = False
    status, told = await place.switch(id="fill_cap", value=True, viewer=ALICE)
    assert (status, told["error"]) == (400, "no cap is set")
    assert await place.value("fill_cap") is False


async def test_neither_the_app_nor_who_has_left_has_a_cap_to_fill(place: Place, side: Side) -> None:
    people = place.workspace.users
    people["U0BOB00001"] = replace(people["U0BOB00001"], deleted=True)
    for nobody in ("darkroom", place.workspace.bot_user_id, "bob", "nobody", None):
        status, told = await place.switch(id="fill_cap", value=True, viewer=nobody)
        assert (status, "a person" in told["error"]) == (400, True)
    assert side.full == set()


async def test_a_time_that_cannot_come_is_refused(place: Place, side: Side) -> None:
    side.able = False
    status, told = await place.switch(id="next_month", viewer=ALICE)
    assert (status, told["error"]) == (400, "there is no time left")


async def test_two_windows_that_fill_the_same_cap_at_once_fill_it(place: Place, side: Side) -> None:
    on = {"id": "fill_cap", "value": True, "viewer": ALICE}
    await asyncio.gather(place.switch(**on), place.switch(**on))
    assert side.full == {ALICE}
    assert await place.value("fill_cap") is True


async def test_where_pictures_are_real_no_month_can_go_by(place: Place, side: Side) -> None:
    side.images = True
    status, told = await place.switch(id="next_month", viewer=ALICE)
    assert (status, told["error"]) == (400, "there is no switch 'next_month' here")
    assert side.jumps == []


async def test_without_a_bot_there_are_no_books_and_only_the_sandboxs_switches(alone: Place) -> None:
    assert (await alone.get("/control/ledger", channel=DESIGN, thread="1.0"))[0] == 404
    _, shown = await alone.get("/control/switches")
    assert (shown["clock"], shown["real"]) == (None, None)
    assert {switch["group"] for switch in shown["switches"]} == {"image API", "Slack"}
    assert (await alone.switch(id="next_month"))[0] == 400


async def test_where_pictures_come_from_elsewhere_nothing_is_said_of_the_image_api(side: Side) -> None:
    workspace = Workspace()
    board = Switchboard(workspace, None, side)
    assert {switch["group"] for switch in board.shown(ALICE)} == {"Slack", "money", "time"}
    for gone in ("pace", "closed", "forget"):
        with pytest.raises(BadSwitch):
            await board.use(gone, True, ALICE)
    side.images = True
    assert {switch["group"] for switch in board.shown(ALICE)} == {"Slack", "money"}, "real money, real time"
    await workspace.close()


async def test_a_bot_begins_anew_with_its_sandbox_or_neither_does(place: Place, side: Side) -> None:
    await place.workspace.post("alice", "design", "hello")
    await place.switch(id="fill_cap", value=True, viewer=ALICE)
    side.able = False
    async with place.http.post("/control/reset") as answer:
        assert (answer.status, await answer.json()) == (409, {"ok": False, "error": "not now"})
    assert "hello" in place.workspace.transcript("#design")
    assert await place.value("fill_cap") is True
    side.able = True
    async with place.http.post("/control/reset") as answer:
        assert (answer.status, await answer.json()) == (200, {"ok": True, "connections": 0})
    assert "hello" not in place.workspace.transcript("#design")
    assert side.began_anew == 1


@pytest.mark.parametrize("body", ['{"everything": true}', '{"keep_faults": "yes"}', "[]", "{"])
async def test_for_a_reset_that_makes_no_sense_no_bot_begins_anew(
    place: Place, side: Side, body: str
) -> None:
    await place.workspace.post("alice", "design", "hello")
    async with place.http.post("/control/reset", data=body) as answer:
        assert (answer.status, (await answer.json())["ok"]) == (400, False)
    assert side.began_anew == 0
    assert "hello" in place.workspace.transcript("#design")
