"""``darkroom init``: settings and secrets by a few questions, and a new, empty data directory."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import click

from bot.cli import Refused, as_typed, flags_of, settings_for, settings_options


@click.command("init")
@click.option(
    "--ask/--no-ask",
    "asks",
    default=None,
    help="Ask for what belongs into darkroom.toml and .env. Usual in a terminal, without other options.",
)
@settings_options
def command(asks: bool | None, config: Path | None, data_dir: Path | None, pairs: tuple[str, ...]) -> None:
    """Set Darkroom up in this folder: ask a few questions, write darkroom.toml and .env (for you alone to
    read), and make the data directory with an empty ledger: everybody has their full cap.

    What is there already is left as it is. Without questions, only the data directory is made.
    """
    if asks is None:
        asks = sys.stdin.isatty() and not (config or data_dir or pairs)
    wrote = asks and _set_up(config, data_dir)
    settings = settings_for(config, flags_of(pairs, data_dir))
    place = settings.storage.data_dir
    made = _make(place, may_be_there=wrote)
    again = "" if data_dir is None else f" --data-dir {shlex.quote(str(data_dir))}"
    if not wrote:
        click.echo(f"{made} Next: put the tokens into .env, then: {as_typed()} run{again}")
        return
    click.echo(f"{made}\n\nNext, what it makes of all that, and then Darkroom itself:")
    click.echo(f"    {as_typed()} doctor{again}\n    {as_typed()} run{again}")


def _make(place: Path, *, may_be_there: bool) -> str:
    """Make the data directory; what to say about it."""
    from storage.database import DATABASE_NAME, Database, DataProblem, UnusableData

    if (place / DATABASE_NAME).exists():
        told = f"There is Darkroom data in {place.resolve()} already; it was left as it is."
        if may_be_there:
            return told
        raise Refused(told)
    try:
        Database.open(place, create=True).close()
    except UnusableData as problem:
        raise Refused(f"{place.resolve()} cannot be made: {problem.why}.") from problem
    except DataProblem as problem:
        raise Refused(str(problem)) from problem
    return f"Made {place.resolve()}."


def _set_up(config: Path | None, data_dir: Path | None) -> bool:
    """Ask for the files that are not there, then write them; whether there were any."""
    from bot.cli.init_asking import Answers, ask_secrets, ask_settings
    from bot.cli.init_writing import env_of, toml_of
    from bot.settings import CONFIG_NAME, ENV_NAME

    toml, env = config or Path(CONFIG_NAME), Path(ENV_NAME)
    wanted = [file for file in (toml, env) if not os.path.lexists(file)]
    for file in (toml, env):
        if file not in wanted:
            click.echo(f"{file} is there already; it is left as it is.\n")
    if not wanted:
        click.echo(
            "To change an answer, write it into that file; to be asked again, put the file away first."
        )
    for folder in {file.resolve().parent for file in wanted}:
        # By the account that acts, as the doctor looks, not by the one that logged in.
        acting = os.access in os.supports_effective_ids
        if not os.access(folder, os.W_OK | os.X_OK, effective_ids=acting):
            raise Refused(
                f"{folder} cannot be written into by this account. To make the data directory alone: "
                f"{as_typed()} init --no-ask"
            )
    answers = Answers()
    if toml in wanted:
        ask_settings(answers, data_dir=data_dir is None)
    elif env in wanted:
        answers.settings["slack.mode"] = settings_for(config, {}).slack.mode
    if env in wanted:
        ask_secrets(answers, os.environ)
    click.echo()
    texts: dict[Path, tuple[str, int]] = {}
    if toml in wanted:
        texts[toml] = (toml_of(answers.settings), 0o666)
    if env in wanted:
        texts[env] = (env_of(answers.secrets, answers.left_out), 0o600)
    _write(texts, env, data_dir or str(answers.settings.get("storage.data_dir", "")))
    if answers.settings.get("slack.mode") == "http":
        click.echo(f"For HTTP the app's manifest is another: {as_typed()} manifest --http https://…")
    for secret in answers.left_out:
        click.echo(f"Still to come: {secret.name}, in .env ({secret.where}).")
    return bool(wanted)


def _write(texts: dict[Path, tuple[str, int]], env: Path, data_dir: Path | str) -> None:
    """Git is told first: a secret is never in a checkout without being ignored."""
    from bot.cli.init_writing import keep_out_of_git, write_new

    private = [str(env)] if env in texts else []
    # In one spelling, seen from here: to .gitignore ./data is none.
    data = Path(os.path.relpath(data_dir or os.pardir))
    if texts and data.parts and data.parts[0] != os.pardir:
        private.append(f"{data}/")
    try:
        for line in keep_out_of_git(Path.cwd(), private):
            click.echo(line)
        for file, (text, mode) in texts.items():
            write_new(file, text, mode)
            alone = ", which only you can read" if mode == 0o600 else ""
            click.echo(f"Wrote {file}{alone}.")
    except OSError as error:
        name = error.filename or "a file"
        raise Refused(f"{name} cannot be written: {error.strerror or error}.") from error
