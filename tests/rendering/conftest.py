"""Fixtures of the tests of rendering."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import httpcore2
import pytest

from storage.blobs import BlobStore

TLS = cache(httpcore2.default_ssl_context)


@pytest.fixture(autouse=True)
def one_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each client reads the certificates for a TLS that no test uses."""
    monkeypatch.setattr(httpcore2, "default_ssl_context", TLS)


@pytest.fixture
def blobs(tmp_path: Path) -> Iterator[BlobStore]:
    """A blob store; whatever a test does, it leaves no half-written file and no open one."""
    store = BlobStore(tmp_path / "blobs")
    yield store
    assert store.sweep() == 0, "a temporary file was left behind"
