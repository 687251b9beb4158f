"""What admins must never mix up: what OpenAI documents, what this account may call, who answers at the
address in the settings, and what was really called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from darkroom.rendering.access import Access
from darkroom.rendering.job import Endpoint
from darkroom.spending.catalogue import READ_ON, Catalogue
from darkroom.spending.models import CatalogueProblem, HostModel, ImageModel, PriceVersion
from darkroom.spending.spans import day_words
from darkroom.turns.account_book import ModelCheck, ProviderKnown, RateSeen
from darkroom.turns.calls import Called
from handlers.blocks.status import Part, duration, ends_words
from handlers.blocks.text import counted, escape, moment, shown

OPENAI = "openai"
"""What the books call OpenAI's own addresses."""
NAME_MAX = 80
MESSAGE_MAX = 200
"""As much of the API's own words as is shown."""
FAILURES_NAMED_MAX = 4
PROVIDERS_NAMED_MAX = 5
_DOUBTS: Mapping[str, str] = {"M": ", by a third party", "L": ", by one weak source"}
_ENDPOINTS: Mapping[str, str] = {
    Endpoint.RESPONSES: "the Responses endpoint",
    Endpoint.IMAGES: "the Images endpoint",
}


@dataclass(frozen=True, slots=True)
class Reach:
    """What is known. ``used`` are the models of the settings, each with what it is used for; ``called`` is
    what the newest ``calls`` calls come to."""

    used: Mapping[str, str]
    provider: str
    checks: Sequence[ModelCheck]
    rates: Sequence[RateSeen]
    providers: Sequence[ProviderKnown]
    called: Sequence[Called]
    calls: int


def parts_of(reach: Reach, catalogue: Catalogue, now: datetime, timezone: str) -> list[Part]:
    """The four of them, in their order."""
    today = now.date()
    return [
        Part(
            "1. What OpenAI documents",
            f"From Darkroom's catalogue, held against OpenAI's pages on {day_words(READ_ON)}; nobody is "
            f"asked now. Times below are those of {escape(timezone)}.",
            [_documented(name, mark, catalogue, today) for name, mark in reach.used.items()],
        ),
        Part(
            "2. What this account may call",
            "As the API itself says of the key in use, asked once a day at no cost. That a model is listed "
            "does not mean that a call goes through: only part 4 shows that.",
            _account(reach, catalogue, timezone),
        ),
        Part("3. Who answers", *_provider(reach, timezone)),
        Part(
            "4. What was really called",
            f"{_newest(reach.calls)} of this workspace, by the model that the answer named. How long a "
            "picture took is from sending its call to the end of it.",
            _calls(reach),
        ),
    ]


def _documented(name: str, mark: str, catalogue: Catalogue, today: date) -> str:
    line = f"{_code(name)} ({mark}): "
    try:
        _, model = catalogue.find(name)
        price = catalogue.price_of(name, today)
    except CatalogueProblem as problem:
        return line + shown(str(problem.args[0]).splitlines()[0], MESSAGE_MAX)
    return f"{line}{_end(model, today)}; {_price(price)}"


def _end(model: ImageModel | HostModel, today: date) -> str:
    if model.shutdown_date is None:
        return "no end is announced"
    if model.shutdown_date <= today:
        return f"was shut down on {day_words(model.shutdown_date)}"
    then = f", then {_code(model.replacement)}" if model.replacement else ""
    return ends_words(model.shutdown_date, today) + then


def _price(price: PriceVersion) -> str:
    if price.operator:
        return f"price of {day_words(price.effective)}, from your own catalogue file"
    doubt = _DOUBTS.get(price.confidence, "")
    return f"price of {day_words(price.effective)} ({shown(price.source, NAME_MAX)}{doubt})"


def _account(reach: Reach, catalogue: Catalogue, timezone: str) -> list[str]:
    known = {check.seen.model: check for check in reach.checks}
    lines = [f"{_code(name)}: {_checked(known.get(name), name, catalogue, timezone)}" for name in reach.used]
    return [*lines, *(_rate(rate, timezone) for rate in reach.rates)]


def _checked(check: ModelCheck | None, name: str, catalogue: Catalogue, timezone: str) -> str:
    if check is None:
        return "not asked yet; that is done within a minute after a start"
    seen, learned_at = check.seen, check.learned_at
    last = f"{_words(seen.code, seen.message)} ({moment(check.checked_at, timezone)})"
    if learned_at is None:
        return f"not known, since the API has not answered that: {last}"
    said = "listed" if seen.access is Access.LISTED else "refused"
    line = f"{said} ({moment(learned_at, timezone)})"
    if learned_at < check.checked_at:
        line += f"; the last question was not answered: {last}"
    elif seen.access is Access.REFUSED:
        line += f": {_words(seen.code, seen.message)}"
    if seen.access is Access.LISTED:
        line += _their_end(seen.shutdown, name, catalogue)
    return line


def _their_end(shutdown: date | None, name: str, catalogue: Catalogue) -> str:
    """The end that the API names, where the catalogue has another."""
    try:
        _, model = catalogue.find(name)
    except CatalogueProblem:
        return f", with its end on {day_words(shutdown)}" if shutdown else ""
    ours = model.shutdown_date
    if shutdown == ours:
        return ""
    if shutdown is None:
        return "; it names no end, and the catalogue does (part 1)"
    return f", with its end on {day_words(shutdown)}, which is *not* what the catalogue has (part 1)"


def _words(code: str, message: str) -> str:
    named = f"“{shown(code, NAME_MAX)}”" if code else ""
    said = f"“{shown(message, MESSAGE_MAX)}”" if message else ""
    return " ".join(filter(None, (named, said))) or "no reason was given"


def _rate(rate: RateSeen, timezone: str) -> str:
    limits = rate.limits
    told = [
        f"{count:,} {unit if count != 1 else unit.removesuffix('s')}"
        for count, unit in (
            (limits.pictures, "pictures"),
            (limits.requests, "requests"),
            (limits.tokens, "tokens"),
        )
        if count is not None
    ]
    return (
        f"{_code(rate.model)} by {_endpoint(rate.endpoint)}: {' and '.join(told)} a minute, as its answers "
        f"said last ({moment(rate.seen_at, timezone)})"
    )


def _provider(reach: Reach, timezone: str) -> tuple[str, list[str]]:
    """What it is, and since when."""
    known = {each.provider: each for each in reach.providers}
    if reach.provider == OPENAI:
        about = "Your contract with OpenAI holds, and what is documented above is about this provider."
        line = "OpenAI, at an address of its own"
    else:
        about = (
            "This is not OpenAI: it is a contract of its own. Its prices, its models and what it does with "
            "prompts and pictures may be others than OpenAI documents, whatever the models are called."
        )
        line = f"{_code(reach.provider)}, the address in OPENAI_BASE_URL"
    lines = [line + _since(known.get(reach.provider), timezone)]
    before = [each for each in reach.providers if each.provider != reach.provider]
    lines += [
        f"Before: {_code(each.provider)}{_since(each, timezone)}" for each in before[:PROVIDERS_NAMED_MAX]
    ]
    return about, lines


def _since(known: ProviderKnown | None, timezone: str) -> str:
    if known is None:
        return ""
    called = (
        f"first called on {moment(known.first_call_at, timezone)}"
        if known.first_call_at is not None
        else "not called yet"
    )
    return f": chosen on {moment(known.chosen_at, timezone)}, {called}"


def _calls(reach: Reach) -> list[str]:
    return [_called(each, reach.provider) for each in reach.called] or ["Nothing yet"]


def _newest(calls: int) -> str:
    return "The only call" if calls == 1 else f"The newest {calls:,} calls" if calls else "The newest calls"


def _called(one: Called, provider: str) -> str:
    at = "" if one.provider == provider else f" at {_code(one.provider)}"
    came = [
        counted(one.pictures, "picture", "pictures"),
        *([f"{one.no_picture:,} paid for without a picture"] if one.no_picture else []),
        *([f"{one.uncertain:,} uncertain"] if one.uncertain else []),
        *([f"{one.open:,} still running"] if one.open else []),
        *([_failed(one.failures)] if one.failures else []),
    ]
    line = (
        f"{_code(one.image_model)} by {_endpoint(one.endpoint)}{at}: "
        f"{counted(one.calls, 'call', 'calls')}: {', '.join(came)}"
    )
    if one.median_s is not None and one.slowest_s is not None:
        line += f"; a picture took {duration(one.median_s)} (median), {duration(one.slowest_s)} at most"
    if one.accepted or one.rejected:
        line += f"; people accepted {one.accepted:,} and rejected {one.rejected:,}"
    return line


def _failed(failures: Mapping[str, int]) -> str:
    """ "3 failed (2 `rate_limit_exceeded`, 1 `server_error`)"."""
    named = [f"{count:,} {_code(code)}" for code, count in failures.items()]
    more = len(named) - FAILURES_NAMED_MAX
    rest = [f"{more:,} more kinds"] if more > 0 else []
    return f"{sum(failures.values()):,} failed ({', '.join([*named[:FAILURES_NAMED_MAX], *rest])})"


def _endpoint(name: str) -> str:
    return _ENDPOINTS.get(name, shown(name, NAME_MAX))


def _code(name: str) -> str:
    return f"`{shown(name.replace('`', ''), NAME_MAX)}`"
