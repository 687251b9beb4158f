"""The docs cannot drift: settings, commands, sub-commands and make targets are walked both ways."""

from __future__ import annotations

import re
from pathlib import Path

from bot.cli import COMMANDS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()


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


def test_every_test_that_a_page_names_is_there() -> None:
    there = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    assert "test_secrets_on_disk.py" in (ROOT / "SECURITY.md").read_text()
    for page in pages:
        for named in re.findall(r"`((?:tests/)?[\w/]*test_\w+\.py)`", page.read_text()):
            place = ROOT / named if "/" in named else None
            assert place.is_file() if place else named in there, f"{page.name} names {named}"


def test_no_link_between_the_pages_is_broken() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!http|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
