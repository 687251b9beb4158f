"""Parts of Darkroom that are counted in passing: each does what it did, and tells."""

from __future__ import annotations

from datetime import datetime

from bot.watch.metrics import Metrics
from darkroom.clock import Clock
from darkroom.rendering.job import Answer, NoWord, Renderer, RenderJob, ResponseIdSeen
from darkroom.turns.endings import Ending
from darkroom.turns.model import Request, ThreadReplies, Turn
from darkroom.turns.store import Arrival
from storage.database import Database
from storage.turns import SqliteTurnStore


class CountedRenderer:
    """A ``Renderer`` whose calls are timed and counted."""

    def __init__(self, renderer: Renderer, metrics: Metrics, clock: Clock) -> None:
        self._renderer = renderer
        self._metrics = metrics
        self._clock = clock

    async def ready(self) -> None:
        """See ``Renderer``."""
        await self._renderer.ready()

    async def render(self, job: RenderJob, response_id_seen: ResponseIdSeen) -> Answer:
        """See ``Renderer``."""
        began = self._clock.monotonic()
        with self._metrics.rendering.track_inprogress():
            answer = await self._renderer.render(job, response_id_seen)
        self._metrics.rendered(job.candidate, answer, max(0.0, self._clock.monotonic() - began))
        return answer

    async def ask(self, job: RenderJob, response_id: str) -> Answer | NoWord:
        """See ``Renderer``."""
        return await self._renderer.ask(job, response_id)

    async def forget(self, response_id: str) -> bool:
        """See ``Renderer``."""
        return await self._renderer.forget(response_id)


class CountedTurnStore(SqliteTurnStore):
    """A turns' store that tells which came and how they ended, each once."""

    def __init__(self, database: Database, metrics: Metrics) -> None:
        super().__init__(database)
        self._metrics = metrics

    async def arrive(self, turn_id: str, request: Request, at: datetime, replies: ThreadReplies) -> Arrival:
        """See ``TurnStore``."""
        arrival = await super().arrive(turn_id, request, at, replies)
        if arrival.turn is not None and arrival.new:
            self._metrics.arrived(request.surface.value)
        return arrival

    async def end(self, turn_id: str, ending: Ending, at: datetime, *, waiting_only: bool = False) -> Turn:
        """See ``TurnStore``."""
        turn = await super().end(turn_id, ending, at, waiting_only=waiting_only)
        # Ending it again changes nothing, and leaves the time of the first.
        first = turn.ending is not None and turn.ending.reason is ending.reason and turn.updated_at == at
        if first:
            self._metrics.ended(ending, max(0.0, (at - turn.created_at).total_seconds()))
        return turn
