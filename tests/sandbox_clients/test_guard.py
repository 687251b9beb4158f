"""Foreign pages are kept out on every route of both servers; what people upload runs nothing."""

from __future__ import annotations

import asyncio
import io
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.cli.world import World, start_world
from sandbox.guard import SMALL_BODY, Guard, address, guard_of
from sandbox.images.api import ImageApi
from sandbox.reading import DEPTH_MAX
from sandbox.slack.workspace import Workspace
from tests.sandbox_slack.conftest import png

DESIGN = "C0DESIGN01"
FOREIGN = [
    {"Host": "evil.example"},
    {"Host": "evil.example:8800"},
    {"Host": "127.0.0.1.evil.example"},
    {"Host": "127.0.0.1@evil.example"},
    {"Host": "[::1"},
    {"Host": ""},
    {"Origin": "http://evil.example"},
    {"Origin": "https://127.0.0.1"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    workspace = Workspace(file_processing_s=0)
    made = await start_world(workspace, ImageApi(seconds_per_picture=0))
    yield made
    await made.close()
    await workspace.close()


def doors(world: World) -> list[tuple[str, str]]:
    """A method and an address of every route of both servers, and of none."""
    slack = world.slack_server.runner.app.router
    found = [("POST", world.openai_base_url + "/responses"), ("GET", world.page_url + "nothing")]
    for route in slack.routes():
        assert route.resource is not None
        method = "GET" if route.method == "*" else route.method
        path = route.resource.canonical.replace("{method}", "chat.postMessage").replace("{tail}", "x")
        found.append((method, world.page_url.rstrip("/") + path.replace("{", "").replace("}", "")))
    return found


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
async def test_every_route_refuses_what_a_foreign_page_could_send(
    world: World, headers: dict[str, str]
) -> None:
    """Written down as a browser would send it, with tokens that everybody knows."""
    post = {"token": world.workspace.bot_token, "channel": DESIGN, "text": "x"}
    async with aiohttp.ClientSession() as session:
        for method, url in doors(world):
            async with session.request(method, url, params=post, headers=headers) as answer:
                assert answer.status == 403, (method, url)
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert not world.workspace.calls
    assert not world.images.calls
    assert not any(room.messages for room in world.workspace.channels.values())


@pytest.mark.parametrize("headers", FOREIGN[:1] + FOREIGN[6:7] + FOREIGN[-1:], ids=str)
async def test_no_foreign_page_gets_a_websocket(world: World, headers: dict[str, str]) -> None:
    workspace = world.workspace
    opened = await workspace.call("apps.connections.open", {}, workspace.app_token)
    async with aiohttp.ClientSession() as session:
        for url in (f"{world.page_url}control/live", str(opened.body["url"])):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(url, headers=headers)
            assert refused.value.status == 403
        async with session.ws_connect(str(opened.body["url"])) as link:
            assert (await link.receive_json())["type"] == "hello"


def test_a_link_to_the_page_may_be_followed_from_anywhere_but_nothing_else() -> None:
    visit = {"Host": "127.0.0.1:8800", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    guard = Guard()

    assert guard.refusal("GET", "/", visit) is None
    assert guard.refusal("GET", "/archives/C0DESIGN01/p1795000000000001", visit) is None
    assert guard.refusal("GET", "/api/chat.postMessage", visit)
    assert guard.refusal("POST", "/", visit)
    assert guard.refusal("GET", "/control/files/F1", visit)
    assert guard.refusal("GET", "/control/state", visit | {"Sec-Fetch-Site": "none"}) is None
    assert guard.refusal("GET", "/control/state", visit | {"Sec-Fetch-Site": "same-origin"}) is None
    for path in ("/control/post", "/api/chat.postMessage", "/link/", "/upload/v1/x", "/v1/responses"):
        for site in ("none", "same-origin"):
            assert guard.refusal("POST", path, visit | {"Sec-Fetch-Site": site})
            assert path.startswith("/control/") or guard.refusal(
                "GET", path, visit | {"Sec-Fetch-Site": site}
            )


async def test_an_address_that_is_opened_posts_nothing(world: World) -> None:
    """Neither where a typed address was led here by somebody else's page (no other header tells), nor as a
    picture in a page, over a network where browsers send no Sec-Fetch headers."""
    params = {"token": world.workspace.bot_token, "channel": DESIGN, "text": "x"}
    typed = {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    async with aiohttp.ClientSession(world.slack_server.url) as session:
        async with session.get("/api/chat.postMessage", params=params, headers=typed) as answer:
            assert answer.status == 403
        async with session.get("/api/chat.postMessage", params=params) as answer:
            assert await answer.json() == {"ok": False, "error": "not_authed"}
        async with session.post("/api/chat.postMessage", data=params) as answer:
            assert (await answer.json())["ok"], "in a form it is a token"
        assert [message.text for message in world.workspace.channels[DESIGN].messages.values()] == ["x"]
        async with session.get("/page/page.js") as answer:
            assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_what_it_listens_to_is_what_it_answers_to() -> None:
    name = socket.gethostname()
    here, there, everywhere = guard_of("127.0.0.1"), guard_of("192.168.1.5"), guard_of("0.0.0.0")  # noqa: S104 -- asked about, not bound

    def asked(guard: Guard, host: str) -> bool:
        return guard.refusal("GET", "/", {"Host": host, "Origin": f"http://{host}"}) is None

    assert all(
        asked(each, "localhost:8800") and asked(each, "[::1]:8800") for each in (here, there, everywhere)
    )
    assert [asked(each, "192.168.1.5:8800") for each in (here, there, everywhere)] == [False, True, True]
    assert [asked(each, f"{name}:8800") for each in (here, there, everywhere)] == [False, False, True]
    assert not any(asked(each, "evil.example:8800") for each in (here, there, everywhere))
    assert asked(guard_of("Box.local"), "box.LOCAL:8800")
    assert address("0.0.0.0", 8800) == f"http://{name.lower()}:8800"  # noqa: S104 -- asked about, not bound
    assert (address("::1", 80), address("10.0.0.1", 80)) == ("http://[::1]:80", "http://10.0.0.1:80")


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    """A body whose length is not said."""
    for start in range(0, len(data), 2**16):
        yield data[start : start + 2**16]


async def test_a_body_has_a_bound(world: World) -> None:
    large = b"x" * (SMALL_BODY + 1)
    async with aiohttp.ClientSession(world.slack_server.url) as session:
        for path in ("/control/post", "/api/chat.postMessage", "/actions/T1/x"):
            async with session.post(path, data=io.BytesIO(large)) as answer:
                assert answer.status == 413
                assert f"at most {SMALL_BODY:,}" in await answer.text()
        for path in ("/control/post", "/api/chat.postMessage", "/actions/T1/x"):
            kind = {"Content-Type": "application/json"}
            async with session.post(path, data=_pieces(large), headers=kind) as answer:
                assert answer.status == 413
        async with session.post("/control/upload?viewer=alice", data=_pieces(large)) as answer:
            assert answer.status == 200
        async with session.post("/control/upload?viewer=alice", data=io.BytesIO(large)) as answer:
            assert answer.status == 200


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
async def test_who_hangs_up_amid_a_request_leaves_no_traceback(
    world: World, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    slack = world.slack_server.runner
    assert slack.server is not None
    port = slack.addresses[0][1]
    for path in ("/api/chat.postMessage", "/control/post", "/upload/v1/x", "/actions/T1/x", "/page/pace"):
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: {kind}\r\n"
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"{head}Content-Length: 100\r\nExpect: 100-continue\r\n\r\n".encode())
        assert b"100 Continue" in await reader.readline()
        writer.write(b"{")
        writer.transport.abort()
    async with asyncio.timeout(30):
        while slack.server.connections:  # noqa: ASYNC110 -- aiohttp tells nobody that one is over
            await asyncio.sleep(0)
    assert not caplog.records


EVIL = {
    "page.html": b"<script>alert(1)</script>",
    "page.svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "page.xhtml": b"<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'><script/></html>",
    "fox.png": b"<!DOCTYPE html><script>alert(1)</script>",
}


@pytest.mark.parametrize("name", EVIL)
async def test_an_uploaded_file_never_runs_in_the_browser(world: World, name: str) -> None:
    workspace = world.workspace
    file = await workspace.upload("alice", name, EVIL[name])
    await workspace.post("alice", "#design", "x", files=(file.id,))
    token = {"Authorization": f"Bearer {workspace.bot_token}"}
    async with aiohttp.ClientSession(world.slack_server.url) as session:
        async with session.get(f"/control/files/{file.id}") as answer:
            assert answer.content_type == "application/octet-stream"
            assert answer.headers["Content-Disposition"] == "attachment"
            assert_inert(answer)
        async with session.get(f"/files-pri/{workspace.team_id}-{file.id}/{name}", headers=token) as answer:
            assert await answer.read() == EVIL[name]
            assert answer.content_type not in {"text/html", "application/xhtml+xml"}
            assert_inert(answer)


async def test_a_picture_that_is_also_something_else_is_served_as_a_picture(world: World) -> None:
    file = await world.workspace.upload("alice", "fox.html", png() + b"<script>alert(1)</script>")
    async with (
        aiohttp.ClientSession(world.slack_server.url) as session,
        session.get(f"/control/files/{file.id}") as answer,
    ):
        assert answer.content_type == "image/png"
        assert_inert(answer)


def assert_inert(answer: aiohttp.ClientResponse) -> None:
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")


async def test_the_servers_listen_on_loopback_unless_told_otherwise(world: World) -> None:
    runners: list[web.AppRunner] = [world.slack_server.runner]

    assert {host for runner in runners for host, _ in runner.addresses} == {"127.0.0.1"}
    assert world.openai_base_url.startswith("http://127.0.0.1:")


def nested(depth: int) -> dict[str, Any]:
    """Objects in one another."""
    return {"deeper": nested(depth - 1)} if depth else {}


async def test_json_that_is_nested_too_deep_is_refused_before_it_is_kept(world: World) -> None:
    token = {"Authorization": f"Bearer {world.workspace.bot_token}"}
    post: dict[str, Any] = {"channel": DESIGN, "text": "x"}
    deep = {"event_type": "x", "event_payload": nested(DEPTH_MAX)}
    well = {"event_type": "x", "event_payload": nested(DEPTH_MAX - 5)}
    async with aiohttp.ClientSession(world.slack_server.url, headers=token) as session:
        async with session.post("/api/chat.postMessage", json={**post, "metadata": deep}) as answer:
            assert await answer.json() == {"ok": False, "error": "invalid_json"}
        form = {**post, "metadata": json.dumps(deep)}
        async with session.post("/api/chat.postMessage", data=form) as answer:
            assert (await answer.json())["error"] == "invalid_metadata_format"
        async with session.post("/control/post", json={"viewer": "alice", "text": deep}) as answer:
            assert answer.status == 400
        async with session.post("/api/chat.postMessage", json={**post, "metadata": well}) as answer:
            assert (await answer.json())["ok"]
        asked = {"channel": DESIGN, "include_all_metadata": True}
        async with session.post("/api/conversations.history", json=asked) as answer:
            assert [message["metadata"] for message in (await answer.json())["messages"]] == [well]


async def test_json_without_a_bottom_is_refused_and_nobody_stumbles(world: World) -> None:
    deep = "[" * 200_000
    headers = {"Content-Type": "application/json", "Authorization": "Bearer sk-x"}
    async with aiohttp.ClientSession(world.slack_server.url) as session:
        async with session.post("/api/chat.postMessage", data=deep, headers=headers) as answer:
            assert await answer.json() == {"ok": False, "error": "invalid_json"}
        async with session.post("/actions/T1/x", data=deep, headers=headers) as answer:
            assert answer.status == 400
        form = {"token": world.workspace.bot_token, "channel": DESIGN, "text": "x", "blocks": deep}
        async with session.post("/api/chat.postMessage", data=form) as answer:
            assert (await answer.json())["error"] == "invalid_blocks_format"
        for path in ("/control/post", "/control/switch", "/control/faults", "/page/pace"):
            async with session.post(path, data=deep, headers=headers) as answer:
                assert answer.status == 400, path
        async with session.post(world.openai_base_url + "/responses", data=deep, headers=headers) as answer:
            assert answer.status == 400
