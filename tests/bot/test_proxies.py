"""Proxies in the environment: what can be used is, and what cannot is named before anybody is asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.forgetting import openai_problem, slack_problem
from bot.preflight import CannotStart, usable_proxies
from bot.proxies import PROXY_NAMES, NoProxy, Proxy, proxies
from bot.settings import plain_settings
from tests.bot.proxy_names import without_proxies
from tests.bot.test_running import darkroom
from tests.fresh import with_books

HERE = {"slack_api_url": "http://127.0.0.1:9/api/", "openai_base_url": "http://127.0.0.1:9/v1"}


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    without_proxies(monkeypatch)


def test_a_proxys_place_is_read_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://alice:secretly@proxy.example.com:3128")
    assert proxies() == [Proxy("HTTPS_PROXY", "proxy.example.com", 3128)]
    usable_proxies(plain_settings({}))


@pytest.mark.parametrize("name", PROXY_NAMES)
@pytest.mark.parametrize(
    "value", ["proxy.other.test:8080", "http://[", "socks5://127.0.0.1:1080", "foo://bar"]
)
def test_a_start_is_refused_that_no_call_would_come_out_of(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(CannotStart) as cannot:
        usable_proxies(plain_settings({}))
    [fault] = cannot.value.faults
    assert fault.startswith(f"{name} ")
    assert "unset" in fault
    assert value not in fault


def test_where_all_calls_stay_on_this_machine_no_proxy_is_in_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenAI's client is made without them there, and Slack's passes them by."""
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    assert [type(each) for each in proxies()] == [NoProxy]
    usable_proxies(plain_settings(HERE))
    with pytest.raises(CannotStart):
        usable_proxies(plain_settings({"slack_api_url": HERE["slack_api_url"]}))


def test_what_only_openai_s_client_reads_is_not_in_the_way_of_slack(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as where the image API is a gateway on this machine."""
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    usable_proxies(plain_settings({"openai_base_url": HERE["openai_base_url"]}))
    monkeypatch.setenv("HTTPS_PROXY", "socks5://127.0.0.1:1080")
    with pytest.raises(CannotStart):
        usable_proxies(plain_settings({"openai_base_url": HERE["openai_base_url"]}))


def test_where_nothing_goes_through_a_proxy_none_is_in_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://127.0.0.1:1080")
    monkeypatch.setenv("NO_PROXY", "*")
    usable_proxies(plain_settings({}))


@pytest.mark.parametrize(
    "value",
    [
        " http://alice:secretly@proxy.other.test:8080",
        "http://alice:secretly@proxy.other.test:8080\r",
        "http://alice:secretly#1@proxy.other.test:8080",
        "http://alice:99/secretly@proxy.other.test:8080",
        "http://alice:99#secretly@proxy.other.test:8080",
        "//alice:secretly@proxy.other.test:8080",
        "alice:secretly@proxy.other.test:8080",
        "http://alice:secretly@proxy.other.test:80800",
        "  ",
    ],
)
def test_what_clients_read_in_other_ways_is_refused_without_its_password(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", value)
    [found] = proxies()
    assert isinstance(found, NoProxy)
    for piece in ("alice", "secretly", "99", "8080"):
        assert piece not in str(found)


@pytest.mark.parametrize("arguments", [("spend", "reconcile"), ("doctor", "--live", "--limit", "5")])
def test_other_commands_that_call_openai_name_it_too(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    with_books(tmp_path / "data")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1234567890")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin-1234567890")
    monkeypatch.setenv("HTTPS_PROXY", "http://alice:secretly#1@proxy.other.test:8080")
    printed = CliRunner().invoke(main, list(arguments))
    assert printed.exit_code == 2
    assert "HTTPS_PROXY is no address of a proxy. Write it as" in printed.output
    assert "secretly" not in printed.output


async def test_what_is_left_of_somebody_is_told_with_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """``forget`` then deletes what is here, and says what could not be reached."""
    monkeypatch.setenv("HTTPS_PROXY", "socks5://127.0.0.1:1080")
    settings = plain_settings({"openai_api_key": "sk-1234567890", "slack_bot_token": "xoxb-1"})
    for problem in (openai_problem(settings), await slack_problem(settings, "T1")):
        assert "HTTPS_PROXY names a proxy of a kind that is not spoken" in str(problem)


@pytest.mark.slow
async def test_run_says_which_variable_it_is(tmp_path: Path) -> None:
    with_books(tmp_path / "data")
    bot = await darkroom(tmp_path, "run", HTTPS_PROXY="socks5://127.0.0.1:1080")
    assert await bot.ends() == 2
    assert "HTTPS_PROXY names a proxy of a kind that is not spoken (socks5)" in bot.said
    assert "Traceback" not in bot.said
