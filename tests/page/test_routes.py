"""What the page's routes serve, and whom they refuse."""

import re
from collections.abc import AsyncIterator
from importlib import resources
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from sandbox.images.api import ImageApi
from sandbox.page.routes import POLICY, add_page
from sandbox.slack.control import add_control
from sandbox.slack.server import RunningServer, serve_app, slack_app
from sandbox.slack.workspace import Workspace

STATIC = ["/", "/archives/C0DESIGN01/p1795000000000001", "/page/style.css", "/page/page.js", "/page/icon.svg"]


@pytest_asyncio.fixture(loop_scope="session")
async def http(server: RunningServer) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(server.url) as session:
        yield session


@pytest.mark.parametrize("path", STATIC)
async def test_static_routes_carry_the_content_policy_and_are_not_sniffed(
    http: aiohttp.ClientSession, path: str
) -> None:
    async with http.get(path) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Security-Policy"] == POLICY
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_the_policy_allows_nothing_inline_and_nobody_else() -> None:
    rules = dict(rule.split(" ", 1) for rule in POLICY.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert "unsafe" not in POLICY
    assert "http" not in POLICY


async def test_every_script_that_is_imported_is_served(http: aiohttp.ClientSession) -> None:
    waiting, served = ["page.js"], set()
    while waiting:
        name = waiting.pop()
        async with http.get(f"/page/{name}") as answer:
            assert answer.status == 200, name
            assert answer.content_type == "text/javascript"
            served.add(name)
            waiting += set(re.findall(r'from "\./([\w.]+)"', await answer.text())) - served - set(waiting)
    written = {item.name for item in resources.files("sandbox.page").iterdir() if item.name.endswith(".js")}
    assert served == written


def test_no_script_turns_a_string_into_markup() -> None:
    for item in resources.files("sandbox.page").iterdir():
        if item.name.endswith((".js", ".html")):
            text = item.read_text()
            assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", text)
            assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)\w", text), item.name
    page = resources.files("sandbox.page").joinpath("index.html").read_text()
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*src)", page)


@pytest.mark.parametrize("path", [*STATIC, "/page/setup"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
    ],
)
async def test_a_foreign_host_or_origin_is_refused(
    http: aiohttp.ClientSession, path: str, headers: dict[str, str]
) -> None:
    async with http.get(path, headers=headers) as answer:
        assert answer.status == 403


async def test_another_page_cannot_change_the_pace(http: aiohttp.ClientSession, images: ImageApi) -> None:
    body = {"seconds_per_picture": 1}
    async with http.post("/page/pace", json=body, headers={"Origin": "http://evil.example"}) as answer:
        assert answer.status == 403
    assert images.seconds_per_picture == 4


async def test_the_set_up_names_everybody_who_can_look_at_it_and_the_commands(
    http: aiohttp.ClientSession,
) -> None:
    async with http.get("/page/setup") as answer:
        body = await answer.json()
    kinds = ("is_admin", "is_guest", "is_outside")
    people = {user["name"]: [kind for kind in kinds if user[kind]] for user in body["viewers"]}
    assert next(iter(people)) == "alice"
    assert people == {
        "alice": [],
        "bob": [],
        "carol": ["is_admin"],
        "gus": ["is_guest"],
        "olaf": ["is_outside"],
    }
    assert not body["hood"]
    assert [command["name"] for command in body["commands"]] == ["/imagine", "/spend"]
    assert body["seconds_per_picture"] == 4


async def test_only_an_unknown_viewer_is_an_unknown_viewer(
    http: aiohttp.ClientSession, workspace: Workspace
) -> None:
    async with http.get("/page/state?viewer=U0NOBODY") as answer:
        assert (answer.status, (await answer.json())["error"]) == (404, "unknown viewer")
    workspace.views["V"] = {"a": 1}
    async with http.get("/page/state?viewer=U0ALICE001") as answer:
        assert answer.status == 500


async def test_the_pace_can_be_set(http: aiohttp.ClientSession, images: ImageApi) -> None:
    async with http.post("/page/pace", json={"seconds_per_picture": 0.5}) as answer:
        assert await answer.json() == {"seconds_per_picture": 0.5}
    assert images.seconds_per_picture == 0.5


@pytest.mark.parametrize("given", [-1, 61, True, "4", None, float("nan"), float("inf"), 10**400])
async def test_a_pace_that_is_no_sensible_number_changes_nothing(
    http: aiohttp.ClientSession, images: ImageApi, given: Any
) -> None:
    async with http.post("/page/pace", json={"seconds_per_picture": given}) as answer:
        assert answer.status == 400
        assert "from 0 to 60" in (await answer.json())["error"]
    assert images.seconds_per_picture == 4


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"4", b"\xff\xfe"])
async def test_a_body_that_is_no_object_is_refused(http: aiohttp.ClientSession, body: bytes) -> None:
    async with http.post("/page/pace", data=body) as answer:
        assert answer.status == 400


async def test_without_an_image_api_there_is_no_pace(workspace: Workspace) -> None:
    app = slack_app(workspace)
    add_control(app)
    add_page(app, workspace)
    running = await serve_app(app)
    async with aiohttp.ClientSession(running.url) as session:
        async with session.get("/page/setup") as answer:
            assert (await answer.json())["seconds_per_picture"] is None
        async with session.post("/page/pace", json={"seconds_per_picture": 1}) as answer:
            assert answer.status == 404
    await running.close()
