"""Sending one call, and asking what became of it; nothing is ever sent twice."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

from darkroom.clock import Clock
from darkroom.rendering.job import Answer, Billed, Failure, Renderer, RenderJob
from darkroom.turns.model import Attempt
from darkroom.turns.planning import Step
from darkroom.turns.store import TurnStore

logger = logging.getLogger("darkroom.turns")

ASK_AGAIN_S = 5.0
"""How often the API is asked what became of a call that broke off."""
ASKS_MAX = 500
"""How many times at most, whatever the time a call may take."""
ASKS_AT_ONCE_MAX = 32
"""So many calls are asked for side by side, as after a stop in the middle of everything."""


class Sender:
    """Sends attempts that are held."""

    def __init__(self, store: TurnStore, renderer: Renderer, clock: Clock) -> None:
        self._store = store
        self._renderer = renderer
        self._clock = clock
        self._asks = asyncio.Semaphore(ASKS_AT_ONCE_MAX)

    async def send(self, step: Step, attempt: Attempt, heard: Callable[[Answer], None]) -> Answer:
        """Dispatched on disk first, then the call; a broken call is asked for by its id, never sent again.
        *heard* is called with what the API says, as soon as it does."""
        seen: list[str] = []

        async def response_id_seen(response_id: str) -> None:
            seen.append(response_id)
            await self._note_name(attempt, response_id)

        attempt = replace(attempt, dispatched_at=self._clock.now())
        if not await self._store.send(attempt.id, self._clock.now()):
            raise RuntimeError(f"attempt {attempt.id} could not be claimed; nothing was sent")
        answer = await self._renderer.render(step.job, response_id_seen)
        heard(answer)
        if answer.picture is None and is_unknown(answer.failure) and seen:
            asked = await self.ask_until(step, attempt, seen[0])
            if asked is not None:
                heard(asked)
                return asked
        return answer

    async def ask_until(self, step: Step, attempt: Attempt, response_id: str) -> Answer | None:
        """The API's own word on a call, asked for until the call's time is over and once more; or None."""
        deadline = (attempt.dispatched_at or self._clock.now()).timestamp() + step.job.timeout_s
        asked_after_deadline = self._clock.now().timestamp() >= deadline
        for _ in range(ASKS_MAX):
            answer = await self.ask(step.job, response_id)
            if answer is not None and not is_unknown(answer.failure):
                return answer
            if asked_after_deadline:
                return None
            await self._clock.sleep(ASK_AGAIN_S)
            asked_after_deadline = self._clock.now().timestamp() >= deadline
        return None

    async def ask(self, job: RenderJob, response_id: str) -> Answer | None:
        """What the API says of a call now; nobody waits for more than their turn to ask."""
        async with self._asks:
            return await self._renderer.ask(job, response_id)

    async def _note_name(self, attempt: Attempt, response_id: str) -> None:
        """Write down the name of a call that is under way, by which it can be asked for after a stop. That
        this fails does not break off the call: it is paid for, and its end is written with its name again."""
        noting = asyncio.ensure_future(self._store.send(attempt.id, self._clock.now(), response_id))
        try:
            await asyncio.wait({noting})
        finally:
            noting.cancel()
        if (fault := noting.exception()) is not None:
            logger.error(
                "attempt %s: response %s could not be noted", attempt.id, response_id, exc_info=fault
            )


def is_unknown(failure: Failure | None) -> bool:
    """Whether nobody can say yet what a call cost."""
    return failure is not None and failure.billed is Billed.UNKNOWN
