"""The clock that tests turn."""

import pytest

from tests.sandbox_slack.conftest import Clock


@pytest.fixture
def clock() -> Clock:
    """Time that stands still until it is moved."""
    return Clock()
