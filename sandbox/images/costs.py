"""What the organisation is billed: every generation at the API's own prices, by day.

It is told in the shape of `GET /v1/organization/costs`: buckets of one UTC day with their results, in pages.
A call is billed on the day on which it came in.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sandbox.images import errors
from sandbox.images.errors import Refusal

Json = dict[str, Any]
DAY = 86_400
ORGANIZATION, PROJECT, KEY_ID, USER = "org-sandbox", "proj_sandbox", "key_sandbox", "user-sandbox"
GROUPS = ("project_id", "user_id", "line_item", "api_key_id", "api_source")
MOST_BUCKETS = 180
_USUAL_BUCKETS = 7
_KNOWN = {
    "start_time", "end_time", "bucket_width", "group_by", "limit", "page", "project_ids", "api_key_ids",
    "line_items",
}  # fmt: skip
_LATEST = 253_402_300_799

_FAMILY_2 = {
    "text_input": 5_000,
    "cached_text_input": 1_250,
    "image_input": 8_000,
    "cached_image_input": 2_000,
    "image_output": 30_000,
}
_FAMILY_15 = _FAMILY_2 | {"image_output": 32_000}
_MINI = {
    "text_input": 2_000,
    "cached_text_input": 200,
    "image_input": 2_500,
    "cached_image_input": 250,
    "image_output": 8_000,
}
_IMAGE = {"gpt-image-1.5": _FAMILY_15, "chatgpt-image-latest": _FAMILY_15, "gpt-image-1-mini": _MINI}
"""Nano-dollars a token, where they are not those of the families 2, 2.5 and 2.6."""
_LUNA = {"host_input": 200, "host_cached_input": 20, "host_cache_write": 200, "host_output": 1_200}
_HOST = {
    "gpt-6-luna": {"host_input": 100, "host_cached_input": 10, "host_cache_write": 100, "host_output": 500},
    "gpt-6.1-terra": {
        "host_input": 1_000,
        "host_cached_input": 50,
        "host_cache_write": 1_250,
        "host_output": 5_000,
    },
}
"""The same for hosts; those that are not listed cost what gpt-5.6-luna does."""


@dataclass(frozen=True)
class Query:
    """A checked question: unix seconds from `start` to before `end`, and which buckets of them."""

    start: int
    end: int
    first: int
    limit: int
    groups: frozenset[str]
    projects: frozenset[str] | None
    keys: frozenset[str] | None
    items: frozenset[str] | None


class Bill:
    """What was billed, by day and line item; the oldest days beyond `most_days` are forgotten.

    May be changed at any time: `factor`, by which everything that is told is off, and `as_text`, whether
    amounts are told as JSON strings (as the live API has been seen to do) instead of as numbers.
    """

    def __init__(self, most_days: int = 1_000) -> None:
        self.factor = Fraction(1)
        self.as_text = False
        self._most_days = most_days
        self._days: dict[int, dict[str, tuple[int, int]]] = {}

    def charge(self, at: float, host: str | None, image: str | None, billed: Mapping[str, int]) -> None:
        """Bill one generation that came in at `at` (unix seconds): tokens per class, disjoint."""
        items = self._days.setdefault(int(at) // DAY, {})
        for name, tokens in billed.items():
            model, prices = (
                (host, host_prices(host)) if name.startswith("host_") else (image, image_prices(image))
            )
            if not tokens or model is None:
                continue
            item = f"{model}, {name}"
            before = items.get(item, (0, 0))
            items[item] = before[0] + tokens, before[1] + tokens * prices[name]
        while len(self._days) > self._most_days:
            del self._days[min(self._days)]

    def forget(self) -> None:
        """Nothing was ever billed."""
        self._days.clear()

    def kept(self) -> dict[str, dict[str, tuple[int, int]]]:
        """What was billed, as `restore` takes it: by day (since 1970) and line item, tokens and
        nano-dollars."""
        return {str(day): items for day, items in self._days.items()}

    def restore(self, days: Mapping[str, Mapping[str, tuple[int, int]]]) -> None:
        """Have billed this instead of all else. ValueError for a day that is no number."""
        self._days = {int(day): dict(items) for day, items in days.items()}

    def page(self, query: Query) -> Json:
        """One page of the answer."""
        days = range(query.first // DAY, -(-query.end // DAY))
        shown = days[: query.limit]
        more = len(days) > len(shown)
        return {
            "object": "page",
            "data": [self._bucket(day, query) for day in shown],
            "has_more": more,
            "next_page": f"page_{days[query.limit] * DAY}" if more else None,
        }

    def _bucket(self, day: int, query: Query) -> Json:
        results = [self._result(item, *sums, query) for item, sums in self._grouped(day, query)]
        return {"object": "bucket", "start_time": day * DAY, "end_time": (day + 1) * DAY, "results": results}

    def _grouped(self, day: int, query: Query) -> Iterator[tuple[str | None, tuple[int, int]]]:
        theirs = (query.projects is None or PROJECT in query.projects) and (
            query.keys is None or KEY_ID in query.keys
        )
        items = self._days.get(day, {}) if theirs else {}
        found = {item: sums for item, sums in items.items() if query.items is None or item in query.items}
        if "line_item" in query.groups:
            yield from sorted(found.items())
        elif found:
            tokens, nano = (sum(column) for column in zip(*found.values(), strict=True))
            yield None, (tokens, nano)

    def _result(self, item: str | None, tokens: int, nano: int, query: Query) -> Json:
        usd = Fraction(nano, 1_000_000_000) * self.factor
        text = f"{float(usd):.12f}".rstrip("0").rstrip(".")
        return {
            "object": "organization.costs.result",
            "amount": {"value": text if self.as_text else float(text), "currency": "usd"},
            "line_item": item,
            "quantity": float(tokens) if item is not None else None,
            "quantity_unit": "tokens" if item is not None else None,
            "project_id": PROJECT if "project_id" in query.groups else None,
            "user_id": USER if "user_id" in query.groups else None,
            "api_key_id": KEY_ID if "api_key_id" in query.groups else None,
            "api_source": "unlabeled" if "api_source" in query.groups else None,
            "organization_id": ORGANIZATION,
        }


def image_prices(model: str | None) -> Mapping[str, int]:
    """Nano-dollars a token of an image model, by class."""
    return _IMAGE.get(model or "", _FAMILY_2)


def host_prices(model: str | None) -> Mapping[str, int]:
    """Nano-dollars a token of a host model, by class."""
    return _HOST.get(model or "", _LUNA)


def read_query(pairs: Mapping[str, str], now: float) -> Query:
    """Check the question; lists come as `name` or `name[]`, repeated. Raises `Refusal`."""
    asked: dict[str, list[str]] = {}
    for name, value in pairs.items():
        asked.setdefault(name.removesuffix("[]"), []).append(value)
    for name in asked:
        if name not in _KNOWN:
            raise errors.unknown_parameter(name)
    start = _whole(asked, "start_time", 0, _LATEST)
    if start is None:
        raise errors.missing("start_time")
    end = _whole(asked, "end_time", 0, _LATEST)
    end = int(now) if end is None else end
    if end <= start:
        raise Refusal(400, "Invalid 'end_time': it must be after 'start_time'.", param="end_time")
    width = asked.get("bucket_width", ["1d"])[-1]
    if width != "1d":
        raise errors.invalid_value("bucket_width", width, ("1d",))
    for group in asked.get("group_by", []):
        if group not in GROUPS:
            raise errors.invalid_value("group_by", group, GROUPS)
    limit = _whole(asked, "limit", 1, MOST_BUCKETS)
    return Query(
        start=start,
        end=end,
        first=_first(asked, start, end),
        limit=_USUAL_BUCKETS if limit is None else limit,
        groups=frozenset(asked.get("group_by", [])),
        projects=_only(asked, "project_ids"),
        keys=_only(asked, "api_key_ids"),
        items=_only(asked, "line_items"),
    )


def _whole(asked: Mapping[str, list[str]], name: str, low: int, high: int) -> int | None:
    if name not in asked:
        return None
    text = asked[name][-1]
    if not re.fullmatch(r"\d{1,12}", text) or not low <= int(text) <= high:
        raise errors.bad_number(name, low, high, text)
    return int(text)


def _first(asked: Mapping[str, list[str]], start: int, end: int) -> int:
    """Where the page begins."""
    if "page" not in asked:
        return start
    cursor = re.fullmatch(r"page_(\d{1,12})", asked["page"][-1])
    if cursor is None or not start <= int(cursor[1]) < end:
        raise Refusal(400, "Invalid 'page'.", code="invalid_value", param="page")
    return int(cursor[1])


def _only(asked: Mapping[str, list[str]], name: str) -> frozenset[str] | None:
    return frozenset(asked[name]) if name in asked else None
