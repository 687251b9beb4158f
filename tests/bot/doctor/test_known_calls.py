"""What the books know of the API, as the doctor tells it."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime

from bot.doctor.finding import Grade
from darkroom.rendering.address import provider_name
from darkroom.turns.account_book import Limits, RateSeen
from darkroom.turns.outages import Outage, Trouble
from storage.account import SqliteAccountBook
from storage.database import Database
from storage.outages import SqliteOutageBook
from tests.bot.doctor.patient import Patient
from tests.bot.doctor.planted import Planted, is_named
from tests.bot.doctor.test_api_faults import MODEL

WARN = Grade.WARN


async def test_an_outage_that_the_books_know(patient: Patient) -> None:
    outage = Outage("o1", Trouble.QUOTA, "You exceeded your current quota", datetime.now(UTC))
    await patient.write(lambda database: SqliteOutageBook(database).begin(outage, "T0SANDBOX1"))
    said = "exceeded your current quota"
    await is_named(patient, Planted("", lambda _: None, "openai.outage", said, "Add credit", WARN))
    # Without a Darkroom that runs it is how things were: the API has just been asked, and may be well again.
    await patient.beat()
    with closing(Database.open(patient.data, inline=True)):
        await is_named(patient, Planted("", lambda _: None, "openai.outage", said, "Add credit"))


async def test_the_rate_limits_that_were_seen_last_are_told(patient: Patient) -> None:
    provider = provider_name(patient.world.openai_base_url)
    seen = RateSeen(MODEL, "images", Limits(pictures=5), datetime.now(UTC))
    await patient.write(lambda database: SqliteAccountBook(database).rated(provider, seen))
    found = {each.check: each for each in await patient.looked_at()}
    assert found["openai.rates"].grade is Grade.PASS
    assert f"{MODEL} (images): 5 pictures a minute" in found["openai.rates"].said
