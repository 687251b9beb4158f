"""One life of a Darkroom: from its start to its stop or its crash, step by step."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from storage.blobs import BlobFile, BlobStore
from storage.database import Database, in_snapshot
from tests.simulation.loop import LIFE, Crashed, VirtualLoop
from tests.simulation.trace import Trace

T = TypeVar("T")

WRITE_S = 0.002
"""How long a transaction takes: what happens in one moment happens one after the other."""


class Life:
    """Counts the steps of a Darkroom and stops it dead at one of them.

    A step is a moment between two things that leave a trace outside the process: before and after each
    transaction, each file, each request and answer. ``until`` is the step at which it dies (None: it lives).
    """

    def __init__(self, number: int, loop: VirtualLoop, trace: Trace, until: int | None) -> None:
        self.number = number
        self.alive = True
        self.steps = 0
        self.until = until
        self.ended_at: float | None = None
        self.over = asyncio.Event()
        self.database: Database | None = None
        self.on_death: list[Callable[[], object]] = []
        self._loop = loop
        self._trace = trace

    async def step(self, name: str) -> None:
        """A step in a coroutine: it may be the last, and then never returns."""
        if not self._goes_on(name):
            await asyncio.get_running_loop().create_future()

    def step_now(self, name: str) -> None:
        """A step that cannot wait. Raises ``Crashed`` if it was the last."""
        if not self._goes_on(name):
            raise Crashed

    def _goes_on(self, name: str) -> bool:
        if not self.alive:
            return False
        self.steps += 1
        self._trace.note(f"{self.number}.{self.steps} {name}")
        if self.until is None or self.steps < self.until:
            return True
        self.crash(name)
        return False

    def crash(self, where: str) -> None:
        """Die here and now, as by ``kill -9``: the kernel closes the files and the connections."""
        if not self.alive:
            return
        self._trace.note(f"{self.number} dies: {where}")
        self.end()
        if self.database is not None:
            self.database.close()
        for tell in self.on_death:
            tell()
        self.over.set()

    def end(self) -> None:
        """Nothing of it runs any more."""
        self.alive = False
        self.ended_at = self._loop.time()
        self._loop.bury(self)

    @classmethod
    def current(cls) -> Life:
        """The life whose code asks."""
        life = LIFE.get()
        if not isinstance(life, Life):
            raise TypeError("only a life's code comes here")
        return life


class SteppedDatabase(Database):
    """The product's database, with steps before and after each transaction."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._life = Life.current()
        self._life.database = self

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """With a step before it and one after its commit."""
        name = _name_of(work)
        await self._life.step(f"before write {name}")
        try:
            return await super().write(work)
        finally:
            await self._after(f"after write {name}")

    async def look(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """With a step before it."""
        await self._life.step(f"look {_name_of(work)}")
        return await super().look(work)

    async def report(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """With a step before it."""
        await self._life.step(f"report {_name_of(work)}")
        return await super().report(work)

    async def scrub(self) -> None:
        """With a step before and after it."""
        await self._life.step("before scrub")
        await super().scrub()
        await self._after("after scrub")

    async def _after(self, name: str) -> None:
        asyncio.get_running_loop().pass_time(WRITE_S)  # type: ignore[attr-defined]  # a VirtualLoop
        await self._life.step(name)


class SteppedBlobs(BlobStore):
    """The product's picture files, with steps before and after each change of the folder."""

    def __init__(self, folder: Path, *args: Any) -> None:
        super().__init__(folder, *args)
        self._life = Life.current()

    def begin(self) -> BlobFile:
        """See ``BlobStore``."""
        self._life.step_now("before file begins")
        return super().begin()

    def put(self, temporary: Path, sha256: str, suffix: str) -> Path:
        """See ``BlobStore``."""
        self._life.step_now("before file gets its place")
        target = super().put(temporary, sha256, suffix)
        self._life.step_now("after file got its place")
        return target

    def remove(self, sha256: str, suffix: str) -> bool:
        """See ``BlobStore``."""
        self._life.step_now("before file is removed")
        gone = super().remove(sha256, suffix)
        self._life.step_now("after file was removed")
        return gone


def look_from_outside(data_dir: Path, name: str, work: Callable[[sqlite3.Connection], T]) -> T:
    """What another process reads in the books."""
    connection = sqlite3.connect(f"{(data_dir / name).resolve().as_uri()}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    try:
        return in_snapshot(connection, work)
    finally:
        connection.close()


def _name_of(work: Callable[..., object]) -> str:
    """A method's name, such as ``SqliteTurnStore.hold``."""
    return (
        getattr(work, "__qualname__", type(work).__name__)
        .replace(".<locals>.", ".")
        .removesuffix(".<lambda>")
    )
