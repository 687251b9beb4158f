"""A turn's steps in SQL: what each writes, once, and what it refuses."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from dataclasses import replace
from datetime import timedelta
from functools import partial
from inspect import getmembers, isfunction
from pathlib import Path

import pytest

from darkroom.spending.budgets import BudgetKind, Caps, MustWait, NoMoney
from darkroom.spending.periods import PeriodKind
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import (
    Attachment,
    Attempt,
    AttemptState,
    Options,
    Surface,
    ThreadReplies,
    Told,
    Turn,
    TurnState,
)
from darkroom.turns.store import NotWaiting, TurnStore
from storage.database import Database
from storage.ledger import LedgerFault
from storage.turn_log import SqliteTurnLog
from storage.turns import SqliteTurnStore
from tests.examples import ALICE, BOB, DESIGN, NOON, TEAM, caps, command, message, plan, settlement
from tests.fresh import with_books
from tests.storage.balances import balances
from tests.storage.books import check_books, nothing_held

JOINED = ThreadReplies.JOINED
FREE = caps()
ROOT = "1763640000.000100"


@pytest.fixture
def store(database: Database) -> SqliteTurnStore:
    return SqliteTurnStore(database)


@pytest.fixture
def log(database: Database) -> SqliteTurnLog:
    return SqliteTurnLog(database)


async def queued(store: SqliteTurnStore, turn_id: str = "turn_1", trigger: str = "1") -> Turn:
    """A command's turn, waiting, with its thread."""
    await store.arrive(turn_id, command(trigger=trigger), NOON, JOINED)
    turn = await store.queue(turn_id, plan("none", 100), FREE, NOON)
    assert isinstance(turn, Turn)
    return await store.tell(turn_id, Told.PLACEHOLDER, ROOT + trigger, NOON)


async def dispatched(store: SqliteTurnStore, turn_id: str = "turn_1", trigger: str = "1") -> str:
    """An attempt that was sent."""
    turn = await queued(store, turn_id, trigger)
    attempt_id = f"try_{trigger}"
    assert isinstance(await store.hold(turn.id, plan(attempt_id), caps(person=1000), NOON), Attempt)
    assert await store.send(attempt_id, NOON)
    return attempt_id


def test_the_store_has_one_method_for_each_line_of_the_life_of_a_turn() -> None:
    """docs/architecture.md and the Protocol name the same steps in the same order."""
    page = (Path(__file__).parents[2] / "docs" / "architecture.md").read_text()
    table = page.split("## The life of a turn")[1].split("## ")[0]
    steps = re.findall(r"^\| ([a-z ]+) \|", table, re.MULTILINE)
    steps = [step.replace(" ", "_") for step in steps if step != "step"]
    methods = {name for name, _ in getmembers(TurnStore, isfunction) if not name.startswith("_")}
    in_order = [name for name in vars(TurnStore) if name in methods]
    assert steps == in_order


async def test_a_repeat_finds_the_first_and_changes_nothing(store: SqliteTurnStore) -> None:
    first = await store.arrive("turn_1", command("a fox"), NOON, JOINED)
    again = await store.arrive("turn_2", command("another fox"), NOON + timedelta(hours=1), JOINED)
    assert first.new
    assert not again.new
    assert again.turn == first.turn


async def test_fifty_repeats_at_once_make_one_turn(tmp_path: Path) -> None:
    database = Database.open(with_books(tmp_path), create=True)
    store = SqliteTurnStore(database)
    arrivals = await asyncio.gather(*(store.arrive(f"turn_{i}", command(), NOON, JOINED) for i in range(50)))
    database.close()
    assert sum(arrival.new for arrival in arrivals) == 1
    assert len({arrival.turn.id for arrival in arrivals if arrival.turn}) == 1


async def test_a_mentions_second_event_brings_the_files_of_a_turn_that_still_waits(
    store: SqliteTurnStore,
) -> None:
    bare = message("a fox", ROOT, ROOT, surface=Surface.MENTION)
    file = Attachment("F0FILE0001", "fox.png", "image/png", 10)
    await store.arrive("turn_1", bare, NOON, JOINED)
    second = await store.arrive("turn_2", replace(bare, attachments=(file,)), NOON, JOINED)
    assert not second.new
    assert second.turn is not None
    assert second.turn.request.attachments == (file,)


@pytest.mark.parametrize(
    ("replies", "whose", "counts"),
    [
        (ThreadReplies.JOINED, ALICE, True),
        (ThreadReplies.JOINED, BOB, False),
        (ThreadReplies.EVERYONE, BOB, True),
        (ThreadReplies.MENTIONS, ALICE, False),
    ],
)
async def test_whose_reply_is_a_request_is_a_setting(
    store: SqliteTurnStore, database: Database, replies: ThreadReplies, whose: str, counts: bool
) -> None:
    await queued(store)
    reply = message("make it night", "1763640100.000000", ROOT + "1", user=whose)
    arrival = await store.arrive("turn_2", reply, NOON, replies)
    assert arrival.new is counts
    rows = await database.look(lambda db: db.execute("SELECT COUNT(*) FROM turns").fetchone()[0])
    assert rows == 1 + counts


async def test_a_reply_in_somebody_elses_thread_leaves_nothing_behind(
    store: SqliteTurnStore, database: Database
) -> None:
    arrival = await store.arrive("turn_1", message("hello", "2.2", "1.1"), NOON, ThreadReplies.EVERYONE)
    assert arrival.turn is None
    for table in ("turns", "people", "threads", "thread_people"):
        query = f"SELECT COUNT(*) FROM {table}"  # noqa: S608 -- four names
        assert await database.look(partial(_number, query)) == 0


async def test_who_mentions_darkroom_in_a_thread_has_joined_it(store: SqliteTurnStore) -> None:
    await queued(store)
    thread = ROOT + "1"
    mention = message("make it blue", "1763640100.1", thread, user=BOB, surface=Surface.MENTION)
    await store.arrive("turn_2", mention, NOON, JOINED)
    reply = await store.arrive("turn_3", message("and night", "1763640100.2", thread, user=BOB), NOON, JOINED)
    assert reply.new


async def test_editing_a_waiting_message_replaces_what_it_asks(store: SqliteTurnStore) -> None:
    mention = message("a fox", ROOT, ROOT, surface=Surface.MENTION)
    await store.arrive("turn_1", mention, NOON, JOINED)
    await store.queue("turn_1", plan("none", 1), FREE, NOON)
    revised = await store.revise(TEAM, DESIGN, ROOT, "a cat", Options(quality="low"), (), NOON)
    assert revised is not None
    assert (revised.request.prompt, revised.request.options.quality) == ("a cat", "low")
    with pytest.raises(NotWaiting):
        await store.hold("turn_1", plan("try_1", revision=0), FREE, NOON)
    assert isinstance(await store.hold("turn_1", plan("try_1", revision=1), FREE, NOON), Attempt)
    late = await store.revise(TEAM, DESIGN, ROOT, "a dog", Options(), (), NOON)
    assert late is not None
    assert late.request.prompt == "a cat"
    assert await store.revise(TEAM, DESIGN, "9.9", "a dog", Options(), (), NOON) is None


async def test_what_even_an_idle_cap_could_not_pay_is_not_queued(store: SqliteTurnStore) -> None:
    await store.arrive("turn_1", command(), NOON, JOINED)
    refused = await store.queue("turn_1", plan("none", 101), caps(person=100), NOON)
    assert isinstance(refused, NoMoney)
    assert refused.balance.kind is BudgetKind.PERSON
    assert refused.hold_nano_usd == 101


async def test_a_hold_waits_for_other_holds_and_is_refused_only_by_charges(store: SqliteTurnStore) -> None:
    for number in "123":
        await queued(store, f"turn_{number}", number)
    limit = caps(person=250)
    assert isinstance(await store.hold("turn_1", plan("try_1"), limit, NOON), Attempt)
    assert isinstance(await store.hold("turn_2", plan("try_2"), limit, NOON), Attempt)
    waits = await store.hold("turn_3", plan("try_3"), limit, NOON)
    assert isinstance(waits, MustWait)
    assert (waits.balance.held_nano_usd, waits.balance.charged_nano_usd) == (200, 0)
    await store.send("try_1", NOON)
    await store.render("try_1", settlement(160), FREE, NOON)
    refused = await store.hold("turn_3", plan("try_3"), limit, NOON)
    assert isinstance(refused, NoMoney)


@pytest.mark.parametrize("kind", list(BudgetKind))
async def test_every_kind_of_budget_can_refuse_and_then_none_is_held(
    store: SqliteTurnStore, database: Database, kind: BudgetKind
) -> None:
    await queued(store)
    refused = await store.hold("turn_1", plan("try_1"), _only(kind, 99), NOON)
    assert isinstance(refused, NoMoney)
    assert refused.balance.kind is kind
    await database.look(nothing_held)


async def test_n_holds_at_once_under_a_cap_accept_as_many_as_fit(tmp_path: Path) -> None:
    database = Database.open(with_books(tmp_path), create=True)
    store = SqliteTurnStore(database)
    for i in range(20):
        await queued(store, f"turn_{i}", f"{i:02d}")
    results = await asyncio.gather(
        *(store.hold(f"turn_{i}", plan(f"try_{i}"), caps(workspace=730), NOON) for i in range(20))
    )
    assert sum(isinstance(result, Attempt) for result in results) == 7
    assert sum(isinstance(result, MustWait) for result in results) == 13
    await database.look(check_books)
    database.close()


async def test_only_a_held_attempt_can_be_sent_and_only_once(store: SqliteTurnStore) -> None:
    attempt_id = await dispatched(store)
    assert not await store.send(attempt_id, NOON)
    assert not await store.send("try_nobody", NOON)
    assert await store.send(attempt_id, NOON, "resp_1")


async def test_settling_charges_the_real_cost_and_gives_the_rest_back(
    store: SqliteTurnStore, log: SqliteTurnLog, database: Database
) -> None:
    attempt_id = await dispatched(store)
    picture = await store.render(attempt_id, settlement(53, picture_id="pic_1"), FREE, NOON)
    assert picture is not None
    assert (picture.version, picture.charged_nano_usd) == (1, 53)
    balance = (await balances(database, await _turn(log, "turn_1"), caps(person=1000), NOON))[0]
    assert (balance.charged_nano_usd, balance.held_nano_usd, balance.left_nano_usd) == (53, 0, 947)
    await database.look(nothing_held)
    assert (await log.charge_of("pic_1")).total_nano_usd == 53


async def test_settling_twice_is_one_charge_and_one_picture(
    store: SqliteTurnStore, log: SqliteTurnLog
) -> None:
    attempt_id = await dispatched(store)
    first = await store.render(attempt_id, settlement(53, picture_id="pic_1"), FREE, NOON)
    second = await store.render(attempt_id, settlement(53, picture_id="pic_2"), FREE, NOON)
    assert first == second
    assert len(await log.pictures("turn_1")) == 1


async def test_an_attempt_cannot_end_in_two_ways(store: SqliteTurnStore) -> None:
    attempt_id = await dispatched(store)
    await store.fall_back(attempt_id, "refused", None, FREE, NOON)
    await store.fall_back(attempt_id, "refused", None, FREE, NOON)
    with pytest.raises(LedgerFault):
        await store.render(attempt_id, settlement(1), FREE, NOON)


async def test_what_was_never_sent_cannot_be_charged(store: SqliteTurnStore) -> None:
    await queued(store)
    await store.hold("turn_1", plan("try_1"), FREE, NOON)
    with pytest.raises(LedgerFault):
        await store.render("try_1", settlement(1), FREE, NOON)


async def test_a_charge_above_its_hold_is_charged_in_full_and_flagged(store: SqliteTurnStore) -> None:
    attempt_id = await dispatched(store)
    picture = await store.render(attempt_id, settlement(130, picture_id="pic_1"), FREE, NOON)
    assert picture is not None
    assert picture.charged_nano_usd == 130
    assert picture.flags == ("overrun",)


async def test_an_uncertain_end_charges_the_whole_hold(
    store: SqliteTurnStore, log: SqliteTurnLog, database: Database
) -> None:
    attempt_id = await dispatched(store)
    await store.render(attempt_id, settlement(100, state=AttemptState.UNCERTAIN), FREE, NOON)
    balance = (await balances(database, await _turn(log, "turn_1"), FREE, NOON))[0]
    assert (balance.charged_nano_usd, balance.held_nano_usd) == (100, 0)


async def test_falling_back_swaps_one_hold_for_the_next(store: SqliteTurnStore, log: SqliteTurnLog) -> None:
    attempt_id = await dispatched(store)
    following = await store.fall_back(
        attempt_id, "model_not_found", plan("try_b", 120), caps(person=120), NOON
    )
    assert isinstance(following, Attempt)
    assert [attempt.state for attempt in await log.attempts("turn_1")] == [
        AttemptState.RELEASED,
        AttemptState.HELD,
    ]


async def test_falling_back_without_money_for_the_next_still_gives_the_first_back(
    store: SqliteTurnStore, database: Database, log: SqliteTurnLog
) -> None:
    attempt_id = await dispatched(store)
    following = await store.fall_back(
        attempt_id, "model_not_found", plan("try_b", 120), caps(person=119), NOON
    )
    assert isinstance(following, NoMoney)
    await database.look(nothing_held)
    assert (await _turn(log, "turn_1")).state is TurnState.QUEUED


async def test_a_turn_keeps_its_first_ending(store: SqliteTurnStore) -> None:
    await queued(store)
    await store.end("turn_1", Ending(Outcome.CANCELLED, Reason.TAKEN_BACK), NOON)
    again = await store.end("turn_1", Ending(Outcome.FAILED, Reason.BROKEN), NOON)
    assert again.ending == Ending(Outcome.CANCELLED, Reason.TAKEN_BACK)


async def test_a_turn_with_an_open_hold_cannot_end(store: SqliteTurnStore) -> None:
    attempt_id = await dispatched(store)
    with pytest.raises(LedgerFault, match=attempt_id):
        await store.end("turn_1", Ending(Outcome.FAILED, Reason.BROKEN), NOON)


async def test_taking_back_leaves_a_turn_alone_that_is_being_made(store: SqliteTurnStore) -> None:
    await dispatched(store)
    turn = await store.end("turn_1", Ending(Outcome.CANCELLED, Reason.TAKEN_BACK), NOON, waiting_only=True)
    assert turn.state is TurnState.WORKING


async def test_a_late_charge_goes_to_the_period_of_its_hold(
    store: SqliteTurnStore, log: SqliteTurnLog, database: Database
) -> None:
    attempt_id = await dispatched(store)
    december = NOON + timedelta(days=12)
    await store.render(attempt_id, settlement(53), FREE, december)
    turn = await _turn(log, "turn_1")
    assert (await balances(database, turn, FREE, NOON))[0].charged_nano_usd == 53
    assert (await balances(database, turn, FREE, december))[0].charged_nano_usd == 0


async def test_changing_the_period_or_zone_never_gives_the_same_money_twice(store: SqliteTurnStore) -> None:
    """Charges and open holds of today count under every period and zone that contains them."""
    first = await dispatched(store)
    await store.render(first, settlement(60), FREE, NOON)
    await queued(store, "turn_2", "2")
    assert isinstance(await store.hold("turn_2", plan("try_2", 30), caps(person=100), NOON), Attempt)
    await queued(store, "turn_3", "3")
    for period in PeriodKind:
        for zone in ("UTC", "Pacific/Auckland", "America/New_York"):
            limit = caps(person=100, period=period, timezone=zone)
            result = await store.hold("turn_3", plan("try_3", 20), limit, NOON)
            assert isinstance(result, MustWait), (period, zone)


async def test_the_journal_can_be_neither_edited_nor_shortened(
    store: SqliteTurnStore, database: Database
) -> None:
    await dispatched(store)
    for change in ("UPDATE journal SET charged_delta_nano_usd = 0", "DELETE FROM journal"):
        with pytest.raises(sqlite3.IntegrityError, match="never"):
            await database.write(partial(_number, change))


async def test_the_private_answer_address_is_forgotten_once_told(
    store: SqliteTurnStore, log: SqliteTurnLog
) -> None:
    await queued(store)
    assert (await _turn(log, "turn_1")).request.reply_url is not None
    await store.end("turn_1", Ending(Outcome.FAILED, Reason.BROKEN), NOON)
    await store.tell("turn_1", Told.DONE, None, NOON)
    assert (await _turn(log, "turn_1")).request.reply_url is None
    assert await log.unfinished() == []


def _number(query: str, db: sqlite3.Connection) -> int:
    return int(db.execute(query).fetchone()[0])


def _only(kind: BudgetKind, limit: int) -> Caps:
    return Caps({**caps().limits, kind: limit}, PeriodKind.month, "UTC")


async def _turn(log: SqliteTurnLog, turn_id: str) -> Turn:
    turn = await log.turn(turn_id)
    assert turn is not None
    return turn


async def test_a_hold_gives_the_attempt_as_its_row_is_read(
    store: SqliteTurnStore, log: SqliteTurnLog
) -> None:
    """It is put together without being read back; the two may never differ."""
    await queued(store)
    held = await store.hold("turn_1", replace(plan("try_1"), background="transparent"), FREE, NOON)
    assert await log.attempts("turn_1") == [held]
    assert isinstance(held, Attempt)
    assert held.background == "transparent"
    await store.send("try_1", NOON)
    picture = await store.render("try_1", settlement(60, picture_id="pic_1"), FREE, NOON)
    assert picture is not None
    assert picture.background == "transparent"
