"""A turn's life in SQL: ``darkroom.turns.store.TurnStore``, one transaction for each step."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime

from darkroom.spending.budgets import Barred, Caps, MustWait, NoMoney
from darkroom.spending.policy import Policy
from darkroom.turns.model import (
    Attachment,
    Attempt,
    Ending,
    Options,
    Picture,
    Reason,
    Request,
    Surface,
    ThreadReplies,
    Told,
    Turn,
    TurnState,
)
from darkroom.turns.store import Arrival, NotWaiting, Plan, Settlement
from storage import attempts
from storage.arrivals import arrive, get_turn, option_columns, payer_of, turn_of_message
from storage.budgets import Payer, budgets_of, refusal, reserve
from storage.database import Database
from storage.policy import Policies
from storage.raising import after_ending
from storage.rows import attachments_to
from storage.threads import join_thread, leave_thread, open_thread
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
    ) -> Turn | None:
        """See ``TurnStore.revise``."""

        def work(db: sqlite3.Connection) -> Turn | None:
            turn = turn_of_message(db, team_id, channel_id, message_ts)
            if turn is None or turn.state not in (TurnState.RECEIVED, TurnState.QUEUED):
                return turn
            db.execute(
                """
                UPDATE turns SET prompt = ?, width = ?, height = ?, quality = ?, model = ?, format = ?,
                    attachments = ?, revision = revision + 1, updated_at = ?
                WHERE id = ?
                """,
                (prompt, *option_columns(options), attachments_to(attachments), to_text(at), turn.id),
            )
            return get_turn(db, turn.id)

        return await self._database.write(work)

    async def queue(self, turn_id: str, plan: Plan, caps: Caps, at: datetime) -> Turn | NoMoney | Barred:
        """See ``TurnStore.queue``."""

        def work(db: sqlite3.Connection) -> Turn | NoMoney | Barred:
            payer = payer_of(db, turn_id)
            policy = self._policies.of(db, payer.team_id)
            why: NoMoney | Barred | None = _barred(policy, payer, plan)
            if why is None:
                why = refusal(db, payer, plan.bound.total_nano_usd, budgets_of(payer, policy, caps, at), at)
            if why is not None:
                return why
            db.execute(
                "UPDATE turns SET state = 'queued', updated_at = ? WHERE id = ? AND state = 'received'",
                (to_text(at), turn_id),
            )
            return get_turn(db, turn_id)

        return await self._database.write(work)

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
                    AND NOT EXISTS (SELECT 1 FROM attempts WHERE turn_id = turns.id AND ended_at IS NULL)
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
            if changed:
                after_ending(db, payer_of(db, turn_id), ending, at)
            turn = get_turn(db, turn_id)
            if turn.ending and turn.ending.reason in _NOT_OURS and turn.thread_ts:
                request = turn.request
                leave_thread(db, request.team_id, request.channel_id, turn.thread_ts, request.user_id)
            return turn

        return await self._database.write(work)

    async def tell(self, turn_id: str, step: Told, value: str | None, at: datetime) -> Turn:
        """See ``TurnStore.tell``."""
        return await self._database.write(lambda db: _tell(db, turn_id, step, value, at))

    def _hold(self, db: sqlite3.Connection, turn_id: str, plan: Plan, caps: Caps, at: datetime) -> Attempt:
        # The turn first: one that was taken back must not be told to wait for money.
        claimed = db.execute(
            """
            UPDATE turns SET state = 'working', parent_id = ?, updated_at = ?
            WHERE id = ? AND state = 'queued' AND revision = ?
            RETURNING team_id, channel_id, person_key
            """,
            (plan.parent_id, to_text(at), turn_id, plan.revision),
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
        return attempts.begin(db, turn_id, plan, payer, draws, at)


def _barred(policy: Policy, payer: Payer, plan: Plan) -> Barred | None:
    team, channel = payer.team_id, payer.channel_id
    access = policy.access_of(payer.person_key, team, channel)
    return policy.bars(payer.person_key, team, channel) or access.bars(plan.listed_model, plan.quality)


def _tell(db: sqlite3.Connection, turn_id: str, step: Told, value: str | None, at: datetime) -> Turn:
    kept = value if value is not None else to_text(at)
    db.execute(
        f"UPDATE turns SET {step.value} = ?, updated_at = ? WHERE id = ?",
        (kept, to_text(at), turn_id),
    )
    turn = get_turn(db, turn_id)
    if step is Told.PLACEHOLDER and turn.request.surface is Surface.COMMAND:
        db.execute("UPDATE turns SET thread_ts = ? WHERE id = ?", (kept, turn_id))
        open_thread(db, turn.request.team_id, turn.request.channel_id, kept, turn.request.user_id, at)
        return get_turn(db, turn_id)
    if step in (Told.DONE, Told.UNDELIVERED):
        # Good for 30 minutes at most, and of no use to anybody afterwards.
        db.execute("UPDATE turns SET reply_url = NULL WHERE id = ?", (turn_id,))
    return turn
