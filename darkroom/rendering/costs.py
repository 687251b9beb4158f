"""What OpenAI says the organisation was billed, by day: ``GET /v1/organization/costs`` with an admin key.

The client sends and authorises; the answer is read here, from its own text. Its type holds amounts as floats,
and the live API has been seen to send them as text too: an amount goes from its decimal digits straight to
an exact fraction, the fractions of a day are summed, and the sum is rounded once, half up, to a nano-dollar.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from math import floor
from typing import Any
from urllib.parse import urlsplit

import httpx2
import openai

from darkroom.clock import Clock, within
from darkroom.rendering import errors
from darkroom.rendering.address import LOOPBACK, OPENAI_URL, provider_name
from darkroom.rendering.provider import Provider
from darkroom.spending.money import NANO_PER_USD

ADMIN_KEYS_PAGE = "https://platform.openai.com/settings/organization/admin-keys"
"""Where an owner of the organisation makes an admin key."""
MAX_DAYS = 366
"""The longest span that is asked for at once."""
BUCKETS_PER_PAGE = 60
"""Days in a page; the API allows up to 180, and a page is read within `PAGE_TIMEOUT_S`."""
MAX_PAGES = 20
"""More pages than the longest span needs: an API that always has one more is stopped here."""
TRIES = 3
PAGE_TIMEOUT_S = 30.0
LONGEST_WAIT_S = 30.0
"""How long it is waited before another try; who is asked to wait longer is told so instead."""
MAX_PAGE_BYTES = 8 * 1024 * 1024
_MAX_USD = 10**12
_MAX_DECIMALS = 10_000
_RETRIED = (408, 409, 429)


class CostsUnavailable(Exception):
    """The bill could not be read; the message says why and what to do, and never has the key."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What was billed, in nano-dollars: on each UTC day that was asked for, and for each project by its id
    (empty where the API names none) over all of them."""

    days: Mapping[date, int]
    projects: Mapping[str, int]


def costs_url(base_url: str | None) -> str:
    """Where an admin key is sent: OpenAI's own addresses, or this very machine (the sandbox).

    An admin key opens the whole organisation. Where pictures are bought from somebody else, that address
    does not see it, and OpenAI's own is asked what was bought there.
    """
    if base_url and (provider_name(base_url) == "openai" or urlsplit(base_url).hostname in LOOPBACK):
        return base_url
    return OPENAI_URL


class OrganizationCosts:
    """Asks for the bill; each page is one request, sent up to `TRIES` times.

    *base_url* None is OpenAI's own. ValueError when *admin_key* cannot be a key.
    """

    def __init__(
        self,
        base_url: str | None,
        admin_key: str,
        clock: Clock,
        *,
        http_client: httpx2.AsyncClient | None = None,
    ) -> None:
        self._provider = Provider(base_url, admin_key, http_client=http_client)
        self._provider.client.admin_api_key = admin_key
        self._key = admin_key
        self._address = urlsplit(base_url or OPENAI_URL).netloc.rpartition("@")[2]
        self._clock = clock

    async def aclose(self) -> None:
        """Close the connections."""
        await self._provider.aclose()

    async def daily(self, first: date, last: date, projects: Sequence[str] = ()) -> Costs:
        """The bill of the UTC days from *first* to *last*, both included; of *projects* only, if any.

        Raises ``CostsUnavailable``; ValueError for more than `MAX_DAYS` days or none.
        """
        length = (last - first).days + 1
        if not 1 <= length <= MAX_DAYS:
            raise ValueError(f"between 1 and {MAX_DAYS} days, not {length}")
        sums = _Sums([first + timedelta(days=number) for number in range(length)])
        query: dict[str, Any] = {
            "start_time": _midnight(first),
            "end_time": _midnight(last + timedelta(days=1)),
            "bucket_width": "1d",
            "group_by": ["project_id"],
            "limit": BUCKETS_PER_PAGE,
        }
        if projects:
            query["project_ids"] = list(projects)
        for _ in range(MAX_PAGES):
            following = sums.add(await self._page(query))
            if following is None:
                return sums.costs()
            query["page"] = following
        raise CostsUnavailable(
            f"{self._address} always had one more page of costs; it was stopped after {MAX_PAGES}. "
            "Ask for fewer days, and try again."
        )

    async def _page(self, query: Mapping[str, Any]) -> object:
        """One page as its JSON says it, with decimals as they are written."""
        for tries_left in reversed(range(TRIES)):
            try:
                body = bytearray()
                if not await within(self._clock, PAGE_TIMEOUT_S, self._read(query, body)):
                    raise httpx2.ReadTimeout(f"no answer in {PAGE_TIMEOUT_S:g} s")
                return _parsed(body)
            except (openai.OpenAIError, httpx2.HTTPError) as error:
                wait = self._wait(error, TRIES - tries_left)
                if not tries_left or wait is None:
                    raise CostsUnavailable(self._sentence(error)) from None
            await self._clock.sleep(wait)
        raise AssertionError("the last try returns or raises")

    async def _read(self, query: Mapping[str, Any], body: bytearray) -> None:
        costs = self._provider.client.admin.organization.usage.with_streaming_response.costs
        async with costs(**query) as response:
            async for chunk in response.iter_bytes():
                body += chunk
                if len(body) > MAX_PAGE_BYTES:
                    raise CostsUnavailable(_garbage("it is too long"))

    def _wait(self, error: openai.OpenAIError | httpx2.HTTPError, tried: int) -> float | None:
        """Seconds until it is worth another try; None when it is not."""
        if isinstance(error, openai.APIStatusError):
            if error.status_code not in _RETRIED and error.status_code < 500:
                return None
            asked = errors.retry_after(error.message, error.response.headers)
            if asked is not None:
                return asked if asked <= LONGEST_WAIT_S else None
        return float(2**tried)

    def _sentence(self, error: openai.OpenAIError | httpx2.HTTPError) -> str:
        """What went wrong and what to do, for a person."""
        if not isinstance(error, openai.APIStatusError):
            return _no_answer(self._address, error)
        said = error.body.get("message") if isinstance(error.body, Mapping) else None
        quoted = (
            f" It says: {errors.scrub(said.replace(self._key, '[key]'))}" if isinstance(said, str) else ""
        )
        status = error.status_code
        if status == 401:
            what = (
                "does not accept the key in OPENAI_ADMIN_KEY. It must be an admin key (sk-admin-…), not a "
                f"project's key; make one at {ADMIN_KEYS_PAGE}."
            )
        elif status == 403:
            what = (
                "does not let this key read costs. OPENAI_ADMIN_KEY must be an admin key (sk-admin-…) with "
                f"the scope api.usage.read; make one at {ADMIN_KEYS_PAGE}."
            )
        elif status == 404 or status < 400:
            what = f"has no costs API ({status}). Check OPENAI_BASE_URL."
        elif status == 429:
            asked = errors.retry_after(error.message, error.response.headers)
            later = f"in {asked:.0f} seconds" if asked else "in a few minutes"
            what = f"has been asked too often (429). Try again {later}."
        elif status >= 500:
            what = f"has trouble of its own ({status}). Try again in a few minutes."
        else:
            what = f"refused the question ({status}). Check the days and --project."
        return f"{self._address} {what}{quoted}"


class _Sums:
    """Adds up pages; every amount is an exact fraction of a dollar until the end."""

    def __init__(self, days: Sequence[date]) -> None:
        self._days = dict.fromkeys(days, Fraction(0))
        self._projects: dict[str, Fraction] = {}
        self._seen: set[date] = set()
        self._cursors: set[str] = set()

    def add(self, page: object) -> str | None:
        """Take a page over; the cursor of the next one, None after the last. Raises ``CostsUnavailable``."""
        if not isinstance(page, dict) or not isinstance(page.get("data"), list):
            raise CostsUnavailable(_garbage("it has no buckets"))
        for bucket in page["data"]:
            self._bucket(bucket)
        if not page.get("has_more"):
            return None
        cursor = page.get("next_page")
        if not isinstance(cursor, str) or not cursor or cursor in self._cursors:
            raise CostsUnavailable(_garbage("it has more pages, but not a new one"))
        self._cursors.add(cursor)
        return cursor

    def costs(self) -> Costs:
        """In nano-dollars, each sum rounded once."""
        return Costs(
            {day: _nano(usd) for day, usd in self._days.items()},
            {project: _nano(usd) for project, usd in sorted(self._projects.items())},
        )

    def _bucket(self, bucket: object) -> None:
        start = bucket.get("start_time") if isinstance(bucket, dict) else None
        results = bucket.get("results") if isinstance(bucket, dict) else None
        if isinstance(start, bool) or not isinstance(start, int) or not isinstance(results, list):
            raise CostsUnavailable(_garbage("a bucket has no start or no results"))
        day = _day(start)
        if day in self._seen:
            raise CostsUnavailable(_garbage(f"it has {day} twice"))
        if day not in self._days:
            # A span is answered in whole buckets, and may bring one more at its end.
            return
        self._seen.add(day)
        for result in results:
            usd = _usd(result)
            project = result.get("project_id")
            self._days[day] += usd
            name = project if isinstance(project, str) else ""
            self._projects[name] = self._projects.get(name, Fraction(0)) + usd


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())


def _day(start: int) -> date | None:
    if start % 86_400 or not 0 <= start < 2**36:
        raise CostsUnavailable(_garbage("a bucket does not begin at midnight UTC"))
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=start)).date()


def _usd(result: object) -> Fraction:
    """The amount of a result, exactly: a JSON number or text, in dollars; credits are negative."""
    amount = result.get("amount") if isinstance(result, dict) else None
    if amount is None and isinstance(result, dict):
        return Fraction(0)
    if not isinstance(amount, dict):
        raise CostsUnavailable(_garbage("a result has no amount"))
    currency = amount.get("currency")
    if currency is not None and str(currency).lower() != "usd":
        raise CostsUnavailable(
            f"The organisation is billed in {errors.scrub(str(currency))[:20]}, and Darkroom counts US "
            "dollars: the two cannot be compared."
        )
    value = amount.get("value")
    if value is None:
        return Fraction(0)
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise CostsUnavailable(_garbage("an amount is no number"))
    try:
        usd = Decimal(value)
    except InvalidOperation:
        raise CostsUnavailable(_garbage("an amount is no number")) from None
    exponent = usd.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -_MAX_DECIMALS or usd.copy_abs() > _MAX_USD:
        raise CostsUnavailable(_garbage("an amount is no amount of money"))
    return Fraction(usd)


def _nano(usd: Fraction) -> int:
    """Half up to a nano-dollar, also below zero."""
    return floor(usd * NANO_PER_USD + Fraction(1, 2))


def _parsed(body: bytearray) -> object:
    try:
        return json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise CostsUnavailable(_garbage("it is no JSON")) from None


def _garbage(why: str) -> str:
    return (
        f"The answer of the costs API makes no sense: {why}. Check OPENAI_BASE_URL, and whether a proxy "
        "stands in between; if it stays so, tell Darkroom's maintainers."
    )


def _no_answer(address: str, error: Exception) -> str:
    cause = error.__cause__ if isinstance(error, openai.APIConnectionError) and error.__cause__ else error
    if isinstance(cause, httpx2.TimeoutException | openai.APITimeoutError):
        return f"{address} did not answer in time, {TRIES} times in a row. Try again in a few minutes."
    name = type(cause).__name__
    return f"{address} cannot be reached ({name}). Check the network, a proxy, and OPENAI_BASE_URL."
