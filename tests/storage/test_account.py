"""What was learned of the account stays in the books, with the day on which it was learned."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from darkroom.rendering.access import Access, ModelSeen
from darkroom.turns.account_book import Limits, RateSeen
from darkroom.turns.model import AttemptState, ThreadReplies, Told
from storage.account import SqliteAccountBook
from storage.calls import SqliteCallLog
from storage.database import Database
from storage.turns import SqliteTurnStore
from tests.examples import NOON, TEAM, caps, command, plan, settlement

MODEL = "gpt-image-2"
LATER = NOON + timedelta(hours=25)
END = date(2027, 1, 1)


async def test_a_question_without_an_answer_keeps_what_was_learned_before(database: Database) -> None:
    book = SqliteAccountBook(database)
    await book.checked("openai", ModelSeen(MODEL, Access.LISTED, END), NOON)
    await book.checked("openai", ModelSeen(MODEL, Access.UNKNOWN, code="timeout", message="none"), LATER)
    [check] = await book.checks("openai")
    assert check.seen == ModelSeen(MODEL, Access.LISTED, END, "timeout", "none")
    assert (check.learned_at, check.checked_at) == (NOON, LATER)


async def test_what_is_learned_anew_takes_the_place_of_all_of_it(database: Database) -> None:
    book = SqliteAccountBook(database)
    await book.checked("openai", ModelSeen(MODEL, Access.LISTED, END), NOON)
    refused = ModelSeen(MODEL, Access.REFUSED, code="model_not_found", message="The model does not exist.")
    await book.checked("openai", refused, LATER)
    [check] = await book.checks("openai")
    assert (check.seen, check.learned_at, check.checked_at) == (refused, LATER, LATER)


async def test_what_was_never_answered_is_unknown_and_providers_are_kept_apart(database: Database) -> None:
    book = SqliteAccountBook(database)
    await book.checked("openai", ModelSeen(MODEL, Access.UNKNOWN, code="timeout"), NOON)
    [check] = await book.checks("openai")
    assert (check.seen.access, check.learned_at) == (Access.UNKNOWN, None)
    assert await book.checks("gateway.example") == []


async def test_rates_are_as_last_seen(database: Database) -> None:
    book = SqliteAccountBook(database)
    seen = RateSeen(MODEL, "responses", Limits(5, 50, 100_000), NOON)
    await book.rated("openai", seen)
    await book.rated("openai", replace(seen, endpoint="images"))
    again = RateSeen(MODEL, "responses", Limits(20, None, None), LATER)
    await book.rated("openai", again)
    assert await book.rates("openai") == [replace(seen, endpoint="images"), again]


async def test_a_provider_was_chosen_when_another_was_before_it(database: Database) -> None:
    """Whoever starts again with the same changes nothing."""
    book = SqliteAccountBook(database)
    for day, provider in enumerate(("openai", "openai", "gateway.example", "gateway.example", "openai")):
        await book.choose(provider, NOON + timedelta(days=day))
    known = await book.providers(TEAM)
    assert [(each.provider, (each.chosen_at - NOON).days) for each in known] == [
        ("openai", 4),
        ("gateway.example", 2),
    ]
    assert [each.first_call_at for each in known] == [None, None]


async def _called(database: Database, number: int, *, sent: bool = True, provider: str = "openai") -> str:
    store, limits = SqliteTurnStore(database), caps()
    at, attempt = NOON + timedelta(minutes=number), f"try_{number}"
    asked = replace(plan(attempt), provider=provider)
    await store.arrive(f"turn_{number}", command(trigger=str(number)), at, ThreadReplies.JOINED)
    await store.queue(f"turn_{number}", asked, limits, at)
    await store.tell(f"turn_{number}", Told.PLACEHOLDER, f"1763640000.00010{number}", at)
    await store.hold(f"turn_{number}", asked, limits, at)
    if sent:
        await store.send(attempt, at)
    return attempt


async def test_the_newest_calls_are_those_that_were_sent_of_all_providers(database: Database) -> None:
    """With what became of each; the model is the one that the answer named."""
    book, store, calls = SqliteAccountBook(database), SqliteTurnStore(database), SqliteCallLog(database)
    await book.choose("gateway.example", NOON)
    await book.choose("openai", LATER)
    made = replace(settlement(100, picture_id="picture_1"), image_model="gpt-image-2-2026-04-21")
    for number in range(6):
        provider = "gateway.example" if number == 0 else "openai"
        attempt = await _called(database, number, sent=number != 5, provider=provider)
        at = NOON + timedelta(minutes=number, seconds=20)
        if number in (0, 1):
            one = replace(made, picture_id=f"picture_{number}")
            assert await store.render(attempt, one, caps(), at) is not None
        elif number == 2:
            await store.fall_back(attempt, "rate_limit_exceeded", None, caps(), at)
        elif number == 3:
            unknown = settlement(100, state=AttemptState.UNCERTAIN)
            await store.render(attempt, unknown, caps(), at)
    found = await calls.last_calls(TEAM, 100)
    assert [(call.sent_at - NOON).seconds // 60 for call in found] == [4, 3, 2, 1, 0]
    assert [call.state for call in found] == [
        AttemptState.DISPATCHED,
        AttemptState.UNCERTAIN,
        AttemptState.RELEASED,
        AttemptState.SETTLED,
        AttemptState.SETTLED,
    ]
    assert [call.seconds for call in found] == [None, 20, 20, 20, 20]
    assert [call.picture for call in found] == [False, False, False, True, True]
    assert found[2].error == "rate_limit_exceeded"
    assert found[4].provider == "gateway.example"
    assert found[3].image_model == "gpt-image-2-2026-04-21"
    assert await calls.last_calls(TEAM, 2) == found[:2]
    assert await calls.last_calls("T0OTHER001", 100) == []
    first = {each.provider: each.first_call_at for each in await book.providers(TEAM)}
    assert first == {"gateway.example": NOON, "openai": NOON + timedelta(minutes=1)}
    await store.fall_back("try_4", "server_error", None, caps(), LATER)
    await store.fall_back("try_5", "interrupted", None, caps(), LATER)
