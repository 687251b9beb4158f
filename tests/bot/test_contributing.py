"""CONTRIBUTING.md: each change that it shows applies to the code as it is, and its tests pass."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
COPIED = ("bot", "darkroom", "docs", "handlers", "sandbox", "storage", "tests")
CHANGES = dict(re.findall(r"^## Add a (\w+)\n.*?^```diff\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE))


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with all of them applied."""
    copy = tmp_path_factory.mktemp("changed")
    for name in COPIED:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.png"))
    for file in ROOT.iterdir():
        if file.is_file() and file.suffix in (".md", ".toml", ".yml"):
            shutil.copy(file, copy)
    for change in CHANGES.values():
        done = subprocess.run(
            ["git", "apply", "-"],  # noqa: S607 -- what people apply it with
            cwd=copy,
            input=change,
            text=True,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    return copy


def ran(where: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a module of Python's there, with the code that is there."""
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=where,
        env={**os.environ, "PYTHONPATH": str(where)},
        text=True,
        capture_output=True,
        check=False,
    )


def test_the_page_shows_how_to_add_a_surface_a_model_and_a_command() -> None:
    assert list(CHANGES) == ["surface", "model", "command"]


@pytest.mark.proof
def test_each_change_brings_tests_and_they_pass(changed: Path) -> None:
    brought = [re.findall(r"^\+\+\+ b/(tests/\S+)$", change, re.MULTILINE) for change in CHANGES.values()]
    assert all(brought)
    tests = [name for names in brought for name in names]
    done = ran(changed, "pytest", "-q", "-p", "no:cacheprovider", *tests)
    assert done.returncode == 0, done.stdout


def test_the_docs_are_true_of_the_new_command_too(changed: Path) -> None:
    names = "readme_names_every_command or every_command_that_the_docs"
    done = ran(changed, "pytest", "-q", "-p", "no:cacheprovider", "tests/bot/test_docs.py", "-k", names)
    assert done.returncode == 0, done.stdout


def test_they_keep_the_house_rules_that_ruff_knows(changed: Path) -> None:
    touched = re.findall(r"^\+\+\+ b/(\S+\.py)$", "\n".join(CHANGES.values()), re.MULTILINE)
    for command in (("check", "--quiet"), ("format", "--check", "--quiet")):
        done = ran(changed, "ruff", *command, "--no-cache", *touched)
        assert done.returncode == 0, done.stdout


def test_the_files_that_hold_what_the_security_page_promises_exist() -> None:
    page = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| .+ \| (`.+) \|$", page, re.MULTILINE)
    assert len(rows) >= 8
    for row in rows:
        folder = Path()
        for name in re.findall(r"`([\w/]+\.(?:py|md))`", row):
            # Beside the one before it, if it names no folder.
            folder = Path(name).parent if "/" in name else folder
            assert (ROOT / folder / Path(name).name).exists(), name
