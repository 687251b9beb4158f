"""The image API: whose it is, its key, and each model that the settings name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

import aiohttp

from bot.doctor.finding import Finding, Grade, fail, good, skip, warn
from bot.doctor.models import Candidate, look_at_access
from bot.doctor.network import CONNECT_S, Heard, heard
from bot.settings import Settings
from darkroom.rendering.access import ModelSeen
from darkroom.rendering.address import LOOPBACK, OPENAI_URL, provider_name
from darkroom.rendering.job import FailureKind
from handlers.outward import proxy_for

KEY_PLACE = "platform.openai.com → API keys"
_BILLING = "platform.openai.com → Settings → Billing (and the project's limits)"
_NOT_KEYS = {
    "sk-admin-": "an admin key, which makes no pictures",
    "xox": "a token of Slack's",
    "xapp-": "a token of Slack's",
}


@dataclass(frozen=True, slots=True)
class ApiSeen:
    """What was said of the API, and what it says that the time is."""

    findings: list[Finding]
    times: list[Heard] = field(default_factory=list)


async def look_at_api(
    settings: Settings, candidates: Sequence[Candidate], now: Callable[[], datetime]
) -> ApiSeen:
    """The address, the key, and what the API says of each candidate; each is asked for once."""
    url = settings.openai_url
    address, key = look_at_address(settings.openai_base_url), look_at_key(settings)
    findings = [address, key, *look_at_admin_key(settings)]
    if Grade.FAIL in (address.grade, key.grade):
        return ApiSeen([*findings, skip("models.access", f"{_first_bad(findings)} comes first")])
    times, seen = await asyncio.gather(_time(url, now), _ask(settings, candidates))
    if (trouble := _trouble(seen, url)) is not None:
        findings = [each for each in findings if each.check != trouble.check]
        findings += [trouble, skip("models.access", f"{trouble.check} comes first")]
        return ApiSeen(findings, times)
    findings += [
        found for each in candidates for found in look_at_access(each, seen[each.model], now().date())
    ]
    return ApiSeen(findings, times)


def _first_bad(findings: Sequence[Finding]) -> str:
    return next(each.check for each in findings if each.grade is Grade.FAIL)


def look_at_address(base_url: str | None) -> Finding:
    """Who is on the other end."""
    check, parts = "openai.address", urlsplit(base_url or OPENAI_URL)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host:
        return fail(check, "OPENAI_BASE_URL is no address", f"Unset it for OpenAI itself ({OPENAI_URL}).")
    name = provider_name(base_url)
    if name == "openai" and parts.scheme == "https":
        return good(check, f"{host}, OpenAI's own: your contract with OpenAI")
    if host in LOOPBACK:
        return good(check, f"{name}, on this machine: a local image API, not OpenAI")
    if parts.scheme == "http":
        remedy = "Use https, or unset OPENAI_BASE_URL for OpenAI itself."
        return fail(check, f"the key and all prompts would go to {host} without encryption", remedy)
    return warn(
        check,
        f"{name} is not OpenAI: a contract of its own, with its own models, prices and rules for your data",
        "Look that prices (catalogue.file) and rules for data are those of this contract. For OpenAI itself "
        "unset OPENAI_BASE_URL.",
    )


def look_at_key(settings: Settings) -> Finding:
    """By its looks."""
    check, secret = "openai.key", settings.openai_api_key
    key = secret.get_secret_value() if secret is not None else ""
    remedy = f"Put the key of an OpenAI project into .env: {KEY_PLACE}"
    if not key.strip():
        return fail(check, "OPENAI_API_KEY is missing", remedy)
    for start, kind in _NOT_KEYS.items():
        if key.startswith(start):
            return fail(check, f"OPENAI_API_KEY is {kind}", remedy)
    if not key.isascii() or not key.isprintable() or any(letter in key for letter in " \"'"):
        said = "OPENAI_API_KEY has characters that no key has"
        return fail(check, said, f"Copy it again, without quotes or spaces: {KEY_PLACE}")
    return good(check, "there, and of the right form")


def look_at_admin_key(settings: Settings) -> list[Finding]:
    """By its looks; nothing where there is none, since the bot needs none."""
    check, secret = "openai.admin_key", settings.openai_admin_key
    if secret is None or not secret.get_secret_value().strip():
        return []
    if not secret.get_secret_value().startswith("sk-admin-"):
        said = "OPENAI_ADMIN_KEY is no admin key: those begin with sk-admin-"
        remedy = (
            "Only `darkroom spend reconcile` needs one: take it from the organisation's page, or unset it."
        )
        return [warn(check, said, remedy)]
    return [good(check, "there, and of the right form; only `darkroom spend reconcile` uses it")]


async def _ask(settings: Settings, candidates: Sequence[Candidate]) -> Mapping[str, ModelSeen]:
    # OpenAI's client takes a second to import, which --help and settings that are wrong need not wait for.
    from darkroom.rendering.account import Account
    from darkroom.rendering.provider import Provider

    key = settings.openai_api_key
    account = Account(Provider(settings.openai_base_url, key.get_secret_value() if key is not None else ""))
    try:
        seen = await asyncio.gather(*(account.look_up(name) for name in {each.model for each in candidates}))
    finally:
        await account.aclose()
    return {each.model: each for each in seen}


def _trouble(seen: Mapping[str, ModelSeen], url: str) -> Finding | None:
    """What keeps the API from saying anything of any model; None where it said something of one."""
    first = next(iter(seen.values()), None)
    if first is None or any(each.access != "unknown" for each in seen.values()):
        return None
    said = f"it says: {first.message} ({first.code})"
    host = urlsplit(url).hostname or url
    match first.kind:
        case FailureKind.KEY:
            remedy = f"Make a new key that may read models and write responses and images: {KEY_PLACE}"
            return fail("openai.key", f"the API does not take it: {first.message} ({first.code})", remedy)
        case FailureKind.QUOTA:
            return fail("openai.credit", said, f"Add credit, or raise the limit: {_BILLING}")
        case FailureKind.REGION:
            remedy = "Run Darkroom where the API is offered (platform.openai.com/docs/supported-countries)."
            return fail("openai.region", said, remedy)
        case FailureKind.RATE:
            return warn("openai.answers", said, "Wait a minute, and look again.")
        case FailureKind.SERVER:
            return fail("openai.answers", f"{host} has trouble: {first.code}", "Look at status.openai.com.")
        case FailureKind.ACCESS:
            remedy = "The address has to be that of the API itself, such as https://api.openai.com/v1"
            return fail("openai.address", f"{host} knows no list of models ({first.code})", remedy)
    if first.code == "unreadable":
        remedy = (
            "Something between here and the API answers in its place: a proxy, a login page, OPENAI_BASE_URL."
        )
        return fail("openai.answers", f"{host} answers with something that is not the API's", remedy)
    remedy = "Check the network, a proxy or a firewall, OPENAI_BASE_URL, and status.openai.com."
    return fail("openai.answers", f"{host} cannot be reached ({first.code or first.message})", remedy)


async def _time(url: str, now: Callable[[], datetime]) -> list[Heard]:
    """What the API says that the time is. It is asked without a key, for which any answer will do."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(CONNECT_S)) as session,
            session.head(url, proxy=proxy_for(url), allow_redirects=False) as answer,
        ):
            return heard("the image API", answer.headers, now())
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        return []
