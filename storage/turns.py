"""A turn's life in SQL: ``darkroom.turns.store.TurnStore``, one transaction for each step."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime

from darkroom.spending.budgets import Barred, BudgetKind, Caps, MustWait, NoMoney
from darkroom.spending.policy import Policy
from darkroom.turns.endings import Ending, Reason
from darkroom.turns.model import (
    Attachment,
    Attempt,
    Intent,
    Options,
    Picture,
    Request,
    Surface,
    ThreadReplies,
    Told,
    Turn,
    TurnInput,
    TurnState,
)
from darkroom.turns.store import Arrival, NotWaiting, Plan, Settlement
from storage import attempts
from storage.arrivals import arrive, bring, get_turn, payer_of, turn_of_message
from storage.budgets import Payer, budgets_of, refusal, reserve
from storage.database import Database
from storage.policy import Policies
from storage.raising import after_ending
from storage.rows import OPTIONS, attachments_to, options_from, options_to
from storage.telling import tell
from storage.threads import choose, join_thread, leave_thread, remember
from storage.times import to_text

_NOT_OURS = frozenset({Reason.OUTSIDER, Reason.GUEST})
"""Who may not make pictures has not joined a thread by asking for one: what they say there is not for us."""


class _NotHeld(Exception):
    """Rolls a transaction back and carries why the money was not there; never leaves this module."""

    def __init__(self, why: MustWait | NoMoney | Barred) -> None:
        super().__init__()
        self.why = why


class SqliteTurnStore:
    """``TurnStore`` on a ``Database``; what each method promises is written there."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._policies = Policies()

    async def arrive(self, turn_id: str, request: Request, at: datetime, replies: ThreadReplies) -> Arrival:
        """See ``TurnStore.arrive``."""
        return await self._database.write(lambda db: arrive(db, turn_id, request, at, replies))

    async def join(self, team_id: str, channel_id: str, thread_ts: str, user_id: str, at: datetime) -> None:
        """See ``TurnStore.join``."""
        await self._database.write(lambda db: join_thread(db, team_id, channel_id, thread_ts, user_id, at))

    async def revise(
        self,
        team_id: str,
        channel_id: str,
        message_ts: str,
        prompt: str,
        options: Options,
        attachments: tuple[Attachment, ...],
        at: datetime,
        *,
        wanted: int = 1,
        intent: Intent = Intent.MAKE,
    ) -> Turn | None:
        """See ``TurnStore.revise``."""

        def work(db: sqlite3.Connection) -> Turn | None:
            turn = turn_of_message(db, team_id, channel_id, message_ts)
            if turn is None or turn.state not in (TurnState.RECEIVED, TurnState.QUEUED):
                return turn
            db.execute(
                f"""
                UPDATE turns SET prompt = ?, wanted = ?, intent = ?, ({OPTIONS}) = (?, ?, ?, ?, ?, ?),
                    attachments = ?, revision = revision + 1, updated_at = ?
                WHERE id = ?
                """,
                (
                    prompt,
                    wanted,
                    intent,
                    *options_to(options),
                    attachments_to(attachments),
                    to_text(at),
                    turn.id,
                ),
            )
            return get_turn(db, turn.id)

        return await self._database.write(work)

    async def queue(
        self, turn_id: str, plan: Plan | None, caps: Caps, at: datetime
    ) -> Turn | NoMoney | Barred:
        """See ``TurnStore.queue``."""

        def work(db: sqlite3.Connection) -> Turn | NoMoney | Barred:
            why = None if plan is None else self._refused(db, turn_id, plan, caps, at)
            if why is not None:
                return why
            db.execute(
                "UPDATE turns SET state = 'queued', updated_at = ? WHERE id = ? AND state = 'received'",
                (to_text(at), turn_id),
            )
            return get_turn(db, turn_id)

        return await self._database.write(work)

    async def bring(
        self, turn_id: str, revision: int, inputs: Sequence[TurnInput], at: datetime
    ) -> tuple[TurnInput, ...]:
        """See ``TurnStore.bring``."""
        return await self._database.write(lambda db: bring(db, turn_id, revision, inputs, at))

    async def hold(
        self, turn_id: str, plan: Plan, caps: Caps, at: datetime
    ) -> Attempt | MustWait | NoMoney | Barred:
        """See ``TurnStore.hold``."""
        try:
            return await self._database.write(lambda db: self._hold(db, turn_id, plan, caps, at))
        except _NotHeld as not_held:
            return not_held.why

    async def send(self, attempt_id: str, at: datetime, response_id: str | None = None) -> bool:
        """See ``TurnStore.send``."""
        return await self._database.write(lambda db: attempts.dispatch(db, attempt_id, at, response_id))

    async def render(
        self, attempt_id: str, settlement: Settlement, caps: Caps, at: datetime
    ) -> Picture | None:
        """See ``TurnStore.render``."""
        return await self._database.write(
            lambda db: attempts.settle(
                db, attempt_id, settlement, lambda team_id: self._policies.of(db, team_id), caps, at
            )
        )

    async def fall_back(
        self, attempt_id: str, why: str, plan: Plan | None, caps: Caps, at: datetime
    ) -> Attempt | MustWait | NoMoney | Barred | None:
        """See ``TurnStore.fall_back``."""

        def work(db: sqlite3.Connection) -> Attempt | MustWait | NoMoney | Barred | None:
            attempt = attempts.release(db, attempt_id, why, at)
            db.execute(
                """
                UPDATE turns SET state = 'queued', updated_at = ? WHERE id = ? AND state = 'working'
                    AND NOT EXISTS
                        (SELECT 1 FROM attempts WHERE turn_id = turns.id AND state <> 'released')
                """,
                (to_text(at), attempt.turn_id),
            )
            if plan is None:
                return None
            db.execute("SAVEPOINT next_hold")
            try:
                return self._hold(db, attempt.turn_id, plan, caps, at)
            except _NotHeld as not_held:
                db.execute("ROLLBACK TO next_hold")
                return not_held.why
            finally:
                db.execute("RELEASE next_hold")

        return await self._database.write(work)

    async def end(self, turn_id: str, ending: Ending, at: datetime, *, waiting_only: bool = False) -> Turn:
        """See ``TurnStore.end``."""

        def work(db: sqlite3.Connection) -> Turn:
            attempts.refuse_open(db, turn_id, waiting_only=waiting_only)
            changed = db.execute(
                """
                UPDATE turns SET state = 'ended', outcome = ?, reason = ?, details = ?, updated_at = ?
                WHERE id = ? AND state <> 'ended' AND NOT (? AND state = 'working')
                """,
                (
                    ending.outcome,
                    ending.reason,
                    json.dumps(dict(ending.details)),
                    to_text(at),
                    turn_id,
                    waiting_only,
                ),
            ).rowcount
            turn = get_turn(db, turn_id)
            if changed:
                after_ending(db, payer_of(db, turn_id), ending, at)
                _undo(db, turn, ending)
            if turn.ending and turn.ending.reason in _NOT_OURS and turn.thread_ts:
                request = turn.request
                leave_thread(db, request.team_id, request.channel_id, turn.thread_ts, request.user_id)
            return turn

        return await self._database.write(work)

    async def tell(
        self, turn_id: str, step: Told, value: str | None, at: datetime, picture_id: str | None = None
    ) -> Turn:
        """See ``TurnStore.tell``."""
        return await self._database.write(lambda db: tell(db, turn_id, step, value, at, picture_id))

    def _refused(
        self, db: sqlite3.Connection, turn_id: str, plan: Plan, caps: Caps, at: datetime
    ) -> NoMoney | Barred | None:
        payer = payer_of(db, turn_id)
        policy = self._policies.of(db, payer.team_id)
        barred = _barred(policy, payer, plan)
        if barred is not None:
            return barred
        budgets = budgets_of(payer, policy, caps, at)
        if _is_to_move(get_turn(db, turn_id)):
            budgets = [budget for budget in budgets if budget.kind is not BudgetKind.CHANNEL]
        return refusal(db, payer, plan.bound.total_nano_usd, budgets, at)

    def _hold(self, db: sqlite3.Connection, turn_id: str, plan: Plan, caps: Caps, at: datetime) -> Attempt:
        # The turn first: one that was taken back must not be told to wait for money. Its parent is written
        # with its first attempt. Where any attempt is open or was paid for, it stays working.
        claimed = db.execute(
            f"""
            UPDATE turns SET state = 'working', updated_at = ?,
                parent_id = iif(EXISTS (SELECT 1 FROM attempts WHERE turn_id = turns.id), parent_id, ?)
            WHERE id = ? AND state IN ('queued', 'working') AND revision = ?
                AND (SELECT COUNT(*) FROM attempts WHERE turn_id = turns.id AND state <> 'released') < wanted
            RETURNING team_id, channel_id, person_key, thread_ts, surface, {OPTIONS}
            """,
            (to_text(at), plan.parent_id, turn_id, plan.revision),
        ).fetchone()
        if claimed is None:
            raise NotWaiting
        payer = Payer(claimed["team_id"], claimed["channel_id"], claimed["person_key"])
        policy = self._policies.of(db, payer.team_id)
        barred = _barred(policy, payer, plan)
        if barred is not None:
            raise _NotHeld(barred)
        draws = reserve(db, payer, plan.bound.total_nano_usd, budgets_of(payer, policy, caps, at), at)
        if not isinstance(draws, list):
            raise _NotHeld(draws)
        said = options_from(claimed)
        if said != Options() and claimed["thread_ts"] is not None and claimed["surface"] != Surface.BUTTON:
            remember(db, payer.team_id, payer.channel_id, claimed["thread_ts"], said)
        return attempts.begin(db, turn_id, plan, payer, draws, at)


def _barred(policy: Policy, payer: Payer, plan: Plan) -> Barred | None:
    team, channel = payer.team_id, payer.channel_id
    access = policy.access_of(payer.person_key, team, channel)
    return policy.bars(payer.person_key, team, channel) or access.bars(plan.listed_model, plan.quality)


def _is_to_move(turn: Turn) -> bool:
    """Whether a turn is private and not yet in the direct message, which is its channel for the money too."""
    return bool(turn.request.private) and not turn.request.channel_id.startswith("D")


def _undo(db: sqlite3.Connection, turn: Turn, ending: Ending) -> None:
    """Where a turn took something back, later requests build on the picture that it names."""
    if ending.reason is Reason.UNDONE and turn.thread_ts is not None:
        request = turn.request
        picture_id = str(ending.details["picture_id"])
        choose(db, request.team_id, request.channel_id, turn.thread_ts, picture_id, request.order)
