"""Faults on Slack's side: each is named, with its remedy, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.doctor.finding import Grade
from handlers.manifest import MESSAGE_SCOPES, SCOPE_REASONS, SCOPES
from sandbox.slack.limits import SOCKETS_MAX
from sandbox.slack.model import Fault, Json
from tests.bot.doctor.patient import Patient, bad
from tests.bot.doctor.planted import Planted, each, is_named
from tests.bot.doctor.strange import free_port, says_on_a_socket, serving

WARN = Grade.WARN
BOT, APP, ADMINS = "slack.bot_token", "slack.app_token", "slack.admins"


def _answer(method: str, error: str) -> Any:
    """Plants a refusal of *method*."""
    return lambda patient: patient.world.workspace.faults.append(Fault(method, error=error, times=99))


def _env(**changes: str | None) -> Any:
    """Plants other variables."""
    return lambda patient: patient.write_env(**changes)


def _admins(*ids: str) -> Any:
    return lambda patient: patient.flags.update({"slack.admins": ids})


def _uninstalled(patient: Patient) -> None:
    patient.world.workspace.installed = False


def _unknown(name: str) -> Any:
    """Plants a token of the right form that Slack does not know."""
    return lambda patient: patient.write_env(**{name: patient.env[name].replace("planted", "strange")})


def _person(patient: Patient) -> None:
    patient.world.workspace.bot_id = ""


def _gone(patient: Patient) -> None:
    alice = patient.world.workspace.user_named("alice")
    patient.world.workspace.users[alice.id] = replace(alice, deleted=True)


def _page(patient: Patient) -> None:
    patient.world.workspace.faults.append(Fault("auth.test", page="<html>Sign in</html>", times=99))


async def _connected(patient: Patient, count: int) -> None:
    async def send(_: Json) -> None:
        """Nobody reads it."""

    for _ in range(count):
        await patient.world.workspace.attach(send)


def _http(secret: str | None) -> Any:
    """Plants a signing secret, or none, in HTTP mode."""
    return lambda patient: patient.write_env(SLACK_SIGNING_SECRET=secret, **_mode())


def _mode() -> dict[str, Any]:
    return {"DARKROOM_SLACK__MODE": "http", "DARKROOM_SLACK__PORT": str(free_port())}


@each(
    Planted(
        "no bot token", _env(SLACK_BOT_TOKEN=None), BOT, "SLACK_BOT_TOKEN is missing", "Put it into .env"
    ),
    Planted(
        "a person's token by its looks",
        _env(SLACK_BOT_TOKEN="xoxp-1-planted"),
        BOT,
        "SLACK_BOT_TOKEN is a person's token",
        "Bot User OAuth Token",
    ),
    Planted(
        "the app-level token in its place",
        _env(SLACK_BOT_TOKEN="xapp-1-planted"),
        BOT,
        "SLACK_BOT_TOKEN is an app-level token",
        "Bot User OAuth Token",
    ),
    Planted(
        "a token with a space in it",
        _env(SLACK_BOT_TOKEN='"xoxb-1 2-planted"'),
        BOT,
        "characters that no token has",
        "without quotes or spaces",
    ),
    Planted(
        "a token that Slack does not know", _unknown("SLACK_BOT_TOKEN"), BOT, "invalid_auth", "Copy it again"
    ),
    Planted(
        "a revoked token", _answer("auth.test", "token_revoked"), BOT, "token_revoked", "Install the app"
    ),
    Planted("an app that was removed", _uninstalled, BOT, "account_inactive", "install it again"),
    Planted(
        "token rotation", _answer("auth.test", "token_expired"), BOT, "token_expired", "darkroom manifest"
    ),
    Planted("a token of no bot", _person, BOT, "not a bot's", "Bot User OAuth Token"),
    Planted("a page instead of Slack", _page, BOT, "cannot be reached", "a proxy"),
    Planted("nobody named as admin", _admins(), ADMINS, "nobody is told of alerts", "Copy member ID", WARN),
    Planted("a name for an admin", _admins("@alice"), ADMINS, "'@alice' is no user id", "member ID", WARN),
    Planted(
        "an admin that is nobody", _admins("U0NOBODY01"), ADMINS, "there is no U0NOBODY01", "Correct", WARN
    ),
    Planted("an admin who has left", _gone, ADMINS, "has no account any more", "Correct slack.admins", WARN),
    Planted(
        "no app token", _env(SLACK_APP_TOKEN=None), APP, "SLACK_APP_TOKEN is missing", "connections:write"
    ),
    Planted(
        "the bot token in its place",
        _env(SLACK_APP_TOKEN="xoxb-1-planted"),
        APP,
        "SLACK_APP_TOKEN is a bot token",
        "App-Level Tokens",
    ),
    Planted(
        "an app token unknown to Slack", _unknown("SLACK_APP_TOKEN"), APP, "invalid_auth", "Copy it again"
    ),
    Planted(
        "an app token without its scope",
        _answer("apps.connections.open", "missing_scope"),
        APP,
        "missing_scope",
        "connections:write",
    ),
    Planted(
        "another Darkroom with the same app",
        lambda patient: _connected(patient, 1),
        "slack.socket",
        "1 other program(s) are connected",
        "--command-prefix",
        WARN,
    ),
    Planted(
        "too many of them",
        lambda patient: _connected(patient, SOCKETS_MAX),
        "slack.socket",
        "too many programs",
        "Stop those",
    ),
    Planted(
        "no address for Slack",
        _env(SLACK_API_URL="slack.com/api"),
        "slack.address",
        "SLACK_API_URL is no address",
        "Unset it",
    ),
    Planted(
        "tokens without encryption",
        _env(SLACK_API_URL="http://slack.example.com/api/"),
        "slack.address",
        "without encryption",
        "Use https",
    ),
    Planted(
        "no signing secret for HTTP",
        _http(None),
        "slack.signing_secret",
        "SLACK_SIGNING_SECRET is missing",
        "App Credentials",
    ),
    Planted(
        "something else as signing secret",
        _http("xoxb-1-planted"),
        "slack.signing_secret",
        "it is no signing secret",
        "not the Client Secret",
    ),
)
async def test_a_fault_of_slacks_side(patient: Patient, planted: Planted) -> None:
    await is_named(patient, planted)


@pytest.mark.parametrize("scope", SCOPES)
async def test_a_missing_scope_is_named_with_what_breaks_without_it(patient: Patient, scope: str) -> None:
    patient.world.workspace.scopes -= {scope}
    planted = Planted(
        scope,
        lambda _: None,
        "slack.scopes",
        f"{scope} is missing: {SCOPE_REASONS[scope].without}",
        "Reinstall to Workspace",
    )
    await is_named(patient, planted)


async def test_scopes_that_mentions_alone_do_not_need_are_only_worth_a_word(patient: Patient) -> None:
    patient.flags["slack.thread_replies"] = "mentions"
    patient.world.workspace.scopes -= {*MESSAGE_SCOPES}
    found = bad(await patient.looked_at())
    assert [(one.check, one.grade) for one in found] == [("slack.scopes", WARN)] * len(MESSAGE_SCOPES)


async def test_tokens_of_two_apps_are_told_apart(patient: Patient) -> None:
    hello = {"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A0OTHER001"}}
    found = bad(await _with_a_socket_that_says(patient, hello))
    assert [one.check for one in found] == [APP]
    assert "A0DARKROOM (bot token) and A0OTHER001" in found[0].said
    assert "the same app's page" in found[0].remedy


async def test_socket_mode_that_is_off_is_named(patient: Patient) -> None:
    found = bad(await _with_a_socket_that_says(patient, {"type": "disconnect", "reason": "link_disabled"}))
    assert [one.check for one in found] == ["slack.socket"]
    assert "Socket Mode is off" in found[0].said
    assert "Enable Socket Mode" in found[0].remedy


async def test_a_socket_that_says_nothing_is_named(patient: Patient) -> None:
    found = bad(await _with_a_socket_that_says(patient))
    assert [one.check for one in found] == ["slack.socket"]
    assert "without saying hello" in found[0].said
    assert "firewall" in found[0].remedy


async def _with_a_socket_that_says(patient: Patient, *messages: Json) -> Any:
    async with serving(says_on_a_socket(*messages)) as url:
        body = {"ok": True, "url": f"{url.replace('http', 'ws', 1)}/link"}
        patient.world.workspace.faults.append(Fault("apps.connections.open", body=body))
        return await patient.looked_at()


async def test_a_slack_that_nobody_can_reach_is_said_of_both_tokens(patient: Patient) -> None:
    patient.write_env(SLACK_API_URL=f"http://127.0.0.1:{free_port()}/api/")
    found = bad(await patient.looked_at())
    assert [one.check for one in found] == [BOT, APP]
    for one in found:
        assert "cannot be reached" in one.said
        assert "status.slack.com" in one.remedy


async def test_the_probe_hangs_up_and_leaves_the_other_connections(patient: Patient) -> None:
    await _connected(patient, 2)
    await patient.looked_at()
    await patient.world.workspace.until(lambda w: len(w.delivery.sockets) == 2 or None, 5)


async def test_in_http_mode_no_app_token_is_asked_for(patient: Patient) -> None:
    patient.write_env(SLACK_APP_TOKEN=None, **_mode())
    assert bad(await patient.looked_at()) == []
