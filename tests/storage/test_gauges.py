"""What the books say to whoever watches: what has moved, and how things stand."""

from __future__ import annotations

from datetime import timedelta

import pytest

from darkroom.spending.changes import Correct, GiveGrant, Workspace
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import Attempt, Told
from darkroom.turns.redelivering import PAID_FOR, SAID
from storage import gauges
from storage.database import Database
from storage.gauges import SqliteGauges
from tests.examples import IMAGE_MODEL, NOON, TEAM, caps, plan, settlement
from tests.storage.office import LATER, USD, USUAL, Office

MADE_BY = (IMAGE_MODEL, "responses")


async def _held(office: Office, turn_id: str, amount: int) -> str:
    await office.queue(turn_id, amount=amount)
    held = await office.store.hold(turn_id, plan(f"try_{turn_id}", amount), USUAL, NOON)
    assert isinstance(held, Attempt)
    return held.id


async def _painted(office: Office, turn_id: str, charged: int) -> None:
    attempt_id = await _held(office, turn_id, USD)
    await office.store.tell(turn_id, Told.PLACEHOLDER, f"1763640000.{turn_id[-1]:0>6}", NOON)
    await office.store.send(attempt_id, NOON)
    paid = settlement(charged, picture_id=f"pic_{turn_id}")
    await office.store.render(attempt_id, paid, USUAL, NOON)


async def test_each_entry_is_read_once_in_as_many_looks_as_it_takes(
    database: Database, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gauges, "ENTRIES_MAX", 3)
    books = SqliteGauges(database)
    nothing = await books.moved(0)
    assert (nothing.upto, nothing.more, nothing.attempts, nothing.classes) == (0, False, {}, {})
    await _painted(office, "turn_1", 300)
    await _painted(office, "turn_2", 500)
    number = await office.unsure("turn_3", hold=USD)
    released = await _held(office, "turn_4", USD)
    await office.store.fall_back(released, "rate", None, USUAL, NOON)
    await office.does(Correct(number, 0))
    looks = [await books.moved(0)]
    while looks[-1].more:
        looks.append(await books.moved(looks[-1].upto))
    assert [look.upto for look in looks] == [3, 6, 9]
    assert [dict(look.attempts) for look in looks] == [
        {("settle", *MADE_BY): 1},
        {("settle", *MADE_BY): 1, ("uncertain", *MADE_BY): 1},
        {("release", *MADE_BY): 1},
    ]
    assert sum(look.pictures.get(MADE_BY, 0) for look in looks) == 2
    charged = [look.classes["image_output"] for look in looks if look.classes]
    assert charged == [(1, 300), (2, 500 + USD)]
    assert [look.corrected_nano_usd for look in looks] == [0, 0, -USD]
    assert (await books.moved(9)).upto == 9


async def test_what_is_held_waits_is_uncertain_and_is_left_of_the_cap_as_things_stand(
    database: Database, office: Office
) -> None:
    books, limits = SqliteGauges(database), caps(workspace=10 * USD)
    await _held(office, "turn_1", 2 * USD)
    await office.queue("turn_2")
    number = await office.unsure("turn_3", hold=3 * USD)
    await office.does(GiveGrant(Workspace(), 5 * USD, LATER))
    stand = await books.standing(TEAM, limits, NOON)
    assert stand.unfinished == {"working": 2, "queued": 1}
    assert stand.waiting_since == NOON
    assert (stand.holds, stand.held_nano_usd) == (1, 2 * USD)
    assert (stand.uncertain, stand.uncertain_nano_usd) == (1, 3 * USD)
    assert (stand.budget.held_nano_usd, stand.budget.charged_nano_usd) == (2 * USD, 3 * USD)
    assert stand.budget.cap_with_grants_nano_usd == 15 * USD
    await office.does(Correct(number, USD))
    after = await books.standing(TEAM, limits, NOON)
    assert (after.uncertain, after.uncertain_nano_usd, after.budget.charged_nano_usd) == (0, 0, USD)


async def test_what_slack_has_not_taken_counts_for_as_long_as_it_is_tried(
    database: Database, office: Office
) -> None:
    """What was paid for a week, all else a day."""
    books = SqliteGauges(database)
    for turn_id, ending in (
        ("turn_1", Ending(Outcome.FAILED, Reason.BROKEN)),
        ("turn_2", Ending(Outcome.WORDS, Reason.WORDS, {"words": "hello"})),
    ):
        await office.queue(turn_id)
        await office.store.end(turn_id, ending, NOON)
        await office.store.tell(turn_id, Told.UNDELIVERED, "channel_not_found", NOON)
    now = await books.standing(TEAM, USUAL, NOON + SAID - timedelta(seconds=1))
    assert (now.undelivered, now.unfinished) == (2, {})
    assert (await books.standing(TEAM, USUAL, NOON + SAID)).undelivered == 1
    assert (await books.standing(TEAM, USUAL, NOON + PAID_FOR)).undelivered == 0
