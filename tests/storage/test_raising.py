"""Alerts are raised in the transaction of their cause: each when it is due, once, and to whom it concerns."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from darkroom.spending.alerts import Alert, AlertKind, Audience
from darkroom.spending.budgets import Caps
from darkroom.spending.changes import GiveGrant, Person, SetCap
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import Attempt, AttemptState, ThreadReplies, Turn
from storage.alerts import SqliteAlertBook
from storage.database import Database
from tests.examples import ALICE, DESIGN, NOON, TEAM, caps, command, plan, settlement
from tests.storage.office import Office

HUNDRED = caps(person=100)
DECEMBER = NOON + timedelta(days=15)


class Raised:
    """Somebody makes pictures, and what is raised because of it."""

    def __init__(self, database: Database) -> None:
        self.office = Office(database)
        self._store = self.office.store
        self._book = SqliteAlertBook(database)
        self._turns = 0
        self._seen = 0

    async def arrives(self, at: datetime = NOON) -> str:
        """A turn of Alice's."""
        self._turns += 1
        turn_id = f"turn_{self._turns}"
        await self._store.arrive(turn_id, command(trigger=turn_id), at, ThreadReplies.EVERYONE)
        return turn_id

    async def spends(
        self,
        charge: int,
        *,
        hold: int,
        limits: Caps = HUNDRED,
        at: datetime = NOON,
        settled_at: datetime | None = None,
        uncertain: bool = False,
    ) -> list[Alert]:
        """One picture is held for, sent and charged; gives what that raised."""
        turn_id = await self.arrives(at)
        attempt_id = f"try_{turn_id}"
        assert isinstance(await self._store.queue(turn_id, plan(attempt_id, hold), limits, at), Turn)
        assert isinstance(await self._store.hold(turn_id, plan(attempt_id, hold), limits, at), Attempt)
        assert await self._store.send(attempt_id, at)
        made = settlement(charge)
        if uncertain:
            made = replace(made, state=AttemptState.UNCERTAIN, flags=frozenset({"uncertain"}))
        await self._store.render(attempt_id, made, limits, settled_at or at)
        return await self.news()

    async def spends_tens(self, pictures: int, *, limits: Caps = HUNDRED, at: datetime = NOON) -> list[Alert]:
        """So many pictures of ten, one after the other; gives what they raised."""
        found: list[Alert] = []
        for _ in range(pictures):
            found += await self.spends(10, hold=10, limits=limits, at=at)
        return found

    async def ends(self, reason: Reason, details: dict[str, str | int], at: datetime = NOON) -> list[Alert]:
        """A turn ends without a picture; gives what that raised."""
        await self._store.end(await self.arrives(at), Ending(Outcome.FAILED, reason, details), at)
        return await self.news()

    async def news(self) -> list[Alert]:
        """What was raised since this was asked last."""
        before, every = self._seen, await self._book.unsent(100)
        self._seen = len(every)
        return every[before:]


@pytest.fixture
def raised(database: Database) -> Raised:
    return Raised(database)


def kinds(alerts: list[Alert]) -> list[AlertKind]:
    return [alert.kind for alert in alerts]


async def test_a_person_is_warned_near_the_cap_and_told_at_it_each_once(raised: Raised) -> None:
    assert await raised.spends_tens(7) == []
    (near,) = await raised.spends(10, hold=10)
    assert (near.kind, near.audience, near.user_id) == (AlertKind.CAP_NEAR, Audience.PERSON, ALICE)
    assert (near.details["percent"], near.details["cap_nano_usd"]) == (80, 100)
    assert await raised.spends(10, hold=10) == []
    (reached,) = await raised.spends(1, hold=10)
    assert (reached.kind, reached.audience, reached.user_id) == (
        AlertKind.CAP_REACHED,
        Audience.PERSON,
        ALICE,
    )
    assert await raised.spends(1, hold=9) == []


async def test_the_levels_of_a_channel_and_the_workspace_are_for_the_admins(raised: Raised) -> None:
    found = await raised.spends_tens(8, limits=caps(channel=100, workspace=100))
    assert kinds(found) == [AlertKind.CAP_NEAR, AlertKind.CAP_NEAR]
    assert {(alert.audience, alert.details["budget"]) for alert in found} == {
        (Audience.ADMINS, "channel"),
        (Audience.ADMINS, "workspace"),
    }
    assert {alert.details["channel_id"] for alert in found} == {DESIGN}


async def test_each_level_is_told_again_in_the_next_period(raised: Raised) -> None:
    every = [AlertKind.CAP_NEAR, AlertKind.CAP_REACHED]
    assert kinds(await raised.spends_tens(10)) == every
    assert kinds(await raised.spends_tens(10, at=DECEMBER)) == every


async def test_a_charge_that_comes_after_its_period_raises_no_level(raised: Raised) -> None:
    """Nothing of that cap is left to be careful with."""
    assert await raised.spends(100, hold=100, settled_at=DECEMBER) == []


@pytest.mark.parametrize("cap", [0, 1])
async def test_who_lives_on_a_grant_is_warned_and_told_when_it_is_used_up(raised: Raised, cap: int) -> None:
    """Budgets with money from grants alone are told of their levels like any other."""
    await raised.office.does(SetCap(Person(ALICE), cap))
    await raised.office.does(GiveGrant(Person(ALICE), 100, NOON.replace(day=28)))
    near, reached = await raised.spends_tens(10, limits=caps())
    assert (near.kind, reached.kind) == (AlertKind.CAP_NEAR, AlertKind.CAP_REACHED)
    assert near.details["cap_nano_usd"] == reached.details["cap_nano_usd"] == 100 + cap


async def test_a_charge_above_its_hold_is_told_with_both_amounts(raised: Raised) -> None:
    (overrun,) = await raised.spends(60, hold=50, limits=caps())
    assert (overrun.kind, overrun.audience) == (AlertKind.OVERRUN, Audience.ADMINS)
    assert (overrun.details["hold_nano_usd"], overrun.details["charged_nano_usd"]) == (50, 60)
    assert (overrun.details["user_id"], overrun.details["channel_id"]) == (ALICE, DESIGN)
    assert kinds(await raised.spends(60, hold=50, limits=caps())) == [AlertKind.OVERRUN]


async def test_an_uncertain_charge_is_told_with_the_number_that_corrects_it(raised: Raised) -> None:
    (uncertain,) = await raised.spends(50, hold=50, limits=caps(), uncertain=True)
    assert (uncertain.kind, uncertain.audience) == (AlertKind.UNCERTAIN, Audience.ADMINS)
    (listed,) = await raised.office.books.uncertain(TEAM, 10)
    assert uncertain.details["number"] == listed.number


async def test_what_only_an_admin_can_mend_is_told_once_a_day(raised: Raised) -> None:
    why: dict[str, str | int] = {"message": "no access"}
    (told,) = await raised.ends(Reason.NO_ACCESS, why)
    assert (told.kind, told.audience, told.details) == (AlertKind.NO_ACCESS, Audience.ADMINS, why)
    assert await raised.ends(Reason.NO_ACCESS, why, NOON + timedelta(hours=11)) == []
    assert kinds(await raised.ends(Reason.NO_ACCESS, why, NOON + timedelta(hours=13))) == [
        AlertKind.NO_ACCESS
    ]


async def test_what_waited_in_vain_for_an_outage_to_end_is_not_told_again(raised: Raised) -> None:
    """The admins were told when it began."""
    for reason in (Reason.QUOTA, Reason.KEY, Reason.REGION):
        assert await raised.ends(reason, {"message": "no credit"}) == []


async def test_a_model_without_a_price_is_told_once_a_day_and_model(raised: Raised) -> None:
    def details(model: str) -> dict[str, str | int]:
        return {"why": f"{model} has no price", "unpriced": model}

    (told,) = await raised.ends(Reason.MODEL_UNUSABLE, details("one"))
    assert (told.kind, told.details) == (AlertKind.UNPRICED, {"why": "one has no price"})
    assert await raised.ends(Reason.MODEL_UNUSABLE, details("one")) == []
    assert kinds(await raised.ends(Reason.MODEL_UNUSABLE, details("two"))) == [AlertKind.UNPRICED]


async def test_an_ending_that_no_admin_can_mend_raises_nothing(raised: Raised) -> None:
    for reason in (Reason.MODERATION, Reason.RATE, Reason.UNREACHABLE, Reason.NO_PICTURE):
        assert await raised.ends(reason, {"message": "no"}) == []
    assert await raised.ends(Reason.MODEL_UNUSABLE, {"why": "It was shut down.", "unpriced": ""}) == []
