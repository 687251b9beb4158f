"""Every named fault of both sides, and what is close to a name that is none."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final

from sandbox.faults.named import (
    ADDRESSES,
    DELIVERIES,
    ENDPOINTS,
    METHODS,
    PICTURES,
    PLACES,
    SIDES,
    Arg,
    Named,
    Side,
)
from sandbox.faults.openai_names import OPENAI_NAMES
from sandbox.faults.slack_names import SLACK_NAMES

Json = dict[str, Any]
NAMES: Final[Mapping[tuple[Side, str], Named]] = {
    (named.side, named.name): named for named in (*SLACK_NAMES, *OPENAI_NAMES)
}


def near(word: str, known: Iterable[str]) -> str:
    """` Did you mean "…"?`, or nothing when no known word is close."""
    found = get_close_matches(word.lower(), list(known), 1)
    return f' Did you mean "{found[0]}"?' if found else ""


def vocabulary() -> Json:
    """All of it, fit for JSON: the places of each side, and its faults with their arguments."""
    return {side: {"places": list(PLACES[side]), "faults": _faults(side)} for side in SIDES}


def _faults(side: Side) -> list[Json]:
    return [
        {
            "fault": named.name,
            "about": named.about,
            "on": sorted(named.places("*")),
            "also_on": sorted(set(named.where) - named.places("*")),
            "args": {
                name: {"default": arg.default, "about": arg.about}
                | ({"choices": list(arg.choices)} if arg.choices else {})
                for name, arg in named.args.items()
            },
        }
        for named in NAMES.values()
        if named.side == side
    ]


_GROUPS: Final = (
    (frozenset((*METHODS, *ADDRESSES)), "every method and address"),
    (frozenset(METHODS), "every method"),
    (frozenset(METHODS) - {"apps.connections.open"}, "every method but `apps.connections.open`"),
    (frozenset(DELIVERIES), "every delivery"),
    (frozenset(ENDPOINTS), "every endpoint"),
    (frozenset(PICTURES), "every endpoint that makes pictures"),
)


def table(side: Side) -> str:
    """The faults of one side as a Markdown table: name, meaning, what `*` stands for, arguments."""
    rows = ["| fault | what happens | `*` is | args |", "|---|---|---|---|"]
    for named in NAMES.values():
        if named.side == side:
            args = ", ".join(f"`{name}` ({_arg(arg)})" for name, arg in named.args.items())
            rows.append(f"| `{named.name}` | {named.about} | {_places(named)} | {args} |")
    return "\n".join(rows) + "\n"


def _places(named: Named) -> str:
    usual = named.places("*")
    return next((words for group, words in _GROUPS if group == usual), None) or ", ".join(
        f"`{place}`" for place in sorted(usual)
    )


def _arg(arg: Arg) -> str:
    choices = f", one of {', '.join(arg.choices)}" if arg.choices else ""
    return f"{arg.about}{choices}; {arg.default}"
