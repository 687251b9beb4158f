"""The render thread, as it is watched: whose work it does, and whether it is there."""

from __future__ import annotations

import asyncio

from darkroom.rendering.job import Answer, RenderJob, ResponseIdSeen
from darkroom.rendering.thread import RenderThread
from darkroom.turn_context import current_turn, working_for
from tests.rendering.support import JOB
from tests.rendering.test_thread import Running, Slow


class Telling(Slow):
    """A renderer that says whose work it does."""

    def __init__(self) -> None:
        super().__init__()
        self.worked_for: list[str | None] = []

    async def ready(self) -> None:
        """It is, from the beginning."""

    async def render(self, job: RenderJob, response_id_seen: ResponseIdSeen) -> Answer:
        """Note it, also in a task of its own."""
        self.worked_for.append(current_turn())
        await asyncio.create_task(self._note())
        await response_id_seen("resp_1")
        return Answer(response_id="resp_1")

    async def _note(self) -> None:
        self.worked_for.append(current_turn())


async def test_it_knows_whose_work_it_does_and_so_does_what_it_calls_back() -> None:
    made: list[Telling] = []

    def make() -> Telling:
        made.append(Telling())
        return made[0]

    back: list[str | None] = []

    async def seen(_: str) -> None:
        back.append(current_turn())

    thread = RenderThread(make)
    await thread.start()
    for turn_id in ("turn_1", "turn_2", None):
        with working_for(turn_id):
            await thread.render(JOB, seen)
    await thread.aclose()
    assert made[0].worked_for == ["turn_1", "turn_1", "turn_2", "turn_2", None, None]
    assert back == ["turn_1", "turn_2", None]


async def test_it_answers_that_it_is_there_also_while_it_works_and_not_when_it_is_gone() -> None:
    running = Running()
    await running.thread.start()
    assert await running.thread.ping() is None
    working = asyncio.create_task(running.thread.render(JOB, _nobody))
    assert await running.thread.ping() is None
    running.slow.let_go()
    await working
    await running.thread.aclose()
    assert await running.thread.ping() == "the render thread is not running"


async def _nobody(_: str) -> None: ...
