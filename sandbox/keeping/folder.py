"""A folder that keeps one state: a JSON file, and beside it the bytes that the state speaks of.

`state.json` is one JSON object with its `format`; what is in it is the business of who writes it. Bytes are
named by their SHA-256 and stand in `bytes/`, so that the same picture is there once. The state is replaced
whole: whoever is killed while writing leaves the one before, with all of its bytes. What is made here is its
owner's alone to read, and nothing is written or removed where a link leads.
"""

import errno
import fcntl
import hashlib
import json
import os
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sandbox.keeping.plain import plain

Json = dict[str, Any]
FORMAT: Final = 1
STATE: Final = "state.json"
LOCK: Final = "lock"
BYTES: Final = "bytes"
_HALF: Final = ".new"
_NAME: Final = re.compile(r"[0-9a-f]{64}")


class Unreadable(Exception):
    """What is kept cannot be used: `path` is the file, `reason` why."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.reason = path, reason


class InUse(Exception):
    """Somebody else keeps their state in `path`."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is in use")
        self.path = path


@dataclass(frozen=True)
class Written:
    """A state on its way to the disk: its text, what gives the bytes that are not there yet, all names it
    speaks of."""

    text: str
    new: dict[str, Callable[[], bytes]]
    names: frozenset[str]


@dataclass
class Shelf:
    """Takes the bytes of a state while it is put together."""

    stored: frozenset[str]
    new: dict[str, Callable[[], bytes]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)

    def put(self, name: str, fetch: Callable[[], bytes]) -> str:
        """Keep the bytes of that SHA-256. Only when they are not on the disk they are fetched, while the
        state is being written: one after the other, in whatever thread, and whatever happened meanwhile.
        Gives the name."""
        self.names.add(name)
        if name not in self.stored:
            self.new.setdefault(name, fetch)
        return name


class Folder:
    """The folder at `place`. For one writer at a time: who may meet another one calls `take` first."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.state = place / STATE
        self._bytes = place / BYTES
        self._stored: frozenset[str] = frozenset()
        self._lock: int | None = None

    def take(self) -> None:
        """Make the folder and have it alone, until `release` or the end of the process. Raises InUse, and
        OSError where there can be none."""
        make_folder(self.place)
        _refuse_link(self._bytes)
        lock = os.open(self.place / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(lock)
            raise InUse(self.place) from error
        except OSError:
            # A file system without locks is another trouble than a second writer.
            os.close(lock)
            raise
        self._lock = lock

    def release(self) -> None:
        """Let others have it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def exists(self) -> bool:
        """Whether a state is kept here."""
        return self.state.exists()

    def read(self) -> Json | None:
        """The state; None when there is none. Raises Unreadable for one that is broken or of another
        format."""
        try:
            state = json.loads(self.state.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as error:
            raise Unreadable(self.state, str(error)) from error
        found = state.get("format") if isinstance(state, dict) else None
        if not isinstance(state, dict) or found != FORMAT:
            raise Unreadable(self.state, f"its format is {found!r}, and this version reads {FORMAT}")
        return state

    def fetch(self, name: str) -> bytes:
        """Bytes by their name; they need not be written again. Raises Unreadable when they are missing or not
        what they were."""
        path = self._bytes / name
        if not _NAME.fullmatch(name):
            raise Unreadable(self.state, f"{name[:80]!r} is no name of bytes")
        try:
            data = path.read_bytes()
        except OSError as error:
            raise Unreadable(path, str(error)) from error
        if hashlib.sha256(data).hexdigest() != name:
            raise Unreadable(path, "it is damaged: its bytes are not those of its name")
        self._stored |= {name}
        return data

    def shelf(self) -> Shelf:
        """Where the bytes of the next state go."""
        return Shelf(self._stored)

    def pack(self, state: Json, shelf: Shelf) -> Written:
        """A state as it is at this moment, ready to be written, also from another thread."""
        text = json.dumps({"format": FORMAT, **state}, default=plain, separators=(",", ":"))
        return Written(text, shelf.new, frozenset(shelf.names))

    def write(self, written: Written) -> None:
        """Replace the state: its new bytes first, and last of all what only the one before spoke of goes.
        Raises OSError; the state before is then still there."""
        _refuse_link(self._bytes)
        make_folder(self._bytes)
        for name, fetch in written.new.items():
            replace_file(self._bytes / name, fetch())
        if written.new:
            _make_durable(self._bytes)
        replace_file(self.state, written.text.encode())
        _make_durable(self.place)
        for path in self._bytes.iterdir():
            # Whatever else stands there is somebody's.
            if path.name not in written.names and _NAME.fullmatch(path.name.removesuffix(_HALF)):
                path.unlink(missing_ok=True)
        self._stored = written.names


def make_folder(folder: Path) -> None:
    """Have the folder, with the missing ones above it, for its owner alone. Raises OSError."""
    for each in reversed([each for each in folder.parents if not each.exists()]):
        each.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)


def _refuse_link(folder: Path) -> None:
    """What is no longer spoken of is removed there: in somebody's other folder it must not be."""
    if folder.is_symlink():
        raise NotADirectoryError(errno.ENOTDIR, f"{folder.name} is a link to elsewhere", str(folder))


def replace_file(path: Path, data: bytes) -> None:
    """Have *data* in the file at *path*, for its owner alone: whole or as it was, whatever happens meanwhile,
    and nowhere else where a link stands. Raises OSError."""
    half = path.with_name(path.name + _HALF)
    try:
        half.unlink(missing_ok=True)
        made = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(made, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
    except OSError:
        with suppress(OSError):
            half.unlink()
        raise


def _make_durable(folder: Path) -> None:
    """What was renamed in *folder* is still so after a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
