"""Sending one call, and asking what became of it; nothing is ever sent twice."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from itertools import chain, repeat

from darkroom.clock import Clock
from darkroom.rendering.job import Answer, Billed, Failure, FailureKind, NoWord, Renderer, RenderJob
from darkroom.turns.model import Attempt
from darkroom.turns.outages import Gate
from darkroom.turns.planning import Step
from darkroom.turns.store import TurnStore

logger = logging.getLogger("darkroom.turns")

ASK_AGAIN_S = 5.0
"""How often the API is asked what became of a call that it is still at, or does not know yet."""
ASK_PAUSES_S = (5.0, 10.0, 20.0, 40.0, 60.0)
"""How long to wait after the first, second, … question in a row that failed itself."""
ASK_PATIENCE_S = 1800.0
"""For how long such questions are asked again beyond the call's own time: the picture may be there, and paid
for; but its thread waits, too."""
ASKS_MAX = 500
"""How often one call is asked for at most, whatever the time it may take."""
USAGE_ASKS_MAX = 3
USAGE_ASK_S = 10.0
"""So often, and for so many seconds each time, the API is asked what it counted for a picture that is here
already: its person waits."""
ASKS_AT_ONCE_MAX = 32
"""So many calls are asked for side by side, as after a stop in the middle of everything."""

_NEVER_SENT = Answer(failure=Failure(FailureKind.UNREACHABLE, Billed.NOTHING, code="removed"))


class Sender:
    """Sends attempts that are held."""

    def __init__(self, store: TurnStore, renderer: Renderer, clock: Clock, gate: Gate) -> None:
        self._store = store
        self._renderer = renderer
        self._clock = clock
        self._gate = gate
        self._asks = asyncio.Semaphore(ASKS_AT_ONCE_MAX)

    async def send(
        self, step: Step, attempt: Attempt, heard: Callable[[Answer], None], asking: Callable[[], None]
    ) -> Answer:
        """Dispatched on disk first, then the call; a broken call is asked for by its id, never sent again.
        *heard* is called with what the API says, as soon as it does; *asking* before each question."""
        seen: list[str] = []

        async def response_id_seen(response_id: str) -> None:
            seen.append(response_id)
            await self._note_name(attempt, response_id)

        # A stop while the client is being loaded must not leave a call on disk that was never sent.
        await self._renderer.ready()
        attempt = replace(attempt, dispatched_at=self._clock.now())
        if not await self._store.send(attempt.id, self._clock.now()):
            raise RuntimeError(f"attempt {attempt.id} could not be claimed; nothing was sent")
        if self._gate.over() is not None:
            # It had its pass, and the gate has ended since.
            return _NEVER_SENT
        answer = await self._renderer.render(step.job, response_id_seen)
        heard(answer)
        if answer.picture is None and is_unknown(answer.failure) and seen:
            asked = await self.ask_until(step, attempt, seen[0], asking)
            if asked is not None:
                heard(asked)
                return asked
        if answer.picture is not None and not _says_usage(answer) and seen:
            return await self._with_usage(step.job, seen[0], answer, asking)
        return answer

    async def _with_usage(
        self, job: RenderJob, response_id: str, answer: Answer, asking: Callable[[], None]
    ) -> Answer:
        """*answer*, whose picture came before the call broke off, with what the API counted for it; as it is
        where the API does not say so soon."""
        job = replace(job, timeout_s=min(job.timeout_s, USAGE_ASK_S))
        for asks_left in reversed(range(USAGE_ASKS_MAX)):
            word = await self.ask(job, response_id, asking, patience_s=0.0)
            if isinstance(word, Answer) and _says_usage(word):
                return replace(answer, host_usage=word.host_usage, image_usage=word.image_usage)
            if word is not NoWord.NOT_FINISHED or not asks_left:
                break
            await self._clock.sleep(ASK_AGAIN_S)
        return answer

    async def ask_until(
        self, step: Step, attempt: Attempt, response_id: str, asking: Callable[[], None]
    ) -> Answer | None:
        """The API's own word on a call, asked for until the call's time is over and once more; or None. That
        a question failed does not count as one: see ``ask``."""
        timeout_s = step.job.timeout_s
        deadline = (attempt.dispatched_at or self._clock.now()).timestamp() + timeout_s
        for _ in range(ASKS_MAX):
            # A clock may have been put back meanwhile.
            left_s = min(deadline - self._clock.now().timestamp(), timeout_s)
            word = await self.ask(step.job, response_id, asking, max(0.0, left_s) + ASK_PATIENCE_S)
            if isinstance(word, Answer) and not is_unknown(word.failure):
                return word
            if left_s <= 0 or word in (NoWord.NOT_ASKED, NoWord.NEVER):
                return None
            await self._clock.sleep(ASK_AGAIN_S)
        return None

    async def ask(
        self,
        job: RenderJob,
        response_id: str,
        asking: Callable[[], None],
        patience_s: float = ASK_PATIENCE_S,
    ) -> Answer | NoWord:
        """What the API says of a call now; a question that fails is asked again and again, for *patience_s*
        seconds. *asking* is called before each. Nobody waits for more than their turn to ask."""
        until = self._clock.monotonic() + patience_s
        for pause_s in chain(ASK_PAUSES_S, repeat(ASK_PAUSES_S[-1], ASKS_MAX)):
            asking()
            async with self._asks:
                word = await self._renderer.ask(job, response_id)
            if word is not NoWord.NOT_ASKED or self._clock.monotonic() + pause_s > until:
                return word
            await self._clock.sleep(pause_s)
        return NoWord.NOT_ASKED

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


def _says_usage(answer: Answer) -> bool:
    return answer.host_usage is not None or answer.image_usage is not None


def is_unknown(failure: Failure | None) -> bool:
    """Whether nobody can say yet what a call cost."""
    return failure is not None and failure.billed is Billed.UNKNOWN
