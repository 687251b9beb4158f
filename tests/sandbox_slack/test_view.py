"""The page's side: what one person sees as JSON, and doing things as that person, from this machine only."""

from typing import Any

import aiohttp
import pytest

from sandbox.slack import acting, view
from sandbox.slack.control import add_control
from sandbox.slack.model import Shortcut
from sandbox.slack.server import RunningServer, serve_app, slack_app
from sandbox.slack.workspace import Workspace
from tests.sandbox_slack.conftest import App, Clock, ok, png, uploaded

ALICE, BOB = "U0ALICE001", "U0BOB00001"
DESIGN = "C0DESIGN01"


def room(shown: dict[str, Any], channel: str = DESIGN) -> dict[str, Any]:
    found: dict[str, Any] = next(c for c in shown["channels"] if c["id"] == channel)
    return found


async def test_a_person_sees_their_channels_and_only_their_own_ephemerals(still: Workspace) -> None:
    await ok(still, "chat.postEphemeral", channel=DESIGN, user=ALICE, text="yours")
    alice, bob, carol = (view.snapshot(still, who) for who in (ALICE, BOB, "carol"))

    assert [e["text"] for e in room(alice)["ephemerals"]] == ["yours"]
    assert room(bob)["ephemerals"] == []
    assert "secret" in {c["name"] for c in alice["channels"]}
    assert "secret" not in {c["name"] for c in carol["channels"]}
    assert {c["title"] for c in alice["channels"] if c["kind"] == "im"} == {"Darkroom", "Bob Brown"}


async def test_messages_carry_threads_reactions_files_and_statuses(still: Workspace, clock: Clock) -> None:
    still.file_processing_s = 0
    parent = await still.post("alice", "#design", "a fox")
    file_id = await uploaded(still, png())
    image = {"type": "image", "slack_file": {"id": file_id}, "alt_text": "a fox"}
    await ok(still, "chat.postMessage", channel=DESIGN, text="A fox", blocks=[image], thread_ts=parent.ts)
    await ok(still, "reactions.add", channel=DESIGN, timestamp=parent.ts, name="eyes")
    place = {"channel_id": DESIGN, "thread_ts": parent.ts}
    await ok(still, "assistant.threads.setStatus", **place, status="is drawing")
    shown = view.snapshot(still, ALICE)
    first, reply = room(shown)["messages"]

    assert (first["reply_count"], first["mine"], first["is_reply"]) == (1, True, False)
    assert first["reactions"] == [{"name": "eyes", "users": [still.bot_user_id]}]
    assert (reply["is_reply"], reply["mine"], reply["broken_files"]) == (True, False, [])
    assert shown["files"][file_id]["url"] == f"/control/files/{file_id}"
    assert room(shown)["statuses"] == [{"thread_ts": parent.ts, "status": "is drawing"}]
    await clock.advance(121)
    assert room(view.snapshot(still, ALICE))["statuses"] == []


async def test_actions_do_what_the_person_would(still: Workspace) -> None:
    app = App(still)
    app.answer = {"text": "On it."}
    await still.attach(app.send)

    typed = await acting.apply(still, ALICE, {"do": "type", "channel": DESIGN, "text": "/imagine a fox"})
    posted = await acting.apply(still, ALICE, {"do": "post", "channel": DESIGN, "text": "hello"})
    place = {"channel": DESIGN, "ts": posted["ts"]}
    edited = await acting.apply(still, ALICE, {"do": "edit", **place, "text": "hallo"})
    await acting.apply(still, BOB, {"do": "react", **place, "name": "wave"})
    message = still.message(DESIGN, posted["ts"])
    state = (message.text, dict(message.reactions))
    deleted = await acting.apply(still, ALICE, {"do": "delete", **place})
    await acting.apply(still, ALICE, {"do": "home"})
    await acting.apply(still, ALICE, {"do": "shortcut", "callback_id": "make"})

    assert (typed["ok"], typed["text"]) == (True, "On it.")
    assert edited["ok"]
    assert deleted["ok"]
    assert state == ("hallo", {"wave": [BOB]})
    assert posted["ts"] not in still.channels[DESIGN].messages
    assert app.events[-1]["type"] == "app_home_opened"
    assert app.envelopes[-1]["payload"]["callback_id"] == "make"


async def test_views_are_seen_filled_in_pressed_and_closed(still: Workspace) -> None:
    still.file_processing_s = 0
    app = App(still)
    await still.attach(app.send)
    still.shortcuts = (Shortcut("make", "New picture", "global"),)
    file_id = await uploaded(still, png())
    image = {"type": "image", "slack_file": {"id": file_id}, "alt_text": "a fox"}
    label = {"type": "plain_text", "text": "Prompt"}
    button = {"type": "button", "action_id": "price", "text": label}
    blocks = [
        {"type": "input", "block_id": "prompt", "label": label, "element": {"type": "plain_text_input"}},
        {"type": "actions", "block_id": "b", "elements": [button]},
        image,
    ]
    modal = {"type": "modal", "title": label, "submit": label, "blocks": blocks}
    await acting.apply(still, ALICE, {"do": "shortcut", "callback_id": "make"})
    trigger = app.envelopes[-1]["payload"]["trigger_id"]
    opened = (await ok(still, "views.open", trigger_id=trigger, view=modal))["view"]
    place = {"view_id": opened["id"]}
    shown = view.snapshot(still, ALICE)
    filled = await acting.apply(still, ALICE, {"do": "fill", **place, "values": {"prompt": "a fox"}})
    press = {"do": "press", **place, "action_id": "price", "values": {"prompt": "a red fox"}}
    pressed = await acting.apply(still, ALICE, press)
    typed = app.envelopes[-1]["payload"]["view"]["state"]["values"]["prompt"]
    closed = await acting.apply(still, ALICE, {"do": "close", **place})

    assert shown["shortcuts"] == [{"callback_id": "make", "name": "New picture", "kind": "global"}]
    assert [modal["id"] for modal in shown["modals"]] == [opened["id"]]
    assert shown["files"][file_id]["mimetype"] == "image/png"
    assert filled["ok"]
    assert pressed["ok"]
    assert closed["ok"]
    assert [held["value"] for held in typed.values()] == ["a red fox"]
    assert view.snapshot(still, ALICE)["modals"] == []
    assert view.snapshot(still, BOB)["files"] == {}


@pytest.mark.parametrize(
    ("action", "error"),
    [
        ({"do": "dance"}, "unknown action 'dance'"),
        ({"do": "post", "text": "x"}, "missing or unknown: channel"),
        ({"do": "post", "channel": "C0NOWHERE1", "text": "x"}, "missing or unknown: C0NOWHERE1"),
        ({"do": "post", "channel": "#attic", "text": "x"}, "attic is archived"),
        ({"do": "type", "channel": DESIGN, "text": "/imagine"}, "dispatch_failed"),
        ({"do": "submit", "view_id": "V1", "values": {}}, "alice has no modal V1 open"),
    ],
)
async def test_what_cannot_be_done_says_why(still: Workspace, action: dict[str, Any], error: str) -> None:
    answer = await acting.apply(still, ALICE, action)

    assert (answer["ok"], answer["error"]) == (False, error)


@pytest.fixture
async def page(workspace: Workspace) -> Any:
    app = slack_app(workspace)
    add_control(app)
    running = await serve_app(app)
    yield running
    await running.close()


async def test_the_page_reads_acts_uploads_and_hears_of_changes(
    workspace: Workspace, page: RunningServer
) -> None:
    async with aiohttp.ClientSession(base_url=page.url) as session:
        async with session.ws_connect("/control/live") as live:
            assert (await live.receive_json())["kind"] == "hello"
            async with session.post("/control/upload?viewer=U0ALICE001&name=cat.png", data=png()) as answer:
                file = (await answer.json())["file"]
            body = {"viewer": ALICE, "channel": DESIGN, "text": "look", "files": [file["id"]]}
            async with session.post("/control/post", json=body) as answer:
                posted = await answer.json()
            kinds = [(await live.receive_json())["kind"] for _ in range(2)]
        async with session.get("/control/state", params={"viewer": BOB}) as answer:
            shown = await answer.json()
        async with session.get(f"/control/files/{file['id']}") as answer:
            got = (answer.content_type, await answer.read())

    assert posted["ok"]
    assert kinds == ["file", "message"]
    assert room(shown)["messages"][0]["files"] == [file["id"]]
    assert got == ("image/png", png())


async def test_a_file_that_is_no_picture_is_only_offered_for_saving(
    workspace: Workspace, page: RunningServer
) -> None:
    file = await workspace.upload("alice", "x.html", b"<script>alert(1)</script>")
    async with (
        aiohttp.ClientSession(base_url=page.url) as session,
        session.get(f"/control/files/{file.id}") as answer,
    ):
        kept = (answer.content_type, answer.headers["Content-Disposition"])

    assert kept == ("application/octet-stream", "attachment")


async def test_a_page_that_does_not_keep_up_is_told_that_it_lost_something(
    workspace: Workspace, page: RunningServer
) -> None:
    async with (
        aiohttp.ClientSession(base_url=page.url) as session,
        session.ws_connect("/control/live") as live,
    ):
        await live.receive_json()
        await workspace.until(lambda w: w.on_change)
        for n in range(1500):
            workspace.changed({"kind": "message", "n": n})
        workspace.changed({"kind": "last"})
        kinds: list[str] = []
        while not kinds or kinds[-1] != "last":
            kinds.append((await live.receive_json())["kind"])

    assert "lost" in kinds


async def test_a_file_nobody_uploaded_is_not_found(page: RunningServer) -> None:
    async with (
        aiohttp.ClientSession(base_url=page.url) as session,
        session.get("/control/files/F0NOTHING1") as answer,
    ):
        assert answer.status == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "https://127.0.0.1"},
    ],
)
@pytest.mark.parametrize("path", ["/control/state?viewer=U0ALICE001", "/control/live", "/control/post"])
async def test_other_peoples_pages_are_kept_out(
    page: RunningServer, workspace: Workspace, headers: dict[str, str], path: str
) -> None:
    verb = "POST" if path.endswith("post") else "GET"
    body = {"viewer": ALICE, "channel": DESIGN, "text": "x"} if verb == "POST" else None
    async with (
        aiohttp.ClientSession(base_url=page.url) as session,
        session.request(verb, path, headers=headers, json=body) as answer,
    ):
        assert answer.status == 403
    assert not workspace.channels[DESIGN].messages


async def test_the_pages_own_origin_and_localhost_are_let_in(page: RunningServer) -> None:
    port = page.url.rpartition(":")[2]
    async with aiohttp.ClientSession(base_url=page.url) as session:
        for host in (f"127.0.0.1:{port}", f"localhost:{port}"):
            headers = {"Host": host, "Origin": f"http://{host}"}
            async with session.get("/control/state?viewer=U0ALICE001", headers=headers) as answer:
                assert answer.status == 200


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/control/post", b"{", 400),
        ("/control/post", b"[]", 400),
        ("/control/post", b"{}", 404),
        ("/control/dance", b"{}", 404),
        ("/control/upload?viewer=U0NOBODY01", b"x", 404),
        ("/control/upload?viewer=U0ALICE001", b"", 400),
    ],
)
async def test_broken_requests_get_an_answer(
    page: RunningServer, path: str, body: bytes, status: int
) -> None:
    async with (
        aiohttp.ClientSession(base_url=page.url) as session,
        session.post(path, data=body) as answer,
    ):
        assert answer.status == status


async def test_an_unknown_viewer_is_not_found(page: RunningServer) -> None:
    async with (
        aiohttp.ClientSession(base_url=page.url) as session,
        session.get("/control/state?viewer=nobody") as answer,
    ):
        assert answer.status == 404
