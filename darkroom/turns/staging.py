"""Blobs that are written one by one and kept together, or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from pathlib import Path

from darkroom.rendering.job import Blobs, BlobWriter


class Staging:
    """Files on their way to being blobs: until ``keep`` they are temporary, however finished they are.

    What people attach must not stay on the disk when nothing came of it. Not for two threads at once.
    """

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._staged: list[_Staged] = []

    def begin(self) -> BlobWriter:
        """A new file to write to."""
        staged = _Staged(self._blobs.begin())
        self._staged.append(staged)
        return staged

    def keep(self, digests: Collection[str]) -> None:
        """Make those that were finished under *digests* durable, and forget the others. Blocks."""
        for staged in self._staged:
            staged.settle(digests)

    def discard(self) -> None:
        """Forget everything that was not kept."""
        for staged in self._staged:
            staged.discard()


class _Staged:
    """One of them: hashed on the way, as the blob itself will be."""

    def __init__(self, writer: BlobWriter) -> None:
        self._writer = writer
        self._hash = hashlib.sha256()
        self._finished: tuple[str, str] | None = None

    def write(self, data: bytes) -> None:
        self._hash.update(data)
        self._writer.write(data)

    def path(self) -> Path:
        return self._writer.path()

    def finish(self, suffix: str) -> tuple[str, Path]:
        digest = self._hash.hexdigest()
        self._finished = digest, suffix
        return digest, self._writer.path()

    def settle(self, digests: Collection[str]) -> None:
        if self._finished is not None and self._finished[0] in digests:
            self._writer.finish(self._finished[1])
        else:
            self.discard()

    def discard(self) -> None:
        self._finished = None
        self._writer.discard()
