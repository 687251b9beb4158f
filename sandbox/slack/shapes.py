"""A small vocabulary to say what JSON must look like, with refusals worded like Slack's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sandbox.slack.model import Json

Check = Callable[[Any, str, "Findings"], None]
FINDINGS_MAX: Final = 50
_SAID_MAX: Final = 300


@dataclass
class Findings:
    """What is wrong so far, and what the checks need to know about their surroundings.

    `file_refused` says whether a `slack_file` object is unusable; `files_allowed` is False for ephemerals.
    """

    surface: str
    file_refused: Callable[[Json], bool]
    files_allowed: bool = True
    messages: list[str] = field(default_factory=list)
    block_ids: set[str] = field(default_factory=set)

    def add(self, what: str, path: str) -> None:
        """Note one refusal at a JSON pointer; of very many, the first."""
        if len(self.messages) < FINDINGS_MAX:
            said = what if len(what) <= _SAID_MAX else f"{what[:_SAID_MAX]}…"
            self.messages.append(f"[ERROR] {said} [json-pointer:{path}]")


def string(maximum: int | None = None, *, minimum: int = 0, pattern: Any = None) -> Check:
    """A string of so many characters."""

    def check(value: Any, path: str, found: Findings) -> None:
        if not isinstance(value, str):
            found.add("must be a string", path)
        elif len(value) < minimum:
            found.add(f"must be more than {minimum - 1} characters", path)
        elif maximum is not None and len(value) > maximum:
            found.add(f"must be less than {maximum + 1} characters", path)
        elif pattern is not None and not pattern.match(value):
            found.add("failed to match the expected pattern", path)

    return check


def boolean(value: Any, path: str, found: Findings) -> None:
    """true or false."""
    if not isinstance(value, bool):
        found.add("must be a boolean", path)


def integer(minimum: int, maximum: int | None = None) -> Check:
    """A whole number in a range."""

    def check(value: Any, path: str, found: Findings) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            found.add("must be an integer", path)
        elif value < minimum or (maximum is not None and value > maximum):
            found.add(f"must be between {minimum} and {maximum}", path)

    return check


def number(value: Any, path: str, found: Findings) -> None:
    """Any number."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        found.add("must be a number", path)


def one_of(*allowed: str) -> Check:
    """One of a few words."""

    def check(value: Any, path: str, found: Findings) -> None:
        if value not in allowed:
            found.add(f"must be one of {', '.join(allowed)}", path)

    return check


def anything(value: Any, path: str, found: Findings) -> None:
    """No opinion."""


def items(check: Check, maximum: int, *, minimum: int = 1) -> Check:
    """An array of so many items, each passing `check`."""

    def check_all(value: Any, path: str, found: Findings) -> None:
        if not isinstance(value, list):
            found.add("must be an array", path)
            return
        if len(value) < minimum:
            found.add(f"no fewer than {minimum} items allowed", path)
        if len(value) > maximum:
            found.add(f"no more than {maximum} items allowed", path)
        for index, item in enumerate(value[:maximum]):
            check(item, f"{path}/{index}", found)

    return check_all


def shape(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """An object with these keys and no others."""
    known = {**required, **(optional or {})}

    def check(value: Any, path: str, found: Findings) -> None:
        if not isinstance(value, dict):
            found.add("must be an object", path)
            return
        for key in required:
            if key not in value:
                found.add(f"missing required field: {key}", path)
        for key, item in value.items():
            if key in known:
                known[key](item, f"{path}/{key}", found)
            elif key != "type":
                found.add(f"invalid additional property: {key}", path)

    return check


def kinds(table: Mapping[str, Check], *allowed: str) -> Check:
    """An object whose `type` picks its shape from `table`; with `allowed`, only these types."""

    def check(value: Any, path: str, found: Findings) -> None:
        kind = value.get("type") if isinstance(value, dict) else None
        if not isinstance(kind, str):
            found.add("missing required field: type", path)
        elif kind not in table or (allowed and kind not in allowed):
            found.add(f"unsupported type: {kind}", path)
        else:
            table[kind](value, path, found)

    return check


def both(*checks: Check) -> Check:
    """All of these checks."""

    def check(value: Any, path: str, found: Findings) -> None:
        for each in checks:
            each(value, path, found)

    return check
