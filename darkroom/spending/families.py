"""Reads what a catalogue file says of a family of image models: its formula or table, and its ceilings."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import fields, replace
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from darkroom.spending import checks
from darkroom.spending.checks import Place
from darkroom.spending.models import QUALITY_NAMES, Family

_SIZE = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})")
_COUNTS = MappingProxyType(
    {
        "partial_image_tokens": checks.whole(0, 100_000),
        "input_picture_ceiling": checks.whole(1, 1_000_000),
        "input_picture_likely": checks.whole(1, 1_000_000),
        "text_output_ceiling": checks.whole(0, 1_000_000),
        "tool_ceiling": checks.whole(0, 1_000_000),
    }
)
_NUMBERS = ("factors", "table", "ceiling_factor", *_COUNTS)
_KEYS = ("source", "confidence", "doubtful", *_NUMBERS)
_OPTIONAL = {"ceiling_factor": Fraction(1), "text_output_ceiling": 0}


def read_family(given: Mapping[str, Any], place: Place) -> dict[str, Any]:
    """The keys of one `[family."name"]` table, checked one by one. Raises `BadCatalogue`.

    Whoever changes a number says where it is from: source and confidence are never left out.
    """
    checks.only(given, _KEYS, place)
    checks.needed(given, ("source", "confidence"), place)
    values: dict[str, Any] = {
        "source": checks.text(given["source"], place / "source"),
        "confidence": checks.one_of(checks.CONFIDENCE)(given["confidence"], place / "confidence"),
        "doubts": checks.confidences(
            given.get("doubtful", {}), place / "doubtful", _NUMBERS, "a number of this family"
        ),
    }
    if "factors" in given:
        values["factors"] = _by_quality(given["factors"], place / "factors", 1_000)
    if "table" in given:
        values["table"] = _by_size(given["table"], place / "table")
    if "ceiling_factor" in given:
        values["ceiling_factor"] = checks.factor(given["ceiling_factor"], place / "ceiling_factor")
    values |= {key: check(given[key], place / key) for key, check in _COUNTS.items() if key in given}
    return values


def family_of(name: str, values: Mapping[str, Any], place: Place) -> Family:
    """A family from its keys, those of an operator's file over ours. Raises `BadCatalogue`."""
    whole: dict[str, Any] = {"factors": {}, "table": {}, **_OPTIONAL, **values}
    checks.needed(whole, tuple(_COUNTS), place)
    if whole["factors"] and whole["table"]:
        raise (place / "table").fault("a family has factors or a table, not both")
    if whole["input_picture_likely"] > whole["input_picture_ceiling"]:
        raise (place / "input_picture_likely").fault("at most input_picture_ceiling")
    known: Mapping[str, int] = whole["factors"] or next(iter(whole["table"].values()), {})
    qualities = tuple(quality for quality in QUALITY_NAMES if quality in known)
    return Family(name=name, qualities=qualities, **whole)


def marked(family: Family, ours: Family | None) -> Family:
    """The family with a mark of its numbers where they are not the ones that ship with Darkroom."""
    if ours is not None and _numbers(family) == _numbers(ours):
        return family
    return replace(family, mark=hashlib.sha256(_numbers(family).encode()).hexdigest()[:10])


def _numbers(family: Family) -> str:
    words = ("name", "source", "confidence", "doubts", "mark")
    values = {field.name: getattr(family, field.name) for field in fields(family) if field.name not in words}
    return repr(
        {key: sorted(value.items()) if hasattr(value, "items") else value for key, value in values.items()}
    )


def _by_quality(value: Any, place: Place, most: int) -> Mapping[str, int]:
    given = checks.table(value, place)
    checks.only(given, QUALITY_NAMES, place)
    return MappingProxyType({key: checks.whole(1, most)(each, place / key) for key, each in given.items()})


def _by_size(value: Any, place: Place) -> Mapping[tuple[int, int], Mapping[str, int]]:
    sizes: dict[tuple[int, int], Mapping[str, int]] = {}
    for key, tokens in checks.table(value, place).items():
        match = _SIZE.fullmatch(key)
        if match is None:
            raise (place / key).fault('a size in pixels, such as "1024x1024"')
        sizes[int(match.group(1)), int(match.group(2))] = _by_quality(tokens, place / key, 1_000_000)
    if len({frozenset(tokens) for tokens in sizes.values()}) > 1:
        raise place.fault("every size has the same qualities")
    return MappingProxyType(sizes)
