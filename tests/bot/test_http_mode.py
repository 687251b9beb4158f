"""What comes to the address that Slack posts to: only what Slack signed, lately, and whole, does anything."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import socket
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.signature import Clock as SignatureClock
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient
from yarl import URL

from bot import http_mode
from bot.http_mode import BODY_MAX, FRESH_S, HttpServer
from bot.http_payloads import DEPTH_MAX
from bot.preflight import CannotStart
from darkroom.clock import SystemClock
from sandbox.slack.request_url import signature, signed, written
from tests.examples import StillClock

SECRET = "0f" * 16
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
COMMAND = {"command": "/imagine", "text": "ein roter Füchs 🦊", "team_id": "T1", "user_id": "U1"}
EVENT = {"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": {"type": "message"}}


class Door:
    """A server on a real port, and what got through it."""

    def __init__(self, clock: Any = None, **more: Any) -> None:
        self.heard: list[dict[str, Any]] = []
        self.held = asyncio.Event()
        self.arrived = asyncio.Event()
        self.held.set()
        self.clock = clock or SystemClock()
        self.app = self._app()
        self.server = HttpServer(
            self.app,
            SECRET,
            self.clock,
            **{"host": "127.0.0.1", "port": 0, "path": "/slack/events", **more},
        )
        self.session = aiohttp.ClientSession()

    def _app(self) -> AsyncApp:
        async def authorize() -> AuthorizeResult:
            return AuthorizeResult(enterprise_id=None, team_id="T1")

        app = AsyncApp(
            client=AsyncWebClient(),
            authorize=authorize,
            signing_secret=SECRET,
            process_before_response=True,
            request_verification_enabled=False,
        )

        @app.command("/imagine")
        async def imagine(ack: AsyncAck, body: dict[str, Any]) -> None:
            self.heard.append(body)
            self.arrived.set()
            await self.held.wait()
            await ack("taken")

        @app.event("message")
        async def message(body: dict[str, Any]) -> None:
            self.heard.append(body)

        return app

    def headers(self, body: bytes, content_type: str = FORM, ago_s: float = 0) -> dict[str, str]:
        """As Slack would sign it, so long ago."""
        return signed(SECRET, body, content_type, int(self.clock.now().timestamp() - ago_s))

    async def post(self, body: Any, headers: Mapping[str, str]) -> tuple[int, str]:
        """Status and text of the answer."""
        async with self.session.post(self.server.url, data=body, headers=headers) as answer:
            return answer.status, await answer.text()

    async def refuses(self, body: Any, headers: Mapping[str, str], status: int) -> None:
        """It is refused with that, in words that say nothing, and nothing is done."""
        assert await self.post(body, headers) == (status, "refused\n")
        assert self.heard == []


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    made = Door()
    await made.server.start()
    yield made
    await made.session.close()
    await made.server.aclose()


BODY = urlencode(COMMAND).encode()


async def test_what_slack_signed_gets_through_and_its_answer_back(door: Door) -> None:
    assert await door.post(BODY, door.headers(BODY)) == (200, "taken")
    assert [body["text"] for body in door.heard] == [COMMAND["text"]]


async def test_an_event_and_a_click_and_a_command_are_read_as_they_were_written(door: Door) -> None:
    event, content_type = written("events_api", EVENT)
    assert (await door.post(event, door.headers(event, content_type)))[0] == 200
    assert door.heard == [EVENT]


@pytest.mark.parametrize("text", ["a rocket and its payload", "payload", "payload={}", "&payload={}", "{}"])
async def test_a_command_is_read_whatever_words_are_in_it(door: Door, text: str) -> None:
    body = urlencode(COMMAND | {"text": text}).encode()
    assert await door.post(body, door.headers(body)) == (200, "taken")
    assert [heard["text"] for heard in door.heard] == [text]


async def test_slack_is_answered_when_it_verifies_the_address(door: Door) -> None:
    body = json.dumps({"type": "url_verification", "token": "x", "challenge": "3eZbrw1a"}).encode()
    status, text = await door.post(body, door.headers(body, JSON))
    assert (status, json.loads(text)) == (200, {"challenge": "3eZbrw1a"})
    await door.refuses(body, {"Content-Type": JSON}, 401)


@pytest.mark.parametrize(
    "change",
    [
        {"X-Slack-Signature": None},
        {"X-Slack-Request-Timestamp": None},
        {"X-Slack-Signature": ""},
        {"X-Slack-Signature": "v0="},
        {"X-Slack-Signature": "v0=" + "0" * 64},
        {"X-Slack-Signature": "v1=" + "0" * 64},
        {"X-Slack-Signature": "é" * 67},
        {"X-Slack-Request-Timestamp": ""},
        {"X-Slack-Request-Timestamp": "now"},
        {"X-Slack-Request-Timestamp": "-1"},
        {"X-Slack-Request-Timestamp": "1e9"},
        {"X-Slack-Request-Timestamp": "9" * 13},
        {"X-Slack-Request-Timestamp": "9" * 5000},
        {"X-Slack-Request-Timestamp": "٣"},
    ],
    ids=str,
)
async def test_headers_that_slack_does_not_send_are_refused(
    door: Door, change: dict[str, str | None]
) -> None:
    headers = door.headers(BODY) | {name: value or "" for name, value in change.items()}
    kept = {name: value for name, value in headers.items() if change.get(name, "") is not None}
    await door.refuses(BODY, kept, 401)


async def test_a_signature_of_another_body_time_or_secret_is_refused(door: Door) -> None:
    headers = door.headers(BODY)
    await door.refuses(BODY + b"&text=more", headers, 401)
    later = str(int(headers["X-Slack-Request-Timestamp"]) + 1)
    await door.refuses(BODY, headers | {"X-Slack-Request-Timestamp": later}, 401)
    other = signed("f0" * 16, BODY, FORM, int(door.clock.now().timestamp()))
    await door.refuses(BODY, other, 401)
    await door.refuses(b"", headers, 401)


async def test_what_is_sent_again_after_five_minutes_is_refused() -> None:
    clock = StillClock()
    door = Door(clock)
    await door.server.start()
    try:
        headers = door.headers(BODY)
        clock.at += timedelta(seconds=FRESH_S)
        assert (await door.post(BODY, headers))[0] == 200
        door.heard.clear()
        clock.at += timedelta(seconds=1)
        await door.refuses(BODY, headers, 401)
        await door.refuses(BODY, door.headers(BODY, ago_s=-FRESH_S - 2), 401)
    finally:
        await door.session.close()
        await door.server.aclose()


async def test_a_body_of_ten_megabytes_is_refused_before_it_is_read(door: Door) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(10 * 16):
            yield b"x" * 65536

    large = b"x" * (BODY_MAX + 1)
    await door.refuses(io.BytesIO(large), door.headers(large), 413)
    # Without a length it is seen while it is read, and no more than the bound is kept.
    try:
        await door.refuses(pieces(), door.headers(b""), 413)
    except aiohttp.ClientConnectionError:
        assert door.heard == []
    allowed = BODY + b"&more=" + b"x" * (BODY_MAX - len(BODY) - 6)
    assert (await door.post(io.BytesIO(allowed), door.headers(allowed)))[0] == 200


async def raw(door: Door, head: Mapping[str, str], body: bytes, *, path: str = "/slack/events") -> bytes:
    """What comes back when the headers say one thing and *body* is what comes."""
    url = URL(door.server.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    lines = [f"POST {path} HTTP/1.1", f"Host: {url.host}", *(f"{k}: {v}" for k, v in head.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode() + body)
    await writer.drain()
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await asyncio.gather(writer.wait_closed(), return_exceptions=True)
    return answer


async def test_ten_megabytes_that_are_only_announced_are_refused_without_waiting(door: Door) -> None:
    answer = await raw(door, door.headers(BODY) | {"Content-Length": str(10 * 1024**2)}, b"")
    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_a_body_that_does_not_come_is_not_waited_for(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_mode, "READ_S", 0.05)
    answer = await raw(door, door.headers(BODY) | {"Content-Length": str(len(BODY))}, BODY[:-1])
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert door.heard == []


async def test_only_so_many_large_bodies_are_read_at_once_and_small_ones_always(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_mode, "READING_MAX", 0)
    large = BODY + b"&more=" + b"x" * http_mode.SMALL_MAX
    await door.refuses(large, door.headers(large), 503)
    answer = await raw(door, door.headers(BODY) | {"Transfer-Encoding": "chunked"}, b"")
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert await door.post(BODY, door.headers(BODY)) == (200, "taken")


@pytest.mark.parametrize(("why", "never"), [("large", True), ("other", False), ("busy", False)])
async def test_slack_is_told_not_to_try_again_only_where_that_would_be_refused_as_well(
    door: Door, monkeypatch: pytest.MonkeyPatch, why: str, never: bool
) -> None:
    monkeypatch.setattr(http_mode, "READING_MAX", 0)
    body = BODY + b"&more=" + b"x" * (0 if why == "other" else http_mode.SMALL_MAX)
    if why == "large":
        monkeypatch.setattr(http_mode, "BODY_MAX", 10)
    headers = door.headers(body)
    if why == "other":
        headers |= {"X-Slack-Signature": "v0=" + "0" * 64}
    async with door.session.post(door.server.url, data=body, headers=headers) as answer:
        assert (answer.headers.get("X-Slack-No-Retry") == "1") is never


async def test_who_hangs_up_amid_a_request_leaves_nothing_behind(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    url = URL(door.server.url)
    _, writer = await asyncio.open_connection(url.host, url.port)
    head = door.headers(BODY) | {"Content-Length": str(len(BODY)), "Host": "x"}
    lines = ["POST /slack/events HTTP/1.1", *(f"{k}: {v}" for k, v in head.items()), "", ""]
    writer.write("\r\n".join(lines).encode() + BODY[:10])
    await writer.drain()
    writer.close()
    await asyncio.gather(writer.wait_closed(), return_exceptions=True)
    assert await door.post(BODY, door.headers(BODY)) == (200, "taken")
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_a_body_in_broken_pieces_is_refused(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    answer = await raw(door, door.headers(BODY) | {"Transfer-Encoding": "chunked"}, b"5\r\nhello\r\nZZ\r\n")
    assert b" 400 " in answer.splitlines()[0]
    assert door.heard == []
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


DEEP = "[" * (DEPTH_MAX + 2) + "]" * (DEPTH_MAX + 2)


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"", JSON, 400),
        (b"", FORM, 400),
        (b"{", JSON, 400),
        (b"[]", JSON, 400),
        (b"1", JSON, 400),
        (b"null", JSON, 400),
        (b'"{}"', JSON, 400),
        (b"\xff\xfe", JSON, 401),
        (b"payload=%FF", FORM, 400),
        (b"payload=", FORM, 400),
        (b"payload=[]", FORM, 400),
        (b"payload={", FORM, 400),
        (b"hello=1", FORM, 400),
        (f'{{"type": "event_callback", "event": {DEEP}}}'.encode(), JSON, 400),
        (urlencode({"payload": f'{{"a": {DEEP}}}'}).encode(), FORM, 400),
        (b'{"a": ' + b"[" * 100_000, JSON, 400),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", JSON, 400),
    ],
    ids=lambda value: str(value)[:60],
)
async def test_a_signed_body_that_is_no_payload_breaks_nothing(
    door: Door, body: bytes, content_type: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    found, _ = await door.post(body, door.headers(body, content_type))
    assert (found, door.heard) == (status, [])
    assert [record for record in caplog.records if record.name.startswith("aiohttp.server")] == []


@pytest.mark.parametrize(
    "payload",
    [
        {"type": "event_callback", "authorizations": [1], "event": {"type": "message"}},
        {"type": "event_callback", "authorizations": 1, "event": {"type": "app_mention"}},
        {"type": "event_callback", "event": "message"},
        {"type": "event_callback", "event": {}},
        {"type": "event_callback", "event": {"type": []}},
        {"type": "block_actions", "actions": []},
        {"type": "block_actions", "actions": {}},
        {"type": "view_submission", "view": 1},
        {"type": "view_submission", "view": {"callback_id": []}},
        {"type": {}},
        {"type": "url_verification"},
        {"user": 1, "team": 2, "channel": [], "enterprise": "", "response_urls": [1, 2]},
        {"command": ["/imagine"]},
    ],
    ids=str,
)
async def test_a_signed_payload_of_odd_parts_does_nothing_and_is_answered(
    door: Door, payload: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    body = json.dumps(payload).encode()
    status, _ = await door.post(body, door.headers(body, JSON))
    assert status in (200, 400, 404, 500)
    assert door.heard == []
    assert [record for record in caplog.records if record.name.startswith("aiohttp.server")] == []


async def test_what_breaks_in_us_is_answered_and_logged_without_its_words(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    async def breaks(_: object) -> None:
        raise ValueError("a secret prompt")

    door.app.async_dispatch = breaks  # type: ignore[assignment,method-assign] # why: as a fault of Bolt's
    headers = door.headers(BODY)
    async with door.session.post(door.server.url, data=BODY, headers=headers) as answer:
        assert (answer.status, await answer.text()) == (500, "broke\n")
        assert "X-Slack-No-Retry" not in answer.headers
    assert "ValueError at" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
async def test_nothing_but_post_is_taken(door: Door, method: str) -> None:
    headers = door.headers(BODY)
    async with door.session.request(method, door.server.url, data=BODY, headers=headers) as answer:
        assert answer.status == 405
    assert door.heard == []


async def test_other_paths_are_not_there_and_healthz_says_that_it_lives(door: Door) -> None:
    base = door.server.url.removesuffix("/slack/events")
    for path in ("/", "/slack", "/slack/events/", "/slack/events/x", "/slack//events"):
        async with door.session.post(base + path, data=BODY, headers=door.headers(BODY)) as answer:
            assert answer.status == 404
    async with door.session.get(base + "/healthz") as answer:
        assert (answer.status, await answer.text()) == (200, "ok\n")
    assert door.heard == []


async def test_a_header_that_names_a_function_to_run_is_not_handed_on(door: Door) -> None:
    """Bolt knows such headers from its own lazy listeners; a replay could bring them along."""
    headers = door.headers(BODY)
    lazy = {"X-Slack-Bolt-Lazy-Only": "1", "X-Slack-Bolt-Lazy-Function-Name": "imagine"}
    assert await door.post(BODY, headers | lazy) == (200, "taken")


async def test_a_compressed_body_is_what_was_signed_or_nothing(door: Door) -> None:
    await door.refuses(b"\x1f\x8b" + BODY, door.headers(BODY) | {"Content-Encoding": "gzip"}, 401)


async def test_refusals_are_told_once_a_minute_without_what_was_sent(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    other = signed("f0" * 16, BODY, FORM, int(door.clock.now().timestamp()))
    for _ in range(5):
        await door.refuses(BODY, other, 401)
    told = [record.getMessage() for record in caplog.records if "refused" in record.getMessage()]
    assert len(told) == 1
    assert "SLACK_SIGNING_SECRET" in told[0]
    assert door.server.refused == {"signed with another secret": 5}
    for secret in ("Füchs", SECRET, other["X-Slack-Signature"]):
        assert secret not in caplog.text


async def test_what_is_being_answered_at_a_stop_is_answered_and_nothing_new_taken(door: Door) -> None:
    door.held.clear()
    answering = asyncio.ensure_future(door.post(BODY, door.headers(BODY)))
    await door.arrived.wait()
    stopping = asyncio.ensure_future(door.server.aclose())
    url = door.server.url
    while True:
        try:
            async with aiohttp.ClientSession() as other, other.get(url) as answer:
                assert answer.status
        except aiohttp.ClientConnectionError:
            break
    door.held.set()
    assert await answering == (200, "taken")
    await stopping
    assert not door.server.listening


async def test_a_port_that_is_taken_is_named_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        door = Door(port=port)
        with pytest.raises(CannotStart) as cannot:
            await door.server.start()
        await door.session.close()
    assert f"127.0.0.1, port {port}" in str(cannot.value)
    assert "slack.port" in str(cannot.value)


class _At(SignatureClock):
    def __init__(self, now: float) -> None:
        self._now = now

    def now(self) -> float:
        return self._now


@pytest.mark.parametrize("body", [b"", BODY, "ü🦊\u2028".encode(), b'{"a": 1}', b"\r\n", b"%00=%FF+"])
def test_the_official_helper_signs_as_the_sandbox_does_and_takes_what_it_signed(body: bytes) -> None:
    helper = SignatureVerifier(SECRET, _At(1_800_000_000))
    assert helper.generate_signature(timestamp="1800000000", body=body) == signature(
        SECRET, 1_800_000_000, body
    )
    assert helper.is_valid_request(body, signed(SECRET, body, FORM, 1_800_000_000))
    assert not helper.is_valid_request(body + b" ", signed(SECRET, body, FORM, 1_800_000_000))


def test_the_example_of_slacks_own_page_is_signed_like_there() -> None:
    """docs.slack.dev, Verifying requests from Slack: its secret, its request, its signature."""
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    secret = "8f742231b10e8888abcd99yyyzzz85a5"
    wanted = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    assert signature(secret, 1531420618, body) == wanted
