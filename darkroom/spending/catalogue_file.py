"""Reads one catalogue file: TOML text in, checked entries out. Every fault names the file and the key."""

import hashlib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from darkroom.spending import checks
from darkroom.spending.checks import Place
from darkroom.spending.classes import HOST_CLASSES, IMAGE_CLASSES, TokenClass
from darkroom.spending.families import read_family
from darkroom.spending.models import QUALITY_NAMES, BadCatalogue, LongContext, PriceVersion

MAX_BYTES = 1_000_000
"""The largest catalogue file that is read."""

_KINDS = ("family", "image", "host")
_REQUIRED = {
    "image": (TokenClass.text_input, TokenClass.image_input, TokenClass.image_output),
    "host": (TokenClass.host_input, TokenClass.host_output),
}
_EXTRA = {"image": ("text_output",), "host": ("host_cache_write_12h", "long_context")}
_FALLBACK = MappingProxyType(
    {
        TokenClass.cached_text_input: TokenClass.text_input,
        TokenClass.cached_image_input: TokenClass.image_input,
        TokenClass.host_cached_input: TokenClass.host_input,
        TokenClass.host_cache_write: TokenClass.host_input,
    }
)
"""The class whose price stands in for one that is left out: never the cheaper one."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One model or family of one file: the keys that were written, checked, and its price versions.

    `kind` is "family", "image" or "host".
    """

    kind: str
    model: str
    values: Mapping[str, Any]
    place: Place
    prices: tuple[PriceVersion, ...] = field(default=())
    operator: bool = False


def read_entries(text: str, file: str, *, operator: bool) -> tuple[Entry, ...]:
    """Parse and check the text of a catalogue file called `file`.

    An operator's price versions carry a mark of their rates, so that a changed price never hides behind an
    old version. Raises `BadCatalogue`.
    """
    try:
        data = tomllib.loads(text, parse_float=Decimal)
    except (tomllib.TOMLDecodeError, ArithmeticError) as error:
        raise BadCatalogue(f"{file}: not readable as TOML: {error}") from error
    entries: list[Entry] = []
    for kind, models in data.items():
        place = Place(file, kind)
        if kind not in _KINDS:
            raise place.fault('a table is [image."name"], [host."name"] or [family."name"]')
        for model, given in checks.table(models, place).items():
            entries.append(
                _entry(kind, model, checks.table(given, place / model), place / model, operator=operator)
            )
    return tuple(entries)


def _entry(kind: str, model: str, given: Mapping[str, Any], place: Place, *, operator: bool) -> Entry:
    if not model or len(model) > 100 or not model.isascii() or any(c.isspace() or c in "@+~^" for c in model):
        raise place.fault("a name is at most 100 ASCII characters without spaces, @, +, ~ and ^")
    _no_split_name(kind, model, given, place)
    if kind == "family":
        return Entry(kind, model, MappingProxyType(read_family(given, place)), place, operator=operator)
    known = {**_CHECKS, **_IMAGE_CHECKS} if kind == "image" else _CHECKS
    checks.only(given, (*known, "prices"), place)
    values = {key: known[key](value, place / key) for key, value in given.items() if key != "prices"}
    raw_prices = given.get("prices", [])
    if not isinstance(raw_prices, list):
        raise (place / "prices").fault(f'a list of tables, each written [[{kind}."{model}".prices]]')
    prices = tuple(
        _price(kind, model, checks.table(raw, place / f"prices[{i}]"), place / f"prices[{i}]", operator)
        for i, raw in enumerate(raw_prices)
    )
    if len({price.effective for price in prices}) != len(prices):
        raise (place / "prices").fault("two price sets may not take effect on the same day")
    return Entry(kind, model, MappingProxyType(values), place, prices, operator)


def _no_split_name(kind: str, model: str, given: Mapping[str, Any], place: Place) -> None:
    """Without quotes TOML cuts a name at its dot, and the rest looks like a key that nobody knows."""
    for key, value in given.items():
        if isinstance(value, dict) and key not in _TABLES:
            raise (place / key).fault(f'a name with a dot stands in quotes: [{kind}."{model}.{key}"]')


def _price(kind: str, model: str, given: Mapping[str, Any], place: Place, operator: bool) -> PriceVersion:
    classes = IMAGE_CLASSES if kind == "image" else HOST_CLASSES
    checks.only(given, ("effective", "source", "confidence", "doubtful", *classes, *_EXTRA[kind]), place)
    checks.needed(given, ("effective", "source", "confidence", *_REQUIRED[kind]), place)
    rates = {c: checks.price(given[c], place / c) for c in classes if c in given}
    for token_class, other in _FALLBACK.items():
        if other in rates:
            rates.setdefault(token_class, rates[other])
    more = {
        key: checks.price(given[key], place / key)
        for key in ("host_cache_write_12h", "text_output")
        if key in given
    }
    long_context = None
    if "long_context" in given:
        long_context = _long_context(given["long_context"], place / "long_context")
    marked: tuple[Any, ...] = (sorted(rates.items()), more.get("host_cache_write_12h"), long_context)
    if "text_output" in more:
        marked += (more["text_output"],)
    mark = hashlib.sha256(repr(marked).encode()).hexdigest()
    effective = checks.day(given["effective"], place / "effective")
    return PriceVersion(
        version=f"{effective.isoformat()}~{mark[:10]}" if operator else effective.isoformat(),
        effective=effective,
        rates=MappingProxyType(rates),
        source=checks.text(given["source"], place / "source"),
        confidence=checks.one_of(checks.CONFIDENCE)(given["confidence"], place / "confidence"),
        model=model,
        doubts=checks.confidences(
            given.get("doubtful", {}), place / "doubtful", (*rates, *more), "a class of this price set"
        ),
        cache_write_12h=more.get("host_cache_write_12h"),
        long_context=long_context,
        text_output=more.get("text_output"),
        operator=operator,
    )


def _long_context(raw: Any, place: Place) -> LongContext:
    given = checks.table(raw, place)
    if set(given) != {"tokens", "input_factor", "output_factor"}:
        raise place.fault("the keys are tokens, input_factor and output_factor")
    tokens = checks.whole(1, 10**9)(given["tokens"], place / "tokens")
    factors = [checks.factor(given[key], place / key) for key in ("input_factor", "output_factor")]
    return LongContext(tokens, *factors)


_TABLES = ("factors", "table", "doubtful")
_CHECKS: Mapping[str, Callable[[Any, Place], Any]] = {
    "status": checks.one_of(("current", "deprecated", "retired")),
    "aliases": checks.list_of(None),
    "shutdown_date": checks.day,
    "replacement": checks.text,
}
_IMAGE_CHECKS: Mapping[str, Callable[[Any, Place], Any]] = {
    "family": checks.text,
    "qualities": checks.list_of(QUALITY_NAMES),
    "flexible_sizes": checks.flag,
    "formats": checks.list_of(("png", "webp", "jpeg", "gif", "svg")),
    "transparency": checks.one_of(("yes", "preview", "no")),
    "edits": checks.flag,
    "masks": checks.flag,
}
