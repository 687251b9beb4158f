"""Bringing what goes along with a prompt: fetched, made ready, understood, and written down."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from darkroom.clock import Clock
from darkroom.rendering.encoding import Prepared
from darkroom.rendering.inputs import Mask, as_mask, prepare
from darkroom.rendering.job import Blobs, BlobWriter
from darkroom.rendering.kinds import Unpreparable
from darkroom.turns.endings import Ending, FileProblem, Outcome, Reason
from darkroom.turns.model import REFERENCES_MAX, Attachment, InputRole, Picture, Surface, Turn, TurnInput
from darkroom.turns.staging import Staging
from darkroom.turns.store import TurnLog, TurnStore
from darkroom.turns.surroundings import Attachments, CannotFetch
from darkroom.turns.wishes import brought

AT_ONCE_MAX = 4
"""Turns whose files are fetched side by side. Until all of a turn's files are there they lie on the disk, up
to 800 MB of them, and cost nobody anything; more at once would not be quicker, since they are made ready one
by one."""
_SHAPE_TOLERANCE = 0.01
"""By how much a mask's ratio of width to height may differ from its picture's."""

Result = TypeVar("Result")

_MAY_MARK = frozenset({Surface.REPLY, Surface.MENTION})
_PNG = b"\x89PNG\r\n\x1a\n"
"""How a PNG begins (PNG specification, 5.2)."""


class _Bad(Exception):
    """An attached file cannot go along."""

    def __init__(self, name: str, problem: FileProblem) -> None:
        super().__init__(problem.value)
        self.name = name
        self.problem = problem


class Bringer:
    """Makes the attached pictures of turns ready to be sent. One for the whole process: pictures are decoded
    one at a time, so that what they take of memory is bounded.

    *remove* takes the bytes of a digest and format off the disk unless something in the books needs them.
    """

    def __init__(
        self,
        attachments: Attachments,
        store: TurnStore,
        log: TurnLog,
        blobs: Blobs,
        remove: Callable[[str, str], Awaitable[bool]],
        clock: Clock,
    ) -> None:
        self._attachments = attachments
        self._store = store
        self._log = log
        self._blobs = blobs
        self._remove = remove
        self._clock = clock
        self._few_at_a_time = asyncio.Semaphore(AT_ONCE_MAX)
        self._one_at_a_time = asyncio.Lock()
        # Always the same thread: what is freed in one is not there for another, so that with several of them
        # the process would keep many times what a picture takes.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="attached pictures")

    async def bring(self, turn: Turn, parent: Picture | None) -> tuple[TurnInput, ...] | Ending:
        """What goes along with *turn*, which builds on *parent*, in the order it is sent in: fetched unless
        it was. An ending if any of it cannot go along: then nothing is bought.

        A mention in a thread without a picture of ours takes the pictures above it. Raises ``NotWaiting`` if
        the turn has ended or was edited meanwhile.
        """
        inputs = await brought(self._log, turn)
        if inputs is None:
            attached = await self._attached(turn, parent)
            if attached is None and turn.brought_revision is None:
                return ()
            # An edit may have taken away what was brought for the revision before.
            attached = attached or ()
            if len(attached) > _allowed(parent):
                return _too_many(len(attached), parent)
            before = await self._log.inputs(turn.id)
            async with self._few_at_a_time:
                ready = await self._all_ready(turn, parent, attached)
            if isinstance(ready, Ending):
                return ready
            inputs = await self._write(turn, before, ready)
        return inputs if len(inputs) <= _allowed(parent) else _too_many(len(inputs), parent)

    async def leave(self, turn_id: str, before: Sequence[TurnInput]) -> None:
        """A turn was told: what the books had of it *before* and have no longer does not stay on the disk."""
        kept = await self._log.inputs(turn_id) if before else ()
        for each in set(before) - set(kept):
            await self._remove(each.sha256, each.format)

    async def _attached(self, turn: Turn, parent: Picture | None) -> tuple[Attachment, ...] | None:
        """The files to bring; None where there is nothing to look for."""
        request = turn.request
        if request.attachments:
            return request.attachments
        looks_above = request.surface is Surface.MENTION and request.message_ts != request.thread_ts
        if parent is None and looks_above and not request.fresh:
            return await self._attachments.above(turn)
        return None

    async def _all_ready(
        self, turn: Turn, parent: Picture | None, attached: Sequence[Attachment]
    ) -> list[TurnInput] | Ending:
        """All of *attached* as files of ours, on disk; or none of them, and an ending."""
        marked = parent if len(attached) == 1 and turn.request.surface in _MAY_MARK else None
        staging = Staging(self._blobs)
        try:
            ready = [await self._ready(each, marked, staging) for each in attached]
            digests = {each.sha256 for each in ready}
            await self._in_thread(lambda: staging.keep(digests))
        except _Bad as bad:
            details = {"file": bad.name, "why": bad.problem.value}
            return Ending(Outcome.DECLINED, Reason.BAD_FILE, details)
        finally:
            staging.discard()
        return ready

    async def _write(
        self, turn: Turn, before: Sequence[TurnInput], ready: Sequence[TurnInput]
    ) -> tuple[TurnInput, ...]:
        """Put *ready* into the books, in place of what was brought *before* for an earlier revision; whatever
        nothing in the books needs then does not stay on the disk."""
        needless = ready
        try:
            inputs = await self._store.bring(turn.id, turn.revision, ready, self._clock.now())
            needless = before
        except asyncio.CancelledError:
            needless = ()  # it may be in the books a moment later
            raise
        finally:
            for each in needless:
                await self._remove(each.sha256, each.format)
        return inputs

    async def _ready(self, attachment: Attachment, marked: Picture | None, staging: Staging) -> TurnInput:
        """*attachment* as a file that can be sent; a mask for *marked* if it can be one. Raises ``_Bad``."""
        fetched = self._blobs.begin()
        try:
            await self._attachments.fetch(attachment, fetched)
            understood = await self._in_thread(
                lambda: _understood(fetched.path(), attachment.name, marked, staging.begin)
            )
        except CannotFetch as cannot:
            raise _Bad(attachment.name, cannot.problem) from cannot
        except Unpreparable as unpreparable:
            problem = FileProblem(unpreparable.trouble.value)
            raise _Bad(attachment.name, problem) from unpreparable
        finally:
            fetched.discard()
        if isinstance(understood, Mask):
            return _input(InputRole.MASK, understood.prepared, attachment.name, understood.covers_ppm)
        return _input(InputRole.REFERENCE, understood, attachment.name)

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        """Do *work* while nobody else does such work. A thread cannot be stopped, so when this is cancelled
        it is waited for, and its files are not pulled away from under it."""
        async with self._one_at_a_time:
            thread = asyncio.get_running_loop().run_in_executor(self._thread, work)
            try:
                await asyncio.wait({thread})
            except asyncio.CancelledError:
                await asyncio.wait({thread})
                thread.exception()
                raise
            return thread.result()


def _understood(
    path: Path, name: str, marked: Picture | None, begin: Callable[[], BlobWriter]
) -> Prepared | Mask:
    """The picture at *path*, made ready: as a mask for *marked* if it is a PNG of its shape that has
    transparent areas. Blocks."""
    reference = prepare(path, begin, name)
    if marked is None or not _marks(path, reference, marked):
        return reference
    mask = as_mask(path, marked.width, marked.height, begin)
    # What marks nothing would be paid for and change nothing.
    return mask if mask.covers_ppm else reference


def _allowed(parent: Picture | None) -> int:
    """How many may go along: the parent may have to be sent as well, now or when the API has forgotten it."""
    return REFERENCES_MAX - (parent is not None)


def _too_many(files: int, parent: Picture | None) -> Ending:
    details = {"files": files, "allowed": _allowed(parent)}
    return Ending(Outcome.DECLINED, Reason.TOO_MANY_FILES, details)


def _marks(path: Path, reference: Prepared, parent: Picture) -> bool:
    """Whether the file at *path*, a picture, is a PNG of the shape of *parent* with transparent areas."""
    if reference.alpha is None or not reference.alpha.clear_ppm:
        return False
    with path.open("rb") as file:
        is_png = file.read(len(_PNG)) == _PNG
    shape, wanted = reference.width / reference.height, parent.width / parent.height
    return is_png and abs(shape - wanted) <= _SHAPE_TOLERANCE * wanted


def _input(role: InputRole, ready: Prepared, name: str, covers_ppm: int | None = None) -> TurnInput:
    return TurnInput(
        role,
        ready.sha256,
        ready.format,
        ready.width,
        ready.height,
        ready.size_bytes,
        name,
        covers_ppm,
    )
