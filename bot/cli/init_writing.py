"""The files that ``darkroom init`` writes: ``darkroom.toml``, and ``.env`` for its owner alone."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from bot.cli.init_asking import Secret

GIT_WAIT_S = 10
_HEAD = (
    "# Settings of Darkroom; all there are stand in docs/configuration.md. Tokens and keys stand in .env.\n"
)
_ENV_HEAD = "# For Darkroom alone: whoever reads this file can act as your Slack app and spend your money.\n"
_NUMBER = re.compile(r"(0|[1-9][0-9]*)(\.[0-9]+)?")
_SIGNS = re.compile(r"[\\*?\[\] ]")
_PLAIN = re.compile(r"[A-Za-z0-9._-]+")


def toml_of(settings: Mapping[str, str | Sequence[str]]) -> str:
    """``darkroom.toml`` with these settings, by dotted name."""
    sections: dict[str, list[str]] = {}
    for name, value in settings.items():
        section, _, key = name.partition(".")
        is_amount = isinstance(value, str) and key.endswith("_usd") and _NUMBER.fullmatch(value)
        sections.setdefault(section, []).append(f"{key} = {value if is_amount else _text(value)}")
    return _HEAD + "".join(f"\n[{name}]\n" + "\n".join(lines) + "\n" for name, lines in sections.items())


def _text(value: str | Sequence[str]) -> str:
    if not isinstance(value, str):
        return "[" + ", ".join(_text(one) for one in value) + "]"
    # A basic string of TOML is one of JSON, but for DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def env_of(secrets: Mapping[str, str], left_out: Sequence[Secret]) -> str:
    """``.env`` with these secrets; those that are still to come are lines to fill in."""
    # Without quotes, a $ would be read as another variable's name and a # as a comment.
    lines = [f"{name}={value if _PLAIN.fullmatch(value) else repr(value)}" for name, value in secrets.items()]
    lines += [f"# {secret.name}=    {secret.where}" for secret in left_out]
    return _ENV_HEAD + "\n".join(lines) + "\n"


def write_new(file: Path, text: str, mode: int) -> None:
    """Write a file that must not be there yet, with at most the rights of *mode*; all of it or nothing.
    Raises OSError."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
    except BaseException:
        file.unlink(missing_ok=True)
        raise


def keep_out_of_git(folder: Path, names: Sequence[str]) -> list[str]:
    """See to it that git leaves these files of *folder* alone; what to say about it, line by line.

    Does nothing outside a checkout. Raises OSError where ``.gitignore`` cannot be written.
    """
    if not any((place / ".git").exists() for place in (folder, *folder.parents)):
        return []
    said: list[str] = []
    missing = [name for name in names if not _ignored(folder, name)]
    if missing:
        _ignore(folder / ".gitignore", [_pattern(name) for name in missing])
        said.append(f"Added {' and '.join(missing)} to .gitignore.")
    for name in names:
        if _git(folder, "ls-files", "--error-unmatch", "--", name) == 0:
            said.append(
                f"{name} is in git already: take it out with git rm --cached {name} before you commit."
            )
    return said


def _ignored(folder: Path, name: str) -> bool:
    code = _git(folder, "check-ignore", "--quiet", "--no-index", "--", name)
    if code is not None:
        return code == 0
    file = folder / ".gitignore"
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines() if file.exists() else []
    return bool({name, _pattern(name)} & {line.strip() for line in lines})


def _pattern(name: str) -> str:
    """A name as a line of ``.gitignore`` for it alone: there some signs stand for other names."""
    return "/" + _SIGNS.sub(r"\\\g<0>", name)


def _ignore(file: Path, lines: Sequence[str]) -> None:
    before = file.read_bytes() if file.exists() else b""
    gap = "" if not before or before.endswith(b"\n") else "\n"
    with file.open("a", encoding="utf-8") as opened:
        opened.write(gap + "".join(f"{line}\n" for line in lines))


def _git(folder: Path, *arguments: str) -> int | None:
    """Git's exit code; None where it is not installed or does not answer."""
    program = shutil.which("git")
    if program is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603 -- the arguments are names of our own files
            [program, *arguments], cwd=folder, capture_output=True, timeout=GIT_WAIT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    # 128 is git's word for that it cannot say.
    return done.returncode if done.returncode < 128 else None
