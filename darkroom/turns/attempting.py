"""Making one picture: hold, send, render; fall back where nothing was billed, and only there."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from darkroom.clock import Clock
from darkroom.rendering.fallbacks import (
    NextCandidate,
    ResendPicture,
    SendAgain,
    Stop,
    WaitForRate,
    next_step,
)
from darkroom.rendering.fallbacks import Step as NextStep
from darkroom.rendering.job import Answer, Billed, Candidate, Failure, FailureKind, NoWord, Renderer
from darkroom.spending.budgets import Barred, Caps, MustWait, NoMoney
from darkroom.turns.choosing import Choice
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import Attempt, Turn
from darkroom.turns.outages import Closed, Gate, Pass
from darkroom.turns.passed_by import part_of
from darkroom.turns.planning import NotAllowed, Planner, Step, Unusable
from darkroom.turns.progress import Progress
from darkroom.turns.refusals import declined, refused
from darkroom.turns.sending import Sender, is_unknown
from darkroom.turns.settling import Verdict, ending_after, ending_of, uncertain, verdict_of
from darkroom.turns.store import Plan, TurnLog, TurnStore
from darkroom.turns.wish import Wish
from darkroom.turns.wishes import Wishes

logger = logging.getLogger("darkroom.turns")


@dataclass(frozen=True, slots=True)
class Purse:
    """``held`` is called when a hold was taken, ``moved`` whenever one has ended, ``asking`` whenever the API
    is asked what became of a call."""

    held: Callable[[], None]
    moved: Callable[[], None]
    asking: Callable[[], None]


class Attempting:
    """Takes one picture of a turn to its ending, or to where it must wait for money or for the API."""

    def __init__(
        self,
        store: TurnStore,
        log: TurnLog,
        renderer: Renderer,
        planner: Planner,
        wishes: Wishes,
        caps: Caps,
        clock: Clock,
        gate: Gate,
    ) -> None:
        self._store = store
        self._log = log
        self._renderer = renderer
        self._planner = planner
        self._wishes = wishes
        self._caps = caps
        self._clock = clock
        self._gate = gate
        self._sender = Sender(store, renderer, clock, gate)

    def first_step(self, wish: Wish) -> Step:
        """The attempt that would be made of *wish* now. Raises ``Unusable`` and ``NotAllowed``."""
        choice, none_yet = self._choice(wish), Progress()
        return self._step(wish, choice.of(none_yet), choice, none_yet)

    async def make(self, wish: Wish, progress: Progress, purse: Purse) -> Ending | MustWait | Closed:
        """Attempt after attempt until the picture has an ending (not yet written), or must wait for money or
        for the API: then nothing is held.

        What was paid for is noted in *progress*. Raises ``NotWaiting`` when the turn was edited or taken back
        meanwhile: nothing is held, and nothing was sent since.
        """
        while True:
            try:
                choice = self._choice(wish)
            except (Unusable, NotAllowed) as problem:
                return declined(problem)
            result = await self._try(wish, choice, progress, purse)
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
        self, wish: Wish, choice: Choice, progress: Progress, purse: Purse
    ) -> Ending | MustWait | Closed | NoMoney | Barred:
        failed: _Failed | None = None
        while True:
            candidate = choice.of(progress)
            passed = None if failed is None else self._gate.enter_at_once(candidate, failed.ticket)
            if passed is None:
                if failed is not None:
                    await self._release(failed, purse)
                    failed = None
                entered = await self._enter(candidate, progress)
                if not isinstance(entered, Pass):
                    return entered
                passed = entered
            try:
                step = self._step(wish, candidate, choice, progress)
                held = await self._hold(wish, step, failed, purse)
                if not isinstance(held, Attempt):
                    return held
                heard = partial(self._heard, passed, wish.turn)
                answer = await self._sender.send(step, held, heard, partial(_asking, progress, purse))
            finally:
                progress.asking = False
                self._gate.leave(passed)
            failure = answer.failure
            if failure is None or failure.billed is not Billed.NOTHING:
                progress.paid_for = held.id
                ending = await self._settle(answer, step, held, wish.turn)
                purse.moved()
                return ending
            failed = _Failed(held, failure, passed.ticket)
            follow = _follow(failure, candidate, choice, progress, closed=self._gate.closed() is not None)
            gone = None if isinstance(follow, Stop) else self._gate.over() or await self._wishes.still(wish)
            if gone is None and isinstance(follow, NextCandidate | ResendPicture):
                continue
            await self._release(failed, purse)
            failed = None
            if isinstance(follow, Stop) or gone is not None:
                return gone or ending_of(failure)
            if isinstance(follow, SendAgain):
                await self._clock.sleep(follow.seconds)

    def _choice(self, wish: Wish) -> Choice:
        return Choice(self._planner.candidates(wish), self._planner.left_out(wish), self._gate)

    def _heard(self, passed: Pass, turn: Turn, answer: Answer) -> None:
        self._gate.learn(passed, answer, turn.request.team_id)

    async def _enter(self, candidate: Candidate, progress: Progress) -> Pass | Closed | Ending:
        """The pass for the next call, waited for without a hold; or why there is none."""
        progress.at_gate = True
        try:
            passed = await self._gate.enter(candidate, progress.patience, progress.ticket)
        finally:
            progress.at_gate = False
        if passed is None:
            return Ending(Outcome.FAILED, Reason.RATE)
        if isinstance(passed, Pass):
            progress.ticket = passed.ticket
        return passed

    async def _hold(
        self, wish: Wish, step: Step, failed: _Failed | None, purse: Purse
    ) -> Attempt | Ending | MustWait | NoMoney | Barred:
        """The next attempt's hold; with that of *failed* given back in one transaction."""
        if failed is None:
            gone = await self._wishes.still(wish)
            if gone is not None:
                return gone
            held = await self._store.hold(wish.turn.id, step.plan, self._caps, self._clock.now())
        else:
            swapped = await self._give_back(failed, step.plan)
            if swapped is None:
                raise RuntimeError("a fall back with a plan gives a hold, or why there is none")
            held = swapped
        if isinstance(held, Attempt):
            purse.held()
        elif failed is not None:
            purse.moved()
        return held

    async def _release(self, failed: _Failed, purse: Purse) -> None:
        """Give back the hold of an attempt that cost nothing."""
        await self._give_back(failed, None)
        purse.moved()

    async def _give_back(
        self, failed: _Failed, plan: Plan | None
    ) -> Attempt | MustWait | NoMoney | Barred | None:
        why, attempt = failed.failure.code or failed.failure.kind.value, failed.attempt
        logger.info("turn %s attempt %s released: %s", attempt.turn_id, attempt.id, why)
        return await self._store.fall_back(attempt.id, why, plan, self._caps, self._clock.now())

    async def resume(self, turn: Turn, attempt: Attempt, asking: Callable[[], None]) -> Ending:
        """Finish a call that was sent before Darkroom stopped: never again, but asked for by its id; *asking*
        is called before each question."""
        step = await self._step_of(turn, attempt)
        name = attempt.response_id
        answer = await self._sender.ask_until(step, attempt, name, asking) if name else None
        if answer is None:
            return await self.write_off(turn, attempt)
        failure = answer.failure
        if failure is not None and failure.billed is Billed.NOTHING:
            await self._give_back(_Failed(attempt, failure), None)
            return ending_of(failure)
        return await self._settle(answer, step, attempt, turn)

    async def write_off(self, turn: Turn, attempt: Attempt) -> Ending:
        """Nobody can say what became of a call that was sent: its whole hold is charged."""
        verdict = uncertain(attempt, attempt.response_id)
        await self._store.render(attempt.id, verdict.settlement, self._caps, self._clock.now())
        logger.warning("turn %s attempt %s is uncertain", turn.id, attempt.id)
        return verdict.ending

    async def recall(self, turn: Turn, attempt: Attempt, asking: Callable[[], None]) -> Ending | None:
        """What the API had said in a call that was paid for and brought no picture; None if it cannot be
        asked. Changes nothing."""
        if attempt.response_id is None:
            return None
        job = (await self._step_of(turn, attempt)).job
        answer = await self._sender.ask(job, attempt.response_id, asking)
        if isinstance(answer, NoWord) or answer.picture is not None or is_unknown(answer.failure):
            return None
        return ending_after(answer, turn)

    async def _step_of(self, turn: Turn, attempt: Attempt) -> Step:
        parent = await self._log.picture(attempt.parent_id) if attempt.parent_id else None
        return self._planner.sent(turn, attempt, parent)

    def _step(self, wish: Wish, candidate: Candidate, choice: Choice, progress: Progress) -> Step:
        attempt_id = self._clock.new_id("try")
        step = self._planner.step(wish, candidate, attempt_id, from_saved=progress.resent)
        passed_over = choice.passed_over(candidate, progress)
        return replace(step, plan=replace(step.plan, passed_over=passed_over))

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


@dataclass(frozen=True, slots=True)
class _Failed:
    """An attempt that cost nothing, whose hold is not given back yet."""

    attempt: Attempt
    failure: Failure
    ticket: int = 0


def _asking(progress: Progress, purse: Purse) -> None:
    progress.asking = True
    purse.asking()


def _follow(
    failure: Failure, candidate: Candidate, choice: Choice, progress: Progress, *, closed: bool
) -> NextStep:
    """What comes after a failure that cost nothing, already noted in *progress*."""
    if failure.kind in (FailureKind.ACCESS, FailureKind.MODEL_GONE):
        progress.refused[part_of(candidate, failure.concerns)] = failure.kind.value
    follow = next_step(
        failure,
        candidates_left=len(choice.left(progress)),
        rate_waits=progress.rate_waits,
        unsent=progress.unsent,
        resent=progress.resent,
        closed=closed,
    )
    match follow:
        case ResendPicture():
            progress.resent = True
        case WaitForRate():
            progress.rate_waits += 1
        case SendAgain():
            progress.unsent += 1
        case _:
            pass
    return follow
