"""For all tests: hypothesis tries the same examples every time, so that a failure is never a matter of luck.

``pytest --hypothesis-profile=explore`` looks further, with new examples at each run.

What tests write lies in memory where the system has room there. All is written and synced as on a disk,
and what a killed process has written survives it as on a disk; only nobody waits for the disk, which is what
most of a run was. ``TMPDIR=/tmp pytest`` uses the disk.
"""

from __future__ import annotations

import gc
import logging
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

MEMORY = Path("/dev/shm")  # noqa: S108 -- pytest makes a folder of its own in it
ROOM = 1024**3
"""Bytes that have to be free there, ten times what a run with three workers was seen to use. A container
often has 64 MB."""

settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("steady")


def pytest_configure() -> None:
    """Before anything is written: into memory with it, unless somebody has said where."""
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK):
        return
    if shutil.disk_usage(MEMORY).free >= ROOM:
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None  # ask the environment again


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What was imported and collected stays to the end: while tests run, garbage is not looked for in it."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.fixture(autouse=True)
def quiet_again() -> Iterator[None]:
    """A command that was run in this process has set up its log; the next test has none of that."""
    root = logging.getLogger()
    level = root.level
    yield
    root.setLevel(level)
    for handler in [each for each in root.handlers if type(each) is logging.StreamHandler]:
        root.removeHandler(handler)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each thing that is not on this machine, with how many tests had to do without it."""
    reasons = Counter(
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", ())
        if isinstance(report.longrepr, tuple) and " on this machine" in report.longrepr[2]
    )
    for reason, count in reasons.items():
        terminalreporter.write_line(f"{count} not run: {reason}")
