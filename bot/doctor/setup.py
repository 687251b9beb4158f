"""What somebody has set: every setting, the catalogue, and whether the secrets are kept as such."""

from __future__ import annotations

import stat
import subprocess
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from io import StringIO
from pathlib import Path
from typing import Any

from dotenv.parser import parse_stream

from bot.doctor.finding import Finding, fail, good, warn
from bot.settings import CONFIG_NAME, ENV_NAME, BadSettings, Settings, load_settings

GIT_S = 10.0
_VARIABLES = (
    "SLACK_BOT_TOKEN",
    "SLACK_APP_TOKEN",
    "SLACK_SIGNING_SECRET",
    "SLACK_API_URL",
    "OPENAI_API_KEY",
    "OPENAI_ADMIN_KEY",
    "OPENAI_BASE_URL",
)
_MEND = "Mend it in darkroom.toml, .env or the environment; docs/configuration.md says what is allowed."
_SECRETS = (
    "slack_bot_token",
    "slack_app_token",
    "slack_signing_secret",
    "openai_api_key",
    "openai_admin_key",
)


def look_at_settings(
    config: Path | None, flags: Mapping[str, Any], folder: Path
) -> tuple[Settings | None, list[Finding]]:
    """The settings, or None with a finding for each fault in them."""
    try:
        settings = load_settings(config=config, flags=flags, folder=folder)
    except BadSettings as bad:
        return None, [fail("settings", fault, _remedy(fault)) for fault in bad.faults]
    file = config or folder / CONFIG_NAME
    read = [each for each in (file, folder / ENV_NAME) if each.exists()]
    said = (
        f"read from {' and '.join(str(each.resolve()) for each in read)}"
        if read
        else (f"neither {CONFIG_NAME} nor {ENV_NAME} in {folder.resolve()}: defaults and the environment")
    )
    return settings, [good("settings", said), *_secrets_in(file)]


def _remedy(fault: str) -> str:
    if "cannot be read" in fault:
        return "Let this account read it, or start in a folder of Darkroom's own."
    name = fault.partition(":")[0].partition(" ")[0]
    near = get_close_matches(name, setting_names(), 1) if "there is no such setting" in fault else []
    return f"Did you mean {near[0]}? {_MEND}" if near else _MEND


def setting_names() -> list[str]:
    """Every setting by its dotted name, and every variable by its own."""
    names: list[str] = []
    for name, field in Settings.model_fields.items():
        inner = getattr(field.annotation, "model_fields", None)
        if inner is None:
            names.append(name)
            continue
        for key in inner:
            names += [f"{name}.{key}", f"DARKROOM_{name}__{key}".upper()]
    return names


def _secrets_in(file: Path) -> list[Finding]:
    """Secrets work in the TOML file too; but that is the one that people commit and show around."""
    if not file.exists():
        return []
    held = [name for name in tomllib.loads(file.read_text(encoding="utf-8")) if name.lower() in _SECRETS]
    if not held:
        return []
    names = ", ".join(held)
    remedy = f"Move {names} into {ENV_NAME} (mode 600), and get new ones if the file was ever shared."
    return [warn("settings.secrets", f"{file.resolve()} holds {names}", remedy)]


def look_at_env_file(folder: Path) -> list[Finding]:
    """Whether others on this machine, or everybody with the repository, can read the secrets."""
    check, file = "secrets.file", folder / ENV_NAME
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
    except FileNotFoundError:
        return [good(check, f"no {ENV_NAME} here: secrets come from the environment")]
    except OSError:
        return []  # The settings have said so.
    if mode & 0o077:
        said = f"others on this machine may read {file.resolve()} (mode {mode:o})"
        return [warn(check, said, f"chmod 600 {ENV_NAME}"), *_lines(file), *_in_git(file)]
    alone = good(check, f"{file.resolve()} is its owner's alone (mode {mode:o})")
    return [alone, *_lines(file), *_in_git(file)]


def _lines(file: Path) -> list[Finding]:
    """Lines that are passed over without a word, or whose names nobody asks for."""
    try:
        bindings = list(parse_stream(StringIO(file.read_text(encoding="utf-8"))))
    except (OSError, UnicodeDecodeError):
        return []  # The settings have said so.
    check = "secrets.lines"
    unread = [str(each.original.line) for each in bindings if each.error or (each.key and each.value is None)]
    findings: list[Finding] = []
    if unread:
        said = f"{ENV_NAME} has lines that are not NAME=VALUE: {', '.join(unread)}"
        findings.append(warn(check, said, "Write each variable on a line of its own, as NAME=VALUE."))
    for name in sorted({each.key for each in bindings if each.key} - {*_VARIABLES}):
        if name.startswith(("SLACK_", "OPENAI_")) and (near := get_close_matches(name, _VARIABLES, 1, 0.85)):
            said = f"{ENV_NAME} has {name}, which nobody asks for"
            findings.append(warn(check, said, f"Did you mean {near[0]}?"))
    return findings


def _in_git(file: Path) -> list[Finding]:
    check = "secrets.git"
    if _git(file.parent, "rev-parse", "--is-inside-work-tree") != 0:
        return []
    if _git(file.parent, "ls-files", "--error-unmatch", file.name) == 0:
        said = f"{ENV_NAME} is in this git repository, with every token in it"
        remedy = f"git rm --cached {ENV_NAME}, put it into .gitignore, commit, and get new tokens and keys."
        return [warn(check, said, remedy)]
    if _git(file.parent, "check-ignore", "--quiet", file.name) != 0:
        said = f"git does not ignore {ENV_NAME}: a commit of everything would have the tokens in it"
        return [warn(check, said, f"echo /{ENV_NAME} >> .gitignore")]
    return [good(check, f"git ignores {ENV_NAME}")]


def _git(folder: Path, *words: str) -> int | None:
    """Git's exit code; None without a git."""
    try:
        done = subprocess.run(  # noqa: S603 -- our own words, and no shell
            ["git", *words],  # noqa: S607 -- whichever git the person uses
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=GIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.returncode
