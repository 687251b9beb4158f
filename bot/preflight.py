"""Before anything is connected: can the models be used, are the tokens there, of the right kind, and does
Slack take them?"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.proxies import in_the_way
from bot.settings import Settings
from darkroom.clock import Clock
from darkroom.spending.catalogue import BadCatalogue, Catalogue, CatalogueProblem, load_catalogue
from handlers.outward import slack_client

CHECK_TIMEOUT_S = 10


class CannotStart(Exception):
    """Darkroom cannot start as things are; ``faults`` says of each thing what is wrong and what to do."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class Removed(CannotStart):
    """The app was removed from its workspace, or its token revoked: only a person can mend that, and to start
    again is of no use before."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are in which workspace, as ``auth.test`` says, and the tokens that say so."""

    bot_token: str
    app_token: str
    """Empty with HTTP."""
    team_id: str
    enterprise_id: str | None
    bot_user_id: str
    bot_id: str
    signing_secret: str = ""
    """Empty with Socket Mode, where nothing is signed."""

    def __repr__(self) -> str:
        return f"Identity({self.team_id}, {self.bot_user_id})"


async def who_we_are(settings: Settings, session: aiohttp.ClientSession, base_url: str) -> Identity:
    """Ask Slack with the tokens that the mode needs. Raises ``CannotStart``; never tries for long."""
    secrets = _secrets(settings)
    bot_token, app_token = secrets["SLACK_BOT_TOKEN"], secrets.get("SLACK_APP_TOKEN", "")
    bot = slack_client(base_url, bot_token, session)
    known = await _ask("SLACK_BOT_TOKEN", bot, "auth.test", base_url)
    if app_token:
        app = slack_client(base_url, app_token, session)
        await _ask("SLACK_APP_TOKEN", app, "apps.connections.open", base_url)
    if not known.get("bot_id"):
        raise CannotStart(["SLACK_BOT_TOKEN is not a bot's token. It is under OAuth & Permissions."])
    organisation = known.get("enterprise_id") if known.get("is_enterprise_install") else None
    return Identity(
        bot_token=bot_token,
        app_token=app_token,
        team_id=known["team_id"],
        enterprise_id=organisation,
        bot_user_id=known["user_id"],
        bot_id=known["bot_id"],
        signing_secret=secrets.get("SLACK_SIGNING_SECRET", ""),
    )


def _secrets(settings: Settings) -> dict[str, str]:
    """What the mode needs, by name."""
    wanted = [
        ("SLACK_BOT_TOKEN", settings.slack_bot_token, "xoxb-", "OAuth & Permissions → Bot User OAuth Token")
    ]
    if settings.slack.mode == "http":
        where = "Basic Information → App Credentials → Signing Secret"
        wanted.append(("SLACK_SIGNING_SECRET", settings.slack_signing_secret, "", where))
    else:
        where = "Basic Information → App-Level Tokens, with the scope connections:write"
        wanted.append(("SLACK_APP_TOKEN", settings.slack_app_token, "xapp-", where))
    faults: list[str] = []
    secrets: dict[str, str] = {}
    for name, secret, start, where in wanted:
        value = secret.get_secret_value().strip() if secret else ""
        if not value:
            faults.append(f"{name} is missing. It is on your app's page under {where}; put it into .env.")
        elif not value.startswith(start):
            faults.append(f"{name} does not start with {start}, so it is another kind of token. See {where}.")
        elif name == "SLACK_SIGNING_SECRET" and value.startswith(_TOKENS):
            faults.append(f"{name} is a token, not the signing secret. See {where}.")
        secrets[name] = value
    if settings.openai_api_key is None:
        faults.append("OPENAI_API_KEY is missing. Put the key of your OpenAI project into .env.")
    if faults:
        raise CannotStart(faults)
    return secrets


_TOKENS = ("xoxb-", "xapp-", "xoxp-", "xoxe", "sk-")

REMOVED = frozenset({"account_inactive", "token_revoked"})
"""What Slack says of a token that will never be good again. ``invalid_auth`` is not among them: it also means
an address that is not allowed to ask, such as a new one of a proxy's
(https://docs.slack.dev/reference/methods/auth.test)."""
_REMEDIES = {
    "invalid_auth": "The token is not valid (any more). Copy it again from your app's page.",
    "not_authed": "The token is empty.",
    "account_inactive": "The app was removed from the workspace. Install it again and copy the new token, or "
    "delete what is kept of that workspace: darkroom forget workspace",
    "token_revoked": "The token was revoked. Install the app again and copy the new one, or delete what is "
    "kept of that workspace: darkroom forget workspace",
    "not_allowed_token_type": "It is another kind of token than is needed here.",
    "missing_scope": "The app lacks a scope; compare it with manifest.yml and install it again.",
}


async def _ask(name: str, client: AsyncWebClient, method: str, base_url: str) -> dict[str, str]:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            answer = await client.api_call(method)
    except SlackApiError as error:
        said = str(error.response.get("error", "an error"))
        remedy = _REMEDIES.get(said, "See api.slack.com/methods for what it means.")
        kind_of = Removed if said in REMOVED else CannotStart
        raise kind_of([f"Slack answered {said} to {name}. {remedy}"]) from None
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        kind = type(error).__name__
        raise CannotStart(
            [f"Slack cannot be reached at {base_url} ({kind}). Check the network, a proxy, or SLACK_API_URL."]
        ) from None
    return dict(answer.data) if isinstance(answer.data, dict) else {}


def usable_proxies(settings: Settings) -> None:
    """Every proxy that the environment names is one that can be used. Raises ``CannotStart``."""
    found = in_the_way(slack_url=settings.slack_url, api_url=settings.openai_url)
    if found:
        raise CannotStart([str(each) for each in found])


def usable_catalogue(settings: Settings, clock: Clock) -> Catalogue:
    """The catalogue, with every configured model known, priced and not retired. Raises ``CannotStart``."""
    try:
        catalogue = load_catalogue(settings.catalogue.file)
    except BadCatalogue as bad:
        raise CannotStart([str(bad)]) from bad
    today = clock.now().date()
    faults: list[str] = []
    for name, model in [
        ("image.model", settings.image.model),
        *(("image.fallback", model) for model in settings.image.fallback),
    ]:
        try:
            catalogue.usable_image(model, today)
        except CatalogueProblem as problem:
            faults.append(f"{name}: {problem.args[0]}")
    try:
        catalogue.usable_host(settings.image.host_model, today)
    except CatalogueProblem as problem:
        faults.append(f"image.host_model: {problem.args[0]}")
    if faults:
        raise CannotStart(faults)
    return catalogue
