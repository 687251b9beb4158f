"""Reading rules: from a `scenario.toml` or from the JSON of a request; every mistake is told at once.

seed = 7                      # left out: 0

[[fault]]
side = "slack"                # or "openai"
on = "chat.postMessage"       # left out or "*": wherever the fault is at home; "chat.*" works too
fault = "ratelimited"
times = 3                     # left out: once; or always = true
probability = 0.5             # left out: 1
after = 2                     # let so many calls by first
from_s = 60                   # seconds since the start
until_s = 600
seed = 3                      # left out: the scenario's
args = { retry_after = 5 }
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final, cast

from sandbox.faults.named import PLACES, SIDES, Named, Side
from sandbox.faults.rules import MOST_RULES, FaultPlan, Rule
from sandbox.faults.vocabulary import NAMES, near

LARGEST_FILE: Final = 1_000_000
MOST_TIMES: Final = 1_000_000_000
LONGEST_S: Final = 1e9
_FIELDS: Final = (
    "side",
    "on",
    "fault",
    "times",
    "always",
    "probability",
    "after",
    "from_s",
    "until_s",
    "seed",
    "args",
)
_TABLE: Final = re.compile(r"\s*\[\[\s*[\"']?fault[\"']?\s*\]\]")

Mistake = tuple[int | None, str, str]
"""Which rule (from 0; None: the whole), which field, and what is wrong with it."""


class BadScenario(ValueError):
    """A scenario that cannot be used; `mistakes` are all of its mistakes, a line each."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = tuple(mistakes)


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a file or a request says; `seed` is None when it says nothing of it."""

    rules: tuple[Rule, ...]
    seed: int | None = None

    def plan(self) -> FaultPlan:
        """A fresh plan of it."""
        return FaultPlan(self.rules, seed=self.seed or 0)


def load_scenario(path: Path) -> Scenario:
    """The scenario of a TOML file. Raises BadScenario, also when there is no such file."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise BadScenario([f"{path}: too big, at most {LARGEST_FILE:,} bytes"])
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadScenario([f"{path}: cannot be read ({error.strerror})"]) from error
    except UnicodeDecodeError as error:
        raise BadScenario([f"{path}: is no text in UTF-8"]) from error
    return read_scenario(text, str(path))


def shipped() -> dict[str, str]:
    """The scenarios that come with the sandbox: their names and their texts."""
    folder = resources.files("sandbox") / "scenarios"
    files = sorted((item for item in folder.iterdir() if item.name.endswith(".toml")), key=lambda f: f.name)
    return {item.name.removesuffix(".toml"): item.read_text(encoding="utf-8") for item in files}


def read_scenario(text: str, name: str = "scenario.toml") -> Scenario:
    """The scenario of a TOML text, `name` for its mistakes. Raises BadScenario."""
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadScenario([f"{name}: is no TOML: {error}"]) from error
    mistakes = list(_mistakes(document))
    if mistakes:
        raise BadScenario([f"{name}{_line(text, each)}: {_told(each)}" for each in mistakes])
    return _scenario(document)


def read_document(document: object) -> Scenario:
    """The scenario of JSON in the shape of the TOML, or of one rule alone. Raises BadScenario."""
    if isinstance(document, Mapping) and not isinstance(document.get("fault"), list) and "fault" in document:
        document = {"fault": [document]}
    if not isinstance(document, Mapping):
        raise BadScenario(['it must be an object: a rule, or {"fault": [rules]}'])
    mistakes = list(_mistakes(document))
    if mistakes:
        raise BadScenario([_told(each) for each in mistakes])
    return _scenario(document)


def _told(mistake: Mistake) -> str:
    number, field, what = mistake
    whose = "" if number is None else f"fault {number + 1}: "
    return f"{whose}{field} {what}" if field else f"{whose}{what}"


def _line(text: str, mistake: Mistake) -> str:
    """`, line n` of the field, or of the table it would belong to; nothing where that cannot be found."""
    number, field, _ = mistake
    lines = text.splitlines()
    heads = [index for index, line in enumerate(lines) if _TABLE.match(line)]
    if number is not None and number >= len(heads):
        return ""
    start = 0 if number is None else heads[number]
    ends = [head for head in heads if head > start]
    end = ends[0] if ends and (number is not None or heads) else len(lines)
    wanted = re.compile(rf"\s*[\"']?{re.escape(field.partition('.')[0])}[\"']?\s*[=.]")
    found = (index for index in range(start, end) if field and wanted.match(lines[index]))
    line = next(found, None if number is None else start)
    return "" if line is None else f", line {line + 1}"


def _mistakes(document: Mapping[str, Any]) -> Iterator[Mistake]:
    for key in document:
        if key not in ("seed", "fault"):
            yield None, key, f"is not known.{near(key, ('seed', 'fault'))}"
    if not _is_whole(document.get("seed", 0)):
        yield None, "seed", "must be a whole number"
    rules = document.get("fault", [])
    if not isinstance(rules, list):
        yield None, "fault", "must be a list of tables: [[fault]]"
        return
    if len(rules) > MOST_RULES:
        yield None, "fault", f"has {len(rules)} tables, at most {MOST_RULES} are taken"
        return
    for number, given in enumerate(rules):
        if not isinstance(given, Mapping):
            yield number, "", "must be a table"
            continue
        for field, what in _rule_mistakes(given):
            yield number, field, what


def _rule_mistakes(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key in given:
        if key not in _FIELDS:
            yield key, f"is not known.{near(key, _FIELDS)}"
    yield from _name_mistakes(given)
    yield from _time_mistakes(given)


def _name_mistakes(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with the side, the name, the place and the arguments."""
    side, name, on = given.get("side"), given.get("fault"), given.get("on", "*")
    if side not in SIDES:
        yield "side", 'is missing: "slack" or "openai"' if side is None else f"is {side!r}: {_either(SIDES)}"
        return
    if not isinstance(on, str) or len(on) > 200:
        yield "on", "must be a text of at most 200 characters"
        on = None
    if name is None:
        yield "fault", "is missing: the name of what goes wrong"
        return
    named = NAMES.get((cast(Side, side), name)) if isinstance(name, str) else None
    if named is None:
        yield "fault", f"{name!r} is not known.{_elsewhere(cast(Side, side), name)}"
        return
    if isinstance(on, str) and not named.places(on):
        yield "on", _misplaced(named, on)
    args = given.get("args", {})
    if not isinstance(args, Mapping):
        yield "args", "must be a table, such as { seconds = 5 }"
        return
    for key, value in args.items():
        arg = named.args.get(key)
        if arg is None:
            takes = f"takes {', '.join(named.args)}" if named.args else "takes none"
            yield f"args.{key}", f'is not known: "{name}" {takes}.{near(key, named.args)}'
        elif (refusal := arg.refusal(value)) is not None:
            yield f"args.{key}", refusal


def _either(words: tuple[str, ...]) -> str:
    return " or ".join(f'"{word}"' for word in words)


def _elsewhere(side: Side, name: object) -> str:
    """Whether the other side knows the name, or what is close to it."""
    word = str(name)
    for other in SIDES:
        if other != side and (other, word) in NAMES:
            return f' It is a fault of the side "{other}".'
    return near(word, [known for of, known in NAMES if of == side])


def _misplaced(named: Named, on: str) -> str:
    """Why a fault does not happen there."""
    if on in PLACES[named.side]:
        return f'is {on!r}, where "{named.name}" cannot happen: it can on {", ".join(named.where)}'
    return f"{on!r} is no place of {named.side}.{near(on, named.where)}"


def _time_mistakes(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with when and how often."""
    if "times" in given and not (_is_whole(given["times"]) and 1 <= given["times"] <= MOST_TIMES):
        yield "times", "must be a whole number from 1"
    if not isinstance(given.get("always", False), bool):
        yield "always", "must be true or false"
    if "times" in given and given.get("always") is True:
        yield "always", "and times exclude each other"
    if not (_is_number(chance := given.get("probability", 1)) and 0 < chance <= 1):
        yield "probability", "must be a number above 0, at most 1"
    if not (_is_whole(after := given.get("after", 0)) and 0 <= after <= MOST_TIMES):
        yield "after", "must be a whole number from 0"
    if "seed" in given and not _is_whole(given["seed"]):
        yield "seed", "must be a whole number"
    begins = given.get("from_s", 0)
    if not (_is_number(begins) and 0 <= begins <= LONGEST_S):
        yield "from_s", "must be a number of seconds from 0"
        begins = 0
    if "until_s" in given and not (_is_number(given["until_s"]) and begins < given["until_s"] <= LONGEST_S):
        yield "until_s", "must be a number of seconds, later than from_s"


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _scenario(document: Mapping[str, Any]) -> Scenario:
    return Scenario(tuple(_rule(given) for given in document.get("fault", [])), document.get("seed"))


def _rule(given: Mapping[str, Any]) -> Rule:
    until_s = given.get("until_s")
    return Rule(
        side=given["side"],
        on=given.get("on", "*"),
        fault=given["fault"],
        times=None if given.get("always") else given.get("times", 1),
        probability=float(given.get("probability", 1)),
        after=given.get("after", 0),
        from_s=float(given.get("from_s", 0)),
        until_s=None if until_s is None else float(until_s),
        seed=given.get("seed"),
        args=dict(given.get("args", {})),
    )
