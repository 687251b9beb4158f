"""Accepting what people ask for: one transaction, then the worker has it."""

from __future__ import annotations

import logging
from typing import Protocol

from darkroom.clock import Clock
from darkroom.turn_context import work_for
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import Attachment, Intent, Options, Request, ThreadReplies, Turn
from darkroom.turns.store import Arrival, TurnLog, TurnStore

logger = logging.getLogger("darkroom.turns")

PROMPT_CHARACTERS_MAX = 32_000
"""The longest prompt the image models take (the API reference's limit for ``prompt``)."""


class Line(Protocol):
    """Where accepted turns go to be worked on."""

    def submit(self, turn: Turn) -> None:
        """Take *turn* on; returns at once and never refuses."""
        ...

    def withdraw(self, turn: Turn) -> None:
        """*turn* ended while it waited; tell its person and let the next one go."""
        ...


class Intake:
    """The way in, for every surface: ``accept``, acknowledge to Slack, ``submit``."""

    def __init__(
        self, store: TurnStore, log: TurnLog, line: Line, clock: Clock, replies: ThreadReplies
    ) -> None:
        self._store = store
        self._log = log
        self._line = line
        self._clock = clock
        self._replies = replies

    async def accept(self, request: Request) -> Arrival:
        """Write *request* down as a turn, or find the one it made before. Acknowledge after this returns."""
        turn_id = self._clock.new_id("turn")
        arrival = await self._store.arrive(turn_id, request, self._clock.now(), self._replies)
        if arrival.turn is not None:
            work_for(arrival.turn.id)
            how = request.surface if arrival.new else f"{request.surface}, and had before"
            logger.info("turn %s arrived: %s in %s", arrival.turn.id, how, request.channel_id)
        return arrival

    def submit(self, arrival: Arrival) -> None:
        """Let a new turn be worked on; repeats and what is not ours are left alone. Never waits."""
        if arrival.turn is not None and arrival.new:
            self._line.submit(arrival.turn)

    async def join(self, team_id: str, channel_id: str, thread_ts: str, user_id: str) -> None:
        """Somebody used a button in a thread: their replies there count from now on."""
        await self._store.join(team_id, channel_id, thread_ts, user_id, self._clock.now())

    async def revise(
        self,
        team_id: str,
        channel_id: str,
        message_ts: str,
        prompt: str,
        options: Options,
        attachments: tuple[Attachment, ...] = (),
        *,
        wanted: int = 1,
        intent: Intent = Intent.MAKE,
    ) -> Turn | None:
        """A message that asked was edited. Gives its turn as it now is: with the new prompt if it still
        waited, unchanged if it was too late, None if the message never asked for anything."""
        return await self._store.revise(
            team_id,
            channel_id,
            message_ts,
            prompt,
            options,
            attachments,
            self._clock.now(),
            wanted=wanted,
            intent=intent,
        )

    async def take_back(self, team_id: str, channel_id: str, message_ts: str) -> Turn | None:
        """A message that asked was deleted: cancel its turn if it still waits. Gives the turn as it now is,
        or None if the message never asked for anything."""
        turn = await self._log.turn_of_message(team_id, channel_id, message_ts)
        if turn is None:
            return None
        return await self._end_waiting(turn.id, Ending(Outcome.CANCELLED, Reason.TAKEN_BACK))

    async def cancel(self, turn_id: str, user_id: str) -> Turn | None:
        """Somebody called a turn off: cancel it if it still waits, which costs nothing. Gives the turn as it
        now is, or None if there is none of that id. Who may is for the caller to say."""
        if await self._log.turn(turn_id) is None:
            return None
        return await self._end_waiting(turn_id, Ending(Outcome.CANCELLED, Reason.CALLED_OFF, {"by": user_id}))

    async def _end_waiting(self, turn_id: str, ending: Ending) -> Turn:
        now = await self._store.end(turn_id, ending, self._clock.now(), waiting_only=True)
        if now.ending == ending:
            self._line.withdraw(now)
        return now
