"""Making one picture: hold, send, render; fall back where nothing was billed, and only there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

from darkroom.clock import Clock
from darkroom.rendering.fallbacks import NextCandidate, ResendPicture, Stop, WaitThenRetry, next_step
from darkroom.rendering.fallbacks import Step as NextStep
from darkroom.rendering.job import Answer, Billed, Candidate, Failure, Renderer
from darkroom.spending.budgets import Barred, Caps, MustWait, NoMoney
from darkroom.turns.endings import Ending
from darkroom.turns.model import Attempt, Turn
from darkroom.turns.planning import NotAllowed, Planner, Step, Unusable
from darkroom.turns.progress import Progress
from darkroom.turns.refusals import declined, refused
from darkroom.turns.settling import Verdict, ending_after, ending_of, uncertain, verdict_of
from darkroom.turns.store import TurnLog, TurnStore
from darkroom.turns.wish import Wish
from darkroom.turns.wishes import Wishes

logger = logging.getLogger("darkroom.turns")

ASK_AGAIN_S = 5.0
"""How often the API is asked what became of a call that broke off."""
ASKS_MAX = 500
"""How many times at most, whatever the time a call may take."""


class Attempting:
    """Takes one picture of a turn to its ending, or to where it must wait for money."""

    def __init__(
        self,
        store: TurnStore,
        log: TurnLog,
        renderer: Renderer,
        planner: Planner,
        wishes: Wishes,
        caps: Caps,
        clock: Clock,
    ) -> None:
        self._store = store
        self._log = log
        self._renderer = renderer
        self._planner = planner
        self._wishes = wishes
        self._caps = caps
        self._clock = clock

    async def make(
        self,
        wish: Wish,
        progress: Progress,
        held_money: Callable[[], None],
        money_moved: Callable[[], None],
    ) -> Ending | MustWait:
        """Attempt after attempt until the picture has an ending (not yet written) or must wait for money.

        What was paid for is noted in *progress*. *held_money* is called when a hold was taken, *money_moved*
        whenever one has ended. Raises ``NotWaiting`` when the turn was edited or taken back in the very
        moment: nothing was held or sent.
        """
        while True:
            try:
                candidates = self._planner.candidates(wish)
            except (Unusable, NotAllowed) as problem:
                return declined(problem)
            result = await self._try(wish, candidates, progress, held_money, money_moved)
            if isinstance(result, NoMoney):
                return refused(result)
            if not isinstance(result, Barred):
                return result
            # Decided since it was planned, perhaps: another model or quality may do. Nothing is held now.
            anew = await self._wishes.allowed_anew(wish)
            if anew.access == wish.access:
                return refused(result)
            wish = anew

    async def _try(
        self,
        wish: Wish,
        candidates: tuple[Candidate, ...],
        progress: Progress,
        held_money: Callable[[], None],
        money_moved: Callable[[], None],
    ) -> Ending | MustWait | NoMoney | Barred:
        step = self._step(wish, candidates, progress)
        held = await self._hold(wish, step)
        while isinstance(held, Attempt):
            held_money()
            answer = await self._send(step, held)
            failure = answer.failure
            if failure is None or failure.billed is not Billed.NOTHING:
                progress.paid_for = held.id
                ending = await self._settle(answer, step, held, wish.turn)
                money_moved()
                return ending
            follow = _follow(failure, progress, len(candidates))
            gone = None if isinstance(follow, Stop) else await self._wishes.still(wish)
            if isinstance(follow, Stop) or gone is not None:
                await self._release(held, failure)
                money_moved()
                return gone or ending_of(failure)
            if isinstance(follow, WaitThenRetry):
                await self._release(held, failure)
                money_moved()
                await self._clock.sleep(follow.seconds)
                step = self._step(wish, candidates, progress)
                held = await self._hold(wish, step)
                continue
            step = self._step(wish, candidates, progress)
            held = await self._swap(held, failure, step)
            if not isinstance(held, Attempt):
                money_moved()
        return held

    async def _hold(self, wish: Wish, step: Step) -> Attempt | Ending | MustWait | NoMoney | Barred:
        gone = await self._wishes.still(wish)
        if gone is not None:
            return gone
        return await self._store.hold(wish.turn.id, step.plan, self._caps, self._clock.now())

    async def _release(self, attempt: Attempt, failure: Failure) -> None:
        """Give back the hold of an attempt that cost nothing."""
        why = _why(failure)
        logger.info("turn %s attempt %s released: %s", attempt.turn_id, attempt.id, why)
        await self._store.fall_back(attempt.id, why, None, self._caps, self._clock.now())

    async def _swap(
        self, attempt: Attempt, failure: Failure, following: Step
    ) -> Attempt | MustWait | NoMoney | Barred:
        """Give that hold back and take the next attempt's, in one transaction."""
        why = _why(failure)
        logger.info("turn %s attempt %s released: %s", attempt.turn_id, attempt.id, why)
        held = await self._store.fall_back(attempt.id, why, following.plan, self._caps, self._clock.now())
        if held is None:
            raise RuntimeError("a fall back with a plan gives a hold, or why there is none")
        return held

    async def resume(self, turn: Turn, attempt: Attempt) -> Ending:
        """Finish a call that was sent before Darkroom stopped: never again, but asked for by its id."""
        step = await self._step_of(turn, attempt)
        answer = await self._ask_until(step, attempt, attempt.response_id) if attempt.response_id else None
        if answer is None:
            return await self.write_off(turn, attempt)
        failure = answer.failure
        if failure is not None and failure.billed is Billed.NOTHING:
            await self._release(attempt, failure)
            return ending_of(failure)
        return await self._settle(answer, step, attempt, turn)

    async def write_off(self, turn: Turn, attempt: Attempt) -> Ending:
        """Nobody can say what became of a call that was sent: its whole hold is charged."""
        verdict = uncertain(attempt, attempt.response_id)
        await self._store.render(attempt.id, verdict.settlement, self._caps, self._clock.now())
        logger.warning("turn %s attempt %s is uncertain", turn.id, attempt.id)
        return verdict.ending

    async def recall(self, turn: Turn, attempt: Attempt) -> Ending | None:
        """What the API had said in a call that was paid for and brought no picture; None if it cannot be
        asked. Changes nothing."""
        if attempt.response_id is None:
            return None
        answer = await self._renderer.ask((await self._step_of(turn, attempt)).job, attempt.response_id)
        if answer is None or answer.picture is not None or _is_unknown(answer.failure):
            return None
        return ending_after(answer, turn)

    async def _step_of(self, turn: Turn, attempt: Attempt) -> Step:
        parent = await self._log.picture(attempt.parent_id) if attempt.parent_id else None
        return self._planner.sent(turn, attempt, parent)

    def _step(self, wish: Wish, candidates: tuple[Candidate, ...], progress: Progress) -> Step:
        return self._planner.step(
            wish,
            candidates[min(progress.candidate, len(candidates) - 1)],
            self._clock.new_id("try"),
            from_saved=progress.resent,
        )

    async def _send(self, step: Step, attempt: Attempt) -> Answer:
        """Dispatched on disk first, then the call; a broken call is asked for by its id, never sent again."""
        seen: list[str] = []

        async def response_id_seen(response_id: str) -> None:
            seen.append(response_id)
            await self._note_name(attempt, response_id)

        attempt = replace(attempt, dispatched_at=self._clock.now())
        if not await self._store.send(attempt.id, self._clock.now()):
            raise RuntimeError(f"attempt {attempt.id} could not be claimed; nothing was sent")
        answer = await self._renderer.render(step.job, response_id_seen)
        if answer.picture is None and _is_unknown(answer.failure) and seen:
            asked = await self._ask_until(step, attempt, seen[0])
            return asked or answer
        return answer

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

    async def _ask_until(self, step: Step, attempt: Attempt, response_id: str) -> Answer | None:
        """The API's own word on a call, asked for until the call's time is over and once more; or None."""
        deadline = (attempt.dispatched_at or self._clock.now()).timestamp() + step.job.timeout_s
        asked_after_deadline = self._clock.now().timestamp() >= deadline
        for _ in range(ASKS_MAX):
            answer = await self._renderer.ask(step.job, response_id)
            if answer is not None and not _is_unknown(answer.failure):
                return answer
            if asked_after_deadline:
                return None
            await self._clock.sleep(ASK_AGAIN_S)
            asked_after_deadline = self._clock.now().timestamp() >= deadline
        return None

    async def _settle(self, answer: Answer, step: Step, attempt: Attempt, turn: Turn) -> Ending:
        now = self._clock.now()
        # A clock may have been put back meanwhile.
        seconds = max(0.0, (now - (attempt.dispatched_at or attempt.held_at)).total_seconds())
        verdict: Verdict = verdict_of(
            answer, step, attempt, turn, self._planner.catalogue, self._clock.new_id("pic"), seconds
        )
        await self._store.render(attempt.id, verdict.settlement, self._caps, now)
        logger.info(
            "turn %s attempt %s %s: model %s, %d nano-dollars, %.1f s, response %s, flags %s",
            turn.id,
            attempt.id,
            verdict.settlement.state,
            verdict.settlement.image_model or attempt.image_model,
            verdict.settlement.cost.total_nano_usd,
            seconds,
            answer.response_id,
            ",".join(sorted(verdict.settlement.flags)) or "none",
        )
        return verdict.ending


def _follow(failure: Failure, progress: Progress, candidates: int) -> NextStep:
    """What comes after a failure that cost nothing, already counted in *progress*."""
    follow = next_step(
        failure,
        candidates_left=candidates - progress.candidate - 1,
        rate_waits=progress.rate_waits,
        resent=progress.resent,
    )
    match follow:
        case NextCandidate():
            progress.candidate += 1
        case ResendPicture():
            progress.resent = True
        case WaitThenRetry():
            progress.rate_waits += 1
        case Stop():
            pass
    return follow


def _why(failure: Failure) -> str:
    return failure.code or failure.kind.value


def _is_unknown(failure: Failure | None) -> bool:
    return failure is not None and failure.billed is Billed.UNKNOWN
