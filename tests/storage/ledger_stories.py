"""How a history of the ledger may begin: with what chance alone would bring too seldom to rely on it.

What hypothesis draws depends on the constants of all modules that happen to be loaded; these do not.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from darkroom.spending.changes import (
    Change,
    Channel,
    EndPilot,
    Everyone,
    Owner,
    Person,
    SetAccess,
    SetBlocked,
    SetCap,
    SetExempt,
    SetPaused,
    SetPilot,
    Workspace,
)
from darkroom.spending.periods import PeriodKind
from darkroom.spending.policy import ALL, Dimension
from darkroom.turns.model import AttemptState
from tests.storage.ledger_model import Who
from tests.storage.ledger_world import USUAL, Twins

Story = Callable[[Twins, Who, Owner], None]
"""What happens to somebody and to what they spend from, on books that nobody has used yet."""


def owners(who: Who) -> tuple[Owner, Owner, Owner]:
    """Whose money somebody spends, in the order of ``BudgetKind``."""
    return Person(who.user), Channel(who.channel), Workspace()


def bars(who: Who) -> list[tuple[Change, Change]]:
    """What keeps somebody from their picture, and what lets them again."""
    person, channel, others = Person(who.user), Channel(who.channel), (Person("U3"), Channel("C3"))
    model, quality = (Dimension.MODEL, (USUAL[0],)), (Dimension.QUALITY, (ALL,))
    return [
        (SetPaused(True), SetPaused(False)),
        (SetBlocked(person, True), SetBlocked(person, False)),
        (SetPilot(others[0], True), SetPilot(others[0], False)),
        (SetPilot(others[1], True), EndPilot()),
        (SetAccess(channel, *model, False), SetAccess(channel, *model, None)),
        (SetAccess(person, *model, False), SetAccess(person, *model, True)),
        (SetAccess(Everyone(), *quality, False), SetAccess(Everyone(), quality[0], (), None)),
    ]


def granted(twins: Twins, who: Who, owner: Owner) -> None:
    """Two grants pay beside the cap, are given back, stand in the way; one is revoked while it is held."""
    _capped(twins, who, owner)
    for amount in (50, 60):
        twins.grant(who.team, owner, amount, 120)
    twins.buy(who, 120, "sent")
    twins.buy(who, 60, "held")
    [held] = twins.calls_of(who, AttemptState.HELD)
    twins.fall_back(*held, None)
    twins.buy(who, 100, "held")
    twins.ask(who, 900)
    for _ in range(2):
        twins.revoke(who.team, twins.facts.given[0])
    [sent] = twins.calls_of(who, AttemptState.DISPATCHED)
    twins.settle(*sent, "all", picture=False)


def corrected(twins: Twins, who: Who, owner: Owner) -> None:
    """What a grant has paid turns out otherwise, in each way and in a later month; it cannot twice,
    nor where nothing is uncertain."""
    _capped(twins, who, owner)
    twins.grant(who.team, owner, 200, 120)
    for amount in (110, 40, 30, 20):
        twins.buy(who, amount, "uncertain")
    twins.facts.now += timedelta(days=31)
    calls = twins.calls_of(who, AttemptState.UNCERTAIN)
    for call, what in zip(calls, ("accept", "less", "more", "waive"), strict=True):
        twins.correct(*call, what)
    twins.correct(*calls[-1], "less")
    twins.buy(who, 10, "more")
    [settled] = twins.calls_of(who, AttemptState.SETTLED)
    twins.correct(*settled, "less")


def exempt(twins: Twins, who: Who, owner: Owner) -> None:
    """A cap that renews in its own time is set anew, sent twice, and does not hold for who is exempt."""
    twins.decide(who.team, SetCap(owner, 0, PeriodKind.week))
    twins.decide(who.team, SetCap(owner, 100, None))
    twins.again(1)
    twins.decide(who.team, SetExempt(Person(who.user), True))
    twins.buy(who, 100, "less")


def barred(twins: Twins, who: Who, owner: Owner) -> None:
    """All that may keep somebody from their picture, after they asked and before."""
    _capped(twins, who, owner)
    for bar, free in bars(who):
        waits = twins.ask(who, 0)
        twins.decide(who.team, bar)
        twins.hold(waits, 100)
        twins.ask(who, 100)
        twins.decide(who.team, free)


STORIES: tuple[Story | None, ...] = (granted, corrected, exempt, barred, None, None, None, None)
"""Mostly none: of sixty histories half a dozen begin with each."""


def _capped(twins: Twins, who: Who, owner: Owner) -> None:
    """Nothing else than *owner*'s cap of 100 is in the way."""
    twins.decide(who.team, SetCap(Workspace(), None, None))
    twins.decide(who.team, SetCap(owner, 100, None))
