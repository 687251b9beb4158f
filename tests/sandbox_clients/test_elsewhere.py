"""`darkroom sandbox --host`: it warns, answers by that name, and nothing listens where it was not told to."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import sys
from pathlib import Path

import aiohttp
import pytest
from click.testing import CliRunner

from bot.cli import main

ROOT = Path(__file__).parents[2]
WAIT_S = 60
ELSEWHERE = "127.0.0.2"
"""An address that is loopback's, and yet not the usual one."""


def can_listen_at(host: str) -> bool:
    with socket.socket() as tried:
        try:
            tried.bind((host, 0))
        except OSError:
            return False
    return True


@pytest.mark.slow
@pytest.mark.skipif(not can_listen_at(ELSEWHERE), reason="only Linux has all of 127/8")
async def test_another_address_is_warned_of_and_answered_to(tmp_path: Path) -> None:
    arguments = ["-m", "bot", "sandbox", "--host", ELSEWHERE, "--port", "0"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(WAIT_S):
            said = (await process.stdout.readuntil(b"Stop it with Ctrl-C.")).decode()
        urls = dict(re.findall(r"^(SLACK_API_URL|OPENAI_BASE_URL)=(\S+)$", said, re.MULTILINE))

        assert f"It listens at {ELSEWHERE} and has no password" in said
        assert all(url.startswith(f"http://{ELSEWHERE}:") for url in urls.values())
        async with aiohttp.ClientSession() as session:
            for url, status in (
                (urls["SLACK_API_URL"] + "auth.test", 200),
                (urls["OPENAI_BASE_URL"] + "/models", 401),
            ):
                async with session.get(url) as answer:
                    assert answer.status == status
                async with session.get(url, headers={"Host": "evil.example"}) as answer:
                    assert answer.status == 403
    finally:
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(WAIT_S):
            await process.communicate()
    assert process.returncode == 0


def test_an_address_that_is_not_this_machines_is_said_plainly() -> None:
    host = "203.0.113.7"  # of documentation, and so nobody's
    printed = CliRunner().invoke(main, ["sandbox", "--host", host, "--port", "0"])

    assert printed.exit_code == 2
    assert f"Nothing can listen at {host}, port 0" in printed.output
    assert "--host takes an address of this machine" in printed.output


def test_the_help_says_that_it_listens_on_loopback_and_has_no_password() -> None:
    printed = CliRunner().invoke(main, ["sandbox", "--help"])

    assert "127.0.0.1" in printed.output
    assert "no password" in " ".join(printed.output.split())
