"""Caps that the demo's switch fills, each until its period is over: then a new one begins, and nothing of it
is spent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from bot.cli.demo_clock import DemoClock
from bot.cli.demo_note import Filled
from darkroom.spending.budgets import Balance, BudgetKind
from darkroom.spending.changes import Author, DropCap, Person, SetCap
from darkroom.spending.periods import PeriodKind
from darkroom.spending.policy import person_budget
from handlers.services import Services

Json = dict[str, Any]

ROOM_NANO_USD = 1_000_000
"""What a filled cap leaves: a tenth of a cent, for which no picture can be had."""


class FilledCaps:
    """Those that are filled, beginning with *filled*; *noted* is called whenever they have changed, and
    *decided* when a cap has."""

    def __init__(
        self,
        clock: DemoClock,
        filled: Mapping[str, Filled],
        noted: Callable[[], None],
        decided: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._filled = dict(filled)
        self._noted = noted
        self._decided = decided
        self._turning = asyncio.Lock()

    def all(self) -> dict[str, Filled]:
        """By the ids of the people whose they are."""
        return dict(self._filled)

    def forget(self) -> None:
        """The books are empty: nothing is filled."""
        self._filled.clear()
        self._noted()

    async def turn(self, services: Services, user: str) -> Json:
        """Fill a person's cap, or give it back; see ``BotSide.fill_cap``."""
        async with self._turning:
            if user in self._filled:
                await self._unfill(services, user)
                return {"ok": True, "filled": False}
            return await self._fill(services, user)

    async def give_back(self, services: Services, *, over: bool = False) -> bool:
        """Take back every cap that is filled, or only those whose period is *over*; whether there was one."""
        async with self._turning:
            now = self._clock.unix()
            those = [user for user, filled in self._filled.items() if not over or filled.until <= now]
            for user in those:
                await self._unfill(services, user)
            return bool(those)

    async def _unfill(self, services: Services, user: str) -> None:
        """Let a cap be what it was, unless an admin has decided otherwise meanwhile."""
        filled = self._filled[user]
        if (await self._balance(services, user)).cap_nano_usd == filled.cap_nano_usd:
            await self._decide(services, filled.undone(user))
        del self._filled[user]
        self._noted()

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
        filled = Filled(
            cap, None if own is None else (own.cap_nano_usd, own.period), balance.period.end.timestamp()
        )
        self._note(user, filled)
        before = await self._decide(services, SetCap(Person(user), cap))
        decided = (before["cap_nano_usd"], PeriodKind(before["period"])) if before["own"] else None
        self._note(user, replace(filled, own=decided))
        return {"ok": True, "filled": True}

    def _note(self, user: str, filled: Filled) -> None:
        self._filled[user] = filled
        self._noted()

    async def _decide(self, services: Services, change: SetCap | DropCap) -> Json:
        """Put a decision into the books, and give what was before it."""
        config = services.config
        admin = next(iter(config.admins), config.bot_user_id)
        author = Author(config.team_id, admin, self._clock.new_id("switch"))
        changed = await services.admin.change(change, author, config.caps, self._clock.now())
        self._decided()
        return dict(changed.entry.before or {})
