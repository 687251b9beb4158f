"""Downloads against servers that do what Slack does, and what somebody else would."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from handlers.clients import NotTheFile, SlackRefused, SlackUnclear, TooManyBytes
from handlers.downloading import (
    ELSEWHERE,
    PAGE,
    Hosts,
    Place,
    download,
    place_of,
)

TOKEN = "xoxb-secret"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 1000
LOGIN = b"<!DOCTYPE html><html lang='en'><head><title>Slack</title></head></html>"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """A host of its own: answers with what it was given, remembers who came with which token."""

    def __init__(self) -> None:
        self.handler: Handler = answering(PNG)
        self.seen: list[tuple[str, str | None]] = []
        self.url = ""
        self.released = asyncio.Event()

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Any request."""
        self.seen.append((request.path, request.headers.get("Authorization")))
        return await self.handler(request)


def answering(
    body: bytes, media_type: str = "image/png", status: int = 200, headers: Mapping[str, str] | None = None
) -> Handler:
    """The same answer to everybody."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, body=body, headers={"Content-Type": media_type, **(headers or {})})

    return answer


def leading_to(location: str, status: int = 302) -> Handler:
    """A redirect."""
    return answering(b"", status=status, headers={"Location": location})


async def started() -> tuple[Server, web.AppRunner]:
    server = Server()
    app = web.Application()
    app.router.add_get("/{path:.*}", server.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    return server, runner


@pytest.fixture
async def slack() -> AsyncIterator[Server]:
    """Slack's own host."""
    server, runner = await started()
    yield server
    server.released.set()
    await runner.cleanup()


@pytest.fixture
async def elsewhere() -> AsyncIterator[Server]:
    """Somebody else's host."""
    server, runner = await started()
    yield server
    await runner.cleanup()


async def fetched(
    slack: Server, *, bytes_max: int = 1_000_000, timeout_s: float = 5.0, **changes: Any
) -> bytes:
    """What comes of downloading ``/file`` from that host."""
    where = replace(Place(f"{slack.url}/file", "image/png", 0), **changes)
    got = bytearray()
    async with aiohttp.ClientSession() as session:
        hosts = Hosts.of(f"{slack.url}/api/")
        await download(session, hosts, TOKEN, where, got.extend, bytes_max, timeout_s)
    return bytes(got)


async def test_a_file_comes_unchanged_for_the_token(slack: Server) -> None:
    assert await fetched(slack) == PNG
    assert slack.seen == [("/file", f"Bearer {TOKEN}")]


async def test_an_empty_file_is_a_file(slack: Server) -> None:
    slack.handler = answering(b"")
    assert await fetched(slack) == b""


@pytest.mark.parametrize("media_type", ["text/html; charset=utf-8", "application/octet-stream", "text/plain"])
async def test_a_login_page_with_status_200_is_not_the_file(slack: Server, media_type: str) -> None:
    """Slack's answer to a token without the right."""
    slack.handler = answering(LOGIN, media_type)
    with pytest.raises(NotTheFile, match=PAGE):
        await fetched(slack)


async def test_a_file_that_is_a_page_is_a_file(slack: Server) -> None:
    """What Slack itself calls HTML was uploaded as such; it is for others to say that it is no picture."""
    slack.handler = answering(LOGIN, "text/html; charset=utf-8")
    assert await fetched(slack, media_type="text/html") == LOGIN


async def test_a_redirect_within_slack_is_followed_with_the_token(slack: Server) -> None:
    async def first_elsewhere(request: web.Request) -> web.StreamResponse:
        return await (answering(PNG) if request.path == "/real" else leading_to("/real"))(request)

    slack.handler = first_elsewhere
    assert await fetched(slack) == PNG
    assert slack.seen == [("/file", f"Bearer {TOKEN}"), ("/real", f"Bearer {TOKEN}")]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_another_host_is_not_followed(
    slack: Server, elsewhere: Server, status: int
) -> None:
    """Nothing is asked there, so that no token can get there."""
    slack.handler = leading_to(f"{elsewhere.url}/file", status)
    with pytest.raises(NotTheFile, match=ELSEWHERE):
        await fetched(slack)
    assert elsewhere.seen == []


async def test_a_file_kept_on_another_host_is_not_asked_for(slack: Server, elsewhere: Server) -> None:
    with pytest.raises(NotTheFile, match=ELSEWHERE):
        await fetched(slack, url=f"{elsewhere.url}/file")
    assert elsewhere.seen == slack.seen == []


async def test_redirects_without_end_are_given_up(slack: Server) -> None:
    slack.handler = leading_to("/file")
    with pytest.raises(NotTheFile, match=ELSEWHERE):
        await fetched(slack)
    assert len(slack.seen) == 6


@pytest.mark.parametrize("location", ["", "http://[half", "ftp://files.slack.com/x", "file:///etc/passwd"])
async def test_a_redirect_to_nowhere_is_not_followed(slack: Server, location: str) -> None:
    slack.handler = leading_to(location)
    with pytest.raises(NotTheFile, match=ELSEWHERE):
        await fetched(slack)


async def test_a_file_may_have_just_so_many_bytes(slack: Server) -> None:
    assert await fetched(slack, bytes_max=len(PNG)) == PNG
    with pytest.raises(TooManyBytes):
        await fetched(slack, bytes_max=len(PNG) - 1)


async def test_a_file_that_is_known_to_be_too_large_is_not_asked_for(slack: Server) -> None:
    with pytest.raises(TooManyBytes):
        await fetched(slack, bytes_max=10, size_bytes=11)
    assert slack.seen == []


async def test_an_endless_file_of_which_slack_says_it_is_small_is_cut_off(slack: Server) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "image/png"})
        await answer.prepare(request)
        while request.transport is not None and not request.transport.is_closing():
            await answer.write(b"\0" * 65_536)
        return answer

    slack.handler = endless
    with pytest.raises(TooManyBytes):
        await fetched(slack, size_bytes=10)


async def test_a_file_that_ends_before_its_announced_length_is_no_file(slack: Server) -> None:
    """It can be asked for again."""

    async def half(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "image/png", "Content-Length": "1000"})
        await answer.prepare(request)
        await answer.write(PNG[:500])
        assert request.transport is not None
        request.transport.close()
        return answer

    slack.handler = half
    with pytest.raises(SlackUnclear):
        await fetched(slack)


async def test_a_body_that_does_not_come_is_not_waited_for(slack: Server) -> None:
    async def slow(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "image/png"})
        await answer.prepare(request)
        await answer.write(PNG[:500])
        await slack.released.wait()
        return answer

    slack.handler = slow
    with pytest.raises(SlackUnclear):
        await fetched(slack, timeout_s=0.05)


async def test_a_packed_body_is_not_unpacked(slack: Server) -> None:
    """A few bytes could become any number."""
    slack.handler = answering(b"\x1f\x8b", headers={"Content-Encoding": "gzip"})
    with pytest.raises(NotTheFile):
        await fetched(slack)


@pytest.mark.parametrize(
    ("status", "error"),
    [(404, "file_not_found"), (403, "http_403"), (429, "ratelimited"), (410, "file_not_found")],
)
async def test_refusals_have_names(slack: Server, status: int, error: str) -> None:
    slack.handler = answering(b"no", "text/html", status)
    with pytest.raises(SlackRefused) as refusal:
        await fetched(slack)
    assert refusal.value.error == error


async def test_what_broke_inside_slack_may_work_again(slack: Server) -> None:
    slack.handler = answering(b"sorry", "text/html", 503)
    with pytest.raises(SlackUnclear):
        await fetched(slack)
    with pytest.raises(SlackUnclear):
        await fetched(Nowhere())


class Nowhere(Server):
    """Nobody listens there."""

    def __init__(self) -> None:
        super().__init__()
        self.url = "http://127.0.0.1:9"


async def test_trouble_with_our_own_disk_is_not_slacks(slack: Server) -> None:
    def full(data: bytes) -> None:
        raise OSError("disk full")

    where = Place(f"{slack.url}/file", "image/png", 0)
    async with aiohttp.ClientSession() as session:
        with pytest.raises(OSError, match="disk full"):
            await download(session, Hosts.of(slack.url), TOKEN, where, full, 1_000_000)


@pytest.mark.parametrize(
    ("url", "token", "followed"),
    [
        ("https://files.slack.com/files-pri/T1-F1/a.png", True, True),
        ("https://slack.com/x", True, True),
        ("https://a.slack-files.com/x", True, True),
        ("https://a.slack-edge.com/x", False, True),
        ("http://files.slack.com/x", False, False),
        ("https://files.slack.com:8443/x", False, False),
        ("https://files.slack.com.evil.example/x", False, False),
        ("https://evilslack.com/x", False, False),
        ("https://files.slack.com@evil.example/x", False, False),
        ("https://evil.example/files.slack.com", False, False),
        ("https://127.0.0.1/x", False, False),
        ("http://127.0.0.1:4000/x", False, False),
        ("http://169.254.169.254/latest", False, False),
        ("//files.slack.com/x", False, False),
        ("/relative", False, False),
    ],
)
def test_the_token_is_for_slacks_own_https_hosts(url: str, token: bool, followed: bool) -> None:
    hosts = Hosts.of("https://slack.com/api/")
    assert (hosts.may_see_token(URL(url)), hosts.may_have_files(URL(url))) == (token, followed)


def test_a_local_slack_is_that_very_address() -> None:
    hosts = Hosts.of("http://127.0.0.1:4000/api/")
    assert hosts.may_see_token(URL("http://127.0.0.1:4000/files-pri/x"))
    assert not hosts.may_see_token(URL("http://127.0.0.1:4001/files-pri/x"))
    assert not hosts.may_see_token(URL("http://localhost:4000/x"))
    assert not Hosts.of("http://proxy.example/api/").may_see_token(URL("http://proxy.example/x"))


@pytest.mark.parametrize(
    ("file", "error"),
    [
        ({"mode": "tombstone"}, "file_deleted"),
        ({"mode": "hidden_by_limit"}, "hidden_by_limit"),
        ({"file_access": "hidden_by_limit"}, "hidden_by_limit"),
        ({"file_access": "check_file_info"}, "access_denied"),
        ({}, "access_denied"),
    ],
)
def test_a_file_without_bytes_for_us_is_refused(file: dict[str, Any], error: str) -> None:
    with pytest.raises(SlackRefused, match=error):
        place_of(file)


@pytest.mark.parametrize("file", [{"mode": "external"}, {"mode": "hosted", "is_external": True}])
def test_a_file_that_slack_only_points_to_is_elsewhere(file: dict[str, Any]) -> None:
    with pytest.raises(NotTheFile, match=ELSEWHERE):
        place_of(file | {"url_private": "https://drive.example/x"})
