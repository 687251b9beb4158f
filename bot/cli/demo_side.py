"""What the demo's bot shows and does for the page: its books, its clock, its caps, and what of it is real."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from bot.app import Darkroom
from bot.cli.demo_clock import DemoClock
from darkroom.spending.budgets import Balance, BudgetKind
from darkroom.spending.changes import Author, DropCap, Person, SetCap
from darkroom.spending.money import format_usd_exact
from darkroom.spending.periods import PeriodKind, period_at
from handlers.services import Services
from sandbox.hood.bot_side import Jump
from sandbox.slack.workspace import Workspace
from storage.database import DataProblem
from storage.thread_report import CallRow, ThreadBooks, read_place, read_thread

Json = dict[str, Any]
T = TypeVar("T")

ROOM_NANO_USD = 1_000_000
"""What a filled cap leaves: a tenth of a cent, for which no picture can be had."""


@dataclass(frozen=True, slots=True)
class Real:
    """Which sides are real, and one sentence that says so."""

    slack: bool = False
    images: bool = False
    words: str = "Everything here is made on this machine and costs nothing."


@dataclass(frozen=True, slots=True)
class _Filled:
    """A person's cap as the switch has set it, and the decision that takes it back."""

    cap_nano_usd: int
    before: SetCap | DropCap


class DemoSide:
    """A ``BotSide`` of a Darkroom that is attached once it has started; before, there are no books."""

    def __init__(self, workspace: Workspace, clock: DemoClock, real: Real | None = None) -> None:
        self._workspace = workspace
        self._clock = clock
        self._real = real or Real()
        self._darkroom: Darkroom | None = None
        self._filled: dict[str, _Filled] = {}
        self._filling = asyncio.Lock()

    def attach(self, darkroom: Darkroom) -> None:
        """This is the bot whose side it is."""
        self._darkroom = darkroom

    def real(self) -> Json:
        """What is real."""
        return {"slack": self._real.slack, "images": self._real.images, "words": self._real.words}

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
            if to == "month":
                await self.give_back()
            self._look_again()
            if self._darkroom is not None and (worker := self._darkroom.worker) is not None:
                await worker.round()
        return await self.clock()

    async def ledger(self, channel: str, thread_ts: str) -> Json:
        """A thread's calls with what they hold and cost, and the budgets of who asked last in it."""
        books = await self._read(lambda folder: read_thread(folder, channel, thread_ts), ThreadBooks())
        balances: list[Balance] = []
        if books.asker is not None and (services := self._services) is not None:
            config, now = services.config, self._clock.now()
            balances = await services.spend.balances(config.team_id, books.asker, channel, config.caps, now)
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
        services = self._services
        if services is None:
            return {"ok": False, "error": "Darkroom has not started yet"}
        async with self._filling:
            if user in self._filled:
                await self._unfill(services, user)
                return {"ok": True, "filled": False}
            return await self._fill(services, user)

    async def give_back(self) -> None:
        """Take back every cap that is filled: in the next month, and before the demo ends, after which nobody
        would know what was before."""
        async with self._filling:
            while self._filled and (services := self._services) is not None:
                await self._unfill(services, next(iter(self._filled)))

    async def _unfill(self, services: Services, user: str) -> None:
        """Let a cap be what it was, unless an admin has decided otherwise meanwhile."""
        filled = self._filled[user]
        if (await self._balance(services, user)).cap_nano_usd == filled.cap_nano_usd:
            await self._decide(services, filled.before)
        del self._filled[user]

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
        before = await self._decide(services, SetCap(Person(user), cap))
        own = before["own"]
        self._filled[user] = _Filled(
            cap,
            SetCap(Person(user), before["cap_nano_usd"], PeriodKind(before["period"]))
            if own
            else DropCap(Person(user)),
        )
        return {"ok": True, "filled": True}

    async def _decide(self, services: Services, change: SetCap | DropCap) -> Json:
        """Put a decision into the books, and give what was before it."""
        config = services.config
        admin = next(iter(config.admins), config.bot_user_id)
        author = Author(config.team_id, admin, self._clock.new_id("switch"))
        changed = await services.admin.change(change, author, config.caps, self._clock.now())
        self._look_again()
        return dict(changed.entry.before or {})

    async def _read(self, work: Callable[[Path], T], otherwise: T) -> T:
        """Read the books in their folder, in a thread; *otherwise* while there are none."""
        if self._darkroom is None:
            return otherwise
        try:
            return await asyncio.to_thread(work, self._darkroom.settings.storage.data_dir)
        except DataProblem:
            return otherwise

    def _look_again(self) -> None:
        """What waits for money or for a time of day may go on now."""
        if (services := self._services) is not None:
            services.policy_changed()
            services.wake_alerting()

    @property
    def _services(self) -> Services | None:
        return None if self._darkroom is None else self._darkroom.services

    @property
    def _timezone(self) -> str:
        return "UTC" if self._darkroom is None else self._darkroom.settings.caps.timezone

    def _budget(self, balance: Balance, user: str, channel: str) -> Json:
        cap, left = balance.cap_with_grants_nano_usd, balance.left_nano_usd
        renews = balance.period.end.astimezone(ZoneInfo(self._timezone))
        return {
            "name": self._name(balance.kind, user, channel),
            "cap_usd": None if cap is None else dollars(cap),
            "charged_usd": dollars(balance.charged_nano_usd),
            "held_usd": dollars(balance.held_nano_usd),
            "left_usd": None if left is None else dollars(left),
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


def dollars(nano: int) -> str:
    """Nano-dollars as a decimal string of dollars, exactly."""
    return format_usd_exact(nano).replace("$", "")


def call_as_json(call: CallRow) -> Json:
    """A call as the page gets it."""
    remarks = [*([call.release_reason] if call.release_reason else []), *call.flags]
    return {
        "id": call.id,
        "turn": call.turn_id,
        "version": call.version,
        "state": call.state,
        "model": call.image_model,
        "endpoint": call.endpoint,
        "held_usd": dollars(call.hold_nano_usd),
        "charged_usd": dollars(call.charged_nano_usd),
        "classes": [
            {"name": name, "tokens": tokens, "charged_usd": dollars(charged)}
            for name, tokens, charged in call.classes
        ],
        "note": ", ".join(remark.replace("_", " ") for remark in remarks),
    }
