"""One read-write connection on one thread, one read-only connection on another, and the lock between bots."""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from darkroom.turns.erasing import NotScrubbed
from storage.migrating import is_known, is_newest, migrate
from storage.scrubbing import scrub

T = TypeVar("T")

DATABASE_NAME = "darkroom.db"
LOCK_NAME = "darkroom.lock"
PICTURES_NAME = "pictures"
_BUSY_TIMEOUT_S = 10.0


class DataProblem(Exception):
    """The data directory cannot be used as it is; the message says why, and what to do."""


class NoDataDirectory(DataProblem):
    """There is no data directory, and an empty ledger would mean full caps. Check ``storage.data_dir``, or
    make a new one with ``darkroom init``."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"There is no Darkroom data in {path.resolve()}. Check storage.data_dir "
            f"(DARKROOM_STORAGE__DATA_DIR), or make a new, empty one with: darkroom init"
        )


class DataDirectoryInUse(DataProblem):
    """Another Darkroom writes to this data directory. Stop it first, or give this one another directory."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"Another Darkroom is running on {path.resolve()}. Stop it first, or set storage.data_dir "
            f"to another directory."
        )


class UnusableData(DataProblem):
    """There is something, and it cannot be read or written. Free the disk, mend the permissions, or put the
    file back from a copy; whatever is there was left as it is."""

    def __init__(self, path: Path, why: str) -> None:
        self.why = why
        super().__init__(
            f"Darkroom's data in {path.resolve()} cannot be used: {why}. Look at the disk and the "
            f"permissions, or put {DATABASE_NAME} back from a copy. A new, empty one would give everybody "
            f"their full cap again."
        )


class OlderData(DataProblem):
    """The data was written by an older Darkroom, and reading never changes it. Start the new one on it once:
    that brings it up to date and keeps what is there."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"Darkroom's data in {path.resolve()} was written by an older Darkroom. Start this one once "
            f"on it (darkroom run): that brings the data up to date and keeps everything in it."
        )


class Database:
    """The SQLite file of a data directory.

    ``write`` runs a function in one immediate transaction on the writing thread; ``look`` runs a short read
    there too; ``report`` runs a long read on the read-only connection, which delays nobody. Each is shielded:
    once begun, cancelling the caller does not stop it. With *inline*, everything runs in the caller's thread.
    """

    def __init__(
        self, writer: sqlite3.Connection, reader: sqlite3.Connection, lock: int, *, inline: bool
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._lock = lock
        self._writing: Executor | None = None if inline else ThreadPoolExecutor(1, "darkroom-write")
        self._reading: Executor | None = None if inline else ThreadPoolExecutor(1, "darkroom-read")

    @classmethod
    def open(cls, data_dir: Path, *, create: bool = False, inline: bool = False) -> Database:
        """Take the lock, bring the schema up to date, open both connections.

        Raises ``NoDataDirectory`` unless *create*, ``DataDirectoryInUse`` and ``UnusableData``.
        """
        try:
            return cls._open(data_dir, create=create, inline=inline)
        except (sqlite3.DatabaseError, OSError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            raise UnusableData(data_dir, why or type(error).__name__) from error

    @classmethod
    def _open(cls, data_dir: Path, *, create: bool, inline: bool) -> Database:
        path = data_dir / DATABASE_NAME
        if create:
            # People's prompts and pictures: nobody else with an account here has any business in it.
            data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            (data_dir / PICTURES_NAME).mkdir(exist_ok=True)
        elif not path.exists():
            raise NoDataDirectory(data_dir)
        lock = _take_lock(data_dir)
        try:
            writer = _connect_writer(path, create=create)
            reader = connect_read_only(path)
        except BaseException:
            os.close(lock)
            raise
        return cls(writer, reader, lock, inline=inline)

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """*work* in one ``BEGIN IMMEDIATE`` transaction; committed to disk when this returns."""
        return await self._run(self._writing, _in_transaction, self._writer, work)

    async def look(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """A short indexed read that sees every write made before it."""
        return await self._run(self._writing, _plainly, self._writer, work)

    async def report(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """A read of any length, from one state of the database, beside the writing."""
        return await self._run(self._reading, in_snapshot, self._reader, work)

    async def scrub(self) -> None:
        """Leave nothing of what was deleted in the files. Nothing is written meanwhile. Raises
        ``NotScrubbed``."""
        await self._run(self._writing, _plainly, self._writer, scrub)

    async def scrub_at_any_size(self) -> None:
        """The same however large the file is: while nobody waits for an answer. Raises ``NotScrubbed``."""
        await self._run(self._writing, _plainly, self._writer, partial(scrub, largest=None))

    async def _run(
        self,
        executor: Executor | None,
        how: Callable[[sqlite3.Connection, Callable[[sqlite3.Connection], T]], T],
        connection: sqlite3.Connection,
        work: Callable[[sqlite3.Connection], T],
    ) -> T:
        if executor is None:
            return how(connection, work)
        loop = asyncio.get_running_loop()
        return await asyncio.shield(loop.run_in_executor(executor, how, connection, work))

    def close(self) -> None:
        """Finish what has begun, close the connections, give the lock back. May be called twice."""
        for executor in (self._writing, self._reading):
            if executor is not None:
                executor.shutdown(wait=True)
        self._reader.close()
        self._writer.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def connect_read_only(path: Path) -> sqlite3.Connection:
    """A connection that cannot change anything; works beside a running bot. Raises ``NoDataDirectory``."""
    if not path.exists():
        raise NoDataDirectory(path.parent)
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode=ro",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=_BUSY_TIMEOUT_S,
    )
    connection.row_factory = sqlite3.Row
    return connection


def read_books(data_dir: Path, work: Callable[[sqlite3.Connection], T]) -> T:
    """*work* on one unchanging state of a data directory's database; works beside a running bot.

    Raises ``NoDataDirectory``, ``OlderData`` and ``UnusableData``.
    """
    try:
        with closing(connect_read_only(data_dir / DATABASE_NAME)) as connection:
            try:
                return in_snapshot(connection, work)
            except (sqlite3.OperationalError, IndexError) as error:
                # What is missing, such as a column of a row, may only be what came later: no reason to put
                # back a copy.
                if is_known(connection) and not is_newest(connection):
                    raise OlderData(data_dir) from error
                raise
    except sqlite3.DatabaseError as error:
        raise UnusableData(data_dir, str(error)) from error


def _take_lock(data_dir: Path) -> int:
    descriptor = os.open(data_dir / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise DataDirectoryInUse(data_dir) from error
    except OSError:
        # A file system without locks is another trouble than a second bot.
        os.close(descriptor)
        raise
    return descriptor


def _connect_writer(path: Path, *, create: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, timeout=_BUSY_TIMEOUT_S, cached_statements=256
    )
    try:
        connection.row_factory = sqlite3.Row
        if not create and not is_known(connection):
            # An empty ledger means full caps.
            raise UnusableData(path.parent, f"{DATABASE_NAME} is empty")
        connection.execute("PRAGMA journal_mode = WAL")
        # NORMAL may lose the last commits when the power fails: a call that was sent, with no hold.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        # Else INSERT OR REPLACE takes the place of an entry of the journal, past the trigger that refuses it.
        connection.execute("PRAGMA recursive_triggers = ON")
        # A table that is made anew is dropped meanwhile; a migration that does so checks afterwards.
        connection.execute("PRAGMA foreign_keys = OFF")
        migrate(connection)
        connection.execute("PRAGMA foreign_keys = ON")
        # What a crash came before, or what is too large while Slack waits.
        with suppress(NotScrubbed):
            scrub(connection, largest=None)
    except BaseException:
        connection.close()
        raise
    return connection


def _in_transaction(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = work(connection)
        connection.execute("COMMIT")
    except BaseException:
        # A failed COMMIT or a full disk may have rolled back already.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return result


def in_snapshot(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    """*work* on one unchanging state of the database."""
    connection.execute("BEGIN")
    try:
        return work(connection)
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _plainly(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    return work(connection)
