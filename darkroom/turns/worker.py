"""Working through turns: take them in, start who is next, write how each ended, and tell."""

from __future__ import annotations

import logging
from collections.abc import Callable

from darkroom.clock import Clock
from darkroom.spending.budgets import Caps, MustWait
from darkroom.turns.admission import Admission
from darkroom.turns.bounds import Bounds
from darkroom.turns.closing import BookCloser
from darkroom.turns.endings import Ending
from darkroom.turns.line import Entry, Line, budget_of
from darkroom.turns.making import TurnMaker
from darkroom.turns.mending import Mender
from darkroom.turns.model import Turn, TurnState
from darkroom.turns.outages import Closed, Gate, MayStart
from darkroom.turns.overseeing import Overseer
from darkroom.turns.planning import PictureFiles
from darkroom.turns.reconsidering import Reconsidering
from darkroom.turns.recovering import Recovering
from darkroom.turns.running import Running
from darkroom.turns.shown_waits import ShownWaits
from darkroom.turns.store import NotWaiting, TurnLog, TurnStore
from darkroom.turns.surroundings import Delivery, Guard
from darkroom.turns.telling import Teller
from darkroom.turns.turn_tasks import TurnTasks

logger = logging.getLogger("darkroom.turns")


class Worker:
    """Runs every turn from ``submit`` to told. One task a turn; the line says which may run, and the gate how
    many may call the API.

    *noticed* is called whenever a turn has ended: its end, or its charge, may have raised an alert;
    *to_recall* when one was told of which a picture had been deleted meanwhile. A call may take *timeout_s*.

    A fault of our own in one turn is logged with its id and ends that turn alone: its money first, then told.
    When even that fails, it leaves the line, so that the others go on, and is tried again for an hour.
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
        gate: Gate,
        waiting_max: int,
        waiting_per_person: int,
        timeout_s: float,
        noticed: Callable[[], None] = lambda: None,
        to_recall: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._log = log
        self._teller = Teller(store, log, delivery, files, clock, line, maker.bringer, to_recall)
        self._admission = Admission(store, log, maker, guard, caps, clock, gate)
        self._reconsidering = Reconsidering(store, log, self._admission, clock, line, self.withdraw)
        self._clock = clock
        self._line = line
        self._gate = gate
        self._waits = ShownWaits(line, gate, delivery)
        closer = BookCloser(store, log, maker.attempting, caps, clock)
        self._mender = Mender(store, log, closer, self._teller, clock, line, self.finish, self.money_moved)
        self._recovering = Recovering(log, closer, clock, line, gate, self)
        self._bounds = Bounds(waiting_max, waiting_per_person)
        self._overseer = Overseer(line, gate, clock, timeout_s)
        self._noticed = noticed
        self._tasks = TurnTasks(line, clock, self._mender.mend, self._start_next)
        self._running = Running(
            log, maker, clock, self._tasks, self._waits, self._start_next, self.money_moved
        )
        gate.listen(self._api_changed)

    def submit(self, turn: Turn) -> None:
        """Take a turn that was just accepted: it has its place from now on. Returns at once."""
        if self._tasks.stopping or self._line.get(turn.id) is not None:
            return
        full = self._bounds.refusal(self._line, turn)
        entry = self._line.add(turn)
        # Who found no place does not take one away from others until they are told so.
        entry.telling = full is not None
        self._tasks.spawn(self.take_in(entry) if full is None else self.stop(entry, full), entry)

    def withdraw(self, turn: Turn) -> None:
        """A waiting turn was ended from outside: tell its person and let the next one go."""
        entry = self._line.get(turn.id)
        if entry is None or self._tasks.stopping:
            return
        # Whoever is at it (taking it in, planning its call) looks for this before letting go of it.
        parked, entry.withdrawn = entry.parked, True
        if parked:
            entry.telling = True
            self._tasks.spawn(self.finish(entry, turn), entry)
            self._start_next()
        elif entry.making is not None:
            # It waits for a rate or fetches a file: nothing can be held any more for what has ended.
            entry.making.cancel()

    def reconsider(self) -> None:
        """An admin has decided something: look again at everything that waits. Returns at once."""
        if self._tasks.stopping:
            return
        self._tasks.aside(self._look_again())

    async def _look_again(self) -> None:
        """Decline what waits and may not be made any more; let the rest ask for their money again."""
        await self._reconsidering.look_again()
        self.money_moved()

    async def line_up(self) -> int:
        """Give every turn that was left unfinished its place; gives how many. Call it once, before anything
        new can come, and then ``take_up``."""
        return await self._recovering.line_up()

    def take_up(self) -> None:
        """Go on with what was lined up, when people can be told. Returns at once."""
        if not self._tasks.stopping:
            self._recovering.take_up(self._tasks.spawn)

    async def round(self) -> None:
        """To be called from time to time: end what has waited too long for the API, rescue what nobody is at,
        start whoever may start after all, and show people what they wait for."""
        if self._tasks.stopping:
            return
        for entry, ending in self._overseer.out_of_patience():
            # Nobody else is to take it from now on.
            entry.closing = True
            self._tasks.spawn(self.stop(entry, ending), entry)
        for entry in self._line:
            self._tasks.rescue(entry)
        self._api_changed()
        await self._waits.round()

    def pulse(self) -> tuple[int, int, tuple[str, ...]]:
        """How many run, how many wait, and the ids of those that are stuck."""
        return self._overseer.pulse()

    def begin_nothing(self) -> None:
        """Start nothing more; what runs goes on. Returns at once."""
        self._tasks.stopping = True
        for entry in self._line:
            if entry.making is not None and entry.only_waits:
                # It has no hold, and would wait for longer than anybody waits for it.
                entry.making.cancel()

    def buy_nothing(self, ending: Ending) -> None:
        """Start nothing more, and let nothing that runs send another call: that ends as *ending*. What was
        sent goes on. Returns at once."""
        self.begin_nothing()
        self._gate.end(ending)

    async def aclose(self, grace_s: float) -> None:
        """Start nothing more, let what runs finish for *grace_s* seconds, leave the rest to recovery. To
        call it again with less of that ends the grace of the first."""
        self.begin_nothing()
        self._mender.stop()
        self._recovering.stop()
        self._reconsidering.stop()
        await self._tasks.aclose(grace_s)
        await self._waits.aclose()

    async def idle(self) -> None:
        """Return when no turn is in the line, and nothing is left to be done."""
        await self._tasks.idle()

    async def take_in(self, entry: Entry) -> None:
        """Guard, place in the queue, and something to see; then it may start when it is next."""
        admitted = await self._admission.admit(entry.turn)
        if isinstance(admitted, Ending):
            await self.stop(entry, admitted)
            return
        turn, at_most = admitted.turn, admitted.at_most_nano_usd
        self._step(entry)
        if at_most is not None and turn.placeholder_ts is None and turn.state is not TurnState.ENDED:
            wait = self._waits.of(entry)
            no_place = await self._teller.placeholder(entry, turn, at_most, wait)
            if no_place is not None:
                await self.stop(entry, no_place)
                return
            self._waits.noted(entry, wait)
        entry.at_most_nano_usd = at_most
        entry.turn = await self._log.turn(turn.id) or turn
        entry.taken_in = True
        await self._let_go(entry)

    async def _let_go(self, entry: Entry) -> None:
        """Back in the line, to be started when it is next; unless it was ended from outside meanwhile."""
        if entry.turn.state is not TurnState.ENDED and not entry.withdrawn:
            self._line.put_back(entry)
            return
        await self.finish(entry, await self._log.turn(entry.turn.id) or entry.turn)

    def _start_next(self) -> None:
        if self._tasks.stopping:
            return
        may_start = self._gate.may_start()
        for entry in self._line.startable(may_start.value):
            self._line.start(entry, probing=may_start is not MayStart.ANY and entry.calls)
            self._tasks.spawn(self._work(entry), entry)

    def money_moved(self) -> None:
        """A hold has ended: whoever waits for money may ask again."""
        self._line.money_moved()
        self._start_next()

    def _api_changed(self) -> None:
        self._line.api_changed()
        self._start_next()

    async def _work(self, entry: Entry) -> None:
        """One turn that is next: make it, end it, tell; or back to the line to wait for money or the API."""
        turn = await self._log.turn(entry.turn.id)
        if turn is None or turn.state is TurnState.ENDED:
            # Taken back between being chosen and being started: `withdraw` found it running.
            await self.finish(entry, turn or entry.turn)
            return
        entry.turn = turn
        money, api = self._line.generation, self._line.api_generation
        try:
            result = await self._running.run(entry, turn)
        except NotWaiting:
            # Edited or taken back in the very moment; as it now stands it is looked at again.
            entry.turn = await self._log.turn(turn.id) or turn
            if entry.turn.state is not TurnState.ENDED and entry.turn.revision == turn.revision:
                raise RuntimeError(f"turn {turn.id} waits, and could not be held") from None
            await self._let_go(entry)
            return
        if isinstance(result, Ending):
            await self.finish(entry, await self._ended(entry, result))
            return
        if isinstance(result, MustWait):
            entry.wants = budget_of(turn, result.balance.kind)
            entry.stalled = self._line.generation == money
        elif isinstance(result, Closed):
            entry.shut = self._line.api_generation == api
        await self._let_go(entry)

    def _step(self, entry: Entry) -> None:
        entry.stepped_at = self._clock.monotonic()

    async def stop(self, entry: Entry, ending: Ending) -> None:
        """End a turn that is not made, or not made further: what was paid for comes all the same."""
        await self.finish(entry, await self.end(entry, ending))

    async def end(self, entry: Entry, ending: Ending) -> Turn:
        """Write that it ended; gives the turn as it is to be told."""
        return await self._ended(entry, entry.slots.ending(entry.turn.request.wanted, ending))

    async def _ended(self, entry: Entry, ending: Ending) -> Turn:
        turn = await self._store.end(entry.turn.id, ending, self._clock.now())
        reason = turn.ending.reason if turn.ending else ending.reason
        logger.info("turn %s ended: %s (%s)", turn.id, ending.outcome, reason)
        return turn

    async def finish(self, entry: Entry, turn: Turn) -> None:
        """Tell the person how it ended, then take the turn out of the line. Its lane waits for that, so that
        what is told stays in order; those who only wanted the same money do not."""
        # Whatever it has found out of the API, somebody else may try the next time.
        entry.telling, entry.wants, entry.probing = True, None, False
        self._step(entry)
        self._noticed()
        self._start_next()
        await self._waits.last(entry)
        await self._teller.tell(entry, turn)
        self._line.remove(turn.id)
