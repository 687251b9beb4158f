"""What admins change: each thing once, with what was and what is, and by whom."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from darkroom.spending.budgets import Bar, Barred, NoMoney
from darkroom.spending.changes import (
    Change,
    Channel,
    DropCap,
    EndPilot,
    EveryChannel,
    Everyone,
    EveryPerson,
    GiveGrant,
    Person,
    RevokeGrant,
    SetAccess,
    SetAlertsChannel,
    SetBlocked,
    SetCap,
    SetExempt,
    SetPaused,
    SetPilot,
    Workspace,
)
from darkroom.spending.periods import PeriodKind
from darkroom.spending.policy import ALL, Dimension
from darkroom.turns.model import Attempt, Turn
from storage.database import Database
from storage.turn_log import SqliteTurnLog
from tests.examples import ALICE, BOB, DESIGN, NOON, TEAM, plan
from tests.fresh import with_books
from tests.storage.office import CAROL, LATER, OTHER_TEAM, USD, USUAL, Office

MONTH = {"cap_nano_usd": 10 * USD, "period": "month", "own": False}


async def test_what_was_decided_is_read_once_wherever_it_is_looked_up_and_a_decision_shows_at_once(
    office: Office,
) -> None:
    log, reads = SqliteTurnLog(office.database), list[str]()
    turn = await office.queue("turn_1")
    assert isinstance(turn, Turn)
    await office.database.look(lambda db: db.set_trace_callback(reads.append))
    for decided in (False, True, None):
        await office.does(SetAccess(Everyone(), Dimension.QUALITY, ("high",), decided))
        reads.clear()
        for _ in range(3):
            assert (await log.access(turn)).allows(Dimension.QUALITY, "high") is (decided is not False)
            policy, _ = await office.books.policy(TEAM)
            assert [rule.allowed for rule in policy.access] == ([] if decided is None else [decided])
        assert sum("FROM access_rules" in each for each in reads) == 2


CHANGES: list[tuple[Change, str, str, dict[str, Any] | None, dict[str, Any] | None]] = [
    (SetCap(Person(ALICE), 20 * USD), "cap", ALICE, MONTH, MONTH | {"cap_nano_usd": 20 * USD, "own": True}),
    (
        SetCap(Channel(DESIGN), None, PeriodKind.week),
        "cap",
        DESIGN,
        MONTH | {"cap_nano_usd": 50 * USD},
        {"cap_nano_usd": None, "period": "week", "own": True},
    ),
    (
        SetCap(Workspace(), 0, PeriodKind.day),
        "cap",
        "",
        MONTH | {"cap_nano_usd": None},
        {"cap_nano_usd": 0, "period": "day", "own": True},
    ),
    (SetCap(EveryPerson(), 5 * USD), "cap", "", MONTH, MONTH | {"cap_nano_usd": 5 * USD, "own": True}),
    (
        SetCap(EveryChannel(), 7),
        "cap",
        "",
        MONTH | {"cap_nano_usd": 50 * USD},
        MONTH | {"cap_nano_usd": 7, "own": True},
    ),
    (DropCap(Person(ALICE)), "cap", ALICE, MONTH, MONTH),
    (
        GiveGrant(Person(ALICE), 15 * USD, LATER),
        "grant",
        ALICE,
        None,
        {"number": 1, "amount_nano_usd": 15 * USD, "ends_at": LATER.isoformat()},
    ),
    (SetBlocked(Person(ALICE), True), "blocked", ALICE, {"blocked": False}, {"blocked": True}),
    (SetBlocked(Person(ALICE), False), "blocked", ALICE, {"blocked": False}, {"blocked": False}),
    (SetExempt(Person(ALICE), True), "exempt", ALICE, {"exempt": False}, {"exempt": True}),
    (SetPilot(Channel(DESIGN), True), "pilot", DESIGN, {"pilot": False}, {"pilot": True}),
    (SetPilot(Person(ALICE), True), "pilot", ALICE, {"pilot": False}, {"pilot": True}),
    (EndPilot(), "pilot off", "", {"members": []}, {"members": []}),
    (
        SetAccess(Everyone(), Dimension.QUALITY, ("high",), False),
        "access",
        "",
        {"dimension": "quality", "rules": {}},
        {"dimension": "quality", "rules": {"high": False}},
    ),
    (
        SetAccess(Channel(DESIGN), Dimension.MODEL, ("gpt-image-2", ALL), True),
        "access",
        DESIGN,
        {"dimension": "model", "rules": {}},
        {"dimension": "model", "rules": {"gpt-image-2": True, ALL: True}},
    ),
    (SetPaused(True), "pause", "", {"paused": False}, {"paused": True}),
    (SetPaused(False), "resume", "", {"paused": False}, {"paused": False}),
    (SetAlertsChannel("C0OPS00001"), "alerts", "", {"channel_id": None}, {"channel_id": "C0OPS00001"}),
    (SetAlertsChannel(None), "alerts", "", {"channel_id": None}, {"channel_id": None}),
]


@pytest.mark.parametrize(("change", "action", "about", "before", "after"), CHANGES)
async def test_each_change_is_in_the_journal_with_who_when_before_and_after(
    office: Office, change: Change, action: str, about: str, before: Any, after: Any
) -> None:
    entry = await office.does(change)
    assert (entry.user_id, entry.at, entry.action, entry.subject_id) == (CAROL, NOON, action, about)
    assert (entry.before, entry.after) == (before, after)
    assert await office.books.history(TEAM, 10) == [entry]


@pytest.mark.parametrize("change", [each[0] for each in CHANGES])
async def test_what_slack_sends_again_is_done_once_and_gets_the_first_answer(
    office: Office, change: Change
) -> None:
    first = await office.change(change, key="trigger.1")
    tables = {table: await office.count(table) for table in ("admin_journal", "grants", "standing", "caps")}
    again = await office.change(change, key="trigger.1", by=BOB, at=NOON + timedelta(hours=1))
    assert (again.repeat, again.entry) == (True, first.entry)
    assert {table: await office.count(table) for table in tables} == tables
    # The same words in something new are something new.
    assert not (await office.change(change, key="trigger.2")).repeat


async def test_fifty_deliveries_at_once_give_one_grant(tmp_path: Path) -> None:
    database = Database.open(with_books(tmp_path), create=True)
    office = Office(database)
    grant = GiveGrant(Person(ALICE), 15 * USD, LATER)
    done = await asyncio.gather(*(office.change(grant, key="trigger.1") for _ in range(50)))
    assert sum(not changed.repeat for changed in done) == 1
    assert len({changed.entry.number for changed in done}) == 1
    assert await office.count("grants") == 1
    database.close()


async def test_the_same_key_in_another_workspace_is_another_thing(office: Office) -> None:
    await office.does(SetPaused(True), key="trigger.1")
    await office.does(SetPaused(True), key="trigger.1", team=OTHER_TEAM)


async def test_a_change_that_changes_nothing_is_in_the_journal_and_says_so(office: Office) -> None:
    for change in (
        SetBlocked(Person(ALICE), True),
        SetExempt(Person(ALICE), True),
        SetPilot(Channel(DESIGN), True),
        SetPaused(True),
        SetCap(Person(ALICE), 20 * USD),
        SetAccess(Everyone(), Dimension.MODEL, (ALL,), False),
        SetAlertsChannel("C0OPS00001"),
    ):
        await office.does(change)
        second = await office.does(change)
        assert second.before == second.after, change
    policy, names = await office.books.policy(TEAM)
    assert policy.paused
    assert names.people[next(iter(policy.blocked))] == ALICE
    assert policy.blocked == policy.exempt


async def test_taking_back_leaves_what_was_there_before(office: Office) -> None:
    for change in (
        SetCap(Person(ALICE), 3),
        DropCap(Person(ALICE)),
        SetBlocked(Person(ALICE), True),
        SetBlocked(Person(ALICE), False),
        SetExempt(Person(ALICE), True),
        SetExempt(Person(ALICE), False),
        SetPilot(Person(ALICE), True),
        SetPilot(Channel(DESIGN), True),
        EndPilot(),
        SetAccess(Everyone(), Dimension.MODEL, ("gpt-image-2", ALL), False),
        SetAccess(Everyone(), Dimension.MODEL, (), None),
        SetAccess(Person(ALICE), Dimension.QUALITY, ("high", "low"), False),
        SetAccess(Person(ALICE), Dimension.QUALITY, ("high",), None),
        SetAccess(Person(ALICE), Dimension.QUALITY, ("low",), None),
        SetPaused(True),
        SetPaused(False),
        SetAlertsChannel("C1"),
        SetAlertsChannel(None),
    ):
        await office.does(change)
    policy, _ = await office.books.policy(TEAM)
    assert not any((policy.caps, policy.blocked, policy.exempt, policy.pilots, policy.access, policy.paused))
    assert policy.alerts_channel is None


async def test_a_cap_without_a_period_keeps_the_one_in_force(office: Office) -> None:
    await office.does(SetCap(EveryPerson(), 5 * USD, PeriodKind.week))
    own = await office.does(SetCap(Person(ALICE), 6 * USD))
    assert own.before == {"cap_nano_usd": 5 * USD, "period": "week", "own": False}
    assert own.after == {"cap_nano_usd": 6 * USD, "period": "week", "own": True}
    await office.does(SetCap(EveryPerson(), 5 * USD, PeriodKind.day))
    assert (await office.does(SetCap(Person(ALICE), 7 * USD))).after == {
        "cap_nano_usd": 7 * USD,
        "period": "week",
        "own": True,
    }
    dropped = await office.does(DropCap(Person(ALICE)))
    assert dropped.after == {"cap_nano_usd": 5 * USD, "period": "day", "own": False}
    assert (await office.does(DropCap(EveryPerson()))).after == MONTH


async def test_somebody_exempt_has_a_cap_of_their_own_for_the_day_when_they_are_not(office: Office) -> None:
    await office.does(SetExempt(Person(ALICE), True))
    entry = await office.does(SetCap(Person(ALICE), 1))
    assert (entry.before, entry.after) == (MONTH, MONTH | {"cap_nano_usd": 1, "own": True})
    assert isinstance(await office.queue("turn_1"), Turn)
    await office.does(SetExempt(Person(ALICE), False))
    assert isinstance(await office.queue("turn_2"), NoMoney)


async def test_changes_act_at_once_also_on_what_waits(office: Office) -> None:
    assert isinstance(await office.queue("turn_1"), Turn)
    for change, back, answer in (
        (SetPaused(True), SetPaused(False), Barred(Bar.PAUSED)),
        (SetBlocked(Person(ALICE), True), SetBlocked(Person(ALICE), False), Barred(Bar.BLOCKED)),
        (SetPilot(Person(BOB), True), EndPilot(), Barred(Bar.NOT_IN_PILOT)),
        (
            SetAccess(Everyone(), Dimension.QUALITY, ("medium",), False),
            SetAccess(Person(ALICE), Dimension.QUALITY, ("medium",), True),
            Barred(Bar.QUALITY, "medium"),
        ),
    ):
        await office.does(change)
        assert await office.store.hold("turn_1", plan("try_1", USD), USUAL, NOON) == answer
        await office.does(back)
    await office.does(SetCap(Person(ALICE), 0))
    assert isinstance(await office.store.hold("turn_1", plan("try_1", USD), USUAL, NOON), NoMoney)
    await office.does(GiveGrant(Person(ALICE), USD, LATER))
    assert isinstance(await office.store.hold("turn_1", plan("try_1", USD), USUAL, NOON), Attempt)


async def test_history_is_newest_first_and_so_many_whatever_the_clock_says(office: Office) -> None:
    for number in range(5):
        await office.does(SetCap(Person(ALICE), number), at=NOON - timedelta(hours=number))
    history = await office.books.history(TEAM, 3)
    assert [entry.after["cap_nano_usd"] for entry in history if entry.after] == [4, 3, 2]
    assert [entry.before["cap_nano_usd"] for entry in history if entry.before] == [3, 2, 1]


async def test_two_workspaces_do_not_see_each_other(office: Office) -> None:
    for change in (
        SetCap(EveryPerson(), 0),
        SetCap(Person(ALICE), 0),
        SetBlocked(Person(ALICE), True),
        SetPilot(Channel(DESIGN), True),
        SetAccess(Everyone(), Dimension.MODEL, (ALL,), False),
        SetPaused(True),
        SetAlertsChannel("C1"),
        GiveGrant(Workspace(), USD, LATER),
    ):
        await office.does(change, team=OTHER_TEAM)
    policy, names = await office.books.policy(TEAM)
    assert not any((policy.caps, policy.blocked, policy.exempt, policy.pilots, policy.access, policy.paused))
    assert policy.alerts_channel is None
    assert names.people == {}
    assert await office.books.grants(TEAM, NOON) == []
    assert await office.books.history(TEAM, 100) == []
    assert isinstance(await office.queue("turn_1"), Turn)
    assert (await office.does(SetCap(Person(ALICE), 1))).before == MONTH
    await office.does(EndPilot())
    other, _ = await office.books.policy(OTHER_TEAM)
    assert len(other.pilots) == 1


async def test_who_was_erased_leaves_what_was_decided_without_a_name(office: Office) -> None:
    await office.does(SetBlocked(Person(ALICE), True), by=BOB)
    await office.does(SetCap(Person(ALICE), 3))
    await office.does(GiveGrant(Person(ALICE), USD, LATER))
    await office.database.write(
        lambda db: db.execute("DELETE FROM people WHERE user_id IN (?, ?)", (ALICE, BOB)).rowcount
    )
    history = await office.books.history(TEAM, 10)
    assert [(entry.user_id, entry.subject_id) for entry in history] == [(CAROL, ""), (CAROL, ""), ("", "")]
    policy, names = await office.books.policy(TEAM)
    assert (len(policy.blocked), len(policy.caps), names.people) == (1, 1, {})
    notes = await office.books.grants(TEAM, NOON)
    assert [(note.user_id, note.channel_id) for note in notes] == [("", "")]
    # Whoever comes under that name afterwards is somebody new.
    assert isinstance(await office.queue("turn_1"), Turn)
    await office.does(RevokeGrant(notes[0].grant.number))
