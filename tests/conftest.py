"""For all tests: hypothesis tries the same examples every time, so that a failure is never a matter of luck.

``pytest --hypothesis-profile=explore`` looks further, with new examples at each run.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("steady")


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
