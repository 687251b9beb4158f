"""``darkroom manifest``: for the chosen mode, commands and scopes, and always one that Slack would take."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft7Validator

from bot.cli import main
from handlers.manifest import MESSAGE_EVENTS, MESSAGE_SCOPES, SCOPES

SCHEMAS = Path(__file__).parents[1] / "fixtures" / "manifest"
URL = "https://darkroom.example.com"


@pytest.fixture(autouse=True)
def _an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def printed(*arguments: str) -> Result:
    """What ``darkroom manifest`` prints."""
    return CliRunner().invoke(main, ["manifest", *arguments])


def made(*arguments: str) -> dict[str, Any]:
    """The manifest, which is all that stands on standard output."""
    manifest: dict[str, Any] = json.loads(printed(*arguments).stdout)
    return manifest


def addresses(manifest: dict[str, Any]) -> list[str]:
    """Every address in a manifest."""
    settings = manifest["settings"]
    places = [
        *manifest["features"]["slash_commands"],
        settings["event_subscriptions"],
        settings["interactivity"],
    ]
    return [place[key] for place in places for key in place if key.endswith("url")]


@pytest.mark.parametrize("mentions", [(), ("--mentions-only",)])
@pytest.mark.parametrize("http", [(), ("--http", URL)])
@pytest.mark.parametrize("prefix", [(), ("--command-prefix", "test")])
@pytest.mark.parametrize("version", ["1.0.0", "2.0.0"])
def test_slacks_own_schema_takes_it_in_every_choice(
    version: str, prefix: tuple[str, ...], http: tuple[str, ...], mentions: tuple[str, ...]
) -> None:
    schema = json.loads((SCHEMAS / f"manifest.schema.{version}.json").read_text())
    manifest = made(*prefix, *http, *mentions)
    manifest["_metadata"]["major_version"] = int(version[0])
    assert [error.message for error in Draft7Validator(schema).iter_errors(manifest)] == []


def test_the_prefix_names_the_commands() -> None:
    commands = made("--command-prefix", "test")["features"]["slash_commands"]
    assert [command["command"] for command in commands] == ["/test-imagine", "/test-spend"]
    assert "lower-case letters" in printed("--command-prefix", "Not this").output


def test_over_http_everything_goes_to_one_address_and_no_socket_is_asked_for() -> None:
    manifest = made("--http", URL)
    assert addresses(manifest) == [f"{URL}/slack/events"] * 4
    assert manifest["settings"]["socket_mode_enabled"] is False
    assert addresses(made()) == []


@pytest.mark.parametrize(
    ("given", "becomes"),
    [
        (f"{URL}/", f"{URL}/slack/events"),
        (f"{URL}:8443/bots/darkroom/slack/events", f"{URL}:8443/bots/darkroom/slack/events"),
    ],
)
def test_behind_a_proxy_the_address_may_have_a_path_of_its_own(given: str, becomes: str) -> None:
    assert set(addresses(made("--http", given))) == {becomes}


@pytest.mark.parametrize(
    "given",
    [
        "darkroom.example.com",
        "http://darkroom.example.com/slack/events",
        "https://",
        "https://a b.example.com",
        f"{URL}/slack/events?key=1",
        f"{URL}/slack#events",
        "https://user:word@example.com/",
        f"{URL}:port/",
        f"{URL}/{'x' * 3_500}",
    ],
)
def test_an_address_that_slack_would_not_take_is_refused(given: str) -> None:
    refused = printed("--http", given)
    assert refused.exit_code == 2
    assert refused.stdout == ""
    assert "Slack" in refused.output


def test_with_mentions_only_it_asks_for_no_messages_of_channels_and_for_all_the_rest() -> None:
    full, less = made(), made("--mentions-only")
    assert less["oauth_config"]["scopes"]["bot"] == [one for one in SCOPES if one not in MESSAGE_SCOPES]
    events = full["settings"]["event_subscriptions"]["bot_events"]
    fewer = less["settings"]["event_subscriptions"]["bot_events"]
    assert fewer == [one for one in events if one not in MESSAGE_EVENTS]
    assert {"app_mention", "message.im"} <= set(fewer)
    assert less["features"] == full["features"]


def test_what_is_not_said_comes_from_the_settings(tmp_path: Path) -> None:
    (tmp_path / "darkroom.toml").write_text(
        '[slack]\ncommand_prefix = "night"\npath = "/in"\nmode = "http"\n'
    )
    refused = printed()
    assert refused.exit_code == 2
    assert "--http https://darkroom.example.com/in" in refused.output
    manifest = made("--http", URL)
    assert set(addresses(manifest)) == {f"{URL}/in"}
    assert manifest["features"]["slash_commands"][0]["command"] == "/night-imagine"
