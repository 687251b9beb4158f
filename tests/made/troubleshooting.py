"""The tables of ``docs/troubleshooting.md``: every sentence of ``handlers/words*.py``, as people read it."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Final

from darkroom.turns.endings import Ending, FileProblem, Outcome, Reason
from darkroom.turns.outages import Trouble
from handlers import words, words_admin, words_delivery, words_files, words_pictures, words_waiting
from handlers.words import Hearer, Voice
from handlers.words_endings import say
from tests.examples import ALICE, DESIGN
from tests.handlers.test_words import DETAILS
from tests.made.troubles import ANSWERS, ENDINGS, PARTS
from tests.reliability.tables import markdown

HANDLERS: Final = Path(words.__file__).parent
VOICE: Final = Voice("/imagine", "/spend", "U0DARKROOM", (), "UTC")
ADMIN: Final = VOICE.an_admin
EXAMPLES: Final[Mapping[Reason, Mapping[str, str | int]]] = {
    **DETAILS,
    Reason.BAD_FILE: {"file": "cat.heic", "why": "heic"},
}
CALLS: Final[Mapping[str, Callable[[], str]]] = {
    "words.unknown_command": lambda: words.unknown_command(VOICE),
    "words.bad_option": lambda: words.bad_option("--quality takes low, medium or high."),
    "words.edit_not_taken": lambda: words.edit_not_taken("--quality takes low, medium or high."),
    "words.admins_only": lambda: words.admins_only(VOICE),
    "words.busy": lambda: words.busy(VOICE),
    "words.busy_with_status": lambda: words.busy_with_status(VOICE),
    "words.broken": lambda: words.broken(VOICE),
    "words_delivery.kept": lambda: words_delivery.kept("is_archived", DESIGN, VOICE),
    "words_delivery.not_there": lambda: words_delivery.not_there("is_archived", DESIGN),
    "words_delivery.words_not_there": lambda: words_delivery.words_not_there("is_archived", DESIGN),
    "words_pictures.deleted": lambda: words_pictures.deleted(2),
    "words_pictures.deleting_not_yours": lambda: words_pictures.deleting_not_yours(VOICE),
    "words_pictures.not_of_here": lambda: words_pictures.not_of_here(2),
    "words_waiting.cancelling_not_yours": lambda: words_waiting.cancelling_not_yours(ADMIN),
}
"""Sentences that are put together, and how."""


def made() -> dict[str, str]:
    """The page's parts, by the names of their markers."""
    return {
        "endings": markdown(("Darkroom says", "why", "what to do"), endings()),
        "files": markdown(("“cat.heic” cannot go along:", "`darkroom turns` calls it"), files()),
        "outages": markdown(("nothing is made, because", "what an admin does"), outages()),
        "slack": markdown(("Slack calls it", "and Darkroom says: nothing was made, because"), posting()),
        "answers": markdown(("Darkroom says", "why", "what to do"), answers()),
        "mistakes": markdown(("Nothing was changed:",), mistakes()),
    }


def endings() -> list[list[str]]:
    """What a request comes to."""
    found = []
    for reason in Reason:
        ending = Ending(Outcome.FAILED, reason, EXAMPLES.get(reason, {}))
        said = say(ending, VOICE, Hearer(DESIGN, user_id=ALICE))
        why, do = ENDINGS[reason]
        shown = "the model's own words" if reason is Reason.WORDS else _shown(said)
        found.append([f"**{reason.value.replace('_', ' ')}**: {shown}", why, do])
    return found


def files() -> list[list[str]]:
    """Why an attached file cannot go along."""
    return [
        [_shown(words_files.why(problem, "@Darkroom")), problem.value.replace("_", " ")]
        for problem in FileProblem
    ]


def outages() -> list[list[str]]:
    """Times when the image API is of no use."""
    return [[words_waiting.why_closed(each), words_waiting.how_to_mend(each)] for each in Trouble]


def posting() -> list[list[str]]:
    """Slack's errors that have words of their own."""
    names = [*words._CANNOT_POST, "not_in_channel", "anything_else"]
    return [[f"`{name}`", _shown(words.why_not_posted(name, VOICE))] for name in names]


def answers() -> list[list[str]]:
    """All other sentences. KeyError for one that nobody has said the reason of."""
    texts = {name: call() for name, call in CALLS.items()} | constants()
    return [[_shown(text), *ANSWERS[name]] for name, text in texts.items()]


def mistakes() -> list[list[str]]:
    """What admins cannot decide as things stand."""
    return [[_shown(text.format(spend=VOICE.spend))] for text in words_admin._CANNOT.values()]


def constants() -> dict[str, str]:
    """The public sentences that are written as they are said, by module and name."""
    found = {}
    for module in modules():
        written = ast.parse(inspect.getsource(module)).body
        targets = [node.targets[0] for node in written if isinstance(node, ast.Assign)]
        for name in (target.id for target in targets if isinstance(target, ast.Name)):
            value, full = getattr(module, name), f"{_short(module)}.{name}"
            if isinstance(value, str) and not name.startswith("_") and full not in PARTS:
                found[full] = value
    return found


def functions() -> set[str]:
    """The public functions that put sentences together, by module and name."""
    return {
        f"{_short(module)}.{name}"
        for module in modules()
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_")
    }


def modules() -> list[ModuleType]:
    """Where sentences are written."""
    return [importlib.import_module(f"handlers.{path.stem}") for path in sorted(HANDLERS.glob("words*.py"))]


def _short(module: ModuleType) -> str:
    return module.__name__.removeprefix("handlers.")


def _shown(text: str) -> str:
    """As it is read: mentions by a name, line breaks as spaces, nothing that Markdown would take."""
    text = text.replace(VOICE.an_admin, "an admin")
    for mention, name in ((VOICE.us, "@Darkroom"), (f"<@{ALICE}>", "@alice"), (f"<#{DESIGN}>", "#design")):
        text = text.replace(mention, name)
    return " ".join(text.split())
