"""What the pages say can be typed or set exists: every command, option, setting and variable they name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest

from bot.doctor.checks import CHECKS
from darkroom.spending.catalogue import load_catalogue
from handlers.options import NAMES
from handlers.spend_commands import EXAMPLES, Mistake
from handlers.spend_grammar import read_command
from handlers.spend_operands import Rules
from tests.made import commands, configuration

ROOT = Path(__file__).parents[2]
PAGES = {page.name: page for page in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"))}
PAST = "CHANGELOG.md"
"""Says what was, too."""
RULES = Rules("/spend", "UTC", datetime(2026, 11, 20, 12, tzinfo=UTC), load_catalogue())
COMMANDS = dict(commands.commands())
IMAGINE = {"help", "last", "status"}
"""The words behind ``/imagine`` that are no prompt."""


def texts() -> Iterator[tuple[str, str]]:
    """Each page by its name, but for what was."""
    for name, page in sorted(PAGES.items()):
        if name != PAST:
            # The changes that are shown there are not made.
            yield name, re.sub(r"^```diff\n.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.S | re.M)


def spans() -> Iterator[tuple[str, str]]:
    """What stands between backticks or on a line of a code block, with its page."""
    for name, text in texts():
        blocks = re.findall(r"^ *```\w*\n(.*?)^ *```$", text, re.S | re.M)
        plain = re.sub(r"^ *```\w*\n.*?^ *```$", "", text, flags=re.S | re.M)
        for span in (
            *re.findall(r"`([^`\n]+)`", plain),
            *(line for block in blocks for line in block.split("\n")),
        ):
            yield name, span.split("  #")[0].strip()


def options_of(command: click.Command) -> set[str]:
    """Everything with dashes that it takes."""
    found = {name for param in command.params for name in (*param.opts, *param.secondary_opts)}
    return found | {"--help", "-h"}


def typed(span: str) -> tuple[str, list[str]] | None:
    """The command of ``darkroom`` that a span is, and what is typed behind it; None if it is none."""
    found = re.match(r"(?:\S*/)?darkroom ([a-z]+)(?: (.*))?$", span)
    if found is None:
        return None
    name, rest = found[1], (found[2] or "").split()
    if rest and f"{name} {rest[0]}" in COMMANDS:
        name, rest = f"{name} {rest[0]}", rest[1:]
    return name, rest


def test_every_command_of_darkroom_on_a_page_exists_with_its_options() -> None:
    seen = set()
    for page, span in spans():
        if (found := typed(span)) is None:
            continue
        name, rest = found
        assert name in COMMANDS, f"{page}: {span}"
        options = {word.split("=")[0] for word in rest if word.startswith("--")}
        assert options <= options_of(COMMANDS[name]), f"{page}: {span}"
        seen.add(name)
    assert seen == set(COMMANDS)


def test_every_command_behind_spend_on_a_page_is_understood_and_each_is_on_one() -> None:
    seen = set()
    for page, span in spans():
        if not (found := re.match(r"/spend(?: ([^…\[\]|]*))?$", span)):
            continue
        text = re.sub(r"#(\w+)", r"<#C0DESIGN01|\1>", found[1] or "")
        text = re.sub(r"@(\w+)", r"<@U0ANNA0001|\1>", text)
        # A command alone may be named without what belongs to it.
        if text not in EXAMPLES:
            assert not isinstance(read_command(text, RULES), Mistake), f"{page}: {span}"
        seen |= {text.split()[0]} if text else set()
    assert set(EXAMPLES) | {"help"} <= seen


def test_every_option_behind_a_prompt_on_a_page_exists_and_each_is_on_one() -> None:
    seen = set()
    for page, span in spans():
        if not span.startswith(("/imagine", "--")) or span == "--":
            continue
        names = set(re.findall(r"(?<!\S)--([a-z-]+)", span))
        if span.startswith("/imagine"):
            assert names <= set(NAMES), f"{page}: {span}"
        seen |= names
    assert set(NAMES) <= seen


def test_the_words_behind_imagine_that_are_no_prompt_are_on_a_page() -> None:
    words = {span.removeprefix("/imagine ") for _, span in spans() if span.startswith("/imagine ")}
    assert words >= IMAGINE


def test_every_setting_and_variable_on_a_page_exists() -> None:
    known = {name: variable for name, variable, _, _ in configuration.rows()}
    sections = {name.partition(".")[0] for name in known}
    for page, span in spans():
        for variable in re.findall(r"\bDARKROOM_[A-Z_]+\b", span):
            assert variable in known.values(), f"{page}: {span}"
        found = re.fullmatch(r"([a-z]+)\.([a-z_]+)(?: ?=.*)?", span)
        if found and found[1] in sections and found[2] not in ("py", "toml", "com"):
            # The doctor's checks are named after what they look at.
            assert f"{found[1]}.{found[2]}" in {*known, *CHECKS}, f"{page}: {span}"


@pytest.mark.parametrize("name", sorted(PAGES))
def test_each_page_is_linked_from_another(name: str) -> None:
    """So that it is found."""
    if name in ("README.md", "CONTRIBUTING.md", "SECURITY.md"):
        return
    assert any(
        re.search(rf"\]\([^)]*\b{re.escape(name)}[)#]", text) for page, text in texts() if page != name
    )
