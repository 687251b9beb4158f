"""What the demo's bot shows and does for the page: its books, its clock, its caps, and what of it is real."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, TypeVar
from zoneinfo import ZoneInfo

from bot.cli.demo_caps import FilledCaps
from bot.cli.demo_clock import DemoClock
from bot.cli.demo_keeping import LATEST_YEAR
from bot.cli.demo_money import budget_as_json, call_as_json
from bot.cli.demo_note import Note, write_note
from bot.heart import Heart
from bot.settings import Settings
from darkroom.spending.budgets import Balance, BudgetKind
from darkroom.spending.periods import PeriodKind, period_at
from darkroom.turns.worker import Worker
from handlers.services import Services
from sandbox.hood.bot_side import Jump
from sandbox.slack.workspace import Workspace
from storage.database import DataProblem
from storage.thread_report import ThreadBooks, read_place, read_thread

Json = dict[str, Any]
T = TypeVar("T")

AHEAD_S = 1.0
"""A clock that is ahead by less has not jumped: the machine's was read in another moment, or has been set."""
_log = logging.getLogger(__name__)
_NOT_NOW = {"ok": False, "error": "Darkroom is starting or ending: try again in a moment"}


@dataclass(frozen=True, slots=True)
class Real:
    """Whether pictures are real (Slack never is), and one sentence that says so."""

    images: bool = False
    words: str = "Everything here is made on this machine and costs nothing."


class Bot(Protocol):
    """What is seen of the demo's Darkroom from here: a ``Darkroom`` is one."""

    @property
    def settings(self) -> Settings:
        """With where its books are, and the time zone of its caps."""
        ...

    @property
    def services(self) -> Services | None:
        """What it works with; None before it has started."""
        ...

    @property
    def worker(self) -> Worker | None:
        """Who makes the pictures; None before it has started."""
        ...

    @property
    def heart(self) -> Heart | None:
        """What gives its signs of life; None before it has started."""
        ...


class DemoSide:
    """A ``BotSide`` of a Darkroom that is attached; before it has started, there are no books.

    *begins_anew* is how that Darkroom gets empty books (``DemoBot``); without it, it cannot. *before* is what
    a demo noted here earlier: caps that are still filled are taken back by ``give_back``.
    """

    def __init__(
        self, workspace: Workspace, clock: DemoClock, real: Real | None = None, before: Note | None = None
    ) -> None:
        self._workspace = workspace
        self._clock = clock
        self._real = real or Real()
        self._bot: Bot | None = None
        self._ending = False
        self._reading = 0
        self._rests = asyncio.Event()
        self._note = before or Note()
        self._caps = FilledCaps(clock, self._note.filled, self._write_note, self._look_again)
        self.begins_anew: Callable[[Callable[[], Awaitable[None]]], Awaitable[Json]] | None = None

    def attach(self, bot: Bot) -> None:
        """This is the bot whose side it is."""
        self._bot, self._ending = bot, False

    async def let_go(self) -> None:
        """Ask the bot for nothing more, and wait until nobody is asking: its books may be closed then. The
        page is still told what stands in their file."""
        self._ending = True
        while self._reading:
            self._rests.clear()
            await self._rests.wait()

    def note(self, slack_url: str, images_port: int) -> None:
        """Write down how things stand, from now on with each change; these are where the sandbox listens."""
        self._note = replace(self._note, slack_url=slack_url, images_port=images_port)
        self._write_note()

    def _write_note(self) -> None:
        # Before it is known where everything is, nothing that was noted is replaced.
        if self._bot is not None and self._note.slack_url:
            ahead = (self._clock.now() - datetime.now(UTC)).total_seconds()
            ahead = ahead if ahead >= AHEAD_S else 0.0
            self._note = replace(self._note, ahead_s=ahead, filled=self._caps.all())
            write_note(self._bot.settings.storage.data_dir, self._note)

    async def begin_anew(self, reset: Callable[[], Awaitable[None]]) -> Json:
        """Begin with empty books; see ``BotSide.begin_anew``. Not where they count real money: caps would
        begin anew, too."""
        if self._real.images:
            return {"ok": False, "error": "its books count real money: end this demo, and start another"}
        if self.begins_anew is None or self._services is None:
            return dict(_NOT_NOW)
        return await self.begins_anew(reset)

    def forget(self) -> None:
        """The books are empty: nothing is filled."""
        self._caps.forget()

    def real(self) -> Json:
        """What is real."""
        return {"images": self._real.images, "words": self._real.words}

    async def clock(self) -> Json:
        """The time here, as machines and as people read it."""
        now, timezone = self._clock.now(), self._timezone
        local = now.astimezone(ZoneInfo(timezone))
        return {
            "now": f"{now:%Y-%m-%dT%H:%M:%SZ}",
            "said": f"{local:%A}, {local.day} {local:%B %Y, %H:%M}",
            "timezone": timezone,
        }

    async def jump(self, to: Jump) -> Json:
        """Let an hour or a day pass, or be in the first moment of the next month: caps that were filled for a
        period that is over by then are given back. Whoever waits looks again.

        Not where pictures are real: caps would begin anew, and real money would be spent beyond them. Nor
        where there would soon be no time left to jump to, which is an ``error``.
        """
        if not self._real.images:
            now = self._clock.now()
            month = period_at(PeriodKind.month, self._timezone, now).end
            end = {"hour": now + timedelta(hours=1), "day": now + timedelta(days=1), "month": month}[to]
            if end.year >= LATEST_YEAR:
                return {"ok": False, "error": f"no demo comes to the year {LATEST_YEAR}"}
            with _no_word_of_what_stood_still():
                self._clock.jump(end)
                self._write_note()
                await self._give_back_what_is_over()
                await self.arrive()
        return await self.clock()

    async def arrive(self) -> None:
        """Be where the clock has jumped to: whoever waits looks again, and there is a sign of life."""
        async with self._asking() as services:
            if services is None or self._bot is None:
                return
            self._look_again()
            worker, heart = self._bot.worker, self._bot.heart
            if worker is not None:
                await worker.round()
            if heart is not None:
                await heart.beat()

    async def ledger(self, channel: str, thread_ts: str) -> Json:
        """A thread's calls with what they hold and cost, and the budgets of who asked last in it."""
        books = await self._read(lambda folder: read_thread(folder, channel, thread_ts), ThreadBooks())
        balances: list[Balance] = []
        async with self._asking() as services:
            if books.asker is not None and services is not None:
                config, now = services.config, self._clock.now()
                asker = books.asker
                balances = await services.spend.balances(config.team_id, asker, channel, config.caps, now)
        return {
            "attempts": [call_as_json(call) for call in books.calls],
            "budgets": [
                budget_as_json(balance, self._name(balance.kind, books.asker or "", channel), self._timezone)
                for balance in balances
            ],
        }

    async def place_of(self, response_id: str) -> tuple[str, str] | None:
        """The channel and the thread for which a response of the image API was asked for."""
        return await self._read(lambda folder: read_place(folder, response_id), None)

    async def fill_cap(self, user: str) -> Json:
        """Let a person's cap be hardly above what they have spent, by a decision of the first admin in the
        journal; or take that decision back."""
        async with self._asking() as services:
            return dict(_NOT_NOW) if services is None else await self._caps.turn(services, user)

    def filled(self, user: str) -> bool:
        """Whether this person's cap is filled."""
        return user in self._caps.all()

    async def give_back(self) -> None:
        """Take back every cap that is filled: when a demo starts that could not do so when it ended, and
        before it ends, after which nobody would know what was before."""
        async with self._asking() as services:
            if services is not None:
                await self._caps.give_back(services)

    async def _give_back_what_is_over(self) -> bool:
        """Take back the caps that were filled for a period that is over; whether there was one."""
        async with self._asking() as services:
            return services is not None and await self._caps.give_back(services, over=True)

    async def go_on(self) -> None:
        """For ever: with each day that ends, be it by a jump, give back what is filled for a period that is
        over by then, and let the page see it."""
        while True:
            now = self._clock.now()
            midnight = period_at(PeriodKind.day, self._timezone, now).end
            await self._clock.sleep((midnight - now).total_seconds())
            try:
                if await self._give_back_what_is_over():
                    self._workspace.changed({"kind": "switch", "id": "fill_cap"})
            except DataProblem as problem:
                _log.warning("caps stay filled for a day more: %s", problem)

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[Services | None]:
        """The bot's services, whose books stay open meanwhile; None while it does not run."""
        self._reading += 1
        try:
            yield self._services
        finally:
            self._reading -= 1
            self._rests.set()

    async def _read(self, work: Callable[[Path], T], otherwise: T) -> T:
        """Read the books in their folder, in a thread; *otherwise* while there are none."""
        if self._bot is None:
            return otherwise
        try:
            return await asyncio.to_thread(work, self._bot.settings.storage.data_dir)
        except DataProblem:
            return otherwise

    def _look_again(self) -> None:
        """What waits for money or for a time of day may go on now."""
        if (services := self._services) is not None:
            services.policy_changed()
            services.wake_alerting()

    @property
    def _services(self) -> Services | None:
        return None if self._bot is None or self._ending else self._bot.services

    @property
    def _timezone(self) -> str:
        return "UTC" if self._bot is None else self._bot.settings.caps.timezone

    def _name(self, kind: BudgetKind, user: str, channel: str) -> str:
        if kind is BudgetKind.PERSON:
            person = self._workspace.users.get(user)
            return person.real_name if person is not None else "The person who asked"
        if kind is BudgetKind.CHANNEL:
            room = self._workspace.channels.get(channel)
            return f"#{room.name}" if room is not None and room.name else "This conversation"
        return "The workspace"


@contextmanager
def _no_word_of_what_stood_still() -> Iterator[None]:
    """What a jump finds under way seems to have stood still for so long, which is nobody's trouble. A sign of
    life tells of it once: in here it is not heard, and afterwards it has been told."""
    life = logging.getLogger("darkroom.app")

    def sayable(record: logging.LogRecord) -> bool:
        return record.funcName != Heart.beat.__name__

    life.addFilter(sayable)
    try:
        yield
    finally:
        life.removeFilter(sayable)
