"""What the demo's bot shows and does for the page: its books, its clock, its caps, and what of it is real."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, TypeVar
from zoneinfo import ZoneInfo

from bot.cli.demo_clock import DemoClock
from bot.cli.demo_money import call_as_json, dollars
from bot.cli.demo_note import Filled, Note, write_note
from bot.heart import Heart
from bot.settings import Settings
from darkroom.spending.budgets import Balance, BudgetKind
from darkroom.spending.changes import Author, DropCap, Person, SetCap
from darkroom.spending.periods import PeriodKind, period_at
from darkroom.spending.policy import person_budget
from darkroom.turns.worker import Worker
from handlers.services import Services
from sandbox.hood.bot_side import Jump
from sandbox.slack.workspace import Workspace
from storage.database import DataProblem
from storage.thread_report import ThreadBooks, read_place, read_thread

Json = dict[str, Any]
T = TypeVar("T")

ROOM_NANO_USD = 1_000_000
"""What a filled cap leaves: a tenth of a cent, for which no picture can be had."""


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
        self._filled = dict(self._note.filled)
        self._filling = asyncio.Lock()
        self.begins_anew: Callable[[Callable[[], Awaitable[bool]]], Awaitable[Json]] | None = None

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
            self._note = replace(self._note, ahead_s=max(0.0, ahead), filled=dict(self._filled))
            write_note(self._bot.settings.storage.data_dir, self._note)

    async def begin_anew(self, reset: Callable[[], Awaitable[bool]]) -> Json:
        """Begin with empty books; see ``BotSide.begin_anew``. Not where they count real money: caps would
        begin anew, too."""
        if self._real.images:
            return {"ok": False, "error": "its books count real money: end this demo, and start another"}
        if self.begins_anew is None or self._services is None:
            return dict(_NOT_NOW)
        return await self.begins_anew(reset)

    def forget(self) -> None:
        """The books are empty: nothing is filled."""
        self._filled.clear()
        self._write_note()

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
        """Let an hour or a day pass, or be in the first moment of the next month: then full caps are given
        back, too. Whoever waits looks again.

        Not where pictures are real: caps would begin anew, and real money would be spent beyond them.
        """
        if not self._real.images:
            now = self._clock.now()
            month = period_at(PeriodKind.month, self._timezone, now).end
            ends = {"hour": now + timedelta(hours=1), "day": now + timedelta(days=1), "month": month}
            self._clock.jump(ends[to])
            self._write_note()
            if to == "month":
                await self.give_back()
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
            # What a jump found under way seems to have been so for long, which is nobody's trouble.
            if heart is not None and worker is not None and not worker.pulse()[2]:
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
            "budgets": [self._budget(balance, books.asker or "", channel) for balance in balances],
        }

    async def place_of(self, response_id: str) -> tuple[str, str] | None:
        """The channel and the thread for which a response of the image API was asked for."""
        return await self._read(lambda folder: read_place(folder, response_id), None)

    async def fill_cap(self, user: str) -> Json:
        """Let a person's cap be hardly above what they have spent, by a decision of the first admin in the
        journal; or take that decision back."""
        async with self._filling, self._asking() as services:
            if services is None:
                return dict(_NOT_NOW)
            if user in self._filled:
                await self._unfill(services, user)
                return {"ok": True, "filled": False}
            return await self._fill(services, user)

    async def give_back(self) -> None:
        """Take back every cap that is filled: when a demo starts that could not do so when it ended, in the
        next month, and before the demo ends, after which nobody would know what was before."""
        async with self._filling, self._asking() as services:
            while self._filled and services is not None:
                await self._unfill(services, next(iter(self._filled)))

    async def _unfill(self, services: Services, user: str) -> None:
        """Let a cap be what it was, unless an admin has decided otherwise meanwhile."""
        filled = self._filled[user]
        if (await self._balance(services, user)).cap_nano_usd == filled.cap_nano_usd:
            await self._decide(services, filled.undone(user))
        del self._filled[user]
        self._write_note()

    async def _balance(self, services: Services, user: str) -> Balance:
        config = services.config
        mine = await services.spend.balances(config.team_id, user, None, config.caps, self._clock.now())
        return next(each for each in mine if each.kind is BudgetKind.PERSON)

    async def _fill(self, services: Services, user: str) -> Json:
        balance = await self._balance(services, user)
        if balance.cap_nano_usd is None:
            return {"ok": False, "error": "this person has no cap; an admin gives one with /spend cap"}
        if balance.granted_nano_usd:
            return {"ok": False, "error": "this person has extra money left; an admin can revoke it"}
        spent = balance.charged_nano_usd + balance.held_nano_usd - balance.drawn_nano_usd
        cap = spent + ROOM_NANO_USD
        # Noted first: whoever is killed in between takes back what was not done, which changes nothing.
        policy, names = await services.admin.policy(services.config.team_id)
        key = next((key for key, known in names.people.items() if known == user), "")
        own = policy.caps.get(person_budget(key))
        self._fills(user, Filled(cap, None if own is None else (own.cap_nano_usd, own.period)))
        before = await self._decide(services, SetCap(Person(user), cap))
        decided = (before["cap_nano_usd"], PeriodKind(before["period"])) if before["own"] else None
        self._fills(user, Filled(cap, decided))
        return {"ok": True, "filled": True}

    def _fills(self, user: str, filled: Filled) -> None:
        self._filled[user] = filled
        self._write_note()

    async def _decide(self, services: Services, change: SetCap | DropCap) -> Json:
        """Put a decision into the books, and give what was before it."""
        config = services.config
        admin = next(iter(config.admins), config.bot_user_id)
        author = Author(config.team_id, admin, self._clock.new_id("switch"))
        changed = await services.admin.change(change, author, config.caps, self._clock.now())
        self._look_again()
        return dict(changed.entry.before or {})

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

    def _budget(self, balance: Balance, user: str, channel: str) -> Json:
        cap, left = balance.cap_nano_usd, balance.left_nano_usd
        renews = balance.period.end.astimezone(ZoneInfo(self._timezone))
        return {
            "name": self._name(balance.kind, user, channel),
            "cap_usd": None if cap is None else dollars(cap),
            "charged_usd": dollars(balance.charged_nano_usd),
            "held_usd": dollars(balance.held_nano_usd),
            "left_usd": None if left is None else dollars(left),
            "granted_usd": dollars(balance.drawn_nano_usd + balance.granted_nano_usd),
            "drawn_usd": dollars(balance.drawn_nano_usd),
            "renews": f"{renews.day} {renews:%B}",
        }

    def _name(self, kind: BudgetKind, user: str, channel: str) -> str:
        if kind is BudgetKind.PERSON:
            person = self._workspace.users.get(user)
            return person.real_name if person is not None else "The person who asked"
        if kind is BudgetKind.CHANNEL:
            room = self._workspace.channels.get(channel)
            return f"#{room.name}" if room is not None and room.name else "This conversation"
        return "The workspace"
