"""The bytes of files: the newest in memory, older ones in a temporary file that ends with the process.

A workspace lives as long as its process, and may hold a thousand pictures of a few megabytes; its memory must
not grow with them. Up to `IN_MEMORY` bytes nothing touches the disk. What is pushed out goes into unlinked
temporary files (in `TMPDIR`), which the system takes back however the process ends, SIGKILL included.
"""

import logging
import os
import tempfile
import weakref
from collections import OrderedDict
from typing import Final

IN_MEMORY: Final = 64 * 1024**2
SPOOL_MAX: Final = 64 * 1024**2
"""A temporary file that has grown so large is written no more; it goes with the last bytes in it."""
_log = logging.getLogger(__name__)


class Held:
    """Some bytes, wherever they are; they stay readable as long as somebody has this. Any thread may read."""

    def __init__(self, data: bytes = b"") -> None:
        self.size = len(data)
        self._data: bytes | None = data
        self._place: tuple[_Spool, int] | None = None

    @property
    def in_memory(self) -> bool:
        """Whether reading them needs no disk."""
        return self._data is not None

    def read(self) -> bytes:
        """All of them. OSError when the temporary file cannot be read."""
        data, place = self._data, self._place
        if data is not None:
            return data
        if place is None:
            raise AssertionError("bytes are in memory until they have a place")
        return place[0].read(place[1], self.size)

    def move(self, spool: "_Spool") -> None:
        """Out of memory, into a temporary file. Raises OSError, and then they are where they were."""
        self._place = spool, spool.append(self.read())
        # Last of all: a thread that reads meanwhile finds them in one place or in the other.
        self._data = None


NOTHING: Final = Held()
"""What a file has before its bytes arrive, and after they are gone."""


class _Spool:
    """One unlinked temporary file, only ever appended to; closed when nothing refers to it any more."""

    def __init__(self) -> None:
        with tempfile.TemporaryFile(prefix="darkroom-sandbox-", buffering=0) as file:
            self._file = os.dup(file.fileno())
        weakref.finalize(self, os.close, self._file)
        self.size = 0
        self.process = os.getpid()

    def append(self, data: bytes) -> int:
        """Write at the end; where that is. Raises OSError, and then nothing was appended."""
        start, rest = self.size, memoryview(data)
        while rest:
            rest = rest[os.pwrite(self._file, rest, start + len(data) - len(rest)) :]
        self.size += len(data)
        return start

    def read(self, start: int, size: int) -> bytes:
        """So many bytes from there on, by their place: a forked process shares the file, and its offset."""
        pieces: list[bytes] = []
        while size > 0:
            piece = os.pread(self._file, size, start)
            if not piece:
                raise OSError("the temporary file of the sandbox's pictures is shorter than it was")
            pieces.append(piece)
            start, size = start + len(piece), size - len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


class ByteStore:
    """Holds bytes by their SHA-256, at most `in_memory` of them in memory; the same bytes are held once."""

    def __init__(self, in_memory: int = IN_MEMORY) -> None:
        self._most = in_memory
        self._known: weakref.WeakValueDictionary[str, Held] = weakref.WeakValueDictionary()
        self._newest: OrderedDict[str, Held] = OrderedDict()
        self._weight = 0
        self._spool: weakref.ref[_Spool] | None = None
        self._failing = False

    @property
    def weight(self) -> int:
        """How many bytes are in memory."""
        return self._weight

    def put(self, sha256: str, data: bytes) -> Held:
        """Hold these; older ones make room. On a disk that takes nothing they stay in memory: a picture that
        somebody has posted is worth more than the bound. That is logged, once until it takes some again."""
        if not data:
            return NOTHING
        known = self._known.get(sha256)
        if known is not None:
            return known
        self._known[sha256] = self._newest[sha256] = held = Held(data)
        self._weight += held.size
        while self._weight > self._most:
            self._move_oldest()
        return held

    def drop(self, sha256: str) -> None:
        """Nobody wants these any more: memory is free again once nobody reads them."""
        if (held := self._newest.pop(sha256, None)) is not None:
            self._weight -= held.size
        self._known.pop(sha256, None)

    def _move_oldest(self) -> None:
        _, held = self._newest.popitem(last=False)
        self._weight -= held.size
        try:
            held.move(self._writable())
        except OSError as error:
            if not self._failing:
                _log.warning("older pictures of the sandbox stay in memory: %s", error)
            self._failing = True
        else:
            self._failing = False

    def _writable(self) -> _Spool:
        """The temporary file that is being written: a new one when it is full, when all that was in it is
        gone, and in a forked process, which must not write where its parent does."""
        spool = self._spool() if self._spool is not None else None
        if spool is None or spool.size >= SPOOL_MAX or spool.process != os.getpid():
            spool = _Spool()
            self._spool = weakref.ref(spool)
        return spool
