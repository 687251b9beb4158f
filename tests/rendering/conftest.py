"""Fixtures of the tests of rendering."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.blobs import BlobStore


@pytest.fixture
def blobs(tmp_path: Path) -> Iterator[BlobStore]:
    """A blob store; whatever a test does, it leaves no half-written file and no open one."""
    store = BlobStore(tmp_path / "blobs")
    yield store
    assert store.sweep() == 0, "a temporary file was left behind"
