"""The tables of ``docs/commands.md``: what may be typed, in a terminal and in Slack, from the code."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Final

import click

from bot.cli import COMMANDS
from bot.cli.spend import SUBCOMMANDS
from handlers.options import NAMES
from handlers.spend_commands import EXAMPLES
from tests.reliability.tables import markdown

OPTIONS: Final[Mapping[str, tuple[str, str]]] = {
    "size": (
        "`square`, `portrait`, `landscape`, `banner`, `story` or pixels such as `1536x1024`",
        "the size",
    ),
    "ar": ("a ratio such as `16:9`", "the size, by its shape"),
    "quality": ("`low`, `medium`, `high`; with some models `xhigh`, `max`", "how carefully it is made"),
    "n": ("`1` to `4`", "how many pictures at once"),
    "background": ("`transparent` or `opaque`", "what is behind it"),
    "transparent": ("", "the same as `--background transparent`"),
    "model": ("a model's name", "the image model"),
    "format": ("`png` or `jpeg`", "the kind of file"),
    "private": ("", "made in your direct message with Darkroom; with `/imagine` only"),
    "public": ("", "made where you ask, though you prefer private"),
}
"""What may be said after a prompt: the values, and what it is for."""
SPEND: Final[Mapping[str, str]] = {
    "team": "everybody's spend",
    "caps": "every cap: defaults and exceptions",
    "cap": "sets a cap: for a person, a channel, `team`, `default`, `default channels`; `none` is no cap",
    "grant": "gives extra money, until a day",
    "grants": "the grants that are left",
    "revoke": "takes back what is left of a grant",
    "block": "somebody may make no pictures",
    "unblock": "they may again",
    "exempt": "somebody's own cap does not hold",
    "unexempt": "it holds again",
    "allow": "a model or quality, for a person, a channel or everyone",
    "deny": "the same, forbidden; `default` forgets what was said",
    "pilot": "only these may make pictures; `pilot off` lets everybody",
    "unpilot": "somebody, or a channel, is no longer among them",
    "pause": "nothing new is made",
    "resume": "it is again",
    "models": "models with their prices, and who may use what",
    "history": "what admins decided, and who",
    "report": "the whole report, with a chart and CSV, by direct message",
    "alerts": "where alerts go; `alerts off`: to the admins of the settings",
    "uncertain": "charges that nobody can be sure of; `accept 3`, `correct 3 0.05`, `waive 3` settle one",
}
"""What each command behind ``/spend`` does, for admins."""


def made() -> dict[str, str]:
    """The page's parts, by the names of their markers."""
    said = [[f"`--{name} {each}`" if each else f"`--{name}`", *OPTIONS[name]] for name, each in _values()]
    spend = [[f"`/spend {EXAMPLES[name]}`", SPEND[name]] for name in EXAMPLES]
    return {
        "options": markdown(("for example", "values", "what it says"), said),
        "spend": markdown(("for example", "what it does"), spend),
        "terminal": "\n".join(_of(name) for name in COMMANDS),
    }


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command of ``darkroom``, and every subcommand, by the words that are typed."""
    for name in COMMANDS:
        yield name, importlib.import_module(f"bot.cli.{name}").command
    for name in SUBCOMMANDS:
        yield f"spend {name}", importlib.import_module(f"bot.cli.spend_{name}").command


def _values() -> list[tuple[str, str]]:
    examples = {
        "size": "landscape",
        "ar": "16:9",
        "quality": "high",
        "n": "3",
        "background": "transparent",
        "model": "gpt-image-2",
        "format": "jpeg",
    }
    return [(name, examples.get(name, "")) for name in NAMES]


def _of(name: str) -> str:
    """A command's part of the page, with its subcommands'."""
    parts = [_section(words, command) for words, command in commands() if words.split()[0] == name]
    return "\n".join(parts)


def _section(words: str, command: click.Command) -> str:
    told = " ".join((command.help or "").split())
    rows = [[_names(option), _help(option)] for option in command.params if isinstance(option, click.Option)]
    arguments = [
        (param.metavar or str(param.name).upper())
        for param in command.params
        if not isinstance(param, click.Option)
    ]
    head = " ".join(["darkroom", words, *arguments])
    return f"### `{head}`\n{told}\n\n{markdown(('option', 'what it does'), rows)}"


def _names(option: click.Option) -> str:
    value = "" if option.is_flag else f" {option.metavar or _kind(option)}"
    return ", ".join(f"`{name}{value}`" for name in (*option.opts, *option.secondary_opts))


def _kind(option: click.Option) -> str:
    if isinstance(option.type, click.Choice):
        return ", ".join(str(each) for each in option.type.choices)
    return "FILE" if isinstance(option.type, click.Path) else str(option.type.name).upper().split()[0]


def _help(option: click.Option) -> str:
    told = option.help or ""
    if option.show_default and option.default is not None:
        told += f" Otherwise `{option.default}`."
    return told
