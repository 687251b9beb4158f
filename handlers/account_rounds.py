"""The rounds in which the API is asked what the account may call."""

from __future__ import annotations

import asyncio

from darkroom.clock import Clock
from darkroom.turns.account_watch import CHECK_EVERY, AccountWatch
from handlers.errands import unbroken
from handlers.rounds import Rounds

FIRST_AFTER_S = 10.0
"""After a start, what was left is gone on with first; nobody waits for this."""
RETRY_S = 300.0
"""An API that did not answer is not asked about its models again for so long, then twice as long, …"""


class AccountRounds:
    """A round some seconds after the start, then every day, and whenever *watch* has something to do; sooner
    again after trouble."""

    def __init__(self, watch: AccountWatch, clock: Clock) -> None:
        self._watch = watch
        self._clock = clock
        self._rounds = Rounds("account", watch.round, clock, CHECK_EVERY.total_seconds(), RETRY_S)
        self._first: asyncio.Task[None] | None = None
        watch.listen(self.wake)

    def wake(self) -> None:
        """There may be something to do. Returns at once."""
        self._rounds.wake()

    def start(self) -> None:
        """Run in a task of its own until ``aclose``."""
        self._first = asyncio.create_task(self._begin(), name="account, first")

    async def aclose(self, grace_s: float = 5.0) -> None:
        """Let what is being asked be answered for *grace_s* seconds, then stop."""
        if self._first is not None:
            self._first.cancel()
            await asyncio.gather(self._first, return_exceptions=True)
        await self._rounds.aclose(grace_s)

    async def _begin(self) -> None:
        await unbroken("naming the provider", self._watch.begin())
        await self._clock.sleep(FIRST_AFTER_S)
        self._rounds.start()
