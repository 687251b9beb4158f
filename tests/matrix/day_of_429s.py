"""A day of 429s from its first minute to its last: from the image API, which now makes more pictures a minute
than are asked for, now fewer, and for spells of up to forty minutes none at all; and from Slack, method by
method. Forty people in twenty-five threads, one of them with far more wishes than all others."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import fmean, median

from sandbox.faults.rules import FaultPlan, Rule
from sandbox.slack.model import Message
from storage.database import DATABASE_NAME
from tests.matrix.street import SETTINGS, Street, on_street
from tests.simulation.checks import price_of
from tests.simulation.life import look_from_outside
from tests.storage.books import check_books, nothing_held

HOUR_S = 3_600.0
DAY_S = 24 * HOUR_S
PEOPLE, THREADS = 40, 25
ROOMS = ("C0DESIGN01", "C0GENERAL1")
KINDS = (
    "rate limit", "rate limit without a time", "rate limit in milliseconds", "rate limit of requests",
    "rate limit of tokens",
)  # fmt: skip
"""The image API's 429s: with a time to wait in the headers, in the words, or nowhere."""
SPELLS_MIN = (10, 5, 40, 15, 25, 5, 30, 10, 20, 40, 5, 15)
"""How long nothing is made at all, in minutes: one such spell begins every two hours."""
RATES = (3, 1, 4, 2, 5, 1)
"""Pictures a minute, one after the other for half an hour each; one or two are asked for."""
ASKED_EACH_S, GREEDY_EACH_S = 2_400.0, 240.0
"""The pause between two wishes of one person, on the average, and of the one with many."""
SLACKS = ("chat.postMessage", "chat.update", "files.*", "reactions.*")
"""The methods of Slack's that say 429, now one by one, now for good."""
SETTINGS_OF_THE_DAY = {**SETTINGS, "queue.waiting": 500, "queue.per_person": 10, "queue.overall": 8}


def longest_spell_s() -> float:
    """For how long nothing at all is made, at most."""
    return max(SPELLS_MIN) * 60.0


def rules_of_the_api() -> list[Rule]:
    """Every tenth call is refused all day, in one of the five ways, and in a spell every call."""
    scattered = [Rule("openai", "*", kind, times=None, probability=0.02) for kind in KINDS]
    spells = [
        Rule(
            "openai",
            "*",
            KINDS[number % len(KINDS)],
            times=None,
            from_s=number * 2 * HOUR_S,
            until_s=number * 2 * HOUR_S + minutes * 60.0,
        )
        for number, minutes in enumerate(SPELLS_MIN)
    ]
    return [*spells, *scattered]


def rules_of_slack() -> list[Rule]:
    """Every twentieth call of each method is refused all day, and each method for ten minutes, four times."""
    scattered = [
        Rule("slack", on, "ratelimited", times=None, probability=0.05, args={"retry_after": 5})
        for on in SLACKS
    ]
    spells = [
        Rule(
            "slack",
            SLACKS[number % len(SLACKS)],
            "ratelimited",
            times=None,
            from_s=1_800.0 + number * 1.5 * HOUR_S,
            until_s=2_400.0 + number * 1.5 * HOUR_S,
        )
        for number in range(16)
    ]
    return [*spells, *scattered]


@dataclass(frozen=True)
class Day:
    """What came of it. Waits are from asking until the end was seen, in seconds, by person; ``greedy`` is one
    of them."""

    ends: Counter[str]
    waits: dict[str, list[float]]
    greedy: str
    refusals: int
    refusals_of_slack: int
    calls: int
    overtaken: list[str]
    wrong: list[str]

    @property
    def others(self) -> dict[str, list[float]]:
        """All but the greedy one."""
        return {person: waits for person, waits in self.waits.items() if person != self.greedy}

    @property
    def means(self) -> list[float]:
        """How long each of the others waited on the average, shortest first."""
        return sorted(fmean(waits) for waits in self.others.values())

    def figures(self) -> list[list[str | int]]:
        """Rows for the page."""
        longest = max(max(waits) for waits in self.waits.values())
        ends: list[list[str | int]] = [[f"ended: {end}", count] for end, count in sorted(self.ends.items())]
        return [
            ["turns", sum(self.ends.values())],
            *ends,
            ["calls of the API", self.calls],
            ["of them answered with 429", self.refusals],
            ["calls of Slack answered with 429", self.refusals_of_slack],
            ["the usual person's average wait, in seconds", round(median(self.means))],
            ["the unluckiest person's average wait", round(self.means[-1])],
            ["the average wait of the one who asks for most", round(fmean(self.waits[self.greedy]))],
            ["the longest wait of all", round(longest)],
            ["requests that were overtaken in their thread", len(self.overtaken)],
        ]


class _Crowd:
    """Forty people and what they ask for."""

    def __init__(self, street: Street, seed: int) -> None:
        self.street = street
        self.rng = random.Random(seed)  # noqa: S311 -- the same day each time
        self.people = [street.workspace.add_person(f"person{n}", ROOMS).id for n in range(PEOPLE)]
        self.roots: list[Message] = []
        self.asked = 0

    async def gather(self) -> None:
        """The threads, each with a first picture."""
        for number in range(THREADS):
            await self.street.workspace.type_command(
                self.people[number], ROOMS[number % 2], f"/imagine picture {number}"
            )
        await self.street.rests()
        self.roots = [one for one in self.street.ours() if not one.is_reply and one.metadata]

    async def lives(self, person: str, pause_s: float, until: float) -> None:
        """Ask again and again, in one's own thread or in another's."""
        number = self.people.index(person)
        while True:
            await asyncio.sleep(self.rng.expovariate(1 / pause_s))
            if self.street.loop.time() > until:
                return
            self.asked += 1
            mine = self.roots[number % THREADS]
            root = mine if self.rng.random() < 0.7 else self.rng.choice(self.roots)
            if self.rng.random() < 0.25:
                await self.street.workspace.type_command(person, root.channel, f"/imagine new {self.asked}")
                continue
            text = f"<@{self.street.workspace.bot_user_id}> make it {self.asked}"
            await self.street.workspace.post(person, root.channel, text, thread_ts=root.ts)


async def _story(street: Street) -> Day:
    crowd = _Crowd(street, 429)
    await crowd.gather()
    began = street.loop.time()
    street.api.fault_plan = FaultPlan(rules_of_the_api(), seed=429)
    street.workspace.fault_plan = FaultPlan(rules_of_slack(), seed=429)
    before = len(street.api.calls), len(street.rows("SELECT id FROM turns"))
    async with asyncio.TaskGroup() as group:
        group.create_task(_rates(street))
        for person in crowd.people:
            pause_s = GREEDY_EACH_S if person == crowd.people[0] else ASKED_EACH_S
            group.create_task(crowd.lives(person, pause_s, began + DAY_S))
    street.workspace.fault_plan = FaultPlan()
    await street.rests()
    calls = street.api.calls[before[0] :]
    turns = street.rows("SELECT * FROM turns ORDER BY created_at, id")[before[1] :]
    waits = defaultdict[str, list[float]](list)
    for turn in turns:
        waits[turn["user_id"]].append(_seconds(turn["created_at"], turn["told_at"]))
    return Day(
        Counter(f"{turn['outcome']}, {turn['reason']}" for turn in turns),
        waits,
        crowd.people[0],
        sum(call.status == 429 for call in calls),
        sum(call.status == 429 for call in street.workspace.calls),
        len(calls),
        list(_overtaken(street)),
        list(_books(street)),
    )


async def _rates(street: Street) -> None:
    """How many pictures a minute there are changes all day."""
    for number in range(48):
        street.api.images_per_minute = RATES[number % len(RATES)]
        await asyncio.sleep(HOUR_S / 2)


def _seconds(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def _overtaken(street: Street) -> Iterator[str]:
    """Pictures of a thread that were shown before one that was asked for earlier."""
    shown = street.rows(
        """
        SELECT id, thread_ts, message_ts FROM turns WHERE message_ts IS NOT NULL AND thread_ts IS NOT NULL
        ORDER BY channel_id, thread_ts, order_key
        """
    )
    for first, second in pairwise(shown):
        same = first["thread_ts"] == second["thread_ts"]
        if same and float(first["message_ts"]) > float(second["message_ts"]):
            yield f"{second['id']} before {first['id']}"


def _books(street: Street) -> Iterator[str]:
    for check in (check_books, nothing_held):
        try:
            look_from_outside(street.folder, DATABASE_NAME, check)
        except AssertionError as error:
            yield str(error)
    billed = {one.attempt_id: price_of(one.call) for one in street.api_side.sent if one.call is not None}
    for attempt in street.rows("SELECT * FROM attempts"):
        if attempt["charged_nano_usd"] != billed.pop(attempt["id"], 0):
            yield f"attempt {attempt['id']} was charged {attempt['charged_nano_usd']}, not what was billed"
    yield from (f"attempt {name} is not in the books" for name in billed)


def day() -> Day:
    """Let it pass."""
    return on_street(_story, SETTINGS_OF_THE_DAY, images_per_minute=RATES[0], rate_limits=True)
