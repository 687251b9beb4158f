"""Picture files, named by the SHA-256 of their bytes and never changed."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

_DIGEST = re.compile(r"[0-9a-f]{64}")
WRITTEN_AGAIN_S = 900.0
"""How long bytes that were written although they were there are not removed: whoever wrote them may have yet
to say so in the books. Longer than any call takes, and than fetching what goes along with a prompt."""


class BlobStore:
    """A folder of pictures: ``ab/abcd….png``; files being written stand beside them as ``tmp/…``.

    One folder has one store, whose files may be written and removed from several threads. *monotonic* gives
    seconds.
    """

    def __init__(self, folder: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._monotonic = monotonic
        self._places = threading.Lock()
        self._not_before: dict[Path, float] = {}

    def begin(self) -> BlobFile:
        """A new file to write to."""
        temporary = self._folder / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        return BlobFile(self, temporary / secrets.token_hex(12))

    def path_of(self, sha256: str, suffix: str) -> Path:
        """Where the picture with this digest is, or would be."""
        return self._folder / sha256[:2] / f"{sha256}.{suffix}"

    def put(self, temporary: Path, sha256: str, suffix: str) -> Path:
        """Give a whole file its place, durably: rename, fsync of the folders."""
        target = self.path_of(sha256, suffix)
        target.parent.mkdir(exist_ok=True)
        with self._places:
            if target.exists() or self._not_before.get(target, 0.0) > self._monotonic():
                self._keep_for_now(target)
            temporary.rename(target)
        _fsync_folder(target.parent)
        _fsync_folder(self._folder)
        return target

    def remove(self, sha256: str, suffix: str) -> bool:
        """Remove a picture's bytes, durably; whether they are gone now. Missing ones are.

        Ask only for what nothing in the books needs. Bytes that were written again in the last
        ``WRITTEN_AGAIN_S`` stay: whoever wrote them may not be in the books yet.
        """
        target = self.path_of(sha256, suffix)
        with self._places:
            if not target.exists():
                return True
            if self._not_before.get(target, 0.0) > self._monotonic():
                return False
            target.unlink()
            # If somebody writes them once more, a second request to remove them may be for the old ones.
            self._keep_for_now(target)
        _fsync_folder(target.parent)
        return True

    def files(self) -> Iterator[tuple[Path, float]]:
        """Every whole picture on disk, and when it was written (unix seconds)."""
        for folder in self._folder.glob("[0-9a-f][0-9a-f]"):
            for path in folder.iterdir():
                if _DIGEST.fullmatch(path.stem) is None:
                    continue
                try:
                    written = path.stat().st_mtime
                except FileNotFoundError:
                    # Removed since the folder was read.
                    continue
                yield path, written

    def sweep(self) -> int:
        """Remove what a crash left half written; gives how many files that were. Only while nobody writes."""
        left = list((self._folder / "tmp").glob("*"))
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)

    def _keep_for_now(self, target: Path) -> None:
        now = self._monotonic()
        self._not_before = {path: until for path, until in self._not_before.items() if until > now}
        self._not_before[target] = now + WRITTEN_AGAIN_S


class BlobFile:
    """One picture while it is written; hashed on the way."""

    def __init__(self, store: BlobStore, temporary: Path) -> None:
        self._store = store
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
        target = self._store.put(self._temporary, digest, suffix)
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
