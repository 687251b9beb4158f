"""The command line: one file a command, loaded when it is used, so that ``--help`` is quick."""

from __future__ import annotations

import importlib
import json
import shlex
import shutil
import sys
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from bot.settings import Settings

COMMANDS = {
    "run": "Connect to Slack and make pictures.",
    "demo": "Try it all in a browser: a local Slack and a local image API, no account needed.",
    "sandbox": "The local Slack and image API alone, for your own bots and tests.",
    "init": "Set Darkroom up: its settings, its secrets, and an empty data directory.",
    "doctor": "Check everything that it needs, and say what is wrong and what to do.",
    "spend": "Who spent what, on which model, for which tokens.",
    "estimate": "What a picture will cost, before anything is bought.",
    "turns": "What was asked for, what became of it, and what it cost.",
    "backup": "Copy everything into one file, while Darkroom runs.",
    "restore": "Make a data directory from a backup.",
    "retention": "Delete what is older than the settings say; or only say what that would be.",
    "forget": "Delete all that is kept of a person, or of the workspace.",
    "manifest": "The Slack app's manifest, ready to paste.",
}
"""Every command and its one line, in the order of ``--help``."""


class LazyGroup(click.Group):
    """Finds a command in the module of its name, and imports that only then.

    *known* are the names with their one lines, in the order of ``--help``; the module is *prefix* and the
    name.
    """

    def __init__(self, *args: Any, known: Mapping[str, str], prefix: str, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._known = known
        self._prefix = prefix

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._known)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._known:
            return None
        module = importlib.import_module(f"{self._prefix}{cmd_name}")
        found: click.Command = module.command
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = get_close_matches(args[0], self._known, 1)
            if not near:
                raise
            raise click.UsageError(f"{error.message} Did you mean {near[0]}?", ctx) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self._known.items()))


@click.group(
    cls=LazyGroup,
    known=COMMANDS,
    prefix="bot.cli.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="darkroom", message="darkroom %(version)s")
def main() -> None:
    """Darkroom makes pictures in Slack: every picture has a price, every person a cap."""


def settings_options(command: Any) -> Any:
    """The options by which every command that needs settings finds them."""
    for option in (
        click.option(
            "--set",
            "pairs",
            multiple=True,
            metavar="NAME=VALUE",
            help="One setting, such as image.quality=low; may be repeated.",
        ),
        click.option("--data-dir", type=click.Path(path_type=Path), help="Instead of storage.data_dir."),
        click.option("--config", type=click.Path(path_type=Path), help="Instead of ./darkroom.toml."),
    ):
        command = option(command)
    return command


_SECRET_ENDS = ("_token", "_key", "_secret")
"""How the names of tokens and keys end; no other setting's does."""


def flags_of(pairs: tuple[str, ...], data_dir: Path | None) -> dict[str, Any]:
    """Dotted names to values, from ``--set`` and ``--data-dir``."""
    flags: dict[str, Any] = {}
    for pair in pairs:
        name, separator, value = pair.partition("=")
        if not separator or not name.strip():
            raise click.BadParameter(f"{pair!r} is not NAME=VALUE, such as image.quality=low")
        if name.strip().lower().endswith(_SECRET_ENDS):
            raise click.BadParameter(
                f"{name.strip()} is a secret: put it into .env. Command lines are seen by everybody on the "
                "machine, and shells keep them."
            )
        flags[name.strip()] = _value(value.strip())
    if data_dir is not None:
        flags["storage.data_dir"] = data_dir
    return flags


def _value(text: str) -> Any:
    """Lists as in the environment, in JSON; everything else as it stands."""
    if not text.startswith("["):
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f'{text!r} is not a JSON list such as ["U0123"]') from error


def as_typed() -> str:
    """How to start this program once more: its name, or where it lies when the shell would not find it."""
    if Path(sys.argv[0]).stem != "darkroom":
        return "darkroom"
    found = shutil.which("darkroom")
    here = found is not None and Path(found).resolve() == Path(sys.argv[0]).resolve()
    return "darkroom" if here else shlex.quote(sys.argv[0])


class Refused(click.ClickException):
    """Nothing was done; ``message`` says what is wrong and what to do. Exit code 2."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        click.echo(self.message, err=True)


def to_mend(faults: list[str]) -> Refused:
    """What to raise for settings that make no sense: every fault on a line of its own."""
    lines = "\n".join(f"  {fault}" for fault in faults)
    return Refused(f"These settings need mending:\n{lines}")


def settings_for(config: Path | None, flags: dict[str, Any]) -> Settings:
    """The settings of this run, or ``Refused`` with every fault on a line of its own."""
    from bot.settings import BadSettings, load_settings

    try:
        return load_settings(config=config, flags=flags)
    except BadSettings as bad:
        raise to_mend(bad.faults) from bad
