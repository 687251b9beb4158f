"""Payloads posted to an app's Request URL: how they are written and signed, and what comes of each answer."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import parse_qs

import pytest
from aiohttp import web
from slack_sdk.signature import SignatureVerifier

from sandbox.slack.model import Json
from sandbox.slack.request_url import RequestUrl
from sandbox.slack.workspace import Workspace

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class PostedApp:
    """An app on a real port; each request is answered by the next of `answers`, then with 200."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[Answer] = []
        self.url = ""
        self._runner = web.AppRunner(self._app(), shutdown_timeout=0.1)

    def _app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/slack", self._take)
        return app

    async def _take(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((dict(request.headers), await request.read()))
        return await self.answers.pop(0)(request) if self.answers else web.Response()

    async def start(self) -> None:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/slack"

    async def stop(self) -> None:
        await self._runner.cleanup()

    def json(self, number: int) -> Json:
        made: Json = json.loads(self.requests[number][1])
        return made

    @property
    def tries(self) -> list[tuple[str | None, str | None]]:
        """Of each request, what it says of being sent again."""
        return [(h.get("X-Slack-Retry-Num"), h.get("X-Slack-Retry-Reason")) for h, _ in self.requests]


def says(status: int, body: str = "", content_type: str = "text/plain", **headers: str) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, text=body, content_type=content_type, headers=named)

    return answer


@pytest.fixture
async def workspace() -> AsyncIterator[Workspace]:
    made = Workspace()
    made.delivery.retry_delays_s = (0.0, 0.05, 0.05)
    yield made
    await made.close()


@pytest.fixture
async def app(workspace: Workspace) -> AsyncIterator[PostedApp]:
    made = PostedApp()
    await made.start()
    posts = RequestUrl(workspace, lambda: made.url)
    await posts.open()
    yield made
    await posts.close()
    await made.stop()


async def settled(workspace: Workspace) -> None:
    """Wait until nothing more comes. Giving up changes nothing that could be waited for."""
    async with asyncio.timeout(5):
        while workspace.delivery.unanswered:  # noqa: ASYNC110 -- giving up tells nobody
            await asyncio.sleep(0.01)


async def test_a_command_is_a_form_that_the_official_helper_takes(
    app: PostedApp, workspace: Workspace
) -> None:
    app.answers = [says(200, "working on it")]
    seen = await workspace.type_command("alice", "design", "/imagine ein Füchs 🦊")
    headers, body = app.requests[0]
    assert seen.error is None
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(body.decode())["text"] == ["ein Füchs 🦊"]
    assert SignatureVerifier(workspace.signing_secret).is_valid_request(body, headers)
    assert abs(int(headers["X-Slack-Request-Timestamp"]) - time.time()) < 30
    assert workspace.ephemerals_for("alice")[-1].text == "working on it"


async def test_an_event_is_json_and_a_shortcut_json_in_a_form(app: PostedApp, workspace: Workspace) -> None:
    await workspace.post("alice", "design", "hello")
    await settled(workspace)
    assert app.json(0)["event"]["text"] == "hello"
    await workspace.use_shortcut("alice", "new_picture_shortcut")
    headers, body = app.requests[1]
    assert json.loads(parse_qs(body.decode())["payload"][0])["type"] == "shortcut"
    assert SignatureVerifier(workspace.signing_secret).is_valid_request(body, headers)
    assert app.tries == [(None, None), (None, None)]


async def test_an_event_that_is_not_taken_comes_three_times_more_and_says_why(
    app: PostedApp, workspace: Workspace
) -> None:
    app.answers = [says(500), says(404), says(302, Location="/elsewhere"), says(503), says(200)]
    await workspace.post("alice", "design", "hello")
    await settled(workspace)
    assert app.tries == [(None, None), ("1", "http_error"), ("2", "http_error"), ("3", "http_error")]
    assert len({app.json(n)["event_id"] for n in range(4)}) == 1
    assert len(workspace.delivery.given_up) == 1


async def test_an_app_may_ask_for_no_more_tries(app: PostedApp, workspace: Workspace) -> None:
    app.answers = [says(401, X_Slack_No_Retry="1")]
    await workspace.post("alice", "design", "hello")
    await settled(workspace)
    assert app.tries == [(None, None)]


async def test_an_answer_that_comes_too_late_is_none(app: PostedApp, workspace: Workspace) -> None:
    never = asyncio.Event()

    async def late(request: web.Request) -> web.StreamResponse:
        await never.wait()
        return web.Response()

    workspace.delivery.ack_timeout_s = 0.1
    app.answers = [late]
    await workspace.post("alice", "design", "hello")
    await settled(workspace)
    assert app.tries == [(None, None), ("1", "http_timeout")]
    app.answers = [late]
    assert (await workspace.type_command("alice", "design", "/imagine")).error == "operation_timeout"
    never.set()


@pytest.mark.parametrize(("status", "error"), [(404, "http_client_error"), (500, "http_service_error")])
async def test_who_types_a_command_reads_what_went_wrong(
    app: PostedApp, workspace: Workspace, status: int, error: str
) -> None:
    app.answers = [says(status)]
    assert (await workspace.type_command("alice", "design", "/imagine")).error == error
    assert len(app.requests) == 1


async def test_where_nobody_listens_a_command_fails_and_an_event_comes_again(workspace: Workspace) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
    posts = RequestUrl(workspace, lambda: url)
    await posts.open()
    assert (await workspace.type_command("alice", "design", "/imagine")).error == "dispatch_failed"
    await workspace.post("alice", "design", "hello")
    async with asyncio.timeout(5):
        while not workspace.delivery.given_up:  # noqa: ASYNC110 -- giving up tells nobody
            await asyncio.sleep(0.01)
    assert workspace.delivery.given_up[0].retry_reason == "connection_failed"
    await posts.close()


async def test_a_refresh_or_a_cut_of_sockets_does_not_end_it(app: PostedApp, workspace: Workspace) -> None:
    await workspace.refresh_sockets()
    await workspace.until(lambda w: any(not s.draining for s in w.delivery.sockets) or None, 5)
    assert (await workspace.type_command("alice", "design", "/imagine")).error is None
    for each in list(workspace.delivery.sockets):
        assert each.cut is not None
        await each.cut()
    assert (await workspace.type_command("alice", "design", "/imagine")).error is None
    assert len(workspace.delivery.sockets) == 1
