"""Raw connections to the address that Slack posts to: idle, slow, too many, or with two meanings."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import pytest
from yarl import URL

from bot import http_mode
from bot.connections import Connections
from tests.bot.test_http_mode import BODY, Door

LENGTH = {"Content-Length": str(len(BODY))}
CHUNKED = {"Transfer-Encoding": "chunked"}
IN_PIECES = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
LONG_S = 20.0


class Line:
    """One connection to a door."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def says(self, what: bytes) -> Line:
        with contextlib.suppress(ConnectionError):
            self.writer.write(what)
            await self.writer.drain()
        return self

    async def hears(self) -> bytes:
        """All that comes until it is closed at the other end."""
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(LONG_S):
                return await self.reader.read()
        return b""

    async def status(self) -> int:
        """Of the next answer, whose body has a length; 0 when it is closed."""
        try:
            head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), LONG_S)
        except (asyncio.IncompleteReadError, ConnectionError):
            return 0
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        await self.reader.readexactly(int(length or b"0"))
        return int(head.split()[1])


class Hall(Door):
    """A door, and who stands before it."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.lines: list[Line] = []

    async def line(self) -> Line:
        """One more connection."""
        url = URL(self.server.url)
        self.lines.append(Line(*await asyncio.open_connection(url.host, url.port)))
        return self.lines[-1]

    async def close(self) -> None:
        """Everything."""
        self.held.set()
        for line in self.lines:
            line.writer.close()
        await asyncio.gather(*(line.writer.wait_closed() for line in self.lines), return_exceptions=True)
        await self.session.close()
        await self.server.aclose()


def request(
    headers: Mapping[str, str], body: bytes = BODY, line: str = "POST /slack/events HTTP/1.1"
) -> bytes:
    """The bytes of one."""
    head = [line, "Host: x", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(head).encode() + body


Opens = Callable[..., Awaitable[Hall]]


@pytest.fixture
async def doors() -> AsyncIterator[Opens]:
    """Opens doors whose connections are bounded in this way."""
    made: list[Hall] = []

    async def open_door(**bounds: Any) -> Hall:
        made.append(Hall(connections=Connections(**bounds)))
        await made[-1].server.start()
        return made[-1]

    yield open_door
    for door in made:
        await door.close()


@pytest.mark.parametrize("said", [b"", b"POST /slack/events HTTP/1.1\r\n", b"POST /sl"])
async def test_a_stranger_who_says_nothing_or_no_end_is_cut_off(doors: Opens, said: bytes) -> None:
    door = await doors(stranger_s=0.05)
    line = await (await door.line()).says(said)
    assert await line.hears() == b""


async def test_the_line_over_which_slack_came_is_a_strangers_no_more(doors: Opens) -> None:
    door = await doors(stranger_s=0.5)
    line = await door.line()
    for pause_s in (0.6, 0):
        await line.says(request(door.headers(BODY) | LENGTH))
        assert await line.status() == 200
        await asyncio.sleep(pause_s)
    assert len(door.heard) == 2


async def test_the_line_over_which_slack_came_is_closed_once_it_was_idle_for_long(doors: Opens) -> None:
    door = await doors(idle_s=0.4)
    line = await (await door.line()).says(request(door.headers(BODY) | LENGTH))
    assert await line.status() == 200
    assert await line.hears() == b""


async def test_too_many_strangers_go_the_oldest_first_and_slack_is_served(doors: Opens) -> None:
    door = await doors(at_most=4)
    slack = await (await door.line()).says(request(door.headers(BODY) | LENGTH))
    assert await slack.status() == 200
    strangers = [await door.line() for _ in range(3)]
    assert await (await (await door.line()).says(request(door.headers(BODY) | LENGTH))).status() == 200
    assert await strangers[0].hears() == b""
    await slack.says(request(door.headers(BODY) | LENGTH))
    assert await slack.status() == 200
    for line in [await door.line() for _ in range(40)][:30]:
        assert await line.hears() == b""
    await slack.says(request(door.headers(BODY) | LENGTH))
    assert await slack.status() == 200


async def test_of_lines_that_are_all_slacks_the_one_that_was_quiet_longest_goes(doors: Opens) -> None:
    door = await doors(at_most=2)
    lines = [await door.line() for _ in range(2)]
    for line in (*lines, lines[0]):
        await line.says(request(door.headers(BODY) | LENGTH))
        assert await line.status() == 200
    third = await (await door.line()).says(request(door.headers(BODY) | LENGTH))
    assert await third.status() == 200
    assert await lines[1].hears() == b""
    await lines[0].says(request(door.headers(BODY) | LENGTH))
    assert await lines[0].status() == 200


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("GET /healthz HTTP/1.1", b"200"),
        ("HEAD /healthz HTTP/1.1", b"200"),
        ("GET /wp-login.php HTTP/1.1", b"404"),
        ("POST //slack/events HTTP/1.1", b"404"),
        ("POST /slack%2Fevents HTTP/1.1", b"404"),
        ("POST /x/../slack/events HTTP/1.1", b"404"),
        ("OPTIONS * HTTP/1.1", b"404"),
        ("OPTIONS /slack/events HTTP/1.1", b"405"),
        ("CONNECT evil:80 HTTP/1.1", b"404"),
        ("POST /slack/events HTTP/1.1", b"401"),
    ],
)
async def test_who_is_not_slack_has_one_answer_and_no_second_request(
    doors: Opens, line: str, status: bytes
) -> None:
    door = await doors()
    twice = request({}, b"", line) + request(door.headers(BODY) | LENGTH)
    heard = await (await (await door.line()).says(twice)).hears()
    assert heard.split()[1] == status
    assert heard.count(b"HTTP/1.1 ") == 1
    assert door.heard == []


@pytest.mark.parametrize(
    ("more", "body"),
    [
        (LENGTH | CHUNKED, IN_PIECES),
        ({"Content-Length": "4"} | CHUNKED, IN_PIECES),
        (LENGTH | {"Content-length": "1"}, BODY),
        ({"Content-Length": f"+{len(BODY)}"}, BODY),
        ({"Content-Length": f"{len(BODY)}, {len(BODY)}"}, BODY),
        ({"Content-Length": "-1"}, BODY),
        ({"Content-Length ": str(len(BODY))}, BODY),
        ({"Transfer-Encoding": "xchunked"}, IN_PIECES),
        ({"Transfer-Encoding": "chunked, identity"}, IN_PIECES),
        (CHUNKED | {"transfer-encoding": "identity"}, IN_PIECES),
        (CHUNKED, b"FFFFFFFFFFFFFFFFF\r\n"),
        (CHUNKED, b"-5\r\n"),
        (LENGTH | {"Host ": "y"}, BODY),
        (LENGTH | {"host": "y"}, BODY),
        (LENGTH | {"X-A": "a\x00b"}, BODY),
        (LENGTH | {"X-A": "a\r\n folded"}, BODY),
        (LENGTH | {"X-A": "a" * 10_000}, BODY),
        (LENGTH | {f"X-{number}": "a" for number in range(200)}, BODY),
        (LENGTH | {"content-type": "application/json"}, BODY),
    ],
    ids=lambda value: str(value)[-60:],
)
async def test_a_request_with_two_meanings_has_none(
    doors: Opens, more: Mapping[str, str], body: bytes
) -> None:
    """What a proxy in front could have read in another way than we do."""
    door = await doors()
    heard = await (await (await door.line()).says(request({**door.headers(BODY), **more}, body))).hears()
    assert heard.split()[1] == b"400"
    assert door.heard == []


async def test_a_second_signature_or_time_counts_for_nothing(doors: Opens) -> None:
    door = await doors()
    wrong = {"X-Slack-Signature": "v0=" + "0" * 64, "X-Slack-Request-Timestamp": "1"}
    for name, value in wrong.items():
        swapped = {**door.headers(BODY), name: value, name.lower(): door.headers(BODY)[name]}
        line = await (await door.line()).says(request(swapped | LENGTH))
        assert await line.status() == 401
    assert door.heard == []


async def test_what_strangers_half_sent_does_not_keep_a_stop_waiting(
    doors: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = await doors()
    lines = [await door.line() for _ in range(8)]
    for line in lines[:4]:
        await line.says(request(door.headers(BODY) | LENGTH, BODY[:5]))
    async with asyncio.timeout(http_mode.CLOSE_S / 2):
        await door.server.aclose()
    for line in lines:
        assert b" 200 " not in await line.hears()


async def test_an_answer_that_does_not_come_keeps_a_stop_waiting_only_so_long(
    doors: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_mode, "CLOSE_S", 0.1)
    monkeypatch.setattr(http_mode, "CUT_S", 0.05)
    door = await doors()
    door.held.clear()
    line = await (await door.line()).says(request(door.headers(BODY) | LENGTH))
    await door.arrived.wait()
    async with asyncio.timeout(2):
        await door.server.aclose()
    assert await line.hears() == b""


async def test_what_comes_over_an_open_line_during_a_stop_is_to_come_again(doors: Opens) -> None:
    door = await doors()
    kept, held = await door.line(), await door.line()
    await kept.says(request(door.headers(BODY) | LENGTH))
    assert await kept.status() == 200
    door.arrived.clear()
    door.held.clear()
    await held.says(request(door.headers(BODY) | LENGTH))
    await door.arrived.wait()
    stopping = asyncio.ensure_future(door.server.aclose())
    await asyncio.sleep(0)
    heard = await (await kept.says(request(door.headers(BODY) | LENGTH))).hears()
    assert heard.startswith(b"HTTP/1.1 503 ")
    assert b"No-Retry" not in heard
    door.held.set()
    assert await held.status() == 200
    await stopping
    assert len(door.heard) == 2


async def test_a_port_can_be_had_again_at_once_after_a_stop(doors: Opens) -> None:
    door = await doors()
    port = URL(door.server.url).port
    line = await (await door.line()).says(request(door.headers(BODY) | LENGTH))
    assert await line.status() == 200
    await door.server.aclose()
    again = Hall(port=port)
    await again.server.start()
    assert await again.post(BODY, again.headers(BODY)) == (200, "taken")
    await again.close()


async def test_it_listens_at_an_address_of_ipv6() -> None:
    door = Hall(host="::1")
    await door.server.start()
    assert door.server.url.startswith("http://[::1]:")
    assert await door.post(BODY, door.headers(BODY)) == (200, "taken")
    await door.close()
