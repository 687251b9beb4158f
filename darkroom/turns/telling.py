"""Telling a person how their turn ended, with every step noted before the next is taken."""

from __future__ import annotations

import logging
from collections.abc import Callable

from darkroom.clock import Clock
from darkroom.turns.bringing import Bringer
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.line import Entry, Line
from darkroom.turns.model import Told, Turn, TurnState
from darkroom.turns.planning import PictureFiles
from darkroom.turns.store import TurnLog, TurnStore
from darkroom.turns.surroundings import Delivery, Note, Undeliverable
from darkroom.turns.waiting import Wait
from darkroom.turns.wishes import brought

logger = logging.getLogger("darkroom.turns")


class Teller:
    """Between the worker and the delivery: what is said of a turn, and what is written down of saying it.

    *to_recall* is called when a turn was told of which a picture, or its parent, had been deleted meanwhile:
    what is left of it is listed by then.
    """

    def __init__(
        self,
        store: TurnStore,
        log: TurnLog,
        delivery: Delivery,
        files: PictureFiles,
        clock: Clock,
        line: Line,
        bringer: Bringer,
        to_recall: Callable[[], None],
    ) -> None:
        self._store = store
        self._log = log
        self._delivery = delivery
        self._files = files
        self._clock = clock
        self._line = line
        self._bringer = bringer
        self._to_recall = to_recall

    async def placeholder(
        self, entry: Entry, turn: Turn, at_most_nano_usd: int, wait: Wait | None
    ) -> Ending | None:
        """Show that the turn was taken in, or give the ending of one that cannot be shown."""
        try:
            return await self._delivery.placeholder(turn, at_most_nano_usd, self._note(entry), wait)
        except Undeliverable as undeliverable:
            details: dict[str, str | int] = {"slack_error": undeliverable.reason}
            details["at_most_nano_usd"] = at_most_nano_usd
            return Ending(Outcome.DECLINED, Reason.CANNOT_POST, details)

    async def tell(self, entry: Entry, turn: Turn) -> None:
        """Tell how *turn* ended, unless that was done; what Slack will not take is undelivered."""
        if turn.told_at is not None or turn.undelivered_reason is not None:
            return
        note = self._note(entry)
        inputs = await self._log.inputs(turn.id)
        try:
            await say(self._delivery, self._log, self._files, turn, note)
            await note(Told.DONE, None)
        except Undeliverable as undeliverable:
            logger.warning("turn %s could not be told: %s", turn.id, undeliverable.reason)
            await note(Told.UNDELIVERED, undeliverable.reason)
        await self._bringer.leave(turn.id, inputs)
        gone = turn.ending is not None and turn.ending.reason is Reason.PICTURE_GONE
        if gone or any(picture.deleted_at is not None for picture in await self._log.pictures(turn.id)):
            self._to_recall()

    async def give_up(self, entry: Entry) -> bool:
        """A turn that has ended but whose person cannot be told for a fault of ours is undelivered; whether
        that is written down, and nothing is left to be done."""
        turn = await self._log.turn(entry.turn.id)
        if turn is None or turn.state is not TurnState.ENDED:
            return False
        if turn.told_at is None and turn.undelivered_reason is None:
            await self._note(entry)(Told.UNDELIVERED, Reason.BROKEN)
        return True

    def _note(self, entry: Entry) -> Note:
        async def note(step: Told, value: str | None, picture_id: str | None = None) -> Turn:
            if step is Told.PLACEHOLDER and value and entry.turn.request.opens_thread:
                # Before the thread is known to the store, so that no reply in it can pass what opens it.
                self._line.open_lane(entry, value)
            entry.stepped_at = self._clock.monotonic()
            now = self._clock.now()
            entry.turn = await self._store.tell(entry.turn.id, step, value, now, picture_id)
            return entry.turn

        return note


async def say(delivery: Delivery, log: TurnLog, files: PictureFiles, turn: Turn, note: Note) -> None:
    """Show the pictures of a turn that has ended, or say why there are none. Raises ``Undeliverable``."""
    if turn.ending is None or turn.ending.outcome is not Outcome.PICTURES:
        await delivery.tell(turn, note)
        return
    pictures = [
        (picture, files.path_of(picture.sha256, picture.format)) for picture in await log.pictures(turn.id)
    ]
    inputs = await brought(log, turn) or ()
    await delivery.deliver(turn, pictures, inputs, note)
