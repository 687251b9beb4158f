"""Working through turns: take them in, start who is next, write how each ended, and tell."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from darkroom.clock import Clock
from darkroom.spending.budgets import Caps, MustWait
from darkroom.turns.admission import Admission
from darkroom.turns.closing import BookCloser
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.line import Entry, Line, budget_of
from darkroom.turns.looking_back import look_back
from darkroom.turns.making import TurnMaker
from darkroom.turns.model import Intent, Turn, TurnState
from darkroom.turns.planning import PictureFiles
from darkroom.turns.store import NotWaiting, TurnLog, TurnStore
from darkroom.turns.surroundings import Delivery, Guard
from darkroom.turns.telling import Teller

logger = logging.getLogger("darkroom.turns")

TOO_OLD_S = 3600.0
"""A turn that waited longer than this while Darkroom was not running is cancelled, not made."""
MEND_WAITS_S = (0.0, 5.0, 60.0)
"""How long to wait before each try to end a turn that broke: a full disk may have been cleared by then."""

_TOO_OLD = Ending(Outcome.CANCELLED, Reason.TOO_OLD)


class Worker:
    """Runs every turn from ``submit`` to told. One task a turn; the line says which may run.

    *noticed* is called whenever a turn has ended: its end, or its charge, may have raised an alert;
    *to_recall* when one was told of which a picture had been deleted meanwhile.

    A fault of our own in one turn is logged with its id and ends that turn alone: its money first, then told.
    When even that fails, it leaves the line, so that the others go on, and is left to recovery.
    """

    def __init__(
        self,
        store: TurnStore,
        log: TurnLog,
        maker: TurnMaker,
        guard: Guard,
        delivery: Delivery,
        files: PictureFiles,
        caps: Caps,
        clock: Clock,
        line: Line,
        *,
        waiting_max: int,
        waiting_per_person: int,
        noticed: Callable[[], None] = lambda: None,
        to_recall: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._log = log
        self._maker = maker
        self._teller = Teller(store, log, delivery, files, clock, line, maker.bringer, to_recall)
        self._closer = BookCloser(store, log, maker.attempting, caps, clock)
        self._admission = Admission(store, log, maker, guard, caps, clock)
        self._clock = clock
        self._line = line
        self._waiting_max = waiting_max
        self._waiting_per_person = waiting_per_person
        self._noticed = noticed
        self._tasks: set[asyncio.Task[Any]] = set()
        self._stopping = False

    def submit(self, turn: Turn) -> None:
        """Take a turn that was just accepted: it has its place from now on. Returns at once."""
        if self._stopping or self._line.get(turn.id) is not None:
            return
        full = self._full_for(turn)
        entry = self._line.add(turn)
        self._spawn(self._take_in(entry) if full is None else self._stop(entry, full), turn.id)

    def _full_for(self, turn: Turn) -> Ending | None:
        """Why *turn* finds no place in the line, or None. One person cannot fill it for everybody."""
        if self._line.waiting_of(turn) >= self._waiting_per_person:
            details: dict[str, str | int] = {"waiting": self._waiting_per_person, "own": 1}
        elif self._line.waiting() >= self._waiting_max:
            details = {"waiting": self._waiting_max}
        else:
            return None
        return Ending(Outcome.DECLINED, Reason.QUEUE_FULL, details)

    def withdraw(self, turn: Turn) -> None:
        """A waiting turn was ended from outside: tell its person and let the next one go."""
        entry = self._line.get(turn.id)
        if entry is None or self._stopping:
            return
        # Whoever is at it (taking it in, planning its call) looks for this before letting go of it.
        entry.withdrawn = True
        if entry.taken_in and not entry.running and not entry.telling:
            entry.telling = True
            self._spawn(self._finish(entry, turn), turn.id)
            self._start_next()

    def reconsider(self) -> None:
        """An admin has decided something: look again at everything that waits. Returns at once."""
        if self._stopping:
            return
        task = asyncio.create_task(self._look_again())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _look_again(self) -> None:
        """Decline what waits and may not be made any more; let the rest ask for their money again."""
        for entry in self._line.parked():
            await self._unbroken(self._judge(entry), entry.turn.id)
        self._money_moved()

    async def _judge(self, entry: Entry) -> None:
        """End a turn that waits and may not be made any more."""
        turn = await self._log.turn(entry.turn.id)
        if turn is None or turn.state is TurnState.ENDED or self._stopping:
            return
        ending = await self._admission.judge(turn)
        if ending is not None:
            ended = await self._store.end(turn.id, ending, self._clock.now(), waiting_only=True)
            if ended.ending == ending:
                self.withdraw(ended)

    async def recover(self) -> int:
        """Take up every turn that was left unfinished; gives how many. Call once, when intake may be open."""
        left = await self._log.unfinished()
        for turn in left:
            if self._line.get(turn.id) is None and not self._stopping:
                entry = self._line.add(turn)
                # Before anybody else in its lane is looked at.
                entry.running = turn.state is TurnState.WORKING
                entry.telling = turn.state is TurnState.ENDED
                self._spawn(self._take_up(entry), turn.id)
        return len(left)

    async def aclose(self, grace_s: float) -> None:
        """Start nothing more, let what runs finish for *grace_s* seconds, leave the rest to recovery."""
        self._stopping = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace_s)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def idle(self) -> None:
        """Return when no turn is in the line."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _spawn(self, work: Coroutine[Any, Any, None], turn_id: str) -> None:
        task = asyncio.create_task(self._guarded(work, turn_id), name=turn_id)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Coroutine[Any, Any, None], turn_id: str) -> None:
        try:
            if await self._unbroken(work, turn_id):
                return
            for number, wait_s in enumerate(MEND_WAITS_S, start=1):
                await self._clock.sleep(wait_s)
                last = number == len(MEND_WAITS_S)
                if self._stopping or await self._unbroken(self._mend(turn_id, ask=not last), turn_id):
                    return
            if (entry := self._line.get(turn_id)) is not None:
                await self._unbroken(self._teller.give_up(entry), turn_id)
            logger.critical("turn %s is given up: undelivered, or left to the next start", turn_id)
            self._line.remove(turn_id)
            # What it held may be free by now, and nobody else would say so.
            self._line.money_moved()
        finally:
            self._start_next()

    async def _unbroken(self, work: Coroutine[Any, Any, None], turn_id: str) -> bool:
        """The one boundary of a turn: whatever broke, the others go on."""
        try:
            await work
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            logger.warning("turn %s: a call it waited for was cancelled", turn_id)
        except Exception:
            logger.exception("turn %s broke", turn_id)
        else:
            return True
        return False

    async def _mend(self, turn_id: str, *, ask: bool) -> None:
        """End a turn that a fault of ours interrupted, its money first, and tell. Without *ask*, a call
        that was sent is written off as uncertain at once."""
        entry = self._line.get(turn_id)
        turn = await self._log.turn(turn_id)
        if entry is None or turn is None:
            self._line.remove(turn_id)
            return
        if turn.state is not TurnState.ENDED:
            await self._closer.close(turn, entry.slots, self._money_moved, ask=ask)
            # Its hold may have ended just before it broke, and nobody was told.
            self._money_moved()
            ending = entry.slots.ending(turn.request.wanted, Ending(Outcome.FAILED, Reason.BROKEN))
            turn = await self._store.end(turn_id, ending, self._clock.now())
        await self._finish(entry, turn)

    async def _take_in(self, entry: Entry) -> None:
        """Guard, place in the queue, and something to see; then it may start when it is next."""
        admitted = await self._admission.admit(entry.turn)
        if isinstance(admitted, Ending):
            await self._stop(entry, admitted)
            return
        turn, at_most = admitted.turn, admitted.at_most_nano_usd
        if at_most is not None and turn.placeholder_ts is None and turn.state is not TurnState.ENDED:
            no_place = await self._teller.placeholder(entry, turn, at_most)
            if no_place is not None:
                await self._stop(entry, no_place)
                return
        entry.turn = await self._log.turn(turn.id) or turn
        entry.taken_in = True
        await self._let_go(entry)

    async def _let_go(self, entry: Entry) -> None:
        """Back in the line, to be started when it is next; unless it was ended from outside meanwhile."""
        if entry.turn.state is not TurnState.ENDED and not entry.withdrawn:
            entry.running = False
            return
        await self._finish(entry, await self._log.turn(entry.turn.id) or entry.turn)

    async def _take_up(self, entry: Entry) -> None:
        """A turn from before the start: on from where it stood."""
        turn = await self._log.turn(entry.turn.id) or entry.turn
        if turn.state is TurnState.ENDED:
            await self._finish(entry, turn)
            return
        if turn.state is TurnState.WORKING:
            await self._closer.close(turn, entry.slots, self._money_moved)
            if not entry.slots.left(turn.request.wanted):
                await self._stop(entry, _TOO_OLD)
                return
        entry.running = False
        if (self._clock.now() - turn.created_at).total_seconds() > TOO_OLD_S:
            await self._stop(entry, _TOO_OLD)
            return
        fresh = await self._log.turn(turn.id)
        entry.turn = fresh or turn
        await self._take_in(entry)

    def _start_next(self) -> None:
        if self._stopping:
            return
        for entry in self._line.startable():
            entry.running = True
            self._spawn(self._work(entry), entry.turn.id)

    def _money_moved(self) -> None:
        self._line.money_moved()
        self._start_next()

    async def _work(self, entry: Entry) -> None:
        """One turn that is next: make it, end it, tell; or back to the line to wait for money."""
        turn = await self._log.turn(entry.turn.id)
        if turn is None or turn.state is TurnState.ENDED:
            # Taken back between being chosen and being started: `withdraw` found it running.
            await self._finish(entry, turn or entry.turn)
            return
        entry.turn = turn
        generation = self._line.generation
        try:
            result = await self._result(entry, turn)
        except NotWaiting:
            # Edited or taken back in the very moment; as it now stands it is looked at again.
            entry.turn = await self._log.turn(turn.id) or turn
            if entry.turn.state is not TurnState.ENDED and entry.turn.revision == turn.revision:
                raise RuntimeError(f"turn {turn.id} waits, and could not be held") from None
            await self._let_go(entry)
            return
        if isinstance(result, MustWait):
            entry.wants = budget_of(turn, result.balance.kind)
            entry.stalled = self._line.generation == generation
            await self._let_go(entry)
            return
        await self._end(entry, result)

    async def _result(self, entry: Entry, turn: Turn) -> Ending | MustWait:
        if turn.request.intent is not Intent.MAKE:
            return await look_back(self._log, turn)
        return await self._maker.make(turn, entry.slots, lambda: self._held(entry), self._money_moved)

    def _held(self, entry: Entry) -> None:
        """It has its money: whoever is behind it may ask for theirs."""
        if entry.wants is not None:
            entry.wants = None
            self._start_next()

    async def _stop(self, entry: Entry, ending: Ending) -> None:
        """End a turn that is not made, or not made further: what was paid for comes all the same."""
        await self._end(entry, entry.slots.ending(entry.turn.request.wanted, ending))

    async def _end(self, entry: Entry, ending: Ending) -> None:
        turn = await self._store.end(entry.turn.id, ending, self._clock.now())
        reason = turn.ending.reason if turn.ending else ending.reason
        logger.info("turn %s ended: %s (%s)", turn.id, ending.outcome, reason)
        await self._finish(entry, turn)

    async def _finish(self, entry: Entry, turn: Turn) -> None:
        """Tell the person how it ended, then take the turn out of the line. Its lane waits for that, so that
        what is told stays in order; those who only wanted the same money do not."""
        entry.telling, entry.wants = True, None
        self._noticed()
        self._start_next()
        await self._teller.tell(entry, turn)
        self._line.remove(turn.id)
