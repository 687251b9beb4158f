"""What every call to the image API passes: rate limits in the order of coming, places, and times when the API
is of no use."""

from __future__ import annotations

import asyncio
import logging
from bisect import insort
from collections.abc import Callable
from datetime import timedelta

from darkroom.clock import Clock
from darkroom.rendering.job import Answer, Billed, Candidate, FailureKind
from darkroom.turns.breaker import NO_ANSWER, Breaker
from darkroom.turns.call_lane import Lane, Waiter
from darkroom.turns.endings import Ending
from darkroom.turns.outage_clerk import OutageClerk
from darkroom.turns.outages import Closed, MayStart, OutageBook, Pass, Patience, Slowed
from darkroom.turns.passed_by import RefusedLately

logger = logging.getLogger("darkroom.turns")


class ApiGate:
    """``Gate``: at most *calls_at_once* have a pass. Every change is made between two awaits; who waits is
    woken by what changes, and by one alarm for all of them.

    ``load`` it before the first call, ``aclose`` it when nobody waits any more.
    """

    def __init__(self, clock: Clock, book: OutageBook, *, calls_at_once: int) -> None:
        self._clock = clock
        self._places = calls_at_once
        self._breaker = Breaker(clock)
        self._clerk = OutageClerk(clock, book, self._breaker)
        self._refused_lately = RefusedLately(clock)
        self._lanes: dict[tuple[str, str], Lane] = {}
        self._out: set[int] = set()
        """The passes that were neither learned from nor left."""
        self._tickets = self._passes = 0
        self._listeners: list[Callable[[], None]] = []
        self._hearers: list[Callable[[Candidate, Answer], None]] = []
        self._could_start = True
        self._alarm: asyncio.Task[None] | None = None
        self._alarm_at = 0.0
        self._shut = False
        self._over: Ending | None = None

    async def load(self) -> None:
        """Go on from the books: an outage that has not ended goes on, and is tried at once."""
        outage = await self._clerk.load()
        if outage is not None:
            logger.warning("the image API was of no use when Darkroom stopped: %s", outage.trouble)
            self._breaker.resume(outage)

    async def aclose(self) -> None:
        """Finish writing, wake nobody any more."""
        self._shut = True
        if self._alarm is not None:
            self._alarm.cancel()
            await asyncio.gather(self._alarm, return_exceptions=True)
        await self._clerk.aclose()

    def closed(self) -> Closed | None:
        """See ``Gate.closed``."""
        return self._breaker.closed()

    def may_start(self) -> MayStart:
        """See ``Gate.may_start``."""
        if self._breaker.closed() is None:
            return MayStart.ANY
        return MayStart.ONE if self._breaker.due() else MayStart.NONE

    def slowed(self) -> Slowed | None:
        """See ``Gate.slowed``."""
        at = self._clock.monotonic()
        slow = [each for each in self._lanes.values() if each.waiting and each.bucket.ready_at(at) > at]
        if not slow:
            return None
        bucket = min(slow, key=lambda lane: lane.waiting[0].ticket).bucket
        next_at = self._clock.now() + timedelta(seconds=bucket.ready_at(at) - at)
        return Slowed(next_at, bucket.per_minute)

    def refused(self, candidate: Candidate) -> str | None:
        """See ``Gate.refused``."""
        return self._refused_lately.why(candidate)

    def listen(self, changed: Callable[[], None]) -> None:
        """See ``Gate.listen``."""
        self._listeners.append(changed)

    def listen_for_alerts(self, raised: Callable[[], None]) -> None:
        """Have *raised* called whenever an alert was."""
        self._clerk.listen(raised)

    def listen_for_answers(self, heard: Callable[[Candidate, Answer], None]) -> None:
        """Have *heard* called with every answer that is learned from; it must not raise."""
        self._hearers.append(heard)

    def end(self, ending: Ending) -> None:
        """See ``Gate.end``."""
        self._over = ending
        for lane in self._lanes.values():
            self._dismiss(lane, list(lane.waiting), ending)
        self._turn()

    def over(self) -> Ending | None:
        """See ``Gate.over``."""
        return self._over

    async def enter(
        self, candidate: Candidate, patience: Patience, ticket: int | None = None
    ) -> Pass | Closed | Ending | None:
        """See ``Gate.enter``."""
        if self._over is not None:
            return self._over
        closed, probe = self._breaker.closed(), self._breaker.due()
        if closed is not None and not probe:
            return closed
        lane, waiter = self._line_up(candidate, patience, ticket, probe=probe)
        try:
            return await waiter.result
        except asyncio.CancelledError:
            self._forsake(lane, waiter)
            raise

    def enter_at_once(self, candidate: Candidate, ticket: int) -> Pass | None:
        """See ``Gate.enter_at_once``."""
        probe = self._breaker.due()
        if self._over is not None or (self._breaker.closed() is not None and not probe):
            return None
        lane, waiter = self._line_up(candidate, Patience(0.0), ticket, probe=probe)
        if not waiter.result.done():
            self._dismiss(lane, [waiter], None)
            self._turn()
        passed = waiter.result.result()
        return passed if isinstance(passed, Pass) else None

    def _line_up(
        self, candidate: Candidate, patience: Patience, ticket: int | None, *, probe: bool
    ) -> tuple[Lane, Waiter]:
        if ticket is None:
            self._tickets += 1
            ticket = self._tickets
        spell = self._breaker.spell if probe else None
        self._breaker.probing |= probe
        lane = self._lane(candidate)
        lane.count(self._clock.monotonic())
        result: asyncio.Future[Pass | Closed | Ending | None] = asyncio.get_running_loop().create_future()
        waiter = Waiter(ticket, candidate, patience, lane.held_back_s, spell, result)
        insort(lane.waiting, waiter, key=_by_ticket)
        self._turn()
        return lane, waiter

    def _lane(self, candidate: Candidate) -> Lane:
        return self._lanes.setdefault((candidate.endpoint, candidate.image_model), Lane())

    def learn(self, passed: Pass, answer: Answer, team_id: str) -> None:
        """See ``Gate.learn``."""
        failure = answer.failure
        if passed.number in self._out:
            self._hear_rate(passed, answer)
            self._back(passed)
        if failure is None:
            self._refused_lately.succeed(passed.candidate)
        elif failure.kind in (FailureKind.ACCESS, FailureKind.MODEL_GONE):
            self._refused_lately.refuse(passed.candidate, failure)
        before = self._breaker.closed()
        self._breaker.hear(passed, answer, team_id)
        self._say(before, self._breaker.closed())
        self._turn()
        self._clerk.write_up()
        for heard in self._hearers:
            heard(passed.candidate, answer)

    def leave(self, passed: Pass) -> None:
        """See ``Gate.leave``."""
        if passed.number in self._out:
            self._lane(passed.candidate).bucket.give_back(passed.number)
            self._back(passed)
            self._turn()

    def _back(self, passed: Pass) -> None:
        """Its place is free, and somebody else may try."""
        self._out.discard(passed.number)
        if passed.probe and passed.spell == self._breaker.spell:
            self._breaker.probing = False

    def _forsake(self, lane: Lane, waiter: Waiter) -> None:
        """It was cancelled while it waited, or in the moment in which its wait was over."""
        result = waiter.result
        if result.done() and not result.cancelled():
            if isinstance(passed := result.result(), Pass):
                self.leave(passed)
            return
        if waiter in lane.waiting:
            lane.count(self._clock.monotonic())
            lane.remove(waiter)
        self._does_not_try(waiter)
        self._turn()

    def _does_not_try(self, waiter: Waiter) -> None:
        """If it was to try whether the trouble is over, somebody else may."""
        if self._is_to_try(waiter):
            self._breaker.probing = False

    def _is_to_try(self, waiter: Waiter) -> bool:
        """Whether it tries for the trouble of now: meanwhile there may have been another, which somebody else
        tries."""
        return waiter.tries_spell == self._breaker.spell

    def _hear_rate(self, passed: Pass, answer: Answer) -> None:
        bucket = self._lane(passed.candidate).bucket
        failure, at = answer.failure, self._clock.monotonic()
        if failure is not None and failure.kind is FailureKind.RATE:
            bucket.refuse(passed.number, answer.headers, failure.retry_after_s, at)
        elif failure is None or failure.kind not in NO_ANSWER:
            bucket.succeed(passed.number, answer.headers, at)
        elif failure.billed is Billed.NOTHING:
            bucket.give_back(passed.number)

    def _turn(self) -> None:
        """Let go whoever may, wake whoever waits in vain, set the alarm, and say if more may start."""
        at = self._clock.monotonic()
        closed = self._breaker.closed()
        for lane in self._lanes.values():
            lane.count(at)
            if closed is not None:
                self._dismiss(lane, [each for each in lane.waiting if not self._is_to_try(each)], closed)
        while len(self._out) < self._places and (first := self._next(at)) is not None:
            self._let_go(first, at)
        alarms: list[float] = []
        for lane in self._lanes.values():
            if lane.waiting and lane.holds_back(at):
                self._dismiss(lane, lane.out_of_patience(), None)
                alarms += [lane.alarm(at)] if lane.waiting else []
        next_try = self._breaker.next_try()
        if next_try is not None and next_try > at:
            alarms.append(next_try)
        self._set_alarm(min(alarms, default=None))
        may_start = self.may_start() is not MayStart.NONE
        if may_start and not self._could_start:
            self._could_start = True
            for listener in self._listeners:
                listener()
        self._could_start = may_start

    def _next(self, at: float) -> Lane | None:
        """The lane whose first has come before those of the others, of those that may be called."""
        ready = [each for each in self._lanes.values() if each.waiting and each.bucket.ready_at(at) <= at]
        return min(ready, key=lambda lane: lane.waiting[0].ticket, default=None)

    def _let_go(self, lane: Lane, at: float) -> None:
        waiter = lane.waiting[0]
        lane.remove(waiter)
        if waiter.result.done():
            return
        self._passes += 1
        self._out.add(self._passes)
        lane.bucket.take(self._passes, at)
        waiter.result.set_result(
            Pass(
                waiter.candidate,
                waiter.ticket,
                self._passes,
                self._breaker.spell,
                probe=self._is_to_try(waiter),
            )
        )

    def _dismiss(self, lane: Lane, waiters: list[Waiter], answer: Closed | Ending | None) -> None:
        for waiter in waiters:
            lane.remove(waiter)
            self._does_not_try(waiter)
            if not waiter.result.done():
                waiter.result.set_result(answer)

    def _set_alarm(self, when: float | None) -> None:
        if self._alarm is not None:
            if self._alarm_at == when and not self._shut:
                return
            self._alarm.cancel()
            self._alarm = None
        if when is not None and not self._shut:
            self._alarm_at = when
            self._alarm = asyncio.create_task(self._ring(when))

    async def _ring(self, when: float) -> None:
        await self._clock.sleep(max(0.0, when - self._clock.monotonic()))
        self._alarm = None
        self._turn()

    def _say(self, before: Closed | None, after: Closed | None) -> None:
        if after is None:
            if before is not None:
                logger.warning("the image API is called again: %s is over", before.outage.trouble)
        elif before is None or before.outage.id != after.outage.id:
            outage = after.outage
            logger.error("the image API is not called: %s (outage %s)", outage.trouble, outage.id)


def _by_ticket(waiter: Waiter) -> int:
    return waiter.ticket
