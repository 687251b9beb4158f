"""The docs cannot drift: settings, commands, sub-commands and make targets are walked both ways."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from bot.cli import COMMANDS
from bot.settings import Settings, plain_settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text()
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()


def documented() -> dict[str, tuple[str, str]]:
    """Each documented setting, with its variable and its default as written."""
    rows = re.findall(r"^\| `([a-z_.]+)` \| `(DARKROOM_\w+)` \| (\S+) \|", CONFIGURATION, re.MULTILINE)
    return {name: (variable, default.strip("`")) for name, variable, default in rows}


def settings() -> dict[str, Any]:
    """Each setting there is, with its default."""
    found: dict[str, Any] = {}
    for section, value in plain_settings({}):
        if isinstance(value, BaseModel):
            found |= {f"{section}.{name}": default for name, default in value}
    return found


def as_written(name: str, value: Any) -> str:
    """A default as the page writes it."""
    if name.endswith("_usd"):
        return "none" if value is None else f"{Decimal(value) / 1_000_000_000:f}"
    if name.endswith("_days"):
        return "none" if value is None else str(value)
    if value is None or value == "":
        return "\u2013"
    if isinstance(value, tuple):
        return "[" + ", ".join(f'"{each}"' for each in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(getattr(value, "value", value))


def test_every_setting_is_documented_with_its_variable_and_its_default_and_no_other() -> None:
    written = {
        name: (f"DARKROOM_{name.replace('.', '__')}".upper(), as_written(name, value))
        for name, value in settings().items()
    }
    assert documented() == written


def test_every_secret_is_documented_and_no_other() -> None:
    rows = set(re.findall(r"^\| `((?:SLACK|OPENAI)_\w+)` \|", CONFIGURATION, re.MULTILINE))
    sections = {name for name, value in plain_settings({}) if isinstance(value, BaseModel)}
    assert rows == {name.upper() for name in Settings.model_fields if name not in sections}


def test_the_readme_names_every_command_and_the_interface_too() -> None:
    for name in COMMANDS:
        assert f"darkroom {name}" in README
    listed = re.search(r"Commands: `darkroom ([^`]+)`", ARCHITECTURE)
    assert listed is not None
    assert set(listed.group(1).split(" | ")) == set(COMMANDS)


def test_every_command_that_the_docs_name_exists() -> None:
    pages = [README, *(page.read_text() for page in (ROOT / "docs").glob("*.md"))]
    named = {word for page in pages for word in re.findall(r"`?\bdarkroom ([a-z]+)\b(?=[` |])", page)}
    assert named <= set(COMMANDS) | {"demo"}


def test_every_make_target_that_the_readme_names_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]+)", README)) <= targets
    assert {"demo", "test"} <= set(re.findall(r"make ([a-z]+)", README))


def test_no_link_between_the_pages_is_broken() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!http|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
