"""The rounds in which what Slack has not taken is tried again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from darkroom.clock import Clock
from darkroom.turns.model import Turn
from darkroom.turns.redelivering import EVERY_S, Redelivery
from handlers.errands import unbroken
from handlers.rounds import Rounds


class Redelivering:
    """Tries what is due at the start and every ten minutes. One turn that breaks keeps none behind it."""

    def __init__(self, redelivery: Redelivery, clock: Clock) -> None:
        self._redelivery = redelivery
        self._rounds = Rounds("redelivering", self.round, clock, EVERY_S)

    def start(self) -> None:
        """Run in a task of its own until ``aclose``."""
        self._rounds.start()

    async def aclose(self, grace_s: float = 5.0) -> None:
        """Let what is being told arrive for *grace_s* seconds, then stop."""
        await self._rounds.aclose(grace_s)

    async def round(self) -> bool:
        """Try all that is due, in each channel one after the other: one that is busy keeps no other waiting.
        Trouble is no reason to come back sooner: each turn has its own pause."""
        channels: dict[str, list[Turn]] = {}
        for turn in await self._redelivery.due():
            channels.setdefault(turn.request.channel_id, []).append(turn)
        await asyncio.gather(*map(self._tell, channels.values()))
        return True

    async def _tell(self, turns: Sequence[Turn]) -> None:
        for turn in turns:
            if self._rounds.stopping:
                break
            await unbroken(f"turn {turn.id}", self._redelivery.tell(turn))
