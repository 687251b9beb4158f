"""Every curl line of docs/sandbox.md does what it says, every route is there, mistakes are explained."""

from __future__ import annotations

import asyncio
import json
import runpy
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import make_mocked_request

from bot.cli.world import World, app_shortcuts, start_world
from handlers.manifest import build_manifest
from sandbox.images.api import ImageApi
from sandbox.slack import control, driving, view
from sandbox.slack.changes import Changes
from sandbox.slack.workspace import Workspace
from tests.sandbox_clients.documented import PAGE, Request, blocks, requests
from tests.sandbox_images.support import KEY, quick, request
from tests.sandbox_slack.conftest import App, ok, png

Json = dict[str, Any]
DESIGN, ALICE = "C0DESIGN01", "U0ALICE001"
FILES = {"@fox.png": png(), "@manifest.json": json.dumps(build_manifest()).encode()}
BUTTON = {"type": "button", "action_id": "again", "text": {"type": "plain_text", "text": "Again"}}
STYLE = {"type": "external_select", "action_id": "style"}
TITLE = {"type": "plain_text", "text": "Picture"}
MODAL = {
    "type": "modal",
    "title": TITLE,
    "submit": TITLE,
    "blocks": [
        {
            "type": "input",
            "block_id": "prompt",
            "label": TITLE,
            "element": {"type": "plain_text_input", "action_id": "words"},
        },
        {"type": "actions", "elements": [{**BUTTON, "action_id": "price"}]},
    ],
}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    workspace = Workspace(shortcuts=app_shortcuts(), file_processing_s=0)
    images = ImageApi(seconds_per_picture=0, paint=quick, offload=False)
    made = await start_world(workspace, images)
    yield made
    await made.close()
    await workspace.close()


@pytest.fixture
async def http(world: World) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(world.slack_server.url) as session:
        yield session


@pytest.fixture
async def app(world: World) -> App:
    """A bot that acknowledges everything."""
    made = App(world.workspace)
    await world.workspace.attach(made.send)
    return made


async def furnished(world: World) -> dict[str, str]:
    """One of each thing that the page's examples speak of, by the name that stands for it there."""
    slack = world.workspace
    own = await slack.post("alice", DESIGN, "hello")
    posted = await ok(
        slack,
        "chat.postMessage",
        channel=DESIGN,
        text="x",
        blocks=[{"type": "actions", "elements": [BUTTON, STYLE]}],
    )
    file = await slack.upload("alice", "fox.png", png())
    seen = await slack.type_command("alice", DESIGN, "/imagine")
    opened = await ok(slack, "views.open", trigger_id=seen.payload["trigger_id"], view=MODAL)
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{world.page_url}control/faults", json={"side": "openai", "fault": "rate limit"}
        ) as answer,
    ):
        rule = (await answer.json())["faults"][0]["id"]
    return {
        "OWN_TS": own.ts,
        "MESSAGE_TS": posted["ts"],
        "FILE_ID": file.id,
        "VIEW_ID": opened["view"]["id"],
        "CALLBACK_ID": next(each.callback_id for each in app_shortcuts() if each.kind == "message"),
        "RULE_ID": rule,
        "ENTRY_ID": str(world.hood.record.last),
    }


async def send(http: aiohttp.ClientSession, wanted: Request) -> tuple[int, Any]:
    """As curl does: a body without a word about its type is a form's."""
    body = None if wanted.body is None else FILES.get(wanted.body, wanted.body.encode())
    headers = {} if body is None else {"Content-Type": "application/x-www-form-urlencoded"}
    async with http.request(wanted.method, wanted.path, data=body, headers=headers) as answer:
        read = answer.json if answer.content_type == "application/json" else answer.read
        return answer.status, await read()


def test_the_page_has_examples() -> None:
    assert len(requests()) > 25


@pytest.mark.parametrize("wanted", requests(), ids=lambda wanted: f"{wanted.method} {wanted.path}")
async def test_what_a_curl_line_says_is_done(
    world: World, http: aiohttp.ClientSession, app: App, wanted: Request
) -> None:
    status, answer = await send(http, wanted.filled_in(await furnished(world)))

    assert status == 200, answer
    if isinstance(answer, dict):
        assert answer.get("ok", True), answer


async def test_no_route_is_undocumented(world: World) -> None:
    router = world.slack_server.runner.app.router
    shown = set()
    for wanted in requests():
        match = await router.resolve(make_mocked_request(wanted.method, wanted.path.replace("_ID", "1")))
        assert match.route.resource is not None, wanted
        shown.add((wanted.method, match.route.resource.canonical))
    for route in router.routes():
        assert route.resource is not None
        path = route.resource.canonical
        if route.method == "HEAD":
            continue
        if path.startswith("/control/") or path in {"/page/setup", "/page/pace"}:
            said = f"`{route.method} {path}?" in PAGE or f"ws://127.0.0.1:8800{path}" in PAGE
            assert said or (route.method, path) in shown, path
        else:
            assert path.partition("{")[0].rpartition("/")[0] + "/" in PAGE, path


async def test_a_program_plays_a_round(world: World, http: aiohttp.ClientSession, app: App) -> None:
    """Post as a person, wait for the app's answers (one for all, one in private), see its calls."""

    async def say(do: str, **given: Any) -> Json:
        async with http.post(f"/control/{do}", json={"viewer": "alice", "channel": "design", **given}) as one:
            return dict(await one.json())

    own = (await say("post", text="hello"))["ts"]
    place = {"viewer": "alice", "channel": "design", "after": own}
    waiting = asyncio.ensure_future(_answers(http, place | {"seconds": "60"}))
    await ok(world.workspace, "chat.postMessage", channel=DESIGN, text="Hello!", thread_ts=own)
    assert [m["text"] for m in (await waiting)["messages"]] == ["Hello!"]
    await ok(world.workspace, "chat.postEphemeral", channel=DESIGN, user=ALICE, text="psst")
    heard = await _answers(http, place)
    assert [m["text"] for m in heard["ephemerals"]] == ["psst"]
    assert [m["text"] for m in heard["messages"]] == ["Hello!"]
    assert (await _answers(http, place | {"thread_ts": own}))["ephemerals"] == []
    nothing = {"ok": True, "messages": [], "ephemerals": []}
    assert await _answers(http, {**place, "after": heard["ephemerals"][0]["ts"], "seconds": "0"}) == nothing
    await world.images.create_response(request("x" * 5000), KEY)
    async with http.get("/control/calls") as answer:
        calls = await answer.json()
    assert [call["method"] for call in calls["slack"]] == ["chat.postMessage", "chat.postEphemeral"]
    assert calls["slack"][0]["params"]["text"] == "Hello!"
    assert [(call["endpoint"], call["outcome"]) for call in calls["images"]] == [("responses", "picture")]
    assert calls["images"][0]["body"]["input"] == "x" * 2000 + "… (5,000 characters)"


async def test_waiting_for_an_answer_reads_nothing_that_was_there_before(
    world: World, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much was said, and however much happens elsewhere while somebody waits."""
    slack, looks = world.workspace, list[Changes | None]()
    for number in range(20):
        await ok(slack, "chat.postMessage", channel=DESIGN, text=f"before {number}")
    parent = await slack.post("bob", DESIGN, "a thread")
    snapshot = view.snapshot

    def counted(here: Workspace, viewer: str, changes: Changes | None = None) -> Json:
        looks.append(changes)
        return snapshot(here, viewer, changes)

    monkeypatch.setattr(view, "snapshot", counted)
    place = {"viewer": "alice", "channel": "design", "after": parent.ts, "seconds": "60"}
    waiting = [
        asyncio.ensure_future(_answers(http, place)),
        asyncio.ensure_future(_answers(http, place | {"thread_ts": parent.ts})),
    ]
    await _wait_for(slack, 2)
    for _ in range(5):
        await slack.post("bob", DESIGN, "something else")
        await ok(slack, "chat.postMessage", channel="C0GENERAL1", text="elsewhere")
        await ok(slack, "chat.postEphemeral", channel=DESIGN, user="U0BOB00001", text="to bob")
    assert looks == []
    said = await ok(slack, "chat.postMessage", channel=DESIGN, text="here", thread_ts=parent.ts)
    for heard in await asyncio.gather(*waiting):
        assert [m["text"] for m in heard["messages"]] == ["here"]
        assert heard["ephemerals"] == []
    assert [set(look.messages) for look in looks if look] == [{(DESIGN, said["ts"])}] * 2


async def test_a_message_that_opens_the_thread_is_an_answer_once_somebody_replied(
    world: World, http: aiohttp.ClientSession
) -> None:
    slack = world.workspace
    own = await slack.post("alice", DESIGN, "hello")
    said = await ok(slack, "chat.postMessage", channel=DESIGN, text="Hello!")
    place = {"viewer": "alice", "channel": "design", "after": own.ts, "thread_ts": said["ts"]}
    waiting = asyncio.ensure_future(_answers(http, place | {"seconds": "60"}))
    await _wait_for(slack, 1)
    await slack.post("bob", DESIGN, "me too", thread_ts=said["ts"])
    assert [m["text"] for m in (await waiting)["messages"]] == ["Hello!"]


async def _wait_for(slack: Workspace, requests: int) -> None:
    """Until so many requests wait for something to happen."""
    async with asyncio.timeout(30):
        while len(slack._waiting) < requests:  # noqa: ASYNC110 -- a request that waits tells nobody
            await asyncio.sleep(0)


async def _answers(http: aiohttp.ClientSession, where: dict[str, str]) -> Json:
    async with http.get("/control/answers", params=where) as answer:
        assert answer.status == 200, await answer.text()
        return dict(await answer.json())


@pytest.mark.parametrize("kept", [False, True])
async def test_a_reset_is_the_beginning_again_without_a_new_connection(
    world: World, http: aiohttp.ClientSession, app: App, kept: bool
) -> None:
    slack = world.workspace
    fresh = [set(Workspace().channels), set(Workspace().users)]
    names = await furnished(world)
    await send(http, Request("POST", "/control/person", '{"name": "dave", "channels": ["#design"]}'))
    await world.images.generate_images({"model": "gpt-image-2", "prompt": "a fox"}, KEY)
    async with http.ws_connect("/control/live") as live:
        assert await _told(live) == "hello"
        body = json.dumps({"keep_faults": kept})
        assert await send(http, Request("POST", "/control/reset", body)) == (
            200,
            {"ok": True, "connections": 1},
        )
        assert await _told(live) == "reset"

    assert [set(slack.channels), set(slack.users)] == fresh
    assert not any(room.messages for room in slack.channels.values())
    kept_by_slack = (
        slack.files,
        slack.views,
        slack.triggers,
        slack.response_urls,
        slack.calls,
        slack.ephemerals,
    )
    assert not any(kept_by_slack)
    assert not slack.delivery.sent
    assert not world.images.calls
    assert not world.images.asked, "the same prompt paints the same picture as in the beginning"
    assert not world.hood.record.newest()
    assert bool(slack.fault_plan.standing or world.images.fault_plan.standing) == kept
    again = await slack.post("alice", DESIGN, "hello")
    assert again.ts > names["MESSAGE_TS"]
    assert app.events[-1]["ts"] == again.ts


async def _told(live: aiohttp.ClientWebSocketResponse) -> str:
    """The next kind of notice, but for those that come a while after a picture was made."""
    while True:
        kind = str((await live.receive_json(timeout=30))["kind"])
        if kind not in {"ledger", "hood"}:
            return kind


async def test_listeners_and_people_have_a_bound(
    http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "LIVE_MAX", 1)
    monkeypatch.setattr(driving, "PEOPLE_MAX", len(Workspace().users) + 1)
    async with http.ws_connect("/control/live"):
        status, told = await send(http, Request("GET", "/control/live", None))
        assert (status, told["error"]) == (503, "there are 1 listeners already; close one first")
    assert (await send(http, Request("POST", "/control/person", '{"name": "dave"}')))[0] == 200
    status, told = await send(http, Request("POST", "/control/person", '{"name": "erin"}'))
    assert (status, "people already" in told["error"]) == (400, True)


async def test_the_example_of_a_test_runs(tmp_path: Path) -> None:
    shown = next(example for example in blocks("python") if "async def test_" in example)
    written = shown.replace(
        "# … start your bot …", 'await workspace.post_as_other_app("#design", "Hello, Alice!")'
    )
    assert written != shown
    (tmp_path / "example.py").write_text(written)

    await runpy.run_path(str(tmp_path / "example.py"))["test_my_bot_answers"]()


async def test_another_apps_manifest_makes_it_its_home(
    world: World, http: aiohttp.ClientSession, app: App
) -> None:
    manifest = {
        "display_information": {"name": "Wave Bot"},
        "features": {
            "slash_commands": [{"command": "/wave", "description": "x"}],
            "shortcuts": [
                {"name": "Wave back", "type": "message", "callback_id": "wave", "description": "x"}
            ],
        },
        "oauth_config": {"scopes": {"bot": ["chat:write", "channels:history"]}},
        "settings": {"event_subscriptions": {"bot_events": ["message.channels", "message.im"]}},
    }
    assert (await send(http, Request("POST", "/control/app", json.dumps(manifest))))[0] == 200
    slack = world.workspace

    assert (await slack.type_command("alice", DESIGN, "/wave")).error is None
    message = await slack.post("alice", DESIGN, "@wavebot hello")
    assert [event["type"] for event in app.events] == ["message"]
    await slack.use_shortcut("alice", "wave", channel=DESIGN, message_ts=message.ts)
    assert (await ok(slack, "auth.test"))["user"] == "wavebot"
    refused = await slack.call("users.info", {"user": ALICE}, slack.bot_token)
    assert refused.body["error"] == "missing_scope"
    _, shown = await send(http, Request("GET", "/control/app", None))
    assert shown["app"] == {
        "name": "Wave Bot",
        "commands": ["/wave"],
        "shortcuts": [{"callback_id": "wave", "name": "Wave back", "kind": "message"}],
        "scopes": ["channels:history", "chat:write"],
        "events": ["message"],
    }
    before = shown
    wrong = {"display_information": {"name": "Other"}, "features": {"shortcuts": [{"name": "x"}]}}
    status, told = await send(http, Request("POST", "/control/app", json.dumps(wrong)))
    assert (status, told["error"]) == (
        400,
        "features.shortcuts: callback_id must be a text of 1 to 255 characters",
    )
    wrong["features"] = {"shortcuts": [{"name": "x", "callback_id": "y", "type": "sideways"}]}
    status, told = await send(http, Request("POST", "/control/app", json.dumps(wrong)))
    assert (status, told["error"]) == (400, 'features.shortcuts: type must be "message" or "global"')
    assert (await send(http, Request("GET", "/control/app", None)))[1] == before


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "told"),
    [
        (
            "POST",
            "/control/post",
            '{"viewer": "alice", "text": "x"}',
            400,
            '"channel" is missing; post takes',
        ),
        (
            "POST",
            "/control/post",
            '{"viewer": "alice", "channel": "design", "txt": "x"}',
            400,
            '"txt" is not known; post takes viewer, channel, text (optional)',
        ),
        (
            "POST",
            "/control/post",
            '{"viewer": "alice", "channel": "design", "files": [7]}',
            400,
            "a list of file ids",
        ),
        ("POST", "/control/submit", '{"viewer": "alice", "view_id": "V1", "values": 3}', 400, "an object"),
        ("POST", "/control/post", '{"viewer": "zoe"}', 404, "such as alice, bob, carol, gus, olaf"),
        ("POST", "/control/post", "[" * 100_000, 400, "must be a JSON object"),
        ("POST", "/control/post", "\xff", 400, "must be a JSON object"),
        ("GET", "/control/dance", None, 404, "docs/sandbox.md lists what there is"),
        ("POST", "/control/dance", "{}", 404, "docs/sandbox.md lists what there is"),
        ("GET", "/control/post", None, 405, "takes POST, not GET"),
        ("GET", "/control/files/F0NOTHING1", None, 404, "no such file"),
        ("GET", "/control/state?viewer=zoe", None, 404, "such as alice"),
        ("GET", "/control/answers?viewer=alice&channel=nowhere", None, 404, "such as design"),
        ("GET", "/control/answers?viewer=gus&channel=secret", None, 400, "gus is not in that channel"),
        ("GET", "/control/answers?viewer=alice&channel=design&seconds=1e9", None, 400, "from 0 to 60"),
        ("GET", "/control/answers?viewer=alice&channel=design&seconds=nan", None, 400, "from 0 to 60"),
        ("GET", "/control/calls?newest=0", None, 400, "from 1 to 200"),
        ("POST", "/control/person", '{"name": "Alice B."}', 400, "a-z, 0-9"),
        ("POST", "/control/person", '{"name": "alice"}', 400, "one that nobody has"),
        ("POST", "/control/person", '{"name": "dave", "channels": ["nowhere"]}', 400, "no channel 'nowhere'"),
        ("POST", "/control/reset", '{"everything": true}', 400, "reset takes keep_faults"),
        ("POST", "/control/app", '{"features": []}', 400, "features must be an object"),
        ("POST", "/control/upload?viewer=alice", "", 400, "the file is empty"),
    ],
)
async def test_a_mistake_is_explained(
    http: aiohttp.ClientSession, method: str, path: str, body: str | None, status: int, told: str
) -> None:
    found, answer = await send(http, Request(method, path, body))

    assert (found, answer["ok"]) == (status, False)
    assert told in answer["error"]
