"""Alerts are raised once, claimed before they are sent, and closed once."""

from __future__ import annotations

import random
import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from darkroom.spending.alerts import AlertKind, Audience
from storage.alerts import SqliteAlertBook
from storage.database import Database
from storage.people import person_key
from storage.raising import raise_alert
from tests.examples import ALICE, BOB, NOON, TEAM
from tests.fresh import with_books
from tests.storage.priced_turns import World, call

LATER = NOON + timedelta(minutes=5)


@pytest.fixture
def book(database: Database) -> SqliteAlertBook:
    return SqliteAlertBook(database)


async def raise_for(database: Database, user_id: str, key: str) -> None:
    """An alert for one person."""

    def work(db: sqlite3.Connection) -> None:
        key_of = person_key(db, TEAM, user_id, NOON)
        raise_alert(db, key, TEAM, AlertKind.CAP_NEAR, {"percent": 80}, NOON, person_key=key_of)

    await database.write(work)


async def test_the_same_key_is_raised_once_and_comes_back_as_it_was(book: SqliteAlertBook) -> None:
    details: dict[str, str | int] = {"message": "insufficient <quota>", "number": 3}
    assert await book.add("quota:1", TEAM, AlertKind.QUOTA, details, NOON)
    assert not await book.add("quota:1", TEAM, AlertKind.QUOTA, {"message": "other"}, LATER)
    (alert,) = await book.unsent(10)
    assert (alert.key, alert.team_id, alert.kind, alert.audience) == (
        "quota:1",
        TEAM,
        AlertKind.QUOTA,
        Audience.ADMINS,
    )
    assert (alert.details, alert.raised_at, alert.user_id) == (details, NOON, "")


async def test_unsent_is_oldest_first_within_its_limit_and_without_what_is_done(
    book: SqliteAlertBook, database: Database
) -> None:
    for number in range(4):
        await book.add(f"key:{number}", TEAM, AlertKind.KEY, {}, NOON)
    await raise_for(database, ALICE, "near:alice")
    first, *_ = await book.unsent(10)
    await book.done(first.number, LATER)
    assert [alert.key for alert in await book.unsent(2)] == ["key:1", "key:2"]
    assert (await book.unsent(10))[-1].user_id == ALICE


async def test_a_claim_is_fresh_once_and_later_says_where_the_recipient_was_last_written_to(
    book: SqliteAlertBook,
) -> None:
    await book.add("one", TEAM, AlertKind.KEY, {}, NOON)
    await book.add("two", TEAM, AlertKind.QUOTA, {}, NOON)
    one, two = (alert.number for alert in await book.unsent(10))
    claim = await book.claim(one, BOB, NOON)
    assert (claim.fresh, claim.sent, claim.channel_id) == (True, False, None)
    await book.claim(two, BOB, LATER)
    again = await book.claim(two, BOB, LATER + timedelta(hours=1))
    assert (again.fresh, again.sent, again.channel_id, again.claimed_at) == (False, False, None, LATER)
    await book.sent(one, BOB, "D0BOB00001", "1.1", LATER)
    assert (await book.claim(one, BOB, LATER)).sent
    assert (await book.claim(two, BOB, LATER)).channel_id == "D0BOB00001"
    assert (await book.claim(two, ALICE, LATER)).fresh


async def test_who_was_sent_what_stays_as_it_was_first_noted(
    book: SqliteAlertBook, database: Database
) -> None:
    await book.add("one", TEAM, AlertKind.KEY, {}, NOON)
    (alert,) = await book.unsent(10)
    await book.claim(alert.number, BOB, NOON)
    await book.sent(alert.number, BOB, "D1", "1.1", NOON)
    await book.sent(alert.number, BOB, "D2", "2.2", LATER)
    rows = await database.look(lambda db: db.execute("SELECT channel_id FROM alert_posts").fetchall())
    assert [row[0] for row in rows] == ["D1"]


async def test_the_newest_alerts_for_admins_say_what_became_of_them(
    book: SqliteAlertBook, database: Database
) -> None:
    for kind in (AlertKind.KEY, AlertKind.QUOTA, AlertKind.NO_ACCESS):
        await book.add(kind, TEAM, kind, {}, NOON)
    await raise_for(database, ALICE, "not for admins")
    first, second, *_ = await book.unsent(10)
    await book.done(first.number, LATER)
    await book.done(first.number, LATER, given_up="too late to be given up")
    await book.done(second.number, LATER, given_up="nobody to tell")
    assert [(alert.kind, done, why) for alert, done, why in await book.recent(TEAM, 10)] == [
        (AlertKind.NO_ACCESS, False, None),
        (AlertKind.QUOTA, True, "nobody to tell"),
        (AlertKind.KEY, True, None),
    ]
    assert len(await book.recent(TEAM, 1)) == 1
    assert await book.recent("T0OTHER001", 10) == []


async def test_an_erased_person_has_no_id_and_a_kind_of_a_newer_darkroom_waits_for_it(
    book: SqliteAlertBook, database: Database
) -> None:
    await raise_for(database, ALICE, "near:alice")
    await book.add("new", TEAM, AlertKind.KEY, {}, NOON)

    def meddle(db: sqlite3.Connection) -> None:
        db.execute("DELETE FROM people WHERE user_id = ?", (ALICE,))
        db.execute("UPDATE alerts SET kind = 'comet' WHERE key = 'new'")

    await database.write(meddle)
    (alert,) = await book.unsent(10)
    assert (alert.key, alert.user_id) == ("near:alice", "")
    assert await book.recent(TEAM, 10) == []


@pytest.mark.parametrize("image", ["gpt-image-99", None])
@pytest.mark.parametrize("host", ["gpt-99", None])
async def test_each_model_without_a_price_in_an_answer_is_told_with_the_one_it_was_priced_as(
    tmp_path: Path, image: str | None, host: str | None
) -> None:
    """Image model and host alike, each with its own alert, and none for one that is known."""
    world = World(tmp_path)
    made = call(random.Random(1), 1)  # noqa: S311 -- the same call every time
    asked, hosting = made.ask.image_model, "gpt-5.6-luna"
    made = replace(
        made,
        ask=replace(made.ask, host_model=hosting),
        end="picture",
        answered_image=image or asked,
        answered_host=host or hosting,
    )
    await world.make(made)
    unsent = await SqliteAlertBook(world.database).unsent(10)
    told = [alert for alert in unsent if alert.kind is AlertKind.UNKNOWN_MODEL]
    named = [(image, asked)] * bool(image) + [(host, hosting)] * bool(host)
    assert [(alert.details["model"], alert.details["priced_as"]) for alert in told] == named
    assert {alert.details["user_id"] for alert in told} == ({"U0001"} if named else set())
    assert len({alert.key for alert in told}) == len(named)
    # The same again on the same day is told once.
    await world.make(replace(made, number=2))
    again = await SqliteAlertBook(world.database).unsent(10)
    assert [alert.key for alert in again if alert.kind is AlertKind.UNKNOWN_MODEL] == [a.key for a in told]
    world.database.close()


async def test_a_claim_survives_a_restart(tmp_path: Path) -> None:
    first = Database.open(with_books(tmp_path), create=True, inline=True)
    await SqliteAlertBook(first).add("one", TEAM, AlertKind.KEY, {}, NOON)
    await SqliteAlertBook(first).claim(1, BOB, NOON)
    first.close()
    second = Database.open(tmp_path, inline=True)
    claim = await SqliteAlertBook(second).claim(1, BOB, LATER)
    assert (claim.fresh, claim.claimed_at) == (False, NOON)
    second.close()
