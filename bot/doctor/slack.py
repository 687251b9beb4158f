"""Slack's address, the bot's token, each of its scopes, and who the admins are."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from slack_sdk.web.async_client import AsyncWebClient

from bot.doctor.finding import Finding, Grade, fail, good, skip, warn
from bot.doctor.network import CONNECT_S, Heard, heard
from bot.doctor.slack_app import look_at_app
from bot.doctor.slack_calls import INSTALL, Asking, ask, form_of
from bot.settings import SLACK_URL, Settings
from darkroom.rendering.address import LOOPBACK
from darkroom.turns.model import ThreadReplies
from handlers.manifest import MESSAGE_SCOPES, SCOPE_REASONS, SCOPES
from handlers.outward import slack_session

ADMINS_MAX = 20
"""So many admins are looked up: each is a question to Slack."""
_USER = re.compile(r"[UW][A-Z0-9]{2,}")


@dataclass(frozen=True, slots=True)
class SlackSeen:
    """What was said of Slack, and what it says that the time is."""

    findings: list[Finding]
    times: list[Heard] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Bot:
    findings: list[Finding]
    times: list[Heard] = field(default_factory=list)
    app_id: str = ""


async def look_at_slack(settings: Settings, now: Callable[[], datetime], *, alive: bool) -> SlackSeen:
    """Every check of Slack's side. Where a Darkroom is *alive* no connection is opened beside its own."""
    url = settings.slack_url
    address = look_at_address(url)
    if address.grade is Grade.FAIL:
        return SlackSeen([address, skip("slack.bot_token", "there is no address to ask")])
    async with slack_session(url, CONNECT_S) as session:
        asking = Asking(session, url)
        bot, app = await asyncio.gather(
            _look_at_bot(settings, asking, now), look_at_app(settings, asking, now, alive=alive)
        )
    findings = [address, *bot.findings, *app.findings]
    if app.app_id and bot.app_id and app.app_id != bot.app_id:
        said = f"the tokens are of two apps: {bot.app_id} (bot token) and {app.app_id} (app-level token)"
        remedy = "Copy both from the same app's page: nothing that people do would arrive."
        findings.append(fail("slack.app_token", said, remedy))
    return SlackSeen(findings, bot.times)


def look_at_address(url: str) -> Finding:
    """Whether tokens go where they should."""
    check, parts = "slack.address", urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host:
        return fail(check, "SLACK_API_URL is no address", f"Unset it for Slack itself ({SLACK_URL}).")
    if parts.scheme == "https" and host == urlsplit(SLACK_URL).hostname:
        return good(check, host)
    if host in LOOPBACK:
        return good(check, f"{host}:{parts.port}, on this machine: a local Slack, not the real one")
    if parts.scheme == "http":
        remedy = "Use https, or unset SLACK_API_URL for Slack itself."
        return fail(check, f"the tokens would go to {host} without encryption", remedy)
    remedy = "Unset SLACK_API_URL unless you know why it is set."
    return warn(check, f"the tokens go to {host}, which is not Slack's", remedy)


async def _look_at_bot(settings: Settings, asking: Asking, now: Callable[[], datetime]) -> _Bot:
    check = "slack.bot_token"
    bad = form_of("SLACK_BOT_TOKEN", settings.slack_bot_token, "xoxb-", f"{INSTALL} → Bot User OAuth Token")
    if settings.slack_bot_token is None or bad is not None:
        said, remedy = bad or ("", "")
        return _Bot([fail(check, said, remedy), *_skipped(f"{check} comes first")])
    client = asking.client(settings.slack_bot_token)
    answer = await ask(client, "auth.test")
    times = heard("Slack", answer.headers, now())
    if not answer.well:
        said = f"Slack says {answer.error}" if answer.error else f"Slack cannot be reached ({answer.said})"
        return _Bot([fail(check, said, answer.remedy), *_skipped(f"{check} comes first")], times)
    bot_id = str(answer.body.get("bot_id") or "")
    if not bot_id:
        said = "it is a person's token, not a bot's"
        remedy = f"Copy the Bot User OAuth Token: {INSTALL}"
        return _Bot([fail(check, said, remedy), *_skipped("it is not a bot's token")], times)
    team = f"{answer.body.get('team')} ({answer.body.get('team_id')})"
    scopes = look_at_scopes(answer.headers, settings.slack.thread_replies)
    admins, profile = await asyncio.gather(
        _look_at_admins(settings, client), ask(client, "bots.info", bot=bot_id)
    )
    bot = profile.body.get("bot")
    app_id = str(bot.get("app_id") or "") if isinstance(bot, dict) else ""
    return _Bot([good(check, f"of {team}"), *scopes, *admins], times, app_id)


def _skipped(why: str) -> list[Finding]:
    return [skip("slack.scopes", why), skip("slack.admins", why)]


def look_at_scopes(headers: Mapping[str, str], replies: ThreadReplies) -> list[Finding]:
    """Each scope of the manifest that the token does not have, by what breaks without it."""
    check = "slack.scopes"
    told = next((value for name, value in headers.items() if name.lower() == "x-oauth-scopes"), None)
    if told is None:
        return [skip(check, "Slack did not say which ones the token has")]
    granted = {scope.strip() for scope in told.split(",") if scope.strip()}
    missing = [scope for scope in SCOPES if scope not in granted]
    if not missing:
        more = sorted(granted - {*SCOPES})
        beside = f"; and more than it needs: {', '.join(more)}" if more else ""
        return [good(check, f"all {len(SCOPES)} of the manifest{beside}")]
    remedy = (
        f"Add it ({INSTALL} → Scopes → Bot Token Scopes, or paste `darkroom manifest` again under App "
        "Manifest), then Reinstall to Workspace."
    )
    findings: list[Finding] = []
    for scope in missing:
        said = f"{scope} is missing: {SCOPE_REASONS[scope].without}"
        if scope in MESSAGE_SCOPES and replies is ThreadReplies.MENTIONS:
            findings.append(warn(check, f'{said}. slack.thread_replies = "mentions" does without', remedy))
        elif scope in MESSAGE_SCOPES:
            findings.append(fail(check, said, f'{remedy} Or do without: slack.thread_replies = "mentions".'))
        else:
            findings.append(fail(check, said, remedy))
    return findings


async def _look_at_admins(settings: Settings, client: AsyncWebClient) -> list[Finding]:
    check, named = "slack.admins", settings.slack.admins
    if not named:
        said = "nobody is named: the workspace's admins may do what admins do, and nobody is told of alerts"
        remedy = (
            'In darkroom.toml, under [slack]: admins = ["U0123ABCD"] (their profile → ⋮ → Copy member ID).'
        )
        return [warn(check, said, remedy)]
    found = await asyncio.gather(*(_why_not(client, user) for user in named[:ADMINS_MAX]))
    remedy = "Correct slack.admins: user ids such as U0123ABCD (profile → ⋮ → Copy member ID)."
    bad = [warn(check, why, remedy) for why in found if why]
    return bad or [good(check, f"{len(named)} named, and known to Slack")]


async def _why_not(client: AsyncWebClient, user: str) -> str:
    """Why that can be no admin; empty where nothing is against it."""
    if not _USER.fullmatch(user):
        return f"{user!r} is no user id"
    answer = await ask(client, "users.info", user=user)
    if answer.error == "user_not_found":
        return f"there is no {user} in this workspace"
    found = answer.body.get("user")
    if not answer.well or not isinstance(found, dict):
        return "" if answer.error == "missing_scope" else f"{user} could not be looked up ({answer.said})"
    for key, why in (
        ("deleted", "has no account any more"),
        ("is_bot", "is a bot"),
        ("is_stranger", "is of another workspace"),
        ("is_restricted", "is a guest"),
    ):
        if found.get(key):
            return f"{user} {why}"
    return ""
