"""A world in virtual time, with an API that does as it is told."""

from __future__ import annotations

from collections.abc import Callable

from darkroom.rendering.job import (
    Answer,
    RenderJob,
    ResponseIdSeen,
)
from tests.turns.conftest import MakeWorld
from tests.turns.fakes import ScriptedRenderer, painted
from tests.turns.virtual import VirtualClock
from tests.turns.world import World

DAY = 24 * 3600.0


class Api(ScriptedRenderer):
    """An API that answers as *says* does, having named the response if that does; a picture where that says
    nothing. A call takes *seconds*."""

    def __init__(self, world: World, says: Callable[[RenderJob], Answer | None], seconds: float) -> None:
        super().__init__(world.gates)
        self._world = world
        self._says = says
        self._seconds = seconds

    async def render(self, job: RenderJob, response_id_seen: ResponseIdSeen) -> Answer:
        """Answer at once where it refuses, else after a while."""
        self.jobs.append(job)
        answer, name = self._says(job), f"resp_{len(self.jobs)}"
        if answer is not None:
            if answer.response_id is not None:
                await response_id_seen(answer.response_id)
            return answer
        await response_id_seen(name)
        await self._world.clock.sleep(self._seconds)
        return painted(job, name)


class Later:
    """A world in virtual time, with an API that does as it is told."""

    def __init__(self, make_world: MakeWorld, seconds: float = 0.0, **how: object) -> None:
        self.world: World = make_world(clock=VirtualClock, **how)
        self.says: Callable[[RenderJob], Answer | None] = lambda _: None
        self.api = Api(self.world, lambda job: self.says(job), seconds)
        self.world.renderer = self.api
        self.world.start()

    @property
    def clock(self) -> VirtualClock:
        """Its time."""
        assert isinstance(self.world.clock, VirtualClock)
        return self.world.clock

    async def until_all_ended(self, seconds: float = 2 * DAY) -> None:
        """Let time pass until nothing is in the line."""
        await self.clock.run(seconds, until=lambda: len(self.world.line) == 0)
        await self.world.rest()

    async def alerts(self) -> list[tuple[str, str]]:
        """(team, kind) of what admins are told."""
        query = "SELECT team_id, kind FROM alerts WHERE audience = 'admins' ORDER BY id"
        rows = await self.world.database.look(lambda db: db.execute(query).fetchall())
        return [(str(row["team_id"]), str(row["kind"])) for row in rows]
