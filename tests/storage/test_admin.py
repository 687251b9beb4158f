"""What admins change: each thing once, with what was and what is, and by whom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from darkroom.spending.budgets import Bar, Barred, Caps, NoMoney
from darkroom.spending.changes import (
    AnswerRequest,
    Author,
    CannotChange,
    Change,
    Changed,
    Channel,
    Correct,
    DropCap,
    EndPilot,
    Entry,
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
from darkroom.spending.classes import Cost, Line, TokenClass
from darkroom.spending.periods import PeriodKind
from darkroom.spending.policy import ALL, Dimension
from darkroom.spending.requests import RequestState
from darkroom.turns.model import Attempt, AttemptState, Ending, Outcome, Reason, ThreadReplies, Turn
from storage.admin import SqliteAdminBooks
from storage.database import Database
from storage.requests import SqliteMoneyRequests
from storage.turns import SqliteTurnStore
from tests.examples import ALICE, BOB, DESIGN, NOON, TEAM, caps, command, plan, settlement
from tests.storage.books import check_books

CAROL, OTHER_TEAM = "U0CAROL001", "T0OTHER001"
USD = 1_000_000_000
USUAL = caps(person=10 * USD, channel=50 * USD)
LATER = datetime(2026, 12, 31, tzinfo=UTC)
MONTH = {"cap_nano_usd": 10 * USD, "period": "month", "own": False}


class Office:
    """Carol decides; every decision is a new thing that she did, unless it has a key."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.books = SqliteAdminBooks(database)
        self.store = SqliteTurnStore(database)
        self.requests = SqliteMoneyRequests(database)
        self._keys = 0

    async def change(
        self,
        change: Change,
        *,
        by: str = CAROL,
        team: str = TEAM,
        key: str = "",
        at: datetime = NOON,
        limits: Caps = USUAL,
    ) -> Changed:
        """It is done, or cannot be."""
        self._keys += 1
        return await self.books.change(change, Author(team, by, key or f"key_{self._keys}"), limits, at)

    async def does(self, change: Change, **more: Any) -> Entry:
        """It is done, and for the first time."""
        changed = await self.change(change, **more)
        assert not changed.repeat
        return changed.entry

    async def cannot(self, change: Change, **more: Any) -> CannotChange:
        """It cannot be done, and leaves nothing in the journal."""
        before = await self.count("admin_journal")
        with pytest.raises(CannotChange) as problem:
            await self.change(change, **more)
        assert await self.count("admin_journal") == before
        return problem.value

    async def count(self, table: str) -> int:
        """How many rows a table has."""
        query = f"SELECT COUNT(*) FROM {table}"  # noqa: S608 -- names of tables in this file
        return int(await self.database.look(lambda db: db.execute(query).fetchone()[0]))

    async def queue(self, turn_id: str, user: str = ALICE, amount: int = USD) -> object:
        """What somebody hears who asks for a picture."""
        await self.store.arrive(turn_id, command(trigger=turn_id, user=user), NOON, ThreadReplies.JOINED)
        return await self.store.queue(turn_id, plan("none", amount), USUAL, NOON)

    async def unsure(self, turn_id: str = "turn_1", hold: int = USD) -> int:
        """An uncertain charge; gives its number."""
        assert isinstance(await self.queue(turn_id, amount=hold), Turn)
        attempt_id = f"try_{turn_id}"
        assert isinstance(await self.store.hold(turn_id, plan(attempt_id, hold), USUAL, NOON), Attempt)
        assert await self.store.send(attempt_id, NOON)
        await self.store.render(attempt_id, settlement(hold, state=AttemptState.UNCERTAIN), USUAL, NOON)
        return (await self.books.uncertain(TEAM, 100))[-1].number

    async def declined(self, turn_id: str = "turn_1", user: str = ALICE) -> int:
        """Somebody was declined and asked for more; gives the request's number."""
        await self.store.arrive(turn_id, command(trigger=turn_id, user=user), NOON, ThreadReplies.JOINED)
        details: dict[str, str | int] = {"budget": "person", "renews_at": "2026-12-01T00:00:00+00:00"}
        await self.store.end(turn_id, Ending(Outcome.DECLINED, Reason.NO_MONEY, details), NOON)
        asked = await self.requests.ask(turn_id, user, NOON)
        assert asked is not None
        return asked[0].number


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    database = Database.open(tmp_path, create=True, inline=True)
    yield Office(database)
    await database.look(check_books)
    database.close()


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
    database = Database.open(tmp_path, create=True)
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


async def test_a_grant_is_revoked_once_and_what_is_held_of_it_stays(office: Office) -> None:
    await office.does(SetCap(Person(ALICE), 0))
    await office.does(GiveGrant(Person(ALICE), 5 * USD, LATER))
    number = 1
    assert isinstance(await office.queue("turn_1", amount=2 * USD), Turn)
    held = await office.store.hold("turn_1", plan("try_1", 2 * USD), USUAL, NOON)
    assert isinstance(held, Attempt)
    entry = await office.does(RevokeGrant(number), by=BOB)
    assert (entry.action, entry.subject_id) == ("revoke", ALICE)
    was = {"number": number, "amount_nano_usd": 5 * USD, "left_nano_usd": 3 * USD}
    assert (entry.before, entry.after) == (was, was | {"left_nano_usd": 0})
    assert await office.books.grants(TEAM, NOON) == []
    assert isinstance(await office.queue("turn_2", amount=1), NoMoney)
    await office.store.send("try_1", NOON)
    await office.store.render("try_1", settlement(2 * USD), USUAL, NOON)
    again = await office.cannot(RevokeGrant(number))
    assert (again.reason, again.entry) == ("grant_revoked", entry)


async def test_what_is_no_grant_or_has_ended_cannot_be_revoked(office: Office) -> None:
    await office.does(GiveGrant(Workspace(), USD, LATER))
    nobodys = await office.cannot(RevokeGrant(2))
    assert (nobodys.reason, nobodys.entry) == ("no_such_grant", None)
    assert (await office.cannot(RevokeGrant(1), team=OTHER_TEAM)).reason == "no_such_grant"
    ended = await office.cannot(RevokeGrant(1), at=LATER)
    assert (ended.reason, ended.entry) == ("grant_ended", None)
    await office.does(RevokeGrant(1), at=LATER - timedelta(microseconds=1))


@pytest.mark.parametrize(
    ("amount", "decided", "after"), [(None, "accepted", USD), (0, "waived", 0), (3, "corrected", 3)]
)
async def test_an_uncertain_charge_is_decided_on_once(
    office: Office, amount: int | None, decided: str, after: int
) -> None:
    number = await office.unsure()
    listed = (await office.books.uncertain(TEAM, 10))[0]
    assert (listed.user_id, listed.channel_id, listed.charged_nano_usd) == (ALICE, DESIGN, USD)
    entry = await office.does(Correct(number, amount))
    assert (entry.action, entry.subject_id) == ("uncertain", ALICE)
    told = {"number": number, "attempt": "try_turn_1"}
    assert entry.before == told | {"charged_nano_usd": USD}
    assert entry.after == told | {"charged_nano_usd": after, "decided": decided}
    assert await office.books.uncertain(TEAM, 10) == []
    again = await office.cannot(Correct(number, 1), by=BOB)
    assert (again.reason, again.entry) == ("already_corrected", entry)


async def test_a_correction_changes_every_class_by_its_share_to_the_last_nano_dollar(office: Office) -> None:
    parts = {TokenClass.image_output: 50, TokenClass.text_input: 30, TokenClass.host_output: 20}
    lines = Cost(tuple(Line(name, 7, part) for name, part in parts.items()), 100)
    assert isinstance(await office.queue("turn_1", amount=100), Turn)
    await office.store.hold("turn_1", plan("try_1", 100), USUAL, NOON)
    await office.store.send("try_1", NOON)
    unsure = replace(settlement(100, state=AttemptState.UNCERTAIN), cost=lines)
    await office.store.render("try_1", unsure, USUAL, NOON)
    number = (await office.books.uncertain(TEAM, 1))[0].number
    await office.does(Correct(number, 33))
    query = "SELECT token_class, SUM(tokens), SUM(charged_nano_usd) FROM charge_lines GROUP BY token_class"
    rows = await office.database.look(lambda db: db.execute(query).fetchall())
    # 16.5, 9.9 and 6.6: the two that lose most by rounding down get the two that are left over.
    assert {row[0]: row[2] for row in rows} == {"image_output": 16, "text_input": 10, "host_output": 7}
    assert {row[1] for row in rows} == {7}


async def test_only_an_uncertain_charge_of_the_own_workspace_can_be_decided_on(office: Office) -> None:
    number = await office.unsure()
    for wrong in (0, number - 1, number + 1):
        assert (await office.cannot(Correct(wrong, 0))).reason == "no_such_charge"
    assert (await office.cannot(Correct(number, 0), team=OTHER_TEAM)).reason == "no_such_charge"
    assert await office.books.uncertain(OTHER_TEAM, 10) == []


async def test_uncertain_charges_come_oldest_first_and_so_many(office: Office) -> None:
    numbers = [await office.unsure(f"turn_{number}") for number in range(3)]
    assert [charge.number for charge in await office.books.uncertain(TEAM, 2)] == numbers[:2]


async def test_a_request_is_granted_once_until_its_budget_renews(office: Office) -> None:
    request = await office.declined()
    entry = await office.does(AnswerRequest(request, 5 * USD), at=NOON + timedelta(minutes=5))
    assert (entry.action, entry.subject_id, entry.before) == ("grant", ALICE, None)
    renews = "2026-12-01T00:00:00+00:00"
    assert entry.after == {"number": 1, "amount_nano_usd": 5 * USD, "ends_at": renews, "request": request}
    notes = await office.books.grants(TEAM, NOON)
    assert [(note.user_id, note.grant.left_nano_usd) for note in notes] == [(ALICE, 5 * USD)]
    late = await office.cannot(AnswerRequest(request, None), by=BOB)
    assert (late.reason, late.entry) == ("already_answered", entry)


async def test_a_request_may_be_granted_for_longer(office: Office) -> None:
    request = await office.declined()
    await office.does(AnswerRequest(request, 5 * USD, LATER))
    assert [note.grant.ends_at for note in await office.books.grants(TEAM, NOON)] == [LATER]


async def test_a_no_is_an_answer_also_after_the_budget_has_renewed(office: Office) -> None:
    request = await office.declined()
    after = datetime(2026, 12, 1, tzinfo=UTC)
    assert (await office.cannot(AnswerRequest(request, 5 * USD), at=after)).reason == "budget_renewed"
    entry = await office.does(AnswerRequest(request, None), at=after)
    assert (entry.action, entry.before, entry.after) == ("refuse", None, {"request": request})
    assert await office.count("grants") == 0
    assert (await office.cannot(AnswerRequest(request, 5 * USD))).entry == entry


async def test_nobody_answers_a_request_that_is_not_there_or_elsewhere(office: Office) -> None:
    request = await office.declined()
    assert (await office.cannot(AnswerRequest(request + 1, None))).reason == "no_such_request"
    assert (await office.cannot(AnswerRequest(request, None), team=OTHER_TEAM)).reason == "no_such_request"


async def test_of_many_answers_at_once_exactly_one_counts(tmp_path: Path) -> None:
    """Ten admins press different buttons, each of them delivered twice."""
    database = Database.open(tmp_path, create=True)
    office = Office(database)
    request = await office.declined()

    async def presses(number: int) -> Changed | CannotChange:
        amount = (5 * USD, 10 * USD, None)[number % 3]
        try:
            return await office.change(
                AnswerRequest(request, amount), by=f"U0ADMIN{number:03d}", key=f"press.{number}"
            )
        except CannotChange as problem:
            return problem

    results = await asyncio.gather(*(presses(number) for number in range(10) for _ in range(2)))
    done = [result for result in results if isinstance(result, Changed)]
    assert sorted(changed.repeat for changed in done) == [False, True]
    problems = [result for result in results if isinstance(result, CannotChange)]
    assert {problem.reason for problem in problems} == {"already_answered"}
    assert {problem.entry.number for problem in problems if problem.entry} == {done[0].entry.number}
    assert all(problem.entry for problem in problems)
    answered = await office.requests.request(request)
    assert answered is not None
    assert answered.answered_by == done[0].entry.user_id
    assert (answered.state is RequestState.GRANTED) == (await office.count("grants") == 1)
    assert await office.count("admin_journal") == 1
    database.close()


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


async def test_grants_are_listed_with_whose_they_are_until_they_end(office: Office) -> None:
    for owner in (Person(ALICE), Channel(DESIGN), Workspace()):
        await office.does(GiveGrant(owner, USD, LATER))
    await office.does(GiveGrant(Person(BOB), USD, NOON + timedelta(hours=1)))
    notes = await office.books.grants(TEAM, NOON)
    assert [(note.user_id, note.channel_id) for note in notes] == [
        (ALICE, ""),
        ("", DESIGN),
        ("", ""),
        (BOB, ""),
    ]
    assert len(await office.books.grants(TEAM, NOON + timedelta(hours=1))) == 3
    assert await office.books.grants(TEAM, LATER) == []
