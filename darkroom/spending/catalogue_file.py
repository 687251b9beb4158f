"""Reads one catalogue file: TOML text in, checked entries out. Every fault names the file and the key."""

import hashlib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from darkroom.spending.classes import HOST_CLASSES, IMAGE_CLASSES, TokenClass
from darkroom.spending.models import QUALITIES, BadCatalogue, LongContext, PriceVersion
from darkroom.spending.money import BadAmount, rate

MAX_BYTES = 1_000_000
"""The largest catalogue file that is read."""

_STATUSES = ("current", "deprecated", "retired")
_TRANSPARENCY = ("yes", "preview", "no")
_FORMATS = ("png", "webp", "jpeg", "gif", "svg")
_CONFIDENCE = ("H", "M", "L")
_REQUIRED = {
    "image": (TokenClass.text_input, TokenClass.image_input, TokenClass.image_output),
    "host": (TokenClass.host_input, TokenClass.host_output),
}
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
    """One model of one file: the keys that were written, checked, and its price versions."""

    kind: str
    model: str
    values: Mapping[str, Any]
    prices: tuple[PriceVersion, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in which file we are, for the message of a fault."""

    file: str
    key: str

    def __truediv__(self, key: str) -> "_Place":
        return _Place(self.file, f"{self.key}.{key}" if self.key else key)

    def fault(self, allowed: str) -> BadCatalogue:
        return BadCatalogue(f"{self.file}: {self.key}: {allowed}")


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
        place = _Place(file, kind)
        if kind not in _REQUIRED:
            raise place.fault('a table is [image."name"] or [host."name"]')
        for model, table in _table(models, place).items():
            entries.append(
                _entry(kind, model, _table(table, place / model), place / model, operator=operator)
            )
    return tuple(entries)


def _entry(kind: str, model: str, table: Mapping[str, Any], place: _Place, *, operator: bool) -> Entry:
    if not model or len(model) > 100 or not model.isascii() or any(c.isspace() or c in "@+~" for c in model):
        raise place.fault("a model's name is at most 100 ASCII characters without spaces, @, + and ~")
    checks = {**_CHECKS, **_IMAGE_CHECKS} if kind == "image" else _CHECKS
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key == "prices":
            continue
        if key not in checks:
            raise (place / key).fault(f"unknown; the keys are {', '.join([*checks, 'prices'])}")
        values[key] = checks[key](value, place / key)
    raw_prices = table.get("prices", [])
    if not isinstance(raw_prices, list):
        raise (place / "prices").fault(f'a list of tables, each written [[{kind}."{model}".prices]]')
    prices = tuple(
        _price(kind, model, _table(raw, place / f"prices[{i}]"), place / f"prices[{i}]", operator=operator)
        for i, raw in enumerate(raw_prices)
    )
    if len({price.effective for price in prices}) != len(prices):
        raise (place / "prices").fault("two price sets may not take effect on the same day")
    return Entry(kind, model, MappingProxyType(values), prices)


def _price(kind: str, model: str, table: Mapping[str, Any], place: _Place, *, operator: bool) -> PriceVersion:
    classes = IMAGE_CLASSES if kind == "image" else HOST_CLASSES
    extra = () if kind == "image" else ("host_cache_write_12h", "long_context")
    allowed = ("effective", "source", "confidence", "doubtful", *classes, *extra)
    for key in table:
        if key not in allowed:
            raise (place / key).fault(f"unknown; the keys are {', '.join(allowed)}")
    for key in ("effective", "source", "confidence", *_REQUIRED[kind]):
        if key not in table:
            raise (place / key).fault("missing")
    rates = {c: _rate(table[c], place / c) for c in classes if c in table}
    for token_class, other in _FALLBACK.items():
        if other in rates:
            rates.setdefault(token_class, rates[other])
    effective = _day(table["effective"], place / "effective")
    write_12h = table.get("host_cache_write_12h")
    cache_write_12h = None if write_12h is None else _rate(write_12h, place / "host_cache_write_12h")
    raw_long = table.get("long_context")
    long_context = None if raw_long is None else _long_context(raw_long, place / "long_context")
    mark = hashlib.sha256(repr((sorted(rates.items()), cache_write_12h, long_context)).encode()).hexdigest()
    return PriceVersion(
        version=f"{effective.isoformat()}~{mark[:10]}" if operator else effective.isoformat(),
        effective=effective,
        rates=MappingProxyType(rates),
        source=_text(table["source"], place / "source"),
        confidence=_one_of(_CONFIDENCE)(table["confidence"], place / "confidence"),
        model=model,
        doubts=_doubts(table.get("doubtful", {}), place / "doubtful", rates),
        cache_write_12h=cache_write_12h,
        long_context=long_context,
        operator=operator,
    )


def _long_context(raw: Any, place: _Place) -> LongContext:
    table = _table(raw, place)
    if set(table) != {"tokens", "input_factor", "output_factor"}:
        raise place.fault("the keys are tokens, input_factor and output_factor")
    tokens = table["tokens"]
    if isinstance(tokens, bool) or not isinstance(tokens, int) or not 0 < tokens <= 10**9:
        raise (place / "tokens").fault("a whole number of tokens above 0")
    factors = [_factor(table[key], place / key) for key in ("input_factor", "output_factor")]
    return LongContext(tokens, *factors)


def _doubts(raw: Any, place: _Place, rates: Mapping[TokenClass, Fraction]) -> Mapping[TokenClass, str]:
    doubts: dict[TokenClass, str] = {}
    for key, value in _table(raw, place).items():
        if key not in rates:
            raise (place / key).fault(f"a class of this price set: {', '.join(rates)}")
        doubts[TokenClass(key)] = _one_of(_CONFIDENCE)(value, place / key)
    return MappingProxyType(doubts)


def _rate(value: Any, place: _Place) -> Fraction:
    allowed = 'USD per million tokens, above 0 and at most 100,000, such as "1.25"'
    result = _number(value, place, allowed)
    if result == 0:
        raise place.fault(f"{allowed}; a price of 0 would never count against a cap")
    return result


def _factor(value: Any, place: _Place) -> Fraction:
    allowed = 'a factor from 1 to 100, such as "1.5"'
    factor = _number(value, place, allowed) / rate("1")
    if not 1 <= factor <= 100:
        raise place.fault(allowed)
    return factor


def _number(value: Any, place: _Place, allowed: str) -> Fraction:
    """A number as the file has it, text or not, read like a price: nano-dollars per token."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise place.fault(allowed)
    try:
        return rate(str(value) if isinstance(value, int) else value)
    except BadAmount as error:
        raise place.fault(allowed) from error


def _table(value: Any, place: _Place) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise place.fault("a table")
    return value


def _text(value: Any, place: _Place) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 300:
        raise place.fault("text of 1 to 300 characters")
    return value


def _day(value: Any, place: _Place) -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise place.fault("a day without quotes, such as 2026-11-20")
    return value


def _flag(value: Any, place: _Place) -> bool:
    if not isinstance(value, bool):
        raise place.fault("true or false")
    return value


def _one_of(allowed: tuple[str, ...]) -> Callable[[Any, _Place], str]:
    def check(value: Any, place: _Place) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise place.fault(f"one of {', '.join(allowed)}")
        return value

    return check


def _list_of(allowed: tuple[str, ...] | None) -> Callable[[Any, _Place], tuple[str, ...]]:
    def check(value: Any, place: _Place) -> tuple[str, ...]:
        if not isinstance(value, list) or len(value) > 50:
            raise place.fault("a list")
        member = _one_of(allowed) if allowed else _text
        return tuple(member(item, place / str(i)) for i, item in enumerate(value))

    return check


_CHECKS: Mapping[str, Callable[[Any, _Place], Any]] = {
    "status": _one_of(_STATUSES),
    "aliases": _list_of(None),
    "shutdown_date": _day,
    "replacement": _text,
}
_IMAGE_CHECKS: Mapping[str, Callable[[Any, _Place], Any]] = {
    "family": _one_of(tuple(QUALITIES)),
    "qualities": _list_of(("low", "medium", "high", "xhigh", "max")),
    "flexible_sizes": _flag,
    "formats": _list_of(_FORMATS),
    "transparency": _one_of(_TRANSPARENCY),
    "edits": _flag,
    "masks": _flag,
}
