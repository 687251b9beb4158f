"""`Keeper`: writes what changed a moment after it did, and brings it back."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

from sandbox.keeping.folder import Folder, Shelf, Unreadable

Json = dict[str, Any]
PAUSE_S: Final = 0.5
"""From a change to the beginning of a write: what happens meanwhile goes along."""
SHARE: Final = 20
"""The pause is at least so many times as long as it took to put the state before together, so that a large
one never takes more than a twentieth of the loop's time."""
_log = logging.getLogger(__name__)


class Part(Protocol):
    """Something that is kept: one entry of the state."""

    def kept(self, shelf: Shelf) -> Any:
        """What is to be kept, as dataclasses or JSON; bytes go to the shelf."""
        ...

    def restore(self, kept: Any, fetch: Callable[[str], bytes]) -> None:
        """Be as it was; wholly, or with a ValueError or KeyError not at all. Called in a running loop."""
        ...


class Keeper:
    """Keeps `parts`, by their names in the state, in a folder.

    First `restore`, then `begin`; from then on `stir` says that something changed, `settled` waits until all
    that is on the disk, and `close` writes the rest. A write that fails (a full disk) is logged, once until
    one succeeds, and tried again with the next change and at the end.
    """

    def __init__(
        self,
        folder: Folder,
        parts: Mapping[str, Part],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.folder = folder
        self._parts = dict(parts)
        self._sleep = sleep
        self._changed = asyncio.Event()
        self._news = asyncio.Event()
        # How things stand when it begins is to be written as if it were a change.
        self._changes, self._on_disk = 1, 0
        self._task: asyncio.Task[None] | None = None
        self._pause = PAUSE_S
        self._failing = False

    def restore(self) -> bool:
        """Bring back what is kept; False when nothing is. Raises Unreadable, and leaves the files alone."""
        state = self.folder.read()
        if state is None:
            return False
        try:
            for name, part in self._parts.items():
                part.restore(state[name], self.folder.fetch)
        except KeyError as missing:
            raise Unreadable(self.folder.state, f"{missing} is missing") from missing
        except (ValueError, TypeError, AttributeError, IndexError) as error:
            raise Unreadable(self.folder.state, str(error)) from error
        return True

    def begin(self) -> None:
        """From now on everything is written, beginning with how things stand. Twice is as once."""
        if self._task is None:
            self._changed.set()
            self._task = asyncio.create_task(self._run())
            self._task.add_done_callback(self._ended)

    def stir(self) -> None:
        """Something has changed."""
        self._changes += 1
        self._changed.set()

    async def settled(self) -> None:
        """Wait until a state was written in which all is that has changed so far, and for no later change."""
        so_far = self._changes
        while self._on_disk < so_far:
            self._news.clear()
            await self._news.wait()

    async def close(self) -> None:
        """Write what has not been written, and end. Nothing is written without a `begin` before."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None
        await self._write()

    async def _run(self) -> None:
        while True:
            await self._changed.wait()
            await self._sleep(self._pause)
            # Begun is ended, also when the end comes meanwhile: there is one writer at a time.
            writing = asyncio.ensure_future(self._write())
            try:
                await asyncio.shield(writing)
            except asyncio.CancelledError:
                await writing
                raise

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Who relies on being kept hears at once that they no longer are."""
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("%s is no longer written, because of %r", self.folder.state, error)

    async def _write(self) -> None:
        self._changed.clear()
        so_far = self._changes
        started = time.perf_counter()
        shelf = self.folder.shelf()
        written = self.folder.pack({name: part.kept(shelf) for name, part in self._parts.items()}, shelf)
        self._pause = max(PAUSE_S, SHARE * (time.perf_counter() - started))
        try:
            await asyncio.to_thread(self.folder.write, written)
        except OSError as error:
            if not self._failing:
                _log.warning("%s cannot be written: %s", self.folder.state, error)
            self._failing = True
            return
        self._failing = False
        self._on_disk = so_far
        self._news.set()
