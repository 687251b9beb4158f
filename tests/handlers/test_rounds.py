"""Work that is done in rounds, and how it ends."""

from __future__ import annotations

import asyncio

from handlers.rounds import Rounds
from tests.examples import StillClock
from tests.turns.world import turns_of_the_loop


class Slow:
    """A round that ends when it is let go."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.let_go = asyncio.Event()
        self.ended = False

    async def round(self) -> bool:
        """Work."""
        self.begun.set()
        await self.let_go.wait()
        self.ended = True
        return True


async def test_what_is_being_done_is_finished_in_the_grace_and_no_other_round_begins() -> None:
    slow = Slow()
    rounds = Rounds("test", slow.round, StillClock(), 60)
    rounds.start()
    await slow.begun.wait()
    closing = asyncio.ensure_future(rounds.aclose(3_600))
    slow.begun.clear()
    slow.let_go.set()
    await closing
    assert slow.ended
    assert not slow.begun.is_set()


async def test_to_close_again_without_a_grace_ends_that_of_the_first() -> None:
    slow = Slow()
    rounds = Rounds("test", slow.round, StillClock(), 60)
    rounds.start()
    await slow.begun.wait()
    closing = asyncio.ensure_future(rounds.aclose(3_600))
    await turns_of_the_loop()
    async with asyncio.timeout(10):
        await rounds.aclose(0)
        await closing
    assert not slow.ended


async def test_what_was_never_started_is_closed_at_once() -> None:
    await Rounds("test", Slow().round, StillClock(), 60).aclose(3_600)
