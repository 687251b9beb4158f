"""Each deliberate bug, planted alone in a copy of the tree, turns the suite red."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutants.bugs import BUGS, SIMULATED, Bug
from tests.reliability import kept

ROOT = Path(__file__).parents[2]
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "dist", "data", "*.egg-info", "node_modules")
SIMULATED_DAYS = 60
SELECTED = "not slow and not proof and not browser"


def test_every_bug_can_still_be_planted(tmp_path: Path) -> None:
    """What it changes stands where it stood; and no two are the same."""
    for bug in BUGS:
        (tmp_path / bug.file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / bug.file, tmp_path / bug.file)
        bug.plant(tmp_path)
        assert (tmp_path / bug.file).read_text() != (ROOT / bug.file).read_text()
    assert len({bug.name for bug in BUGS}) == len(BUGS) >= 10


@pytest.mark.proof
@pytest.mark.parametrize("bug", BUGS, ids=[bug.name for bug in BUGS])
def test_a_deliberate_bug_turns_the_suite_red(bug: Bug, tmp_path: Path) -> None:
    tree, environment = _planted(bug, tmp_path)
    options = ["-x", "-q", "-p", "no:cacheprovider", "-m", SELECTED, "--tb=no"]
    done = _run([sys.executable, "-m", "pytest", *options, *bug.tests], tree, environment)
    # 1 is a test that failed; 2 and more would be a tree that cannot be tested at all.
    assert done.returncode == 1, done.stdout[-2000:]
    noticed = re.findall(r"^FAILED (\S+?)(?:\[.*)?(?: - .*)?$", done.stdout, re.MULTILINE)
    assert noticed, done.stdout[-2000:]
    kept("mutants", [bug.name, bug.file, noticed[0].rpartition("::")[2]])


@pytest.mark.proof
@pytest.mark.parametrize("bug", SIMULATED, ids=[bug.name for bug in SIMULATED])
def test_a_bug_with_money_turns_simulated_days_red(bug: Bug, tmp_path: Path) -> None:
    """Whatever the suite may say: the books and the bill are compared after each run, and what the books
    themselves refuse breaks its turn, which days without a bug never see."""
    tree, environment = _planted(bug, tmp_path)
    options = ["--days", str(SIMULATED_DAYS), "--processes", "1", "--first", "--lines", "0"]
    done = _run([sys.executable, "-m", "tests.simulation", *options], tree, environment)
    assert done.returncode == 1, done.stderr[-2000:]
    complaint = r"^  - .*(billed|charged|held|hold|sent twice|turn \S+ broke$)"
    assert re.search(complaint, done.stderr, re.MULTILINE), done.stderr[-2000:]


def _planted(bug: Bug, folder: Path) -> tuple[Path, dict[str, str]]:
    """A tree with the bug, and the environment in which it is the one that is run."""
    tree = folder / "darkroom"
    shutil.copytree(ROOT, tree, ignore=LEFT_OUT)
    bug.plant(tree)
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    # The editable install leads to the tree that is right.
    where = _run([sys.executable, "-c", "import darkroom; print(darkroom.__file__)"], tree, environment)
    assert where.stdout.startswith(str(tree))
    return tree, environment


def _run(arguments: list[str], tree: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments, cwd=tree, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
