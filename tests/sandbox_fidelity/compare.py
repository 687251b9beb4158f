"""How a published sample and what the sandbox sends differ, field by field."""

from __future__ import annotations

import re
from typing import Any

LEFT_OUT, MORE = "left out", "more"
_KINDS = {bool: "boolean", int: "number", float: "number", str: "text", dict: "object", list: "list"}
_ID = re.compile(r"^[CDG][A-Z0-9]{8,}$")


def kind(value: Any) -> str:
    """The JSON type of a value."""
    return "null" if value is None else _KINDS[type(value)]


def lacks(sample: Any, ours: Any, path: str = "") -> set[tuple[str, str]]:
    """Fields of a sample that are left out, or have another type; null stands for any type.

    Each item of a list is compared with the most similar one of ours, of the same `type` if it has one; keys
    that are channels' ids are one field, `*`.
    """
    if isinstance(sample, dict) and isinstance(ours, dict):
        found: set[tuple[str, str]] = set()
        ours = ours | {"*": value for key, value in ours.items() if _ID.match(key)}  # noqa: B035 -- any will do
        for name, value in sample.items():
            key = "*" if _ID.match(name) else name
            if key in ours:
                found |= lacks(value, ours[key], f"{path}.{key}")
            else:
                found.add((f"{path}.{key}".lstrip("."), LEFT_OUT))
        return found
    if isinstance(sample, list) and isinstance(ours, list):
        return {each for item in sample for each in _nearest(item, ours, f"{path}[]")}
    if sample is None or ours is None or kind(sample) == kind(ours):
        return set()
    return {(path.lstrip("."), f"{kind(ours)} for {kind(sample)}")}


def _nearest(item: Any, ours: list[Any], path: str) -> set[tuple[str, str]]:
    """How an item of a list differs from that one of ours which is most like it; not at all, if none of ours
    has its `type`."""
    type_of = item.get("type") if isinstance(item, dict) else None
    alike = [
        mine for mine in ours if type_of is None or (isinstance(mine, dict) and mine.get("type") == type_of)
    ]
    return min((lacks(item, mine, path) for mine in alike), key=len, default=set())


def merged(skeleton: Any) -> Any:
    """A skeleton whose lists have one item with all that any of their items has."""
    if isinstance(skeleton, dict):
        return {key: merged(value) for key, value in skeleton.items()}
    if not isinstance(skeleton, list):
        return skeleton
    whole: Any = None
    for item in map(merged, skeleton):
        whole = _both(whole, item)
    return [] if whole is None else [whole]


def _both(one: Any, other: Any) -> Any:
    if isinstance(one, dict) and isinstance(other, dict):
        return {**other, **{key: _both(value, other.get(key)) for key, value in one.items()}}
    if isinstance(one, list) and isinstance(other, list):
        return merged([*one, *other])
    return one if other is None else other


def adds(skeleton: Any, ours: Any, path: str = "") -> set[tuple[str, str]]:
    """Fields of ours that a skeleton (`merged`) does not have, or has with another type. What is empty in the
    skeleton may hold anything."""
    if isinstance(skeleton, dict) and isinstance(ours, dict):
        if not skeleton:
            return set()
        found: set[tuple[str, str]] = set()
        by_id = next((value for key, value in skeleton.items() if _ID.match(key)), None)
        for key, value in ours.items():
            if key in skeleton:
                found |= adds(skeleton[key], value, f"{path}.{key}")
            elif by_id is not None and _ID.match(key):
                found |= adds(by_id, value, f"{path}.*")
            else:
                found.add((f"{path}.{key}".lstrip("."), MORE))
        return found
    if isinstance(skeleton, list) and isinstance(ours, list):
        return {each for item in ours for each in adds(skeleton[0], item, f"{path}[]")} if skeleton else set()
    if skeleton is None or ours is None or kind(skeleton) == kind(ours):
        return set()
    return {(path.lstrip("."), f"{kind(ours)} for {kind(skeleton)}")}
