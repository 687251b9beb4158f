"""Faults over HTTP while the sandbox runs: seen, added, cleared; by this machine's own page only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from sandbox.faults import routes
from sandbox.faults.routes import add_faults
from sandbox.faults.rules import FaultPlan, Rule
from sandbox.images.api import ImageApi
from sandbox.slack.control import add_control
from sandbox.slack.server import serve_app, slack_app
from sandbox.slack.workspace import Workspace
from tests.sandbox_images.support import KEY, quick_api, request
from tests.sandbox_slack.conftest import api, ok

ROOM = "C0DESIGN01"
POST = "chat.postMessage"


@dataclass
class Place:
    """A sandbox that runs, and its page's server."""

    workspace: Workspace
    images: ImageApi
    http: aiohttp.ClientSession

    async def ask(self, method: str, path: str = "", json: Any = None, **more: Any) -> tuple[int, Any]:
        async with self.http.request(method, f"/control/faults{path}", json=json, **more) as answer:
            return answer.status, await answer.json()


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    workspace, images = Workspace(), quick_api()
    app = slack_app(workspace)
    add_control(app)
    add_faults(app, workspace, images)
    running = await serve_app(app)
    async with aiohttp.ClientSession(running.url) as http:
        yield Place(workspace, images, http)
    await running.close()
    await workspace.close()


async def test_a_rule_that_is_added_while_it_runs_happens_and_is_counted(place: Place) -> None:
    status, added = await place.ask("POST", json={"side": "slack", "on": POST, "fault": "not_in_channel"})
    assert (status, added["ok"], added["faults"][0]["id"]) == (200, True, "slack-1")
    answer = await api(place.workspace, POST, channel=ROOM, text="x")
    assert answer.body["error"] == "not_in_channel"
    await ok(place.workspace, POST, channel=ROOM, text="x")
    _, shown = await place.ask("GET")
    rule = shown["faults"][0]
    assert (rule["fault"], rule["times"], rule["seen"], rule["met"], rule["spent"]) == (
        "not_in_channel",
        1,
        2,
        1,
        True,
    )
    assert shown["happened"] == {"slack": {"not_in_channel": 1}, "openai": {}}


async def test_both_sides_are_reached_by_one_request(place: Place) -> None:
    rules = [{"side": "slack", "fault": "slow"}, {"side": "openai", "fault": "out of credit"}]
    status, _ = await place.ask("POST", json={"fault": rules, "seed": 5})
    assert status == 200
    assert (await place.images.create_response(request(), KEY)).status == 429
    _, shown = await place.ask("GET")
    assert (shown["seed"], [rule["id"] for rule in shown["faults"]]) == (5, ["slack-1", "openai-1"])
    assert place.images.fault_plan.seed == 5


async def test_a_plan_that_both_sides_share_is_shown_once(place: Place) -> None:
    plan = FaultPlan([Rule("slack", "*", "slow"), Rule("openai", "*", "slow")])
    place.workspace.fault_plan = place.images.fault_plan = plan
    _, shown = await place.ask("GET")
    assert [rule["id"] for rule in shown["faults"]] == ["slack-1", "openai-1"]
    await place.ask("DELETE", "?side=openai")
    assert [standing.id for standing in plan.standing] == ["slack-1"]


async def test_a_rules_time_counts_from_when_it_was_added(place: Place) -> None:
    before = place.workspace.now()
    await place.ask("POST", json={"side": "slack", "fault": "slow", "until_s": 60})
    since = place.workspace.fault_plan.standing[0].since
    assert since is not None
    assert before <= since <= place.workspace.now()


async def test_with_one_mistake_nothing_is_added(place: Place) -> None:
    rules = [{"side": "slack", "fault": "slow"}, {"side": "slack", "fault": "slov", "times": 0}]
    status, said = await place.ask("POST", json={"fault": rules, "seed": 5})
    assert (status, said["ok"]) == (400, False)
    assert said["errors"] == [
        "fault 2: fault 'slov' is not known. Did you mean \"slow\"?",
        "fault 2: times must be a whole number from 1",
    ]
    _, shown = await place.ask("GET")
    assert (shown["faults"], shown["seed"]) == ([], 0)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"5", b"\xff\xfe", b"[" * 100_000])
async def test_a_body_that_is_no_rule_is_refused(place: Place, body: bytes) -> None:
    status, said = await place.ask("POST", data=body)
    assert (status, said["ok"], len(said["errors"])) == (400, False, 1)


async def test_a_body_and_the_rules_are_bounded(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "MOST_RULES", 1)
    rule = {"side": "slack", "fault": "slow"}
    assert [(await place.ask("POST", json=rule))[0] for _ in range(2)] == [200, 400]
    monkeypatch.setattr(routes, "LARGEST_FILE", 3)
    assert "too big" in (await place.ask("POST", json=rule))[1]["errors"][0]


async def test_rules_are_cleared_by_id_by_side_or_all(place: Place) -> None:
    rules = [{"side": side, "fault": "slow"} for side in ("slack", "slack", "openai", "openai")]
    await place.ask("POST", json={"fault": rules})

    async def left() -> list[str]:
        return [rule["id"] for rule in (await place.ask("GET"))[1]["faults"]]

    assert await place.ask("DELETE", "/slack-1") == (200, {"ok": True})
    assert (await place.ask("DELETE", "/slack-1"))[0] == 404
    assert await left() == ["slack-2", "openai-1", "openai-2"]
    await place.ask("DELETE", "?side=openai")
    assert await left() == ["slack-2"]
    assert (await place.ask("DELETE", "?side=moon"))[0] == 400
    await place.ask("DELETE")
    assert await left() == []


async def test_the_names_are_told(place: Place) -> None:
    _, told = await place.ask("GET", "/names")
    names = [each["fault"] for each in told["openai"]["faults"]]
    assert "rate limit" in names
    assert "upload" in told["slack"]["places"]


async def test_without_an_image_api_there_is_slacks_side_alone(workspace: Workspace) -> None:
    app = slack_app(workspace)
    add_control(app)
    add_faults(app, workspace)
    running = await serve_app(app)
    async with aiohttp.ClientSession(running.url) as http:
        bare = Place(workspace, quick_api(), http)
        assert (await bare.ask("POST", json={"side": "slack", "fault": "slow"}))[0] == 200
        status, said = await bare.ask("POST", json={"side": "openai", "fault": "slow"})
        assert (status, said["errors"]) == (400, ["there is no openai here"])
        assert (await bare.ask("DELETE", "?side=openai"))[0] == 400
    await running.close()


@pytest.fixture
def workspace() -> Workspace:
    return Workspace()


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("GET", "/names"), ("POST", ""), ("DELETE", ""), ("DELETE", "/slack-1")]
)
@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}])
async def test_a_foreign_host_or_origin_is_refused(
    place: Place, method: str, path: str, headers: dict[str, str]
) -> None:
    await place.ask("POST", json={"side": "slack", "fault": "slow"})
    async with place.http.request(method, f"/control/faults{path}", json={}, headers=headers) as answer:
        assert answer.status == 403
    assert len(place.workspace.fault_plan.standing) == 1
