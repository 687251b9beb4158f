"""The rounds in which what Slack has not taken is tried again."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from darkroom.clock import Clock
from darkroom.turn_context import working_for
from darkroom.turns.model import Turn
from darkroom.turns.redelivering import EVERY_S, VAIN_MAX, Redelivery, was_paid_for
from handlers.errands import unbroken
from handlers.rounds import Rounds

CHANNELS_AT_ONCE = 8
"""So many channels are served side by side: who asks for something now finds few before them at Slack."""
VAIN_IN_CHANNEL_MAX = 3
"""After so many tries in vain one after the other, the rest of a channel is left to the next round."""


@dataclass(slots=True)
class _Round:
    """How one round goes; in a row means since something was told there."""

    told: int = 0
    vain: int = 0
    """Tries in vain in a row."""
    vain_in: Counter[str] = field(default_factory=Counter)
    """The same for each channel."""
    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CHANNELS_AT_ONCE))

    def note(self, channel: str, *, told: bool) -> None:
        if told:
            self.told, self.vain, self.vain_in[channel] = self.told + 1, 0, 0
        else:
            self.vain, self.vain_in[channel] = self.vain + 1, self.vain_in[channel] + 1


class Redelivering:
    """Tries what is due at the start and every ten minutes; as long as Slack takes something, until nothing
    is left. One turn that breaks keeps none behind it."""

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
        """Try what was paid for, then the rest; in each channel one after the other, so that one that is slow
        keeps no other waiting. Over when Slack has taken nothing for so long.

        Trouble is no reason to come back sooner: each turn has its own pause.
        """
        self._redelivery.begin()
        now, before = _Round(), -1
        # What was in vain while Slack was not well is due as soon as something else was told.
        while now.told > before and not self._over(now):
            before = now.told
            due = await self._redelivery.due()
            for part in (
                [one for one in due if was_paid_for(one)],
                [one for one in due if not was_paid_for(one)],
            ):
                await asyncio.gather(*(self._serve(turns, now) for turns in _by_channel(part)))
        return True

    def _over(self, now: _Round) -> bool:
        return self._rounds.stopping or now.vain >= VAIN_MAX

    async def _serve(self, turns: Sequence[Turn], now: _Round) -> None:
        channel = turns[0].request.channel_id
        async with now.places:
            for turn in turns:
                if self._over(now) or now.vain_in[channel] >= VAIN_IN_CHANNEL_MAX:
                    return
                with working_for(turn.id):
                    told = await unbroken(f"turn {turn.id}", self._redelivery.tell(turn))
                now.note(channel, told=told)


def _by_channel(turns: Iterable[Turn]) -> list[list[Turn]]:
    channels: dict[str, list[Turn]] = {}
    for turn in turns:
        channels.setdefault(turn.request.channel_id, []).append(turn)
    return list(channels.values())
