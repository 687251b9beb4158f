"""How fast Slack is asked: as it tells us after each 429, in the order of coming, and posts by channel.

Slack counts by method and workspace, posts by channel as well, and says with each 429 for how long to ask no
more (https://docs.slack.dev/apis/web-api/rate-limits): whoever wants that method waits, nobody's try is used
up by waiting, and who was sent back keeps their place.
"""

from __future__ import annotations

import asyncio
import heapq
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from darkroom.clock import Clock
from darkroom.turns.patience import told_to_wait
from handlers.clients import SlackRefused

T = TypeVar("T")

POST = "chat.postMessage"
POST_BURST = 3
"""Posts that a channel may get at once; Slack allows "short bursts"."""
POSTS_PER_S = 1.0
"""Posts that a channel may get in the long run."""
PATIENCE_S = 3_600.0
"""The longest that anybody waits for a method, all in all: what was paid for is worth an hour."""
ANSWER_PATIENCE_S = 300.0
"""The same for what answers somebody who has just pressed or typed: later they have gone on, or asked again,
and a ``response_url`` is good for half an hour."""
FETCH_PATIENCE_S = 300.0
"""The same for a file that somebody attached: who waits for it keeps a place from others."""
SIGN_PATIENCE_S = 60.0
"""The same for what only goes along: that a request was taken in, a person's name, a link."""
UNSAID_S = 10.0
"""The wait after a 429 that does not say how long it is."""
WAITING_MAX = 20_000
"""Who comes when so many wait is sent away."""
LONGEST_S = 2 * PATIENCE_S
"""The longest wait that is believed: after it Slack is asked, and says so again if it was meant."""
TOO_LONG = "ratelimited_too_long"
"""The error of what could not be asked within its patience: it may be asked another time."""
NAP_MIN_S = 0.001
"""The shortest sleep: differences of times are no more exact."""
CHANNELS_MAX = 1_000
"""Channels whose posts are counted; of more, one that is quiet now is forgotten."""


class TooFast(SlackRefused):
    """Slack's 429: nothing was done; ask again in ``seconds``, and not before."""

    def __init__(self, method: str, seconds: float) -> None:
        super().__init__("ratelimited", method)
        self.seconds = seconds


@dataclass(order=True, slots=True)
class _Ticket:
    number: int
    deadline: float = field(compare=False)
    hurried: bool = field(compare=False)
    """May have to give up while others wait before it."""
    woken: asyncio.Event = field(compare=False, default_factory=asyncio.Event)


class _Lane(ABC):
    """Those who want one thing, the first of them first. ``ready_in`` is how long its head has to wait yet;
    None until somebody who is inside leaves."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: list[_Ticket] = []

    def __len__(self) -> int:
        return len(self._waiting)

    @abstractmethod
    def ready_in(self) -> float | None: ...

    async def enter(self, ticket: _Ticket, method: str) -> None:
        """Raises ``SlackRefused`` when it takes too long; a cancelled one leaves its place to the next."""
        if not self._waiting and self.ready_in() == 0:
            return
        heapq.heappush(self._waiting, ticket)
        try:
            while (left := self._left(ticket)) != 0:
                ticket.woken.clear()
                over = ticket.deadline - self._clock.monotonic()
                soonest = self.ready_in()
                if over <= 0 or (soonest is not None and soonest > over):
                    raise SlackRefused(TOO_LONG, method)
                if self._waiting[0] is ticket or ticket.hurried:
                    nap_s = over if left is None else max(left, NAP_MIN_S)
                    await _first(ticket.woken.wait(), self._clock.sleep(nap_s))
                else:
                    # Who is first keeps an eye on the clock: the others have come after it.
                    await ticket.woken.wait()
        finally:
            self._leave(ticket)
            self.wake()

    def _leave(self, ticket: _Ticket) -> None:
        if self._waiting[0] is ticket:
            heapq.heappop(self._waiting)
        else:
            self._waiting.remove(ticket)
            heapq.heapify(self._waiting)

    def wake(self) -> None:
        """Something has changed for whoever is first."""
        if self._waiting:
            self._waiting[0].woken.set()

    def _left(self, ticket: _Ticket) -> float | None:
        return self.ready_in() if self._waiting[0] is ticket else None


class _Bucket(_Lane):
    """Posts into one channel: a few at once, then one after the other."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._tokens = float(POST_BURST)
        self._at = clock.monotonic()

    def ready_in(self) -> float:
        self._fill()
        return max(0.0, (1 - self._tokens) / POSTS_PER_S)

    def take(self) -> None:
        self._fill()
        self._tokens -= 1

    def empty(self) -> None:
        """Slack has counted more than we have."""
        self._fill()
        self._tokens = min(self._tokens, 0.0)

    @property
    def quiet(self) -> bool:
        return not self._waiting and self.ready_in() == 0

    def _fill(self) -> None:
        now = self._clock.monotonic()
        filled = self._tokens + (now - self._at) * POSTS_PER_S
        # Sums of parts of a second may miss a whole token by a hair.
        self._tokens, self._at = min(float(POST_BURST), round(filled, 9)), now


class _Method(_Lane):
    """Everybody at once until Slack says 429; then nobody until that is over, and then one after the other
    until nobody waits any more: what Slack has counted is not known."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._closed_until = clock.monotonic()
        self._careful = False
        self._inside = 0

    def ready_in(self) -> float | None:
        if self._careful and self._inside:
            return None
        return max(0.0, self._closed_until - self._clock.monotonic())

    def told(self, seconds: float) -> None:
        self._closed_until = max(
            self._closed_until, self._clock.monotonic() + min(max(0.0, seconds), LONGEST_S)
        )
        self._careful = True

    def begin(self) -> None:
        self._inside += 1

    def leave(self) -> None:
        self._inside -= 1
        self._careful = self._careful and bool(self._waiting or self._inside or self.ready_in())
        self.wake()


class Pace:
    """How fast one workspace's Slack is asked. Waits go through the clock and end with being cancelled."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._methods: dict[str, _Method] = {}
        self._channels: OrderedDict[str, _Bucket] = OrderedDict()
        self._numbers = 0

    async def run(
        self,
        method: str,
        ask: Callable[[], Awaitable[T]],
        channel: str | None = None,
        patience_s: float = PATIENCE_S,
    ) -> T:
        """What *ask* gives, as soon as *method* (and *channel*, for posts) may be asked.

        Where *ask* raises ``TooFast``, it is asked again after that, before whoever came later. Raises
        ``SlackRefused`` (``TOO_LONG``) when that does not come within *patience_s* in all, an hour at most.
        """
        ticket = self._ticket(method, patience_s)
        await self._post_into(method, channel, ticket)
        while True:
            async with self._inside(method, ticket):
                try:
                    return await ask()
                except TooFast as told:
                    self.told(method, told.seconds, channel)

    @asynccontextmanager
    async def turn(self, method: str, channel: str | None = None) -> AsyncIterator[None]:
        """The same for one try: whoever is sent back calls ``told``, and comes again as a new one."""
        ticket = self._ticket(method, PATIENCE_S)
        await self._post_into(method, channel, ticket)
        async with self._inside(method, ticket):
            yield

    def told(self, method: str, seconds: float, channel: str | None = None) -> None:
        """Slack wants *method* to be left alone for so long."""
        self._method(method).told(seconds)
        if method == POST and channel is not None:
            self._bucket(channel).empty()

    @asynccontextmanager
    async def _inside(self, method: str, ticket: _Ticket) -> AsyncIterator[None]:
        lane = self._method(method)
        with told_to_wait():
            await lane.enter(ticket, method)
        lane.begin()
        try:
            yield
        finally:
            lane.leave()

    async def _post_into(self, method: str, channel: str | None, ticket: _Ticket) -> None:
        if method == POST and channel is not None:
            bucket = self._bucket(channel)
            with told_to_wait():
                await bucket.enter(ticket, method)
            bucket.take()

    def _ticket(self, method: str, patience_s: float) -> _Ticket:
        waiting = sum(map(len, self._methods.values())) + sum(map(len, self._channels.values()))
        if waiting >= WAITING_MAX:
            raise SlackRefused(TOO_LONG, method)
        self._numbers += 1
        deadline = self._clock.monotonic() + min(patience_s, PATIENCE_S)
        return _Ticket(self._numbers, deadline, hurried=patience_s < PATIENCE_S)

    def _method(self, method: str) -> _Method:
        return self._methods.setdefault(method, _Method(self._clock))

    def _bucket(self, channel: str) -> _Bucket:
        bucket = self._channels.setdefault(channel, _Bucket(self._clock))
        self._channels.move_to_end(channel)
        if len(self._channels) > CHANNELS_MAX:
            quiet = next(
                (key for key, one in self._channels.items() if one.quiet and one is not bucket), None
            )
            if quiet is not None:
                del self._channels[quiet]
        return bucket


async def _first(*works: Awaitable[object]) -> None:
    """Wait for whichever comes first; the others are called off."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
