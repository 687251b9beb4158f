"""A Darkroom dies amid a thousand turns of fifty people, and starts again: how long people wait for the ends
of what was left, and how long others wait who ask for something new meanwhile."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from time import process_time

from sandbox.faults.rules import FaultPlan, Rule
from sandbox.slack.limits import PER_MINUTE, SPECIAL_PER_MINUTE, TIERS
from sandbox.slack.model import Channel, Message
from storage.database import DATABASE_NAME
from tests.matrix.street import SETTINGS, Street, on_street
from tests.simulation.clock import unix
from tests.simulation.house import PICTURE_S
from tests.simulation.life import look_from_outside
from tests.storage.books import check_books, nothing_held

PEOPLE, ROOMS, NEWCOMERS = 50, 30, 20
COMMANDS, REPLIES, LAST = 560, 390, 50
"""Half of what is asked for has a thread of its own, the rest stands in a thread of its room; the last ones
come so late that nobody has seen that they were taken in."""
BEFORE = {"queue.overall": 400, "queue.per_person": 8}
"""So that many have ended when it dies: afterwards it has the usual places."""
WORKED_S = 100.0
"""So long pictures are made, and nobody can be told of them, before it dies."""
NEW_EVERY_S = 7.0
SETTINGS_THEN = {
    **SETTINGS,
    "queue.waiting": 2_000,
    "caps.person_usd": "1000",
    "caps.workspace_usd": "100000",
}
_TELLING = ("files.getUploadURLExternal", "chat.postEphemeral", "chat.update", "chat.delete", "response_url")


@dataclass(frozen=True)
class Left:
    """What came of it; seconds are from the start, or from asking."""

    kinds: Counter[str]
    """How the turns stood that were left."""
    closed_s: float
    """Until no call of the life before was open, and what was too old had ended."""
    worked_s: float
    """The same in the time of this process, all sides of it together."""
    told_s: float
    """Until the last of those was told."""
    making_s: float
    """What making those that were not made yet takes the API at least."""
    ideal_s: float
    """What telling takes Slack at least, by the method that was asked for most."""
    acknowledged_s: list[float]
    answered_s: list[float]
    """Until who asked for something new saw that it was taken in."""
    ends: Counter[str]
    wrong: list[str]

    def figures(self) -> list[tuple[str, int]]:
        """Rows for the page."""
        kinds = [(f"turns left: {kind}", count) for kind, count in sorted(self.kinds.items())]
        ends = [(f"ended: {end}", count) for end, count in sorted(self.ends.items())]
        return [
            *kinds,
            *ends,
            ("until the books were closed for all of them, in seconds", math.ceil(self.closed_s)),
            ("what that took one core, in seconds", math.ceil(self.worked_s)),
            ("until the last of them was told, in minutes", math.ceil(self.told_s / 60)),
            ("what Slack and the API take for as much at least", math.ceil(self.least_s / 60)),
            ("new requests meanwhile", len(self.answered_s)),
            ("the slowest of their acknowledgements, in milliseconds", _milliseconds(self.acknowledged_s)),
            ("the slowest of their placeholders, in milliseconds", _milliseconds(self.answered_s)),
        ]

    @property
    def least_s(self) -> float:
        """What all of it takes at least."""
        return max(self.ideal_s, self.making_s)


def _milliseconds(seconds: list[float]) -> int:
    return math.ceil(1000 * max(seconds))


class _Crowd:
    """Fifty people in thirty channels."""

    def __init__(self, street: Street) -> None:
        self.street = street
        self.workspace = street.workspace
        for number in range(ROOMS):
            room = Channel(f"C0ROOM{number:04}", f"room{number}", "channel", {self.workspace.bot_user_id})
            self.workspace.channels[room.id] = room
        self.rooms = [f"C0ROOM{number:04}" for number in range(ROOMS)]
        self.people = [self._somebody(f"person{number}") for number in range(PEOPLE)]
        self.roots: list[Message] = []

    def _somebody(self, name: str) -> str:
        return self.workspace.add_person(name, tuple(self.rooms)).id

    async def gathers(self) -> None:
        """A thread in each room, and everybody at work."""
        for number, room in enumerate(self.rooms):
            await self.workspace.type_command(self.people[number], room, f"/imagine picture {number}")
        await self.street.rests()
        us = self.workspace.bot_user_id
        for room in self.rooms:
            mine = [one for one in self.workspace.channels[room].messages.values() if one.user == us]
            self.roots.append(next(one for one in mine if not one.is_reply))

    async def asks(self, number: int) -> None:
        """Ask for the *number*-th thing; every fifth is refused by the moderation."""
        person, room = self.people[number % PEOPLE], self.rooms[number % ROOMS]
        words = f"something forbidden {number}" if number % 5 == 0 else f"thing {number}"
        if number % (COMMANDS + REPLIES) < COMMANDS:
            await self.workspace.type_command(person, room, f"/imagine {words}")
        else:
            text = f"<@{self.workspace.bot_user_id}> {words}"
            await self.workspace.post(person, room, text, thread_ts=self.roots[number % ROOMS].ts)

    async def comes_anew(self, number: int) -> float:
        """Somebody whom Darkroom has not met asks for something; gives how long Slack waited for it."""
        room, began = self.rooms[number % ROOMS], self.street.loop.time()
        person = self._somebody(f"newcomer{number}")
        await self.workspace.type_command(person, room, f"/imagine new {number}")
        return self.street.loop.time() - began


async def _dies_amid(crowd: _Crowd) -> None:
    """Slack takes nothing more of what is told, and the last requests are only written down."""
    street = crowd.street
    street.api.fault_plan = FaultPlan(
        [
            Rule("openai", "*", "slow", times=None, probability=0.1, args={"seconds": 150.0}),
            Rule("openai", "*", "slow stream", times=None, probability=0.1, args={"seconds": 40.0}),
        ]
    )
    lost = "connection lost before"
    street.workspace.fault_plan = FaultPlan([Rule("slack", one, lost, times=None) for one in _TELLING])
    await asyncio.gather(*map(crowd.asks, range(COMMANDS + REPLIES)))
    await street.passes(WORKED_S)
    street.workspace.fault_plan.add(Rule("slack", "chat.postMessage", lost, times=None))
    await asyncio.gather(*map(crowd.asks, range(COMMANDS + REPLIES, COMMANDS + REPLIES + LAST)))
    street.dies()
    street.workspace.fault_plan, street.api.fault_plan = FaultPlan(), FaultPlan()
    street.house.settings = SETTINGS_THEN


def _kinds(street: Street, first: int) -> Counter[str]:
    turns = street.rows(
        """
        SELECT turns.state, turns.placeholder_ts, turns.undelivered_reason,
            EXISTS (SELECT 1 FROM attempts WHERE turn_id = turns.id AND state = 'dispatched') AS sent
        FROM turns WHERE told_at IS NULL AND undelivered_reason IS NULL AND rowid > ?
        """,
        first,
    )
    kinds = {"ended": "ended and not told", "received": "only written down", "queued": "waiting"}
    return Counter("being made" if turn["sent"] else kinds.get(turn["state"], "held") for turn in turns)


async def _story(street: Street, away_s: float) -> Left:
    crowd = _Crowd(street)
    await crowd.gathers()
    first = len(street.rows("SELECT id FROM turns"))
    await _dies_amid(crowd)
    left = {row["id"] for row in street.rows("SELECT id FROM turns WHERE told_at IS NULL")}
    kinds = _kinds(street, first)
    await street.passes(away_s)
    street.workspace.rate_limits = True
    calls = len(street.workspace.calls)
    began = street.loop.time()
    closing = asyncio.ensure_future(_closed(street, left, too_old=away_s > 3_600))
    await street.starts()
    acknowledged: list[float] = []
    for number in range(NEWCOMERS):
        await street.passes(NEW_EVERY_S)
        acknowledged.append(await crowd.comes_anew(number))
    await street.rests()
    done = Counter(call.method for call in list(street.workspace.calls)[calls:] if call.error is None)
    turns = {row["id"]: row for row in street.rows("SELECT * FROM turns")}
    told = [unix_of(turns[one]["told_at"]) for one in left]
    made = sum(
        turns[one]["outcome"] in ("pictures", "blocked") and unix_of(turns[one]["updated_at"]) > unix(began)
        for one in left
    )
    closed, worked_s = await closing
    new = [turn for one, turn in turns.items() if one not in left and "new " in turn["prompt"]]
    return Left(
        kinds=kinds,
        closed_s=closed - began,
        worked_s=worked_s,
        told_s=max(told) - unix(began),
        making_s=made * PICTURE_S / 32,
        ideal_s=max(_least_s(method, count) for method, count in done.items() if method in TIERS),
        acknowledged_s=acknowledged,
        answered_s=[float(turn["placeholder_ts"]) - unix_of(turn["created_at"]) for turn in new],
        ends=Counter(f"{turns[one]['outcome']}, {turns[one]['reason']}" for one in left),
        wrong=list(_wrong(street)),
    )


async def _closed(street: Street, left: set[str], *, too_old: bool) -> tuple[float, float]:
    """When nothing was open any more that the life before had begun, and how long this process worked."""
    question = (
        "SELECT id FROM turns WHERE state <> 'ended'"
        if too_old
        else "SELECT turn_id AS id FROM attempts WHERE state IN ('held', 'dispatched') AND held_at < ?"
    )
    began, worked = street.loop.time(), process_time()
    given = () if too_old else (datetime.fromtimestamp(unix(began), UTC).isoformat(timespec="microseconds"),)
    while left & {row["id"] for row in street.rows(question, *given)}:
        await street.passes(0.1)
    return street.loop.time(), process_time() - worked


def _least_s(method: str, count: int) -> float:
    """How long Slack lets so many calls of *method* take at least: a minute's worth goes at once."""
    per_minute = SPECIAL_PER_MINUTE.get(method) or PER_MINUTE[TIERS[method]]
    return 60.0 * (math.ceil(count / per_minute) - 1)


def unix_of(text: str) -> float:
    """A moment of the books."""
    return datetime.fromisoformat(text).timestamp()


def _wrong(street: Street) -> Iterator[str]:
    for check in (check_books, nothing_held):
        try:
            look_from_outside(street.folder, DATABASE_NAME, check)
        except AssertionError as error:
            yield str(error)
    us = street.workspace.bot_user_id
    for room in street.workspace.channels.values():
        named = Counter(
            str(one.metadata["event_payload"].get("turn_id"))
            for one in room.messages.values()
            if one.user == us and one.metadata and one.is_reply
        )
        yield from (f"{count} messages of {turn}" for turn, count in named.items() if count > 1)


def start_after(away_s: float) -> Left:
    """Play it, with so much time between the end and the start."""
    return on_street(lambda street: _story(street, away_s), {**SETTINGS_THEN, **BEFORE})
