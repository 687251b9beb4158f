"""What the matrices share: a heap that is not looked through at each street's end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.matrix.street import many


@pytest.fixture(scope="module")
def streets() -> Iterator[None]:
    """Many streets are built and put away."""
    with many():
        yield
