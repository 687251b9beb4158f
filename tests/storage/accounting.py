"""What was learned of the account, in every way that the storage keeps it."""

from __future__ import annotations

from datetime import date, timedelta

from darkroom.rendering.access import Access, ModelSeen
from darkroom.turns.account_book import Limits, RateSeen
from storage.account import SqliteAccountBook
from storage.calls import SqliteCallLog
from storage.database import Database
from tests.examples import NOON, TEAM

MODEL = "gpt-image-2"


async def learn_of_the_account(database: Database) -> None:
    """Which provider it is, what it may call and how fast, and what was called."""
    book = SqliteAccountBook(database)
    await book.choose("openai", NOON)
    for seen in (ModelSeen(MODEL, Access.LISTED, date(2027, 1, 1)), ModelSeen(MODEL, Access.UNKNOWN)):
        await book.checked("openai", seen, NOON)
    for pictures in (5, 20):
        at = NOON + timedelta(minutes=pictures)
        await book.rated("openai", RateSeen(MODEL, "responses", Limits(pictures, None, 100_000), at))
    assert len(await book.checks("openai")) == len(await book.rates("openai")) == 1
    assert await book.providers(TEAM)
    assert await SqliteCallLog(database).last_calls(TEAM, 100)
