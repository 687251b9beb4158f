"""Budgets with money from grants alone are told of their levels like any other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from darkroom.spending.alerts import AlertKind
from darkroom.spending.budgets import Caps
from darkroom.spending.changes import Author, GiveGrant, Person, SetCap
from darkroom.turns.model import Attempt, ThreadReplies, Turn
from storage.admin import SqliteAdminBooks
from storage.alerts import SqliteAlertBook
from storage.database import Database
from storage.turns import SqliteTurnStore
from tests.examples import ALICE, BOB, NOON, TEAM, caps, command, plan, settlement
from tests.storage.books import check_books


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database.open(tmp_path, create=True, inline=True)
    yield opened
    opened.close()


async def _spends(database: Database, number: int, hold: int, charge: int, limits: Caps) -> None:
    store = SqliteTurnStore(database)
    turn_id, attempt_id = f"t{number}", f"a{number}"
    await store.arrive(turn_id, command(trigger=turn_id), NOON, ThreadReplies.EVERYONE)
    assert isinstance(await store.queue(turn_id, plan(attempt_id, hold), limits, NOON), Turn)
    assert isinstance(await store.hold(turn_id, plan(attempt_id, hold), limits, NOON), Attempt)
    assert await store.send(attempt_id, NOON)
    await store.render(attempt_id, settlement(charge), limits, NOON)


@pytest.mark.parametrize("cap", [0, 1])
async def test_who_lives_on_a_grant_is_warned_and_told_when_it_is_used_up(
    database: Database, cap: int
) -> None:
    limits, admin = caps(), SqliteAdminBooks(database)
    await admin.change(SetCap(Person(ALICE), cap), Author(TEAM, BOB, "k1"), limits, NOON)
    ends_at = NOON.replace(day=28)
    await admin.change(GiveGrant(Person(ALICE), 100, ends_at), Author(TEAM, BOB, "k2"), limits, NOON)
    await _spends(database, 1, hold=90, charge=85, limits=limits)
    await _spends(database, 2, hold=15, charge=10, limits=limits)
    told = await SqliteAlertBook(database).unsent(10)
    assert [alert.kind for alert in told] == [AlertKind.CAP_REACHED]
    assert told[0].details["cap_nano_usd"] == 100 + cap
    await database.look(check_books)
