"""``darkroom forget``: delete all that is kept of a person, or of the workspace."""

from __future__ import annotations

import asyncio
import json
import re
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli import Refused, as_typed, flags_of, settings_for, settings_options
from bot.cli.forget_print import as_data, plan_lines, report_lines, unscrubbed_line

if TYPE_CHECKING:
    from bot.forgetting import Forgetting, Obstacles, Report
    from bot.settings import Settings
    from darkroom.turns.forgetting import Known, Whom

WORKSPACE = "workspace"
SAID_EACH = 50
"""After so many things taken back elsewhere, how far it has come is said."""
_ID = re.compile(r"(?:<@|@)?([UW][A-Z0-9]{6,})(?:\|[^>]*)?>?")
"""A person's id, also as Slack writes it in a message."""


@click.command("forget")
@click.argument("who", metavar="@PERSON|ID|workspace")
@click.option("--team", "team_id", metavar="ID", help="The workspace, where the books know several.")
@click.option("--dry-run", is_flag=True, help="Only say what would go; works beside a running Darkroom.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--anyway", is_flag=True, help="Delete here even if Slack or OpenAI does not answer just now.")
@click.option("--json", "as_json", is_flag=True, help="For programs; needs --yes or --dry-run.")
@settings_options
def command(
    who: str,
    team_id: str | None,
    dry_run: bool,
    yes: bool,
    anyway: bool,
    as_json: bool,
    config: Path | None,
    data_dir: Path | None,
    pairs: tuple[str, ...],
) -> None:
    """Delete all that is kept of a person (their Slack id such as U0123ABCD, or @name), or of the workspace.

    Messages and files in Slack and stored answers at OpenAI are deleted first, as far as a token and a key
    are there; then rows, pictures, and what SQLite leaves of them in its files. The books keep what was
    charged, under a key that leads nowhere. Darkroom must not be running. Backups are not reached.

    Exit code 0: all of it is gone. 1: something is left, and it is said what. 2: nothing was done.
    """
    from bot.forgetting import CannotReach
    from storage.database import DataDirectoryInUse, DataProblem

    if as_json and not (yes or dry_run):
        raise Refused("--json asks nobody: add --yes, or --dry-run.")
    settings = settings_for(config, flags_of(pairs, data_dir))
    try:
        user_id = None if who == WORKSPACE else _person(settings, who)
        if dry_run:
            _look(settings, user_id, team_id, as_json=as_json)
        else:
            asyncio.run(_forget(settings, user_id, team_id, _Manner(yes, anyway, as_json)))
    except DataDirectoryInUse as running:
        raise Refused(
            f"Darkroom is running on {settings.storage.data_dir.resolve()}. Stop it, forget, and start it "
            f"again: what it has in hand would be written anew. To look beside it: {as_typed()} forget "
            f"{who} --dry-run"
        ) from running
    except DataProblem as problem:
        raise Refused(str(problem)) from problem
    except CannotReach as problem:
        raise Refused(
            f"{who} cannot be looked up: {problem}. Give the person's id instead (in Slack: their profile, "
            "the three dots, “Copy member ID”)."
        ) from problem


class _Manner:
    """How it is to be done."""

    def __init__(self, yes: bool, anyway: bool, as_json: bool) -> None:
        self.yes, self.anyway, self.as_json = yes, anyway, as_json


def _person(settings: Settings, who: str) -> str:
    """The id of the person that *who* names. Raises ``CannotReach``."""
    named = _ID.fullmatch(who)
    if named is not None:
        return named[1]
    if not who.startswith("@") or len(who) < 2:
        raise Refused(f"{who!r} is neither a person's id such as U0123ABCD, nor @name, nor “{WORKSPACE}”.")
    from bot.forgetting import people_named

    found = sorted({user for user, _ in asyncio.run(people_named(settings, who.removeprefix("@")))})
    if not found:
        raise Refused(f"Slack knows nobody called {who}. Nothing was done.")
    if len(found) > 1:
        raise Refused(f"{who} is the name of several people: {', '.join(found)}. Give the id of one.")
    return found[0]


def _look(settings: Settings, user_id: str | None, team_id: str | None, *, as_json: bool) -> None:
    """What would go; nothing is changed."""
    from bot.forgetting import Report
    from storage.forgetter import look

    found = look(settings.storage.data_dir, user_id, team_id)
    whom = _the_one([whom for whom, _ in found])
    if whom is None:
        _nothing(user_id, as_json=as_json)
        return
    known = found[0][1]
    obstacles = asyncio.run(_obstacles(settings, whom, known))
    if as_json:
        click.echo(json.dumps(as_data(Report(whom, known), obstacles, dry_run=True), indent=2))
        return
    for line in plan_lines(whom, known, obstacles, settings.slack.admins):
        click.echo(line)
    click.echo("Nothing was changed.")


async def _forget(settings: Settings, user_id: str | None, team_id: str | None, manner: _Manner) -> None:
    from bot.forgetting import Forgetting

    async with Forgetting.on(settings) as forgetting:
        unscrubbed = await forgetting.finish()
        whom = _the_one(await forgetting.candidates(user_id, team_id))
        if whom is None:
            _nothing(user_id, as_json=manner.as_json)
            if unscrubbed:
                click.echo(unscrubbed_line(unscrubbed), err=True)
                raise click.exceptions.Exit(1)
            return
        known = await forgetting.known(whom)
        obstacles = await _obstacles(settings, whom, known)
        if not manner.as_json:
            for line in plan_lines(whom, known, obstacles, settings.slack.admins):
                click.echo(line)
        if not manner.yes:
            await asyncio.to_thread(_confirm, whom)
        report = await _with_progress(forgetting, whom, known, manner)
    if manner.as_json:
        click.echo(json.dumps(as_data(report, obstacles, dry_run=False), indent=2))
    else:
        for line in report_lines(report):
            click.echo(line)
    if not report.whole:
        raise click.exceptions.Exit(1)


async def _with_progress(forgetting: Forgetting, whom: Whom, known: Known, manner: _Manner) -> Report:
    """Slack takes about one deletion a second: of many, that is said."""
    done = count(1)

    def heard() -> None:
        if (number := next(done)) % SAID_EACH == 0:
            click.echo(f"{number:,} of {len(known.traces):,} elsewhere", err=True)

    return await forgetting.forget(whom, known, anyway=manner.anyway, heard=heard)


async def _obstacles(settings: Settings, whom: Whom, known: Known) -> Obstacles:
    from bot.forgetting import Obstacles, openai_problem, slack_problem
    from darkroom.turns.erasing import Recall

    in_slack = any(each.kind is not Recall.RESPONSE for each in known.traces)
    stored = any(each.kind is Recall.RESPONSE for each in known.traces)
    return Obstacles(
        slack=await slack_problem(settings, whom.team_id) if in_slack else None,
        openai=openai_problem(settings) if stored else None,
    )


def _the_one(candidates: list[Whom]) -> Whom | None:
    if len(candidates) > 1:
        teams = ", ".join(each.team_id for each in candidates)
        raise Refused(f"The books know several workspaces: {teams}. Name one with --team.")
    return candidates[0] if candidates else None


def _nothing(user_id: str | None, *, as_json: bool) -> None:
    who = user_id or "a workspace"
    click.echo(json.dumps({"found": False}) if as_json else f"Nothing is kept of {who}.")


def _confirm(whom: Whom) -> None:
    word = whom.user_id or whom.team_id
    try:
        typed = click.prompt(f"This cannot be undone. Type {word} to go on", default="", show_default=False)
    except click.Abort:
        typed = ""
    if typed.strip() != word:
        raise Refused("Nothing was done.")
