"""The page has its own small table of emoji: whoever opens the demo sees no bare short code."""

import ast
import inspect
import re
from collections.abc import Iterator
from importlib import resources
from types import ModuleType

import pytest

from bot.cli import demo_history
from handlers import delivery, placeholders
from handlers.blocks import home, modal

SHORT_CODE = re.compile(r":([a-z][a-z0-9_+'-]*):")


def table() -> set[str]:
    """The names that emoji.js knows."""
    script = (resources.files("sandbox.page") / "emoji.js").read_text(encoding="utf-8")
    rows = re.search(r"const TABLE = \{\n(.*?)\n\};", script, re.DOTALL)
    assert rows is not None
    return set(re.findall(r'"?([\w+-]+)"?: "[^"]+"', rows.group(1)))


def written(module: ModuleType) -> Iterator[str]:
    """Every short code in a module's texts, and every emoji that its people put on a message."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from SHORT_CODE.findall(node.value)
        elif (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "likes"
        ):
            assert isinstance(node.args[2], ast.Constant)
            yield str(node.args[2].value)


@pytest.mark.parametrize(
    ("names", "at_least"),
    [
        ({*written(demo_history)}, {"heart_eyes_cat", "tada"}),
        ({*written(home), *written(modal)}, {"warning"}),
        ({placeholders.WORKING_REACTION, delivery.NOTHING_REACTION}, {"eyes"}),
    ],
    ids=["the demo's month", "Home and the modal", "reactions of the app"],
)
def test_the_page_can_draw_every_emoji_that_a_visitor_of_the_demo_meets(
    names: set[str], at_least: set[str]
) -> None:
    assert at_least <= names
    assert names <= table()
