"""Of books with a little of everything in them no sum changes, whatever goes by its age, and what an admin is
still to decide can be decided."""

from __future__ import annotations

import sqlite3
from datetime import date, timedelta
from pathlib import Path

import pytest

from darkroom.spending.changes import Correct
from darkroom.spending.spans import Span
from darkroom.turns.retention import Keep
from storage.admin import SqliteAdminBooks
from storage.reconciliation import our_charges
from storage.reports import spend_report
from storage.repricing import charged_entries
from tests.examples import ALICE, NOON, TEAM
from tests.storage.everything import LIMITS, Everything
from tests.storage.office import Office
from tests.storage.test_retention import Place, place

YEARS_LATER = NOON + timedelta(days=2_000)
SPAN = Span("UTC", NOON - timedelta(days=40), NOON + timedelta(days=400))


async def told_all(here: Place) -> None:
    """Nothing is left to be said to anybody, and nothing to be made."""
    await here.rows("UPDATE turns SET told_at = updated_at WHERE told_at IS NULL AND state = 'ended'")
    await here.rows("UPDATE shares SET failure = 'given up' WHERE message_ts IS NULL")


BOOKS = (
    "journal",
    "grants",
    "grant_draws",
    "(SELECT id, state, hold_nano_usd, charged_nano_usd, ask FROM attempts)",
)


def money(db: sqlite3.Connection) -> object:
    """All that is computed of money by anybody."""
    books = [db.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in BOOKS]  # noqa: S608 -- the names above
    return (
        spend_report(db, TEAM, SPAN, LIMITS, NOON),
        list(charged_entries(db, None, None)),
        [our_charges(db, who, date(2026, 11, 1), date(2026, 12, 31)) for who in ("openai", "sandbox")],
        [[tuple(row) for row in rows] for rows in books],
    )


@pytest.mark.parametrize(
    "keep",
    [Keep(1, None, None), Keep(None, 1, None), Keep(None, None, 1), Keep(1, 2, 3), Keep(None, 90, 30)],
    ids=["pictures", "words", "requests", "all", "requests before words"],
)
async def test_no_sum_changes_by_what_goes(tmp_path: Path, keep: Keep) -> None:
    async with place(tmp_path) as here:
        await Everything(here.database).happen()
        await told_all(here)
        before = await here.database.look(money)
        here.clock.at = YEARS_LATER
        for _ in range(3):
            await here.retention(keep).run()
            await here.recall_everything()
            here.clock.at += timedelta(days=1)
            assert await here.database.look(money) == before
        if keep.turns_days is not None:
            kept = await here.rows(
                "SELECT id, state FROM turns WHERE forgotten_at IS NULL AND state = 'ended'"
            )
            assert [row["id"] for row in kept] == []


async def test_an_uncertain_charge_outlives_its_request_with_whose_it_is(tmp_path: Path) -> None:
    async with place(tmp_path) as here:
        office = Office(here.database)
        number = await office.unsure("turn_1")
        await here.rows(
            """
            UPDATE turns SET state = 'ended', outcome = 'uncertain', reason = 'uncertain', details = '{}',
                told_at = updated_at
            """
        )
        here.clock.at = YEARS_LATER
        await here.retention(Keep(turns_days=1)).run()
        assert await here.rows("SELECT * FROM turns") == []

        [listed] = await SqliteAdminBooks(here.database).uncertain(TEAM, 10)
        assert (listed.number, listed.user_id) == (number, ALICE)
        await office.does(Correct(number, 0))
        assert await SqliteAdminBooks(here.database).uncertain(TEAM, 10) == []
        [left] = await here.rows("SELECT SUM(charged_delta_nano_usd) AS sum FROM journal")
        assert left["sum"] == 0
