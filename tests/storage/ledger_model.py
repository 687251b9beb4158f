"""The ledger as a list of facts that is added up again at every question; it shares no code with storage."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from darkroom.spending import changes
from darkroom.spending.budgets import Bar, BudgetKind, Caps
from darkroom.spending.periods import Period, PeriodKind, period_at
from darkroom.turns.model import AttemptState

OPEN = (AttemptState.HELD, AttemptState.DISPATCHED)
Scope = tuple[str, ...]
"""Whom something is about: ("person", team, user), ("every channel", team), ("everyone", team), …"""
Owner = (
    changes.Person
    | changes.Channel
    | changes.Workspace
    | changes.EveryPerson
    | changes.EveryChannel
    | changes.Everyone
)


class Who(NamedTuple):
    """Somebody who asks, and where."""

    team: str
    channel: str
    user: str

    def budget(self, kind: BudgetKind) -> Scope:
        """Their budget of that kind."""
        if kind is BudgetKind.WORKSPACE:
            return ("workspace", self.team)
        return (kind.value, self.team, self.user if kind is BudgetKind.PERSON else self.channel)


def scope_of(team: str, of: Owner) -> Scope:
    """Whom a change is about."""
    match of:
        case changes.Person(user):
            return ("person", team, user)
        case changes.Channel(channel):
            return ("channel", team, channel)
        case changes.Workspace():
            return ("workspace", team)
        case changes.EveryPerson():
            return ("every person", team)
        case changes.EveryChannel():
            return ("every channel", team)
        case changes.Everyone():
            return ("everyone", team)


@dataclass
class Given:
    """A grant."""

    number: int
    budget: Scope
    amount: int
    ends_at: datetime
    revoked: bool = False
    calls: list[Call] = field(default_factory=list)
    """Those that drew on it."""

    @property
    def paid(self) -> int:
        """What was charged to it."""
        return sum(call.paid_by(self) for call in self.calls)

    @property
    def held(self) -> int:
        """What is held of it."""
        return sum(call.held_of(self) for call in self.calls)

    @property
    def left(self) -> int:
        """What was not drawn of it."""
        return self.amount - self.paid - self.held


@dataclass
class Call:
    """An attempt: its hold, which grants hold how much of it, and what it was charged."""

    who: Who
    turn: str
    hold: int
    held_at: datetime
    drawn: dict[BudgetKind, list[tuple[Given, int]]]
    state: AttemptState = AttemptState.HELD
    charged: int = 0
    corrected: bool = False

    def held_of(self, given: Given) -> int:
        """What is held of a grant."""
        parts = [part for drawn in self.drawn.values() for each, part in drawn if each is given]
        return sum(parts) if self.state in OPEN else 0

    def paid_by(self, given: Given) -> int:
        """What a grant pays of the charge: the budget's own part is used up first, then grant after grant."""
        for drawn in self.drawn.values():
            rest = self.charged - (self.hold - sum(part for _, part in drawn))
            for each, part in drawn:
                paid = max(0, min(part, rest))
                rest -= paid
                if each is given:
                    return paid
        return 0


@dataclass(frozen=True)
class Sums:
    """One budget as it stands."""

    period: Period
    charged: int
    held: int
    own_charged: int
    own_held: int
    cap: int | None
    granted: int
    """Left of the grants that may be drawn on."""
    returning: int
    """The same with every unfinished call given back."""

    @property
    def drawn(self) -> int:
        """What grants pay of charged and held."""
        return self.charged + self.held - self.own_charged - self.own_held

    @property
    def room(self) -> int:
        """What the cap has left."""
        assert self.cap is not None
        return max(0, self.cap - self.own_charged - self.own_held)

    @property
    def left(self) -> int | None:
        """What may be held now."""
        return None if self.cap is None else self.room + self.granted

    def lacks_even_idle(self, amount: int) -> bool:
        """Whether giving back every unfinished call would not be enough."""
        if self.cap is None:
            return False
        return max(0, self.cap - self.own_charged) + self.returning < amount


@dataclass(frozen=True)
class Admitted:
    """What each budget's grants pay of a hold."""

    drawn: dict[BudgetKind, list[tuple[Given, int]]]


@dataclass(frozen=True)
class Short:
    """The first budget that cannot pay now, and whether it never will."""

    kind: BudgetKind
    sums: Sums
    for_good: bool


@dataclass
class Facts:
    """Everything that has happened."""

    now: datetime
    caps: Caps
    calls: dict[str, Call] = field(default_factory=dict)
    given: list[Given] = field(default_factory=list)
    limits: dict[Scope, tuple[int | None, PeriodKind]] = field(default_factory=dict)
    standing: set[tuple[str, Scope]] = field(default_factory=set)
    rules: dict[tuple[Scope, str, str], bool] = field(default_factory=dict)
    paused: set[str] = field(default_factory=set)
    decided: int = 0

    def limit(self, kind: BudgetKind, budget: Scope) -> tuple[int | None, PeriodKind]:
        """A budget's cap and how often it renews."""
        if ("exempt", budget) in self.standing:
            return None, self.caps.period
        return self._limit(kind, budget)

    def _limit(self, kind: BudgetKind, budget: Scope) -> tuple[int | None, PeriodKind]:
        for scope in (budget, (f"every {kind.value}", budget[1])):
            if scope in self.limits:
                return self.limits[scope]
        return self.caps.limits[kind], self.caps.period

    def sums(self, kind: BudgetKind, budget: Scope) -> Sums:
        """Add up one budget in the period of now."""
        cap, how_often = self.limit(kind, budget)
        period = period_at(how_often, self.caps.timezone, self.now)
        charged = held = own_charged = own_held = 0
        for call in self.calls.values():
            if call.who.budget(kind) != budget or not period.start <= call.held_at < period.end:
                continue
            drawn = call.drawn[kind]
            holds = call.hold if call.state in OPEN else 0
            charged, held = charged + call.charged, held + holds
            own_charged += call.charged - sum(call.paid_by(given) for given, _ in drawn)
            own_held += holds - sum(call.held_of(given) for given, _ in drawn)
        open_now = self.open_grants(budget)
        return Sums(
            period,
            charged,
            held,
            own_charged,
            own_held,
            cap,
            granted=sum(given.left for given in open_now),
            returning=sum(given.amount - given.paid for given in open_now),
        )

    def open_grants(self, budget: Scope) -> list[Given]:
        """What may be drawn on, what ends first before the others."""
        found = [one for one in self.given if one.budget == budget and not one.revoked]
        return sorted(
            (one for one in found if self.now < one.ends_at), key=lambda one: (one.ends_at, one.number)
        )

    def lacking(self, who: Who, amount: int) -> Short | None:
        """The first budget that even idle could not pay."""
        for kind in BudgetKind:
            sums = self.sums(kind, who.budget(kind))
            if sums.lacks_even_idle(amount):
                return Short(kind, sums, for_good=True)
        return None

    def admission(self, who: Who, amount: int) -> Admitted | Short:
        """What must come of a hold."""
        drawn: dict[BudgetKind, list[tuple[Given, int]]] = {}
        for kind in BudgetKind:
            sums, drawn[kind] = self.sums(kind, who.budget(kind)), []
            needed = 0 if sums.cap is None else amount - min(amount, sums.room)
            for given in self.open_grants(who.budget(kind)):
                part = min(needed, given.left)
                if part:
                    drawn[kind].append((given, part))
                    needed -= part
            if needed:
                return Short(kind, sums, sums.lacks_even_idle(amount))
        return Admitted(drawn)

    def bar(self, who: Who, model: str, quality: str) -> Bar | None:
        """Why an admin's decision keeps somebody from that."""
        person, channel = who.budget(BudgetKind.PERSON), who.budget(BudgetKind.CHANNEL)
        if who.team in self.paused:
            return Bar.PAUSED
        if ("blocked", person) in self.standing:
            return Bar.BLOCKED
        pilots = {scope for rule, scope in self.standing if rule == "pilot" and scope[1] == who.team}
        if pilots and person not in pilots and channel not in pilots:
            return Bar.NOT_IN_PILOT
        for bar, value in ((Bar.MODEL, model), (Bar.QUALITY, quality)):
            for place in (
                (scope, named)
                for scope in (person, channel, ("everyone", who.team))
                for named in (value, "*")
            ):
                rule = self.rules.get((place[0], bar.value, place[1]))
                if rule is False:
                    return bar
                if rule is True:
                    break
        return None
