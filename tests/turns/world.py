"""A whole Darkroom without Slack and OpenAI, which can stop and start again on the same file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from darkroom.spending.budgets import Barred, Caps, MustWait, NoMoney
from darkroom.spending.policy import Access
from darkroom.turns.api_gate import ApiGate
from darkroom.turns.bringing import Bringer
from darkroom.turns.endings import Ending
from darkroom.turns.intake import Intake
from darkroom.turns.line import Line
from darkroom.turns.making import TurnMaker
from darkroom.turns.model import Attempt, AttemptState, Picture, Request, Surface, ThreadReplies, Turn
from darkroom.turns.planning import Planner, RenderSettings, Step
from darkroom.turns.pricer import Pricer
from darkroom.turns.store import Plan
from darkroom.turns.wish import Wish
from darkroom.turns.worker import Worker
from storage.blobs import BlobStore
from storage.database import Database
from storage.erasing import remove_bytes
from storage.outages import SqliteOutageBook
from storage.turn_log import SqliteTurnLog
from storage.turns import SqliteTurnStore
from tests.examples import ALICE, DESIGN, caps, command, message
from tests.fresh import with_books
from tests.storage.books import check_books, nothing_held
from tests.turns.fakes import (
    CATALOGUE,
    SETTINGS,
    FiledAttachments,
    GatedClock,
    Gates,
    NamedFiles,
    RecordingDelivery,
    ScriptedGuard,
    ScriptedRenderer,
    Slack,
)

FREE = caps()


class World:
    """Everything a turn meets. ``start`` makes a new Darkroom on the same file, Slack and API."""

    def __init__(
        self,
        database: Database,
        folder: Path,
        limits: Caps = FREE,
        *,
        per_person: int = 2,
        overall: int = 32,
        waiting_max: int = 500,
        waiting_per_person: int = 500,
        settings: RenderSettings = SETTINGS,
        number: int = 0,
        clock: Callable[[Gates, str], GatedClock] = GatedClock,
    ) -> None:
        self.database = database
        self.limits = limits
        self.settings = settings
        self.gates = Gates()
        # Worlds on one file must not make the same ids, nor do the same thing in Slack.
        self.clock = clock(self.gates, f"w{number}")
        self.slack = Slack(seconds=1000 * number)
        self.renderer = ScriptedRenderer(self.gates)
        self.guard = ScriptedGuard(self.gates)
        self.delivery = RecordingDelivery(self.slack, self.gates)
        self.store = SqliteTurnStore(database)
        self.log = SqliteTurnLog(database)
        self._line = per_person, overall, waiting_max, waiting_per_person
        self._triggers = 1000 * number
        self.attachments = FiledAttachments(self.gates)
        self.folder = folder
        self.blobs = BlobStore(folder)
        self.left_to_recovery = False
        self.to_recall: list[int] = []
        """Every time that something deleted was left to be recalled: how many placeholders were closed."""
        self.start()

    def start(self) -> None:
        """A Darkroom that has just been started: nothing in its line."""
        per_person, overall, waiting_max, waiting_per_person = self._line
        self.line = Line(per_person, overall)
        self.gate = ApiGate(self.clock, SqliteOutageBook(self.database), calls_at_once=overall)
        self.planner = Planner(CATALOGUE, self.settings, self.blobs)
        remove = partial(remove_bytes, self.database, self.blobs)
        bringer = Bringer(self.attachments, self.store, self.log, self.blobs, remove, self.clock)
        self.maker = TurnMaker(
            self.store,
            self.log,
            self.renderer,
            self.planner,
            self.limits,
            self.clock,
            bringer,
            self.gate,
        )
        self.pricer = Pricer(self.log, self.maker, self.planner, self.clock)
        self.worker = Worker(
            self.store,
            self.log,
            self.maker,
            self.guard,
            self.delivery,
            NamedFiles(),
            self.limits,
            self.clock,
            self.line,
            gate=self.gate,
            timeout_s=self.settings.timeout_s,
            waiting_max=waiting_max,
            waiting_per_person=waiting_per_person,
            to_recall=lambda: self.to_recall.append(len(self.slack.closed)),
        )
        self.intake = Intake(self.store, self.log, self.worker, self.clock, ThreadReplies.JOINED)

    async def restart(self) -> None:
        """Stop at once, in the middle of everything, and start again."""
        await self.worker.aclose(0)
        await self.gate.aclose()
        self.start()
        await self.gate.load()

    async def recover(self) -> int:
        """Take up what was left unfinished, nothing new having come before; gives how many."""
        left = await self.worker.line_up()
        self.worker.take_up()
        return left

    async def ask(self, request: Request) -> str:
        """Accept and submit; gives the turn's id."""
        arrival = await self.intake.accept(request)
        assert arrival.turn is not None
        self.intake.submit(arrival)
        return arrival.turn.id

    async def imagine(
        self,
        prompt: str = "a fox",
        *,
        user: str = ALICE,
        channel: str = DESIGN,
        model: str | None = None,
        **changes: Any,
    ) -> str:
        """``/imagine``, its request changed; gives the turn's id."""
        self._triggers += 1
        request = command(prompt, trigger=f"{self._triggers}", user=user, channel=channel)
        request = replace(request, options=replace(request.options, model=model))
        return await self.ask(replace(request, **changes))

    async def reply(
        self,
        text: str,
        ts: str,
        turn_id: str,
        *,
        user: str = ALICE,
        surface: Surface = Surface.REPLY,
        **changes: Any,
    ) -> str:
        """A message in the thread of *turn_id*, its request changed; gives its own turn's id."""
        turn = await self.turn(turn_id)
        assert turn.thread_ts is not None
        request = message(text, ts, turn.thread_ts, user=user, surface=surface)
        return await self.ask(replace(request, channel_id=turn.request.channel_id, **changes))

    async def made(self, prompt: str = "a fox", **changes: Any) -> Picture:
        """A picture of a command, when all is over."""
        turn_id = await self.imagine(prompt, **changes)
        await self.rest()
        return (await self.log.pictures(turn_id))[0]

    async def ending(self, turn_id: str) -> Ending:
        """How it ended."""
        ending = (await self.turn(turn_id)).ending
        assert ending is not None
        return ending

    async def rest(self) -> None:
        """Wait until nothing is going on; then the line is empty, the books add up and nothing is held."""
        async with asyncio.timeout(20):
            await self.worker.idle()
        assert len(self.line) == 0
        await self.database.look(check_books)
        await self.database.look(nothing_held)
        assert await self.log.unfinished() == []

    async def turn(self, turn_id: str) -> Turn:
        """One turn as it now is."""
        turn = await self.log.turn(turn_id)
        assert turn is not None
        return turn

    async def outcome(self, turn_id: str) -> str | None:
        """Why it ended, or None while it has not."""
        ending = (await self.turn(turn_id)).ending
        return None if ending is None else ending.reason.value

    async def attempts(self, turn_id: str) -> list[Attempt]:
        """A turn's attempts."""
        return await self.log.attempts(turn_id)

    async def states(self, turn_id: str) -> list[AttemptState]:
        """Where its attempts stand."""
        return [attempt.state for attempt in await self.log.attempts(turn_id)]

    async def charged(self) -> int:
        """Everything that was charged, in nano-dollars."""
        query = "SELECT COALESCE(SUM(charged_delta_nano_usd), 0) FROM journal"
        return int(await self.database.look(lambda db: db.execute(query).fetchone()[0]))

    def hold_of(self, turn: Turn) -> int:
        """What a first picture of *turn* holds."""
        step = self.maker.first_step(Wish(turn, Access(), self.clock.now().date()))
        assert isinstance(step, Step)
        return step.plan.bound.total_nano_usd


class Meddler(SqliteTurnStore):
    """Lets something happen just before or just after the transaction of a hold."""

    before: Callable[[], Awaitable[object]] | None = None
    after: Callable[[], Awaitable[object]] | None = None

    async def hold(
        self, turn_id: str, plan: Plan, caps: Caps, at: datetime
    ) -> Attempt | MustWait | NoMoney | Barred:
        """The hold, with what is set around it, once."""
        before, self.before = self.before, None
        if before is not None:
            await before()
        result = await super().hold(turn_id, plan, caps, at)
        after, self.after = self.after, None
        if after is not None:
            await after()
        return result


def meddled(world: World) -> Meddler:
    """The world with a ``Meddler`` for its store."""
    store = Meddler(world.database)
    world.store = store
    world.start()
    return store


@asynccontextmanager
async def opened(folder: Path, *, inline: bool = True) -> AsyncIterator[Database]:
    """A new database in *folder*."""
    database = Database.open(with_books(folder), create=True, inline=inline)
    try:
        yield database
    finally:
        database.close()


async def until(condition: asyncio.Event) -> None:
    """Wait for *condition*, not for ever."""
    async with asyncio.timeout(20):
        await condition.wait()


async def turns_of_the_loop(count: int = 30) -> None:
    """Let everybody who can run do so."""
    for _ in range(count):
        await asyncio.sleep(0)
