"""Requests for more money: one for each budget and period, told as they stand."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from darkroom.spending.budgets import BudgetKind
from darkroom.spending.changes import AnswerRequest, Author, CannotChange
from darkroom.spending.requests import MoneyRequest, Posted, RequestState
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import ThreadReplies
from storage.admin import SqliteAdminBooks
from storage.database import Database
from storage.requests import SqliteMoneyRequests
from storage.turns import SqliteTurnStore
from tests.examples import ALICE, BOB, DESIGN, NOON, TEAM, caps, command

RENEWS = datetime.fromisoformat("2026-12-01T00:00:00+00:00")
USD = 1_000_000_000


@pytest.fixture
def requests(database: Database) -> SqliteMoneyRequests:
    return SqliteMoneyRequests(database)


async def declined(
    database: Database,
    turn_id: str,
    *,
    user: str = ALICE,
    budget: str = "person",
    reason: Reason = Reason.NO_MONEY,
    renews_at: datetime = RENEWS,
) -> str:
    """A turn that ended so."""
    store = SqliteTurnStore(database)
    request = command(trigger=turn_id, user=user)
    await store.arrive(turn_id, request, NOON, ThreadReplies.EVERYONE)
    details: dict[str, str | int] = {
        "budget": budget,
        "renews_at": renews_at.isoformat(),
        "cap_nano_usd": 10 * USD,
        "charged_nano_usd": 10 * USD,
        "held_nano_usd": 0,
        "needed_nano_usd": USD,
        "timezone": "UTC",
        "period": "month",
    }
    await store.end(turn_id, Ending(Outcome.DECLINED, reason, details), NOON)
    return turn_id


async def asked(requests: SqliteMoneyRequests, turn_id: str, user: str = ALICE) -> MoneyRequest:
    """A request that is new."""
    found = await requests.ask(turn_id, user, NOON)
    assert found is not None
    assert found[1]
    return found[0]


async def answer(database: Database, number: int, amount: int | None, key: str = "k1") -> None:
    """Bob answers."""
    await SqliteAdminBooks(database).change(
        AnswerRequest(number, amount), Author(TEAM, BOB, key), caps(), NOON + timedelta(minutes=1)
    )


@pytest.mark.parametrize("budget", list(BudgetKind))
async def test_who_was_declined_asks_for_the_budget_that_declined_until_it_renews(
    requests: SqliteMoneyRequests, database: Database, budget: BudgetKind
) -> None:
    await declined(database, "t1", budget=budget)
    request = await asked(requests, "t1")
    assert (request.team_id, request.user_id, request.channel_id, request.turn_id) == (
        TEAM,
        ALICE,
        DESIGN,
        "t1",
    )
    assert (request.budget, request.asked_at, request.ends_at) == (budget, NOON, RENEWS)
    assert (request.state, request.answered_by, request.amount_nano_usd) == (RequestState.OPEN, None, None)
    assert await requests.request(request.number) == request


async def test_the_same_turn_and_another_for_the_same_budget_find_the_first_request(
    requests: SqliteMoneyRequests, database: Database
) -> None:
    for turn_id in ("t1", "t2"):
        await declined(database, turn_id)
    await declined(database, "t3", budget="workspace")
    first = await asked(requests, "t1")
    assert await requests.ask("t1", ALICE, NOON) == (first, False)
    assert await requests.ask("t2", ALICE, NOON) == (first, False)
    assert (await asked(requests, "t3")).number != first.number


async def test_a_shared_budget_is_asked_for_once_and_ones_own_by_each(
    requests: SqliteMoneyRequests, database: Database
) -> None:
    await declined(database, "t1", budget="channel")
    await declined(database, "t2", budget="channel", user=BOB)
    first = await asked(requests, "t1")
    assert await requests.ask("t2", BOB, NOON) == (first, False)
    await declined(database, "t3")
    await declined(database, "t4", user=BOB)
    await asked(requests, "t3")
    await asked(requests, "t4", BOB)


async def test_after_an_answer_the_same_turn_finds_it_and_a_new_one_may_ask_again(
    requests: SqliteMoneyRequests, database: Database
) -> None:
    await declined(database, "t1")
    first = await asked(requests, "t1")
    await answer(database, first.number, 5 * USD)
    again = await requests.ask("t1", ALICE, NOON)
    assert again is not None
    assert (again[1], again[0].state, again[0].answered_by) == (False, RequestState.GRANTED, BOB)
    assert again[0].amount_nano_usd == 5 * USD
    await declined(database, "t2")
    assert (await asked(requests, "t2")).number != first.number


async def test_others_other_endings_and_renewed_budgets_cannot_ask(
    requests: SqliteMoneyRequests, database: Database
) -> None:
    await declined(database, "t1")
    await declined(database, "t2", reason=Reason.QUEUE_FULL)
    await declined(database, "t3", renews_at=NOON)
    assert await requests.ask("t1", BOB, NOON) is None
    assert await requests.ask("t2", ALICE, NOON) is None
    assert await requests.ask("t3", ALICE, NOON) is None
    assert await requests.ask("t4", ALICE, NOON) is None
    assert await requests.ask("t1", ALICE, RENEWS) is None
    assert await requests.untold() == []


async def test_a_request_is_untold_until_it_is_told_and_again_once_it_is_answered(
    requests: SqliteMoneyRequests, database: Database
) -> None:
    await declined(database, "t1")
    await declined(database, "t2", user=BOB)
    first, second = await asked(requests, "t1"), await asked(requests, "t2", BOB)
    assert await requests.untold() == [first, second]
    await requests.told(first.number, NOON)
    assert await requests.untold() == [second]
    await answer(database, first.number, None)
    assert [request.state for request in await requests.untold()] == [RequestState.REFUSED, RequestState.OPEN]
    await requests.told(first.number, NOON)
    assert await requests.untold() == [second]


async def test_only_the_first_answer_counts(requests: SqliteMoneyRequests, database: Database) -> None:
    await declined(database, "t1")
    request = await asked(requests, "t1")
    await answer(database, request.number, 5 * USD)
    with pytest.raises(CannotChange, match="already_answered"):
        await answer(database, request.number, 10 * USD, key="k2")
    grants = await SqliteAdminBooks(database).grants(TEAM, NOON)
    assert [(note.grant.amount_nano_usd, note.user_id, note.grant.ends_at) for note in grants] == [
        (5 * USD, ALICE, RENEWS)
    ]


async def test_where_admins_were_asked_is_kept_for_each(
    requests: SqliteMoneyRequests, database: Database
) -> None:
    await declined(database, "t1")
    number = (await asked(requests, "t1")).number
    await requests.posted(number, Posted(BOB, "D1", "1.1"))
    await requests.posted(number, Posted("C0OPS00001", "C0OPS00001", "2.2"))
    await requests.posted(number, Posted(BOB, "D1", "3.3"))
    assert await requests.posts(number) == [
        Posted("C0OPS00001", "C0OPS00001", "2.2"),
        Posted(BOB, "D1", "3.3"),
    ]


async def test_an_erased_person_leaves_a_request_without_a_name(
    requests: SqliteMoneyRequests, database: Database
) -> None:
    await declined(database, "t1")
    number = (await asked(requests, "t1")).number
    await database.write(lambda db: db.execute("DELETE FROM people WHERE user_id = ?", (ALICE,)))
    found = await requests.request(number)
    assert found is not None
    assert found.user_id == ""
    assert await requests.request(99) is None
