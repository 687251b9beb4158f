"""A disk whose writes fail on demand, underneath the SQLite that Python uses and underneath picture files.

SQLite reaches the disk through a table of functions (``sqlite3_vfs``, sqlite.org/vfs.html). A copy of the
usual one, registered as the default, opens files as always and puts a function of ours in place of the three
of a file that change the disk. Picture files are reached through ``os`` and ``io.open``.
"""

from __future__ import annotations

import _sqlite3
import ctypes
import errno
import io
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, ClassVar

_OK = 0
_WRITE, _FSYNC, _TRUNCATE, _FULL = 778, 1034, 1546, 13
"""SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC, SQLITE_IOERR_TRUNCATE, SQLITE_FULL."""
_POINTER = ctypes.c_void_p


class DiskCannotBeReached(Exception):
    """This Python's SQLite hides its functions."""


class Disk:
    """Counts what would change the disk, and lets some of it fail."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._fail_at = 0
        self._lasting = False
        self.error = errno.ENOSPC
        self.operations = 0
        self.failed: list[str] = []

    def arm(self, fail_at: int, error: int, *, lasting: bool) -> None:
        """Count anew; the operation of that number fails, or with *lasting* every one from it on."""
        with self._lock:
            self._fail_at, self.error, self._lasting = fail_at, error, lasting
            self.operations, self.failed = 0, []

    def fails(self, what: str) -> bool:
        """Whether this one, the next, does."""
        with self._lock:
            self.operations += 1
            if not self._fail_at or self.operations < self._fail_at:
                return False
            if self.operations > self._fail_at and not self._lasting:
                return False
            self.failed.append(what)
            return True

    def ours(self, path: object) -> bool:
        """Whether it is in the folder that the disk stands for."""
        return str(path).startswith(self.folder)


class _Methods(ctypes.Structure):
    """``sqlite3_io_methods``, as far as it has been since 2011; older files have a shorter one."""

    _fields_: ClassVar[Any] = [
        ("version", ctypes.c_int),
        ("close", _POINTER),
        ("read", _POINTER),
        ("write", _POINTER),
        ("truncate", _POINTER),
        ("sync", _POINTER),
        ("rest", _POINTER * 13),
    ]


class _File(ctypes.Structure):
    """``sqlite3_file``."""

    _fields_: ClassVar[Any] = [("methods", ctypes.POINTER(_Methods))]


class _Vfs(ctypes.Structure):
    """``sqlite3_vfs``, version 3."""

    _fields_: ClassVar[Any] = [
        ("version", ctypes.c_int),
        ("file_size", ctypes.c_int),
        ("longest_path", ctypes.c_int),
        ("next", _POINTER),
        ("name", ctypes.c_char_p),
        ("data", _POINTER),
        ("open", _POINTER),
        ("rest", _POINTER * 14),
    ]


_OpenCall = ctypes.CFUNCTYPE(
    ctypes.c_int, _POINTER, _POINTER, ctypes.POINTER(_File), ctypes.c_int, ctypes.POINTER(ctypes.c_int)
)
_WriteCall = ctypes.CFUNCTYPE(ctypes.c_int, _POINTER, _POINTER, ctypes.c_int, ctypes.c_int64)
_TruncateCall = ctypes.CFUNCTYPE(ctypes.c_int, _POINTER, ctypes.c_int64)
_SyncCall = ctypes.CFUNCTYPE(ctypes.c_int, _POINTER, ctypes.c_int)


class FaultySqlite:
    """The table of functions; keep it as long as any connection is open that was opened meanwhile."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._library = _library()
        self._library.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
        usual = self._library.sqlite3_vfs_find(None)
        self._vfs = _Vfs()
        ctypes.memmove(ctypes.byref(self._vfs), usual, ctypes.sizeof(_Vfs))
        self._usual, self._kept = usual, list[Any]()
        self._vfs.name = b"faulty"
        self._by_usual: dict[int, _Methods] = {}
        opens = _OpenCall(usual.contents.open)

        def opened(_: Any, name: Any, file: Any, flags: int, given: Any) -> int:
            code = int(opens(ctypes.cast(usual, _POINTER), name, file, flags, given))
            if code == _OK and file.contents.methods:
                file.contents.methods = ctypes.pointer(self._watched(file.contents.methods))
            return code

        self._vfs.open = self._keep(_OpenCall(opened))

    def install(self) -> None:
        """Every connection from now on is opened on the faulty disk."""
        code = self._library.sqlite3_vfs_register(ctypes.byref(self._vfs), 1)
        if code != _OK:
            raise DiskCannotBeReached(f"sqlite3_vfs_register gave {code}")

    def remove(self) -> None:
        """Connections from now on are opened as usual."""
        self._library.sqlite3_vfs_register(self._usual, 1)
        self._library.sqlite3_vfs_unregister(ctypes.byref(self._vfs))

    def _keep(self, call: Any) -> Any:
        self._kept.append(call)
        return ctypes.cast(call, _POINTER)

    def _watched(self, usual: Any) -> _Methods:
        """The functions of a file, those that change the disk ours."""
        address = ctypes.addressof(usual.contents)
        if address in self._by_usual:
            return self._by_usual[address]
        methods = _Methods()
        length = _length(usual.contents.version)
        ctypes.memmove(ctypes.byref(methods), usual, length)
        write, truncate, sync = (
            _WriteCall(methods.write),
            _TruncateCall(methods.truncate),
            _SyncCall(methods.sync),
        )
        disk = self._disk

        def faulty_write(file: Any, data: Any, amount: int, at: int) -> int:
            if not disk.fails("write to the database"):
                return int(write(file, data, amount, at))
            # A disk takes what still fits.
            write(file, data, amount // 2, at)
            return _FULL if disk.error == errno.ENOSPC else _WRITE

        def faulty_truncate(file: Any, size: int) -> int:
            return _TRUNCATE if disk.fails("truncate of the database") else int(truncate(file, size))

        def faulty_sync(file: Any, flags: int) -> int:
            return _FSYNC if disk.fails("fsync of the database") else int(sync(file, flags))

        methods.write = self._keep(_WriteCall(faulty_write))
        methods.truncate = self._keep(_TruncateCall(faulty_truncate))
        methods.sync = self._keep(_SyncCall(faulty_sync))
        self._by_usual[address] = methods
        return methods


def _length(version: int) -> int:
    """The bytes of ``sqlite3_io_methods``: 12 functions, then 4 more, then 2 more."""
    pointer = ctypes.sizeof(_POINTER)
    return pointer * (1 + (12 if version < 2 else 16 if version < 3 else 18))


def _library() -> Any:
    """The very SQLite that ``import sqlite3`` uses: what its module is linked to, or what is in Python."""
    path = getattr(_sqlite3, "__file__", None)
    library = ctypes.CDLL(path)
    if not hasattr(library, "sqlite3_vfs_find"):
        raise DiskCannotBeReached(f"{path or 'Python'} does not show SQLite's functions")
    return library


class _FaultyFile:
    """A picture file that is being written."""

    def __init__(self, file: IO[bytes], disk: Disk) -> None:
        self._file, self._disk = file, disk

    def write(self, data: bytes) -> int:
        """Half of it is written where it fails."""
        if self._disk.fails("write to a picture"):
            self._file.write(data[: len(data) // 2])
            raise OSError(self._disk.error, os.strerror(self._disk.error))
        return self._file.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> _FaultyFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def faulty_files(disk: Disk) -> None:
    """Picture files of this process are on the faulty disk from now on."""
    opens = io.open

    def opened(path: Any, mode: str = "r", *rest: Any, **more: Any) -> Any:
        file = opens(path, mode, *rest, **more)
        changes = set(mode) & set("wxa+")
        return _FaultyFile(file, disk) if changes and "b" in mode and disk.ours(path) else file

    def faulty(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(what: Any, *rest: Any, **more: Any) -> Any:
            place = Path(f"/proc/self/fd/{what}").readlink() if isinstance(what, int) else what
            if disk.ours(place) and disk.fails(f"{name} of a picture"):
                raise OSError(disk.error, os.strerror(disk.error))
            return original(what, *rest, **more)

        return call

    setattr(io, "open", opened)  # noqa: B010 -- a function is replaced on purpose
    for name in ("fsync", "rename", "replace", "ftruncate", "truncate"):
        setattr(os, name, faulty(name, getattr(os, name)))
