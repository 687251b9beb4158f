"""Commands, events and clicks over real sockets, with Bolt at the other end."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.slack import control
from sandbox.slack import server as server_module
from sandbox.slack.control import LIVE, add_control
from sandbox.slack.server import RunningServer, serve_app, slack_app
from sandbox.slack.workspace import Workspace
from tests.sandbox_slack.conftest import Connect, png

Body = dict[str, Any]


async def test_a_command_reaches_bolt_and_its_ack_text_is_shown_to_the_person_only(
    workspace: Workspace, bolt: AsyncApp, connect: Connect
) -> None:
    got: list[Body] = []

    @bolt.command("/imagine")
    async def imagine(ack: AsyncAck, body: Body) -> None:
        got.append(body)
        await ack("On it.")

    await connect(bolt)
    seen = await workspace.type_command("alice", "#design", "/imagine a fox & a <hen> for @bob in #design")

    assert seen.error is None
    assert seen.text == "On it."
    assert got[0]["text"] == "a fox &amp; a &lt;hen&gt; for <@U0BOB00001|bob> in <#C0DESIGN01|design>"
    assert [e.text for e in workspace.ephemerals_for("alice")] == ["On it."]
    assert not workspace.ephemerals_for("bob")


async def test_a_mention_arrives_as_message_and_as_app_mention_with_two_event_ids(
    workspace: Workspace, bolt: AsyncApp, connect: Connect
) -> None:
    got: list[Body] = []

    @bolt.event("message")
    @bolt.event("app_mention")
    async def heard(body: Body) -> None:
        got.append(body)

    await connect(bolt)
    message = await workspace.post("alice", "#design", "@Darkroom a fox")
    await workspace.until(lambda w: len(w.delivery.acks) == 2)

    assert sorted(body["event"]["type"] for body in got) == ["app_mention", "message"]
    assert len({body["event_id"] for body in got}) == 2
    assert {body["event"]["ts"] for body in got} == {message.ts}
    assert all(ack.payload is None and not ack.late for ack in workspace.delivery.acks)


async def test_an_event_whose_listener_fails_is_sent_again_with_the_same_event_id(
    workspace: Workspace, bolt: AsyncApp, connect: Connect
) -> None:
    got: list[Body] = []
    workspace.delivery.ack_timeout_s = 0.05

    @bolt.event("message")
    async def heard(body: Body) -> None:
        got.append(body)
        if len(got) == 1:
            raise RuntimeError("lost it")

    await connect(bolt)
    await workspace.post("alice", "#design", "a fox")
    await workspace.until(lambda w: w.delivery.acks)

    first, second = list(workspace.delivery.sent)
    assert (first["retry_attempt"], first["retry_reason"]) == (0, "")
    assert (second["retry_attempt"], second["retry_reason"]) == (1, "timeout")
    assert got[0]["event_id"] == got[1]["event_id"]


async def test_a_command_nobody_acknowledges_shows_operation_timeout(
    workspace: Workspace, bolt: AsyncApp, connect: Connect
) -> None:
    workspace.delivery.ack_timeout_s = 0.05

    @bolt.command("/imagine")
    async def imagine(body: Body) -> None:
        """Never acknowledges."""

    await connect(bolt)
    seen = await workspace.type_command("alice", "#design", "/imagine a fox")

    assert seen.error == "operation_timeout"
    assert workspace.ephemerals_for("alice")[0].text == '/imagine failed with the error "operation_timeout"'


async def test_events_wait_for_a_connection_and_commands_do_not(
    workspace: Workspace, bolt: AsyncApp, connect: Connect
) -> None:
    got: list[str] = []

    @bolt.event("message")
    async def heard(body: Body) -> None:
        got.append(body["event"]["text"])

    for text in ("one", "two", "three"):
        await workspace.post("alice", "#design", text)
    seen = await workspace.type_command("alice", "#design", "/imagine a fox")
    await connect(bolt)
    await workspace.until(lambda w: len(w.delivery.acks) == 3)

    assert seen.error == "dispatch_failed"
    assert got == ["one", "two", "three"]


async def test_a_refreshed_connection_is_replaced_and_goes_on(
    workspace: Workspace, bolt: AsyncApp, connect: Connect
) -> None:
    got: list[str] = []

    @bolt.event("message")
    async def heard(body: Body) -> None:
        got.append(body["event"]["text"])

    await connect(bolt)
    first = workspace.delivery.sockets[0]
    await workspace.refresh_sockets()
    await workspace.until(lambda w: w.delivery.sockets and w.delivery.sockets[0] is not first)
    await workspace.post("alice", "#design", "after")
    await workspace.until(lambda w: w.delivery.acks)

    assert got == ["after"]


async def test_a_button_reaches_bolt_with_who_where_and_the_message(
    workspace: Workspace, bolt: AsyncApp, client: AsyncWebClient, connect: Connect
) -> None:
    got: list[Body] = []

    @bolt.action("again")
    async def again(ack: AsyncAck, body: Body) -> None:
        got.append(body)
        await ack()

    await connect(bolt)
    button = {
        "type": "button",
        "text": {"type": "plain_text", "text": "Again"},
        "action_id": "again",
        "value": "7",
    }
    posted = await client.chat_postMessage(
        channel="C0DESIGN01", text="A fox", blocks=[{"type": "actions", "elements": [button]}]
    )
    seen = await workspace.press("bob", "#design", posted["ts"], "again")

    assert seen.error is None
    body = got[0]
    assert body["user"]["id"] == "U0BOB00001"
    assert body["user"]["team_id"] == workspace.team_id
    assert body["actions"][0]["value"] == "7"
    assert body["container"] == {
        "type": "message",
        "message_ts": posted["ts"],
        "channel_id": "C0DESIGN01",
        "is_ephemeral": False,
    }
    assert body["message"]["ts"] == posted["ts"]


async def test_a_payload_may_go_to_any_of_several_connections(
    workspace: Workspace, bolt: AsyncApp, connect: Connect
) -> None:
    @bolt.event("message")
    async def heard() -> None:
        """Takes note of nothing."""

    await connect(bolt)
    await connect(bolt)
    used: set[int] = set()
    for text in ("one", "two"):
        await workspace.post("alice", "#design", text)
        used |= {parcel.socket.number for parcel in workspace.delivery.unanswered if parcel.socket}
    await workspace.until(lambda w: len(w.delivery.acks) == 2)

    assert len(used) == 2


async def test_a_persons_file_can_be_read_by_the_app_that_hears_of_it(
    workspace: Workspace, bolt: AsyncApp, connect: Connect
) -> None:
    got: list[Body] = []

    @bolt.event("message")
    async def heard(event: Body) -> None:
        got.append(event)

    await connect(bolt)
    file = await workspace.upload("alice", "cat.png", png())
    await workspace.post("alice", "#design", "like this", files=(file.id,))
    await workspace.until(lambda w: w.delivery.acks)

    assert got[0]["subtype"] == "file_share"
    shown = got[0]["files"][0]
    assert (shown["mimetype"], shown["original_w"], shown["original_h"]) == ("image/png", 3, 2)
    answer = await workspace.download(shown["url_private_download"], workspace.bot_token)
    assert answer.body == png()


async def test_a_modal_opens_once_and_its_submission_brings_the_answer_back(
    workspace: Workspace, bolt: AsyncApp, client: AsyncWebClient, connect: Connect
) -> None:
    block = {
        "type": "input",
        "block_id": "prompt",
        "label": {"type": "plain_text", "text": "Prompt"},
        "element": {"type": "plain_text_input", "action_id": "text"},
    }
    view = {
        "type": "modal",
        "callback_id": "edit",
        "title": {"type": "plain_text", "text": "Edit"},
        "submit": {"type": "plain_text", "text": "Make it"},
        "blocks": [block],
    }

    @bolt.command("/imagine")
    async def imagine(ack: AsyncAck, body: Body) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    @bolt.view("edit")
    async def edited(ack: AsyncAck, body: Body) -> None:
        if not body["view"]["state"]["values"]["prompt"]["text"]["value"].strip():
            await ack(response_action="errors", errors={"prompt": "Say something."})
        else:
            await ack()

    await connect(bolt)
    seen = await workspace.type_command("alice", "#design", "/imagine")
    view_id = await workspace.until(lambda w: next(iter(w.views), None))
    again = await workspace.call(
        "views.open", {"trigger_id": seen.payload["trigger_id"], "view": view}, workspace.bot_token
    )
    empty = await workspace.submit_view(
        "alice", view_id, {"prompt": {"text": {"type": "plain_text_input", "value": " "}}}
    )
    open_after_errors = view_id in workspace.views
    full = await workspace.submit_view(
        "alice", view_id, {"prompt": {"text": {"type": "plain_text_input", "value": "a hen"}}}
    )

    assert again.body["error"] == "exchanged_trigger_id"
    assert empty.payload == {"response_action": "errors", "errors": {"prompt": "Say something."}}
    assert open_after_errors
    assert full.error is None
    assert view_id not in workspace.views


async def test_a_link_without_a_ticket_is_refused_and_a_ticket_works_once(
    workspace: Workspace, client: AsyncWebClient, server: RunningServer
) -> None:
    opened = await client.apps_connections_open(app_token=workspace.app_token)
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(opened["url"]) as link:
            hello = await link.receive_json()
        assert hello["type"] == "hello"
        for url in (opened["url"], f"{server.url}/link/?ticket=none"):
            async with session.get(url) as refused:
                assert refused.status == 401


async def test_the_eleventh_connection_is_told_to_go(workspace: Workspace, client: AsyncWebClient) -> None:
    async with aiohttp.ClientSession() as session:
        links = []
        for _ in range(11):
            opened = await client.apps_connections_open(app_token=workspace.app_token)
            links.append(await session.ws_connect(opened["url"]))
        first = [await link.receive_json() for link in links]

    assert [message["type"] for message in first] == ["hello"] * 10 + ["disconnect"]
    assert first[-1]["reason"] == "too_many_websockets"


@asynccontextmanager
async def deaf(url: str) -> AsyncIterator[None]:
    """A WebSocket whose other end never reads, and has room for little."""
    at = urlsplit(url)
    end = socket.socket()
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    end.setblocking(False)
    await asyncio.get_running_loop().sock_connect(end, (at.hostname, at.port))
    asked = f"GET {at.path}?{at.query} HTTP/1.1\r\nHost: {at.netloc}\r\n"
    key = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    key += "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
    await asyncio.get_running_loop().sock_sendall(end, (asked + key).encode())
    try:
        yield
    finally:
        end.close()


async def test_an_app_that_reads_nothing_loses_its_connection_and_nobody_waits_for_it(
    workspace: Workspace, client: AsyncWebClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "SEND_S", 0.1)
    opened = await client.apps_connections_open(app_token=workspace.app_token)
    async with deaf(opened["url"]):
        await workspace.until(lambda here: here.delivery.sockets)
        for _ in range(200):
            await workspace.post("alice", "#design", "x" * 40_000)
            if not workspace.delivery.sockets:
                break
        assert not workspace.delivery.sockets
        assert workspace.delivery.unanswered, "what it has not acknowledged waits for another connection"


async def test_a_server_ends_although_nobody_reads_what_it_says(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "GOODBYE_S", 0.1)
    app = slack_app(workspace)
    add_control(app)
    server = await serve_app(app)
    async with deaf(f"{server.url}/control/live"):
        while not app[LIVE]:  # noqa: ASYNC110 -- nobody tells of a listener
            await asyncio.sleep(0)
        async with asyncio.timeout(8):
            await server.close()
