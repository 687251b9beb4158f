"""What is made beside the place where it will stand, and what killed processes have left of such things.

Each has a name of its own, ``.<name>.<8 hex digits>.partial``, and is locked by whoever makes it: the lock
ends with the process, so that what nobody holds is nobody's any more.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SCRATCH = ".db"
"""The suffix, in place of ``.partial``, of a database that is needed on the way."""
_TRIES = 10


@contextmanager
def unfinished(target: Path, *, folder: bool = False) -> Iterator[Path]:
    """A new empty file (or *folder*) beside *target*, which only its owner may read, to be renamed to it when
    it is whole. Whatever is left of it in the end is removed, and before it what others have left.

    Raises ``OSError``.
    """
    if target.parent.is_dir():
        _sweep(target)
    partial, lock = _made(target, folder=folder)
    try:
        yield partial
    finally:
        _remove(_all_of(partial))
        os.close(lock)


def _made(target: Path, *, folder: bool) -> tuple[Path, int]:
    for _ in range(_TRIES):
        partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
        if folder:
            partial.mkdir(mode=0o700, parents=True)
            descriptor = os.open(partial, os.O_RDONLY | os.O_DIRECTORY)
        else:
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        # Somebody who sweeps may have come between making it and locking it.
        if _locked(descriptor) is not False and partial.exists():
            return partial, descriptor
        os.close(descriptor)
    raise FileExistsError(f"{target} is being written by many at once")


def _sweep(target: Path) -> None:
    """Remove what processes that are gone have left unfinished of *target*."""
    ours = re.compile(rf"\.{re.escape(target.name)}\.[0-9a-f]{{8}}\.")
    marks = {found[0] for path in target.parent.iterdir() if (found := ours.match(path.name))}
    for mark in marks:
        with suppress(OSError):
            _remove_unheld(target.with_name(f"{mark}partial"))


def _remove_unheld(partial: Path) -> None:
    """Remove *partial* and what belongs to it, unless somebody makes it. Where a file system knows no locks,
    nobody can tell, and it is left."""
    if not partial.exists():
        # It has its name by now, or was removed: what it needed on the way is needed no more.
        _remove(_all_of(partial))
        return
    descriptor = os.open(partial, os.O_RDONLY)
    try:
        if _locked(descriptor):
            _remove(_all_of(partial))
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool | None:
    """Whether it is ours now, and not somebody else's; None where there are no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _all_of(partial: Path) -> list[Path]:
    """It, and what stands beside it under its mark: the scratch database, and SQLite's own files of that."""
    scratch = partial.with_suffix(SCRATCH)
    return [partial, *(scratch.with_name(scratch.name + more) for more in ("", "-journal", "-wal", "-shm"))]


def _remove(paths: list[Path]) -> None:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
