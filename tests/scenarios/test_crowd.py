"""A crowd asks at once, and every kind of cap bites: none is exceeded, and nobody is refused too early."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import accumulate
from pathlib import Path

import pytest

from bot.app import Overrides
from darkroom.rendering.job import Billed, FailureKind
from darkroom.spending.budgets import Barred, BudgetKind, Caps, MustWait, NoMoney
from darkroom.spending.changes import (
    Author,
    Change,
    Channel,
    GiveGrant,
    Person,
    SetBlocked,
    SetCap,
    SetExempt,
    Workspace,
)
from darkroom.spending.policy import channel_budget, person_budget, workspace_budget
from darkroom.turns.model import Attempt, Turn
from darkroom.turns.store import Plan
from sandbox.slack.model import User
from storage.admin import SqliteAdminBooks
from storage.database import Database, read_books
from storage.turns import SqliteTurnStore
from tests.examples import BOB, NOON, TEAM, caps
from tests.scenarios.conftest import OpenTown
from tests.scenarios.story import WAIT_S, HurriedClock, Town
from tests.storage.books import charged_until, check_no_cap_exceeded, movements
from tests.turns.fakes import BROKEN_STREAM, Script, failed, said
from tests.turns.world import World, opened, turns_of_the_loop

CROWD = [f"U0CROWD{number:03d}" for number in range(20)]
ROOMS = [f"C0ROOM{number:03d}" for number in range(5)]
REQUESTS = 200


@dataclass(frozen=True)
class Refusal:
    """What a turn heard, and how many entries the journal had at that moment."""

    turn_id: str
    why: NoMoney
    entries: int


class WatchedStore(SqliteTurnStore):
    """Notes each refusal for want of money and each wait for it. On inline storage nothing can happen between
    the answer and the look at the journal."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.database = database
        self.refusals: list[Refusal] = []
        self.waits: Counter[BudgetKind] = Counter()

    async def queue(
        self, turn_id: str, plan: Plan | None, caps: Caps, at: datetime
    ) -> Turn | NoMoney | Barred:
        """The same."""
        answer = await super().queue(turn_id, plan, caps, at)
        await self._note(turn_id, answer)
        return answer

    async def hold(
        self, turn_id: str, plan: Plan, caps: Caps, at: datetime
    ) -> Attempt | MustWait | NoMoney | Barred:
        """The same."""
        answer = await super().hold(turn_id, plan, caps, at)
        await self._note(turn_id, answer)
        return answer

    async def _note(self, turn_id: str, answer: object) -> None:
        if isinstance(answer, MustWait):
            self.waits[answer.balance.kind] += 1
        if isinstance(answer, NoMoney):
            query = "SELECT COALESCE(MAX(id), 0) FROM journal"
            entries = await self.database.look(lambda db: int(db.execute(query).fetchone()[0]))
            self.refusals.append(Refusal(turn_id, answer, entries))


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with opened(tmp_path) as database:
        yield database


async def _prices(folder: Path) -> tuple[int, int]:
    """What one picture costs, and what is held for it."""
    async with opened(folder) as database:
        world = World(database, folder)
        turn_id = await world.imagine()
        await world.rest()
        return await world.charged(), world.hold_of(await world.turn(turn_id))


@dataclass(frozen=True)
class Ceilings:
    """The cap of everybody and everywhere, as admins decide it; None is no cap."""

    people: dict[str, int | None]
    rooms: dict[str, int | None]
    workspace: int

    def changes(self) -> list[Change]:
        """The decisions that make it so, over no default for channels."""
        people = [SetCap(Person(user), cap) for user, cap in self.people.items() if cap is not None]
        rooms = [SetCap(Channel(room), cap) for room, cap in self.rooms.items()]
        exempt = [SetExempt(Person(user), True) for user, cap in self.people.items() if cap is None]
        return [*people, *rooms, *exempt, SetCap(Workspace(), self.workspace)]

    def by_budget(self, db: sqlite3.Connection) -> dict[str, int | None]:
        """The same by the keys of the books."""
        rows = db.execute("SELECT * FROM people WHERE user_id LIKE 'U0CROWD%'").fetchall()
        people = {person_budget(row["person_key"]): self.people[row["user_id"]] for row in rows}
        rooms = {channel_budget(TEAM, room): cap for room, cap in self.rooms.items()}
        return {**people, **rooms, workspace_budget(TEAM): self.workspace}


def _ceilings(cost: int, hold: int) -> Ceilings:
    """Half of the people may have few, one nothing, one anything; of the rooms one has few, one nothing."""

    def pictures(number: int) -> int:
        return number * cost + hold

    people: dict[str, int | None] = {user: pictures(2 if user > CROWD[9] else 20) for user in CROWD}
    rooms: dict[str, int | None] = dict.fromkeys(ROOMS)
    return Ceilings(
        people | {CROWD[3]: 0, CROWD[4]: None},
        rooms | {ROOMS[1]: pictures(5), ROOMS[2]: 0},
        pictures(60),
    )


def _fate(number: int) -> list[Script]:
    """Most are painted; some fail for nothing, some are answered in words, of some nobody can say."""
    if number % 7 == 3:
        return [failed(FailureKind.MODERATION, Billed.NOTHING)]
    if number % 11 == 4:
        return [said("No picture, but words.")]
    return [BROKEN_STREAM] if number % 29 == 8 else []


@pytest.mark.proof
async def test_two_hundred_at_once_under_every_kind_of_cap(database: Database, tmp_path: Path) -> None:
    cost, hold = await _prices(tmp_path / "prices")
    ceilings = _ceilings(cost, hold)
    world, store = World(database, tmp_path), WatchedStore(database)
    world.store = store
    world.start()
    await _decide(
        database,
        *ceilings.changes(),
        GiveGrant(Person(CROWD[3]), 3 * hold, NOON + timedelta(days=9)),
        GiveGrant(Channel(ROOMS[2]), 6 * hold, NOON + timedelta(days=9)),
        SetBlocked(Person(CROWD[5]), True),
    )
    world.gates.shut("render")
    asked: list[str] = []
    for number in range(REQUESTS):
        prompt = f"picture {number}"
        world.renderer.scripts[prompt] = _fate(number)
        user, room = CROWD[number % 20], ROOMS[(number + number // 20) % 5]
        asked.append(await world.imagine(prompt, user=user, channel=room))
    await turns_of_the_loop(500)
    assert world.renderer.at_once > 10, "many are under way at once"
    world.gates.open("render")
    await world.rest()

    most = await database.look(lambda db: check_no_cap_exceeded(db, ceilings.by_budget(db).get))
    assert ceilings.workspace - hold < most[workspace_budget(TEAM)], "the money was there to be spent"
    outcomes = Counter([str(await world.outcome(turn_id)) for turn_id in asked])
    assert outcomes["blocked"] == 10
    assert outcomes["pictures"] > 40, outcomes
    assert outcomes["no_money"] == len({refusal.turn_id for refusal in store.refusals}), outcomes
    refused_by = Counter(refusal.why.balance.kind for refusal in store.refusals)
    assert min(refused_by[kind] for kind in BudgetKind) >= 3, refused_by
    assert min(store.waits[kind] for kind in BudgetKind) >= 3, store.waits
    for refusal in store.refusals:
        await database.look(partial(_check_refusal, refusal, ceilings))
    drawn = await database.look(lambda db: db.execute("SELECT charged_nano_usd FROM grants").fetchall())
    assert all(row[0] > hold for row in drawn), "the grants were spent"
    assert sorted(world.slack.closed) == sorted(asked), "everybody is told, once"


async def _decide(database: Database, *decided: Change) -> None:
    admin = SqliteAdminBooks(database)
    for number, change in enumerate(decided):
        await admin.change(change, Author(TEAM, BOB, f"key_{number}"), caps(), NOON)


def _check_refusal(refusal: Refusal, ceilings: Ceilings, db: sqlite3.Connection) -> None:
    """At that moment what had been charged left too little, even with every unfinished call given back."""
    turn = db.execute("SELECT * FROM turns WHERE id = ?", (refusal.turn_id,)).fetchone()
    budget = {
        BudgetKind.PERSON: person_budget(turn["person_key"]),
        BudgetKind.CHANNEL: channel_budget(TEAM, turn["channel_id"]),
        BudgetKind.WORKSPACE: workspace_budget(TEAM),
    }[refusal.why.balance.kind]
    cap = ceilings.by_budget(db)[budget]
    assert cap is not None
    own = charged_until(db, budget, refusal.entries)
    given = db.execute("SELECT COALESCE(SUM(amount_nano_usd), 0) FROM grants WHERE budget = ?", (budget,))
    paid = db.execute(
        """
        SELECT COALESCE(SUM(charged_delta_nano_usd), 0)
        FROM grant_draws JOIN grants ON grants.id = grant_id WHERE budget = ? AND journal_id <= ?
        """,
        (budget, refusal.entries),
    )
    granted = given.fetchone()[0] - paid.fetchone()[0]
    assert refusal.why.hold_nano_usd > max(0, cap - own) + granted, (budget, refusal)


async def _types(town: Town, command: str) -> None:
    """An admin decides in Slack, and reads that it is so."""
    before = len(town.carol.private())
    await town.carol.types(f"/spend {command}")
    answer = await town.workspace.until(lambda _: next(iter(town.carol.private()[before:]), None), WAIT_S)
    assert "now" in answer or "Granted" in answer, answer


async def _all_at_once(town: Town, asks: list[tuple[User, str, str]]) -> None:
    """Everybody asks while the first calls are still under way; returns when nothing is."""
    called = len(town.calls)
    town.easel.hold()
    typed = [town.workspace.type_command(user.id, room, f"/imagine {prompt}") for user, room, prompt in asks]
    seen = await asyncio.gather(*typed)
    assert not [one.error for one in seen if one.error]
    await town.has_called(called + 5)
    town.easel.let_go()
    await town.rests()


@pytest.mark.slow
async def test_a_town_of_sixty_at_once_under_every_kind_of_cap(towns: OpenTown) -> None:
    """The whole of it, over Slack and HTTP: a request of each of twenty people in each of three channels."""
    # Slack takes about one message a second in a channel.
    hurried = Overrides(clock=HurriedClock(moment_s=0.002))
    town = await towns(overrides=hurried, caps__person_usd="0.20")
    rooms = ("design", "general", "lobby")
    await town.workspace.invite(town.carol.id, "lobby", town.workspace.bot_user_id)
    crowd = [town.workspace.add_person(f"crowd{number:02d}", rooms) for number in range(20)]
    for command in ("cap team 1.60", "cap #general 0.40", "cap @crowd03 0", "cap @crowd04 0.08"):
        await _types(town, command)
    await _types(town, "grant @crowd03 0.15 until end of month")
    await _types(town, "exempt @crowd05")

    asks = [(n, rooms[(n % 20 + n // 20) % 3]) for n in range(60)]
    # The workspace's money outlasts these, so that the channel's and the two people's must bite among them.
    first = [ask for ask in asks if ask[1] == "general" or ask[0] % 20 in (3, 4)]
    await _all_at_once(town, [(crowd[n % 20], room, f"cat {n}") for n, room in first])
    rest = [ask for ask in asks if ask not in first]
    await _all_at_once(town, [(crowd[n % 20], room, f"cat {n}") for n, room in rest])

    town.ledger.holds_nothing()
    read_books(town.ledger.data_dir, partial(_check_town, town))
    turns = town.ledger.rows("SELECT * FROM turns WHERE key LIKE 'command:%' ORDER BY created_at")
    assert len(turns) == 60
    assert all(turn["state"] == "ended" and turn["told_at"] for turn in turns)
    refused_by = Counter(
        json.loads(turn["details"])["budget"] for turn in turns if turn["reason"] == "no_money"
    )
    assert set(refused_by) == set(BudgetKind), refused_by
    pictures = sum(turn["outcome"] == "pictures" for turn in turns)
    assert pictures + refused_by.total() == 60
    for person in crowd:
        mine = [turn for turn in turns if turn["user_id"] == person.id and turn["reason"] == "no_money"]
        told = [shown.text for shown in town.workspace.ephemerals_for(person.id) if "$" in shown.text]
        assert len(told) == len(mine), told
    shown = [m for room in rooms for m in town.messages(room) if any(b["type"] == "image" for b in m.blocks)]
    assert len(shown) == pictures == len(town.calls)


def _check_town(town: Town, db: sqlite3.Connection) -> None:
    """No cap was exceeded at any entry of the journal, and each refusal names money that had been charged."""
    names = {user.id: user.name for user in town.workspace.users.values()}
    own = {"crowd03": 0, "crowd04": 80_000_000, "crowd05": None}
    team, general = town.workspace.team_id, town.workspace.channel_named("general").id
    ceilings: dict[str, int | None] = {
        channel_budget(team, general): 400_000_000,
        workspace_budget(team): 1_600_000_000,
    }
    for row in db.execute("SELECT * FROM people"):
        ceilings[person_budget(row["person_key"])] = own.get(names[row["user_id"]], 200_000_000)
    check_no_cap_exceeded(db, ceilings.get)
    moved = movements(db)
    for turn in db.execute("SELECT * FROM turns WHERE reason = 'no_money'").fetchall():
        why = json.loads(turn["details"])
        budget = {
            "person": person_budget(turn["person_key"]),
            "channel": channel_budget(team, turn["channel_id"]),
            "workspace": workspace_budget(team),
        }[why["budget"]]
        charges = accumulate((move.charged for move in moved.whole.get(budget, ())), initial=0)
        assert why["charged_nano_usd"] in charges, why
        assert why["charged_nano_usd"] + why["needed_nano_usd"] > why["cap_nano_usd"], why
