"""``darkroom run`` in HTTP mode beside ``darkroom sandbox --http``, the way people start them."""

from __future__ import annotations

import re
import signal
import socket
from pathlib import Path

import aiohttp
import pytest
from pydantic import SecretStr

from bot.preflight import CannotStart, who_we_are
from bot.settings import Settings, plain_settings
from tests.bot.test_running import darkroom
from tests.fresh import with_books

PATH = "/bots/darkroom"


def free_port() -> int:
    """A port that nobody had a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.slow
async def test_a_bot_over_http_and_the_sandbox_find_each_other_by_what_is_printed(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}{PATH}"
    sandbox = await darkroom(tmp_path, "sandbox", "--port", "0", "--http", url)
    await sandbox.says("Ctrl-C")
    assert f"posts to {url}" in sandbox.said
    printed = dict(re.findall(r"^([A-Z_]+)=(\S+)$", sandbox.said, re.MULTILINE))
    assert len(printed["SLACK_SIGNING_SECRET"]) == 32
    del printed["SLACK_APP_TOKEN"]
    with_books(tmp_path / "data")
    mode = {
        "DARKROOM_SLACK__MODE": "http",
        "DARKROOM_SLACK__PORT": str(port),
        "DARKROOM_SLACK__PATH": PATH,
    }
    bot = await darkroom(tmp_path, "run", **printed, **mode)
    await bot.says("Darkroom is connected")
    base = printed["SLACK_API_URL"].removesuffix("/api/")
    async with aiohttp.ClientSession() as session:
        ask = {"viewer": "alice", "channel": "design", "text": "/imagine help"}
        async with session.post(f"{base}/control/type", json=ask) as answer:
            assert "--quality" in await answer.text()
        us = re.search(r"team \S+, bot (\w+)", bot.said)
        assert us is not None
        say = {"viewer": "alice", "channel": "design", "text": f"<@{us[1]}> help"}
        async with session.post(f"{base}/control/post", json=say) as answer:
            assert (await answer.json())["ok"]
        where = {"viewer": "alice", "channel": "design", "after": "0", "seconds": "30"}
        async with session.get(f"{base}/control/answers", params=where) as answer:
            assert "--quality" in await answer.text()
    assert await bot.ends(signal.SIGTERM) == 0
    assert "Traceback" not in bot.said
    assert printed["SLACK_SIGNING_SECRET"] not in bot.said
    assert await sandbox.ends(signal.SIGINT) == 0


@pytest.mark.proof
async def test_a_port_that_is_taken_ends_the_start_and_is_named(tmp_path: Path) -> None:
    sandbox = await darkroom(tmp_path, "sandbox", "--port", "0")
    await sandbox.says("Ctrl-C")
    printed = dict(re.findall(r"^([A-Z_]+)=(\S+)$", sandbox.said, re.MULTILINE))
    with_books(tmp_path / "data")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        mode = {"DARKROOM_SLACK__MODE": "http", "DARKROOM_SLACK__PORT": port}
        bot = await darkroom(tmp_path, "run", **printed, **mode)
        assert await bot.ends() == 2
    assert f"127.0.0.1, port {port}" in bot.said
    assert "Traceback" not in bot.said
    assert await sandbox.ends(signal.SIGINT) == 0


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:3000", "ftp://x/", "http://", "http://x:99999/", "http://x:0/"]
)
async def test_what_cannot_be_posted_to_is_refused(tmp_path: Path, url: str) -> None:
    sandbox = await darkroom(tmp_path, "sandbox", "--port", "0", "--http", url)
    assert await sandbox.ends() == 2
    assert "an address is wanted" in sandbox.said


def over_http(**secrets: str | None) -> Settings:
    """Settings of HTTP mode."""
    given = {"slack_bot_token": "xoxb-1", "openai_api_key": "sk-1"} | secrets
    kept = {name: SecretStr(value) for name, value in given.items() if value is not None}
    return plain_settings({"slack.mode": "http", **kept})


@pytest.mark.parametrize(
    ("secrets", "said"),
    [
        ({}, "SLACK_SIGNING_SECRET is missing"),
        ({"slack_signing_secret": " "}, "SLACK_SIGNING_SECRET is missing"),
        ({"slack_signing_secret": "xapp-1"}, "SLACK_SIGNING_SECRET is a token"),
        ({"slack_signing_secret": "0" * 32, "slack_bot_token": None}, "SLACK_BOT_TOKEN is missing"),
    ],
)
async def test_without_what_http_needs_nothing_is_asked_of_slack(
    secrets: dict[str, str | None], said: str
) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(CannotStart) as cannot:
            await who_we_are(over_http(**secrets), session, "http://127.0.0.1:9/")
    assert [fault for fault in cannot.value.faults if said in fault] == cannot.value.faults
    assert "SLACK_APP_TOKEN" not in str(cannot.value)
