"""Checks of single values in a catalogue file. Every fault names the file, the key and what is allowed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from darkroom.spending.models import BadCatalogue
from darkroom.spending.money import BadAmount, rate

CONFIDENCE = ("H", "M", "L")
"""An official page, a third party, one weak source."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in which file we are, for the message of a fault."""

    file: str
    key: str

    def __truediv__(self, key: str) -> "Place":
        return Place(self.file, f"{self.key}.{key}" if self.key else key)

    def fault(self, allowed: str) -> BadCatalogue:
        """The error for this place; *allowed* says what may stand there."""
        return BadCatalogue(f"{self.file}: {self.key}: {allowed}")


def table(value: Any, place: Place) -> Mapping[str, Any]:
    """A table of TOML."""
    if not isinstance(value, dict):
        raise place.fault("a table")
    return value


def only(given: Mapping[str, Any], allowed: tuple[str, ...], place: Place) -> None:
    """Refuse a key that is not among the allowed ones: a mistyped one would be ignored without a word."""
    for key in given:
        if key not in allowed:
            raise (place / key).fault(f"unknown; the keys are {', '.join(allowed)}")


def needed(given: Mapping[str, Any], keys: tuple[str, ...], place: Place) -> None:
    """Refuse a table that lacks one of the keys."""
    for key in keys:
        if key not in given:
            raise (place / key).fault("missing")


def text(value: Any, place: Place) -> str:
    """Text of 1 to 300 characters."""
    if not isinstance(value, str) or not 0 < len(value) <= 300:
        raise place.fault("text of 1 to 300 characters")
    return value


def day(value: Any, place: Place) -> date:
    """A day, which TOML writes without quotes."""
    if not isinstance(value, date) or isinstance(value, datetime):
        raise place.fault("a day without quotes, such as 2026-11-20")
    return value


def flag(value: Any, place: Place) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise place.fault("true or false")
    return value


def whole(low: int, high: int) -> Callable[[Any, Place], int]:
    """A check for a whole number between the two."""

    def check(value: Any, place: Place) -> int:
        if type(value) is not int or not low <= value <= high:
            raise place.fault(f"a whole number from {low:,} to {high:,}")
        return value

    return check


def one_of(allowed: tuple[str, ...]) -> Callable[[Any, Place], str]:
    """A check for one of these words."""

    def check(value: Any, place: Place) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise place.fault(f"one of {', '.join(allowed)}")
        return value

    return check


def list_of(allowed: tuple[str, ...] | None) -> Callable[[Any, Place], tuple[str, ...]]:
    """A check for a list of these words, or of any text."""

    def check(value: Any, place: Place) -> tuple[str, ...]:
        if not isinstance(value, list) or len(value) > 50:
            raise place.fault("a list")
        member = one_of(allowed) if allowed else text
        return tuple(member(item, place / str(i)) for i, item in enumerate(value))

    return check


def price(value: Any, place: Place) -> Fraction:
    """USD per million tokens, as text or number; gives nano-dollars per token."""
    allowed = 'USD per million tokens, above 0 and at most 100,000, such as "1.25"'
    result = _number(value, place, allowed)
    if result == 0:
        raise place.fault(f"{allowed}; a price of 0 would never count against a cap")
    return result


def factor(value: Any, place: Place) -> Fraction:
    """A factor from 1 to 100, as text or number."""
    allowed = 'a factor from 1 to 100, such as "1.5"'
    result = _number(value, place, allowed) / rate("1")
    if not 1 <= result <= 100:
        raise place.fault(allowed)
    return result


def confidences(value: Any, place: Place, of: tuple[str, ...], what: str) -> Mapping[str, str]:
    """A table from names among *of* to H, M or L; *what* says what those names are."""
    given = table(value, place)
    for key in given:
        if key not in of:
            raise (place / key).fault(f"{what}: {', '.join(of)}")
    return {key: one_of(CONFIDENCE)(each, place / key) for key, each in given.items()}


def _number(value: Any, place: Place, allowed: str) -> Fraction:
    """A number as the file has it, text or not, read like a price: nano-dollars per token."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise place.fault(allowed)
    try:
        return rate(str(value) if isinstance(value, int) else value)
    except BadAmount as error:
        raise place.fault(allowed) from error
