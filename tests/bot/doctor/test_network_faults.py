"""Ports and proxies: each fault is named, with its remedy, and nothing else is."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator

import pytest

from bot.doctor import ports
from bot.doctor.finding import Grade
from tests.bot.doctor.patient import Patient, bad
from tests.bot.doctor.planted import Planted, is_named
from tests.bot.doctor.strange import answers, free_port, serving


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        yield int(listener.getsockname()[1])


@pytest.fixture
def free() -> int:
    """A port that nobody listens on."""
    return free_port()


async def test_the_port_for_slack_is_taken(patient: Patient, taken: int) -> None:
    patient.flags |= {"slack.mode": "http", "slack.port": str(taken)}
    said = f"another program listens on 127.0.0.1:{taken}"
    await is_named(patient, Planted("", lambda _: None, "slack.port", said, "set slack.port to another"))


async def test_the_port_for_watching_is_taken(patient: Patient, taken: int) -> None:
    patient.flags["watch.port"] = str(taken)
    said = f"another program listens on 127.0.0.1:{taken}"
    await is_named(patient, Planted("", lambda _: None, "watch.port", said, "set watch.port to another"))


async def test_another_program_that_says_that_it_is_alive_is_no_darkroom(patient: Patient) -> None:
    async with serving(answers("/healthz", 200, {})) as url:
        patient.flags["watch.port"] = url.rpartition(":")[2]
        taken = Planted("", lambda _: None, "watch.port", "another program listens", "set watch.port")
        await is_named(patient, taken)


async def test_both_ports_are_the_same(patient: Patient, free: int) -> None:
    patient.flags |= {"slack.mode": "http", "slack.port": str(free), "watch.port": str(free)}
    said = f"slack.port and watch.port are both {free}"
    await is_named(patient, Planted("", lambda _: None, "watch.port", said, "Set watch.port to another"))


@pytest.mark.parametrize(("slack", "watch"), [("0.0.0.0", "127.0.0.1"), ("127.0.0.1", "0.0.0.0")])  # noqa: S104 -- not bound, but looked at
async def test_a_port_of_all_addresses_is_that_of_each(
    patient: Patient, free: int, slack: str, watch: str
) -> None:
    patient.flags |= {"slack.mode": "http", "slack.port": str(free), "watch.port": str(free)}
    patient.flags |= {"slack.host": slack, "watch.host": watch}
    said = f"slack.port and watch.port are both {free}"
    await is_named(patient, Planted("", lambda _: None, "watch.port", said, "Set watch.port to another"))


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host"])
async def test_an_address_of_another_machine(patient: Patient, free: int, host: str) -> None:
    patient.flags |= {"watch.host": host, "watch.port": str(free)}
    said = f"{host} is no address of this machine"
    await is_named(patient, Planted("", lambda _: None, "watch.port", said, "Set watch.host to 127.0.0.1"))


async def test_a_port_that_this_account_may_not_have(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Which accounts may have which ports is the system's own affair.
    monkeypatch.setattr(ports, "_trouble", lambda *_: PermissionError(errno.EACCES, "Permission denied"))
    patient.flags["watch.port"] = "443"
    said = "this account may not listen on port 443"
    await is_named(patient, Planted("", lambda _: None, "watch.port", said, "1024 or more"))


async def test_a_port_that_changes_at_every_start(patient: Patient) -> None:
    patient.flags |= {"slack.mode": "http", "slack.port": "0"}
    loose = Planted("", lambda _: None, "slack.port", "nobody knows which", "a fixed number", Grade.WARN)
    await is_named(patient, loose)


async def test_a_proxy_that_does_not_answer(
    patient: Patient, free: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", f"http://alice:secretly@127.0.0.1:{free}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    said = f"the proxy 127.0.0.1:{free} (ALL_PROXY) does not answer"
    await is_named(patient, Planted("", lambda _: None, "network.proxy", said, "unset ALL_PROXY"))


async def test_a_proxy_is_told_without_its_password(
    patient: Patient, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://alice:secretly@127.0.0.1:{taken}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    [found] = bad(await patient.looked_at())
    assert (found.check, found.grade) == ("network.proxy", Grade.WARN)
    assert f"through the proxy 127.0.0.1:{taken}" in found.said
    assert "api.openai.com" in found.remedy
    assert "secretly" not in found.said + found.remedy


async def test_a_proxy_that_only_some_calls_go_through(
    patient: Patient, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{taken}")
    said = f"only a part of the calls goes through the proxy 127.0.0.1:{taken} (HTTP_PROXY)"
    planted = Planted("", lambda _: None, "network.proxy", said, "Set HTTPS_PROXY", Grade.WARN)
    await is_named(patient, planted)


@pytest.mark.parametrize("value", ["proxy", "http://[", "socks5://127.0.0.1:1080"])
async def test_a_proxy_that_is_none(patient: Patient, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("all_proxy", value)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    found = bad(await patient.looked_at())
    assert [(one.check, one.grade) for one in found] == [("network.proxy", Grade.FAIL)]
    assert "unset" in found[0].remedy
