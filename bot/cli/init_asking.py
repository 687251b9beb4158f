"""The questions of ``darkroom init``: few, each answer checked at once, nothing written before the last."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import click

LOCALTIME = Path("/etc/localtime")
_NOT_YET = "Enter leaves it out for now"


@dataclass(frozen=True, slots=True)
class Secret:
    """One token or key: its variable, how its kind begins, and where it is found."""

    name: str
    form: re.Pattern[str]
    kind: str
    where: str


BOT_TOKEN = Secret(
    "SLACK_BOT_TOKEN",
    re.compile(r"xoxb-\S+"),
    "begins with xoxb-",
    "your app's page → OAuth & Permissions → Bot User OAuth Token",
)
APP_TOKEN = Secret(
    "SLACK_APP_TOKEN",
    re.compile(r"xapp-\S+"),
    "begins with xapp-",
    "Basic Information → App-Level Tokens, with the scope connections:write",
)
SIGNING_SECRET = Secret(
    "SLACK_SIGNING_SECRET",
    re.compile(r"[0-9a-f]{32}"),
    "has 32 digits and letters from a to f",
    "Basic Information → App Credentials → Signing Secret",
)
OPENAI_KEY = Secret(
    "OPENAI_API_KEY",
    re.compile(r"sk-(?!admin-)\S+"),
    "begins with sk-, and not with sk-admin-",
    "platform.openai.com → API keys",
)
OTHERS_KEY = Secret(
    "OPENAI_API_KEY", re.compile(r"(?!xox|xapp-)\S+"), "is no token of Slack's", "your provider's page"
)
"""The key of another provider, whose form we do not know."""

ALLOWED = re.compile(r"[!-~]+")
"""What any of them consists of: ASCII without spaces."""


def fault_in(secret: Secret, value: str) -> str:
    """What is wrong with *value*, without repeating it; nothing if it has the form of such a secret."""
    if not ALLOWED.fullmatch(value) or "'" in value or "\\" in value:
        return "It has a character in it that no token or key has. Copy it again."
    if not secret.form.fullmatch(value):
        return f"That is something else: {secret.name} {secret.kind}. It is under {secret.where}."
    return ""


@dataclass(slots=True)
class Answers:
    """What was answered: settings by dotted name as they were typed, and secrets by variable. Without a mark
    of what the secrets are in its ``repr``."""

    settings: dict[str, str | list[str]] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    left_out: list[Secret] = field(default_factory=list)


def ask_settings(answers: Answers, *, data_dir: bool) -> None:
    """How Slack reaches it, who may spend what, and where everything is kept (unless that was said)."""
    click.echo(
        "Slack reaches Darkroom by a connection that Darkroom opens (socket), which is the simplest, or"
    )
    click.echo("by requests to an https address of yours (http).")
    _ask(answers, "slack.mode", "socket or http?", "socket")
    click.echo(
        "\nAdmins are written to about alerts, and set caps. A user id stands in a person's Slack profile"
    )
    click.echo(
        "under ⋮ → Copy member ID. Without any, the workspace's admins and owners may use the commands."
    )
    _ask(answers, "slack.admins", "User ids of the admins, with commas between them", "", _ids)
    click.echo("\nCaps, in dollars. Nothing is bought beyond them; none is no limit.")
    _ask(answers, "caps.person_usd", "What may one person spend in a month?", "10")
    _ask(answers, "caps.workspace_usd", "And everybody together?", "500")
    _ask(answers, "caps.timezone", "The time zone that months begin in", local_zone())
    if data_dir:
        click.echo("\nThe ledger and the pictures need a folder of their own.")
        _ask(answers, "storage.data_dir", "Which?", "data", _folder)


def ask_secrets(answers: Answers, environment: Mapping[str, str]) -> None:
    """The tokens and the key, unseen as they are typed; what stands in the environment is not asked for."""
    slack = SIGNING_SECRET if answers.settings.get("slack.mode") == "http" else APP_TOKEN
    openai = OTHERS_KEY if environment.get("OPENAI_BASE_URL") else OPENAI_KEY
    click.echo(f"\nThe tokens and the key are not shown as you paste them. {_NOT_YET}.")
    for secret in (BOT_TOKEN, slack, openai):
        if environment.get(secret.name):
            click.echo(f"{secret.name} is in the environment already; it is not written down.")
            continue
        click.echo(f"Next: {secret.where}")
        value = _prompt(secret)
        if value:
            answers.secrets[secret.name] = value
        else:
            answers.left_out.append(secret)


def _prompt(secret: Secret) -> str:
    # A pipe has nothing to hide, and getpass would complain that it cannot.
    hidden = sys.stdin.isatty()
    while True:
        value = str(click.prompt(secret.name, default="", show_default=False, hide_input=hidden)).strip()
        fault = fault_in(secret, value) if value else ""
        if not fault:
            return value
        click.echo(f"  {fault}")


def _as_typed(text: str) -> str | list[str]:
    return text


def _ids(text: str) -> list[str]:
    return [one.strip().strip("<@>").upper() for one in re.split(r"[,\s]+", text) if one.strip()]


def _folder(text: str) -> str:
    # As a shell would read it, which nobody else does for a file of settings.
    return str(Path(text).expanduser())


def _ask(
    answers: Answers,
    name: str,
    question: str,
    usual: str,
    read: Callable[[str], str | list[str]] = _as_typed,
) -> None:
    """Ask until the answer is one that the setting of that name takes."""
    while True:
        text = str(click.prompt(question, default=usual, show_default=bool(usual))).strip()
        value = read(text)
        fault = _fault_of(name, value)
        if not fault:
            answers.settings[name] = value
            return
        click.echo(f"  {fault}")


def _fault_of(name: str, value: str | list[str]) -> str:
    from bot.settings import BadSettings, plain_settings

    strange = [one for one in value if not re.fullmatch(r"[UW][A-Z0-9]{2,}", one)] if _is_ids(value) else []
    if strange:
        return f"{strange[0]} is no user id: those begin with U or W, such as U0123ABCD."
    if name == "storage.data_dir" and Path(str(value)).resolve() == Path.cwd():
        return "That is this folder. The data needs a folder of its own, such as data."
    try:
        plain_settings({name: value})
    except BadSettings as bad:
        return bad.faults[0].partition("): ")[2] or bad.faults[0]
    return ""


def _is_ids(value: str | list[str]) -> bool:
    return isinstance(value, list)


def local_zone(localtime: Path = LOCALTIME) -> str:
    """The zone of this machine by its name; UTC where it has none that is known."""
    from darkroom.spending.periods import BadTimezone, zone_of

    _, found, name = str(localtime.resolve()).partition("/zoneinfo/")
    # By its usual name: a machine's is often called Etc/UTC.
    if not found or name.endswith(("UTC", "UCT", "Universal", "Zulu")):
        return "UTC"
    try:
        return str(zone_of(name))
    except BadTimezone:
        return "UTC"
