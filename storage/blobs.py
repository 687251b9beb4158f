"""Picture files, named by the SHA-256 of their bytes and never changed."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path


class BlobStore:
    """A folder of pictures: ``ab/abcd….png``; files being written stand beside them as ``tmp/…``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self) -> BlobFile:
        """A new file to write to."""
        temporary = self._folder / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        return BlobFile(self._folder, temporary / secrets.token_hex(12))

    def path_of(self, sha256: str, suffix: str) -> Path:
        """Where the picture with this digest is, or would be."""
        return self._folder / sha256[:2] / f"{sha256}.{suffix}"

    def sweep(self) -> int:
        """Remove what a crash left half written; gives how many files that were. Only while nobody writes."""
        left = list((self._folder / "tmp").glob("*"))
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)


class BlobFile:
    """One picture while it is written; hashed on the way."""

    def __init__(self, folder: Path, temporary: Path) -> None:
        self._folder = folder
        self._temporary = temporary
        self._hash = hashlib.sha256()
        self._file = temporary.open("xb")

    def write(self, data: bytes) -> None:
        """Append *data*."""
        self._hash.update(data)
        self._file.write(data)

    def path(self) -> Path:
        """Where the bytes are now, all those written so far readable."""
        if not self._file.closed:
            self._file.flush()
        return self._temporary

    def finish(self, suffix: str) -> tuple[str, Path]:
        """Make the file durable under its digest: fsync, rename, fsync of the folders. Gives both."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        digest = self._hash.hexdigest()
        target = self._folder / digest[:2] / f"{digest}.{suffix}"
        target.parent.mkdir(exist_ok=True)
        self._temporary.rename(target)
        _fsync_folder(target.parent)
        _fsync_folder(self._folder)
        return digest, target

    def discard(self) -> None:
        """Forget it; harmless after ``finish``."""
        self._file.close()
        self._temporary.unlink(missing_ok=True)


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
