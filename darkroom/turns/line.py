"""Who is next: in the order of threads, fair between people, first come first served for money."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Container, Iterator
from dataclasses import dataclass, field

from darkroom.spending.budgets import BudgetKind
from darkroom.turns.model import Intent, Turn
from darkroom.turns.progress import Slots
from darkroom.turns.waiting import Wait

PEOPLE_REMEMBERED_MAX = 10_000
"""Of so many people it is known when something was last started for them."""


@dataclass(slots=True, eq=False)
class Entry:
    """A turn in the line."""

    turn: Turn
    lane: tuple[str, ...]
    taken_in: bool = False
    """Its guard was passed and its person has seen that it waits."""
    running: bool = False
    """It was started and takes one of its person's places, if it calls the API."""
    closing: bool = False
    """A call that was left open is being asked for; takes no place, but its lane waits for it."""
    telling: bool = False
    """It has ended and its person is being told; takes no place by itself, but its lane waits for it."""
    withdrawn: bool = False
    """It was ended from outside."""
    probing: bool = False
    """It was started while only so many might: it tries whether the API serves again."""
    shut: bool = False
    """It found the API closed, and that may not have changed since."""
    wants: tuple[BudgetKind, str] | None = None
    """The budget it waits for while other calls hold its money."""
    stalled: bool = False
    """It has asked for that money in vain, and none has been given back since."""
    slots: Slots = field(default_factory=Slots)
    start: tuple[int, int] = (0, 0)
    """The number of its start, and of the one before it for the same person."""
    at_most_nano_usd: int | None = None
    """What its placeholder says that it can cost; None if none is shown."""
    shown: Wait | None = None
    """What its placeholder says that it waits for."""
    says_wait: bool = False
    """Its placeholder may say that it waits for something."""
    showing: asyncio.Task[None] | None = None
    """Its placeholder is being changed."""
    stepped_at: float = 0.0
    """When it last came a step further, on the clock that never goes back."""
    told_to_wait: int = 0
    """How many of those who are at it wait as they were told to, such as by Slack."""
    task: asyncio.Task[None] | None = None
    """Whoever is at it, or was last."""
    making: asyncio.Task[object] | None = None
    """Its pictures are being made, or wait for what that needs."""

    @property
    def busy(self) -> bool:
        """Whether somebody is at it, so that its lane waits."""
        return self.running or self.telling or self.closing

    @property
    def parked(self) -> bool:
        """Whether it was taken in and waits to be started."""
        return self.taken_in and not self.busy and not self.withdrawn

    @property
    def only_waits(self) -> bool:
        """Whether it waits to be started, or was and waits before the API: nothing is held or sent."""
        return self.parked or (self.making is not None and self.slots.at_gate)

    @property
    def calls(self) -> bool:
        """Whether the API has to be called for it."""
        return self.turn.request.intent is Intent.MAKE


class Line:
    """Turns that wait or run. Knows no time and calls nobody: the worker asks ``startable`` and starts those.

    A lane is a thread: its turns run one at a time, in the order of their messages, also when a later one was
    ready first. A person runs ``per_person`` turns at once, everybody together ``overall``. A free place goes
    to the person with the fewest running, then to whom nothing was started for the longest, then to who came
    first. Whoever waits for a budget's money gets it before anybody who came later.
    """

    def __init__(self, per_person: int, overall: int) -> None:
        self._per_person = per_person
        self._overall = overall
        self._entries: dict[str, Entry] = {}
        self._starts = 0
        self._started: dict[tuple[str, str], int] = {}
        self.generation = 0
        """Grows whenever held money was given back."""
        self.api_generation = 0
        """Grows whenever the API may have opened."""

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        """In the order of their coming."""
        return iter(tuple(self._entries.values()))

    def add(self, turn: Turn) -> Entry:
        """Put *turn* in its lane; nothing starts until it is taken in."""
        entry = Entry(turn, lane_of(turn))
        self._entries[turn.id] = entry
        return entry

    def get(self, turn_id: str) -> Entry | None:
        """The entry of a turn that waits or runs."""
        return self._entries.get(turn_id)

    def open_lane(self, entry: Entry, thread_ts: str) -> None:
        """The thread that a turn opens has begun, where the turn is by now: replies in it queue behind it."""
        request = entry.turn.request
        entry.lane = (request.team_id, request.channel_id, thread_ts)

    def remove(self, turn_id: str) -> None:
        """The turn is done with, told and all."""
        self._entries.pop(turn_id, None)

    def start(self, entry: Entry, *, probing: bool = False) -> None:
        """*entry* runs from now on; *probing* if only so many might."""
        person = person_of(entry)
        self._starts += 1
        entry.running, entry.probing = True, probing
        entry.start = self._starts, self._started.pop(person, 0)
        self._started[person] = self._starts
        if len(self._started) > PEOPLE_REMEMBERED_MAX:
            del self._started[next(iter(self._started))]

    def put_back(self, entry: Entry) -> None:
        """It could not be made: it waits again, in the place it had."""
        person, (number, before) = person_of(entry), entry.start
        if entry.running and self._started.get(person) == number:
            self._started[person] = before
        entry.running = entry.probing = False

    def waiting(self) -> int:
        """How many have yet to be started, or started again."""
        return sum(not entry.busy for entry in self._entries.values())

    def waiting_of(self, turn: Turn) -> int:
        """How many of them are of whoever asked for *turn*."""
        person = turn.request.team_id, turn.request.user_id
        return sum(not entry.busy and person_of(entry) == person for entry in self._entries.values())

    def parked(self) -> list[Entry]:
        """Whoever was taken in and has not been started."""
        return [entry for entry in self._entries.values() if entry.parked]

    def money_moved(self) -> None:
        """A hold has ended: whoever waits for money may ask again."""
        self.generation += 1
        for entry in self._entries.values():
            entry.stalled = False

    def api_changed(self) -> None:
        """The API may be open again: whoever found it closed may try again."""
        self.api_generation += 1
        for entry in self._entries.values():
            entry.shut = False

    def startable(self, limit: int | None = None) -> list[Entry]:
        """Whoever may start now, in order; the caller starts them. At most *limit* of those that call the
        API, together with those that were started under such a limit and still run."""
        people = self.running_by_person()
        places = self._overall - people.total()
        if places <= 0 and all(entry.calls for entry in self._entries.values()):
            return []
        tries = sum(entry.probing for entry in self._entries.values())
        heads = self.heads()
        chosen: dict[Entry, None] = {}
        while True:
            full = places <= 0 or (limit is not None and tries >= limit)
            ready = self._ready(heads, people, chosen, full=full)
            entry = min(ready, key=lambda one: self._claim(one, people), default=None)
            if entry is None:
                break
            chosen[entry] = None
            if entry.calls:
                people[person_of(entry)] += 1
                places -= 1
                tries += 1
        return list(chosen)

    def running_by_person(self) -> Counter[tuple[str, str]]:
        """How many each person has running; what asks the API what became of its calls takes no place."""
        running = (each for each in self._entries.values() if each.running and not each.slots.only_asks)
        return Counter(person_of(entry) for entry in running if entry.calls)

    def has_calls_left(self) -> bool:
        """Whether fewer pictures are being made than may be at once."""
        making = (entry for entry in self._entries.values() if entry.making is not None)
        return sum(entry.slots.calling for entry in making) < self._overall

    def full_for(self, entry: Entry, people: Counter[tuple[str, str]]) -> tuple[bool, bool]:
        """Whether its person runs as many as they may, and whether everybody together does; *people* as from
        ``running_by_person``."""
        return people[person_of(entry)] >= self._per_person, people.total() >= self._overall

    def in_order(self) -> list[Entry]:
        """Whoever waits to be started, in the order in which free places would go to them."""
        people = self.running_by_person()
        claims: dict[Entry, tuple[int, int]] = {}
        for entry in self._entries.values():
            if entry.parked:
                claims[entry] = self._claim(entry, people)
                people[person_of(entry)] += 1
        return sorted(claims, key=claims.__getitem__)

    def heads(self) -> dict[tuple[str, ...], Entry]:
        """The one of each lane whose turn it is: the one that somebody is at, else the earliest."""
        heads: dict[tuple[str, ...], Entry] = {}
        for entry in self._entries.values():
            head = heads.get(entry.lane)
            if head is None or (not head.busy and (entry.busy or order_of(entry) < order_of(head))):
                heads[entry.lane] = entry
        return heads

    def _ready(
        self,
        heads: dict[tuple[str, ...], Entry],
        people: Counter[tuple[str, str]],
        chosen: Container[Entry],
        *,
        full: bool,
    ) -> Iterator[Entry]:
        """Whoever could start, first come first; what calls nobody needs no place, no money and no API."""
        wanted: set[tuple[BudgetKind, str]] = set()
        for entry in self._entries.values():
            if entry.running or entry in chosen:
                if entry.wants is not None:
                    wanted.add(entry.wants)
                continue
            if not entry.parked or heads[entry.lane] is not entry:
                continue
            if not entry.calls:
                yield entry
                continue
            if full or entry.shut or people[person_of(entry)] >= self._per_person:
                continue
            behind = not wanted.isdisjoint(budgets_of(entry.turn))
            # Money is kept only for who could take it now: one who waits for another turn as well must not
            # stand in the way of that turn.
            if entry.wants is not None:
                wanted.add(entry.wants)
            if not behind and not entry.stalled:
                yield entry

    def _claim(self, entry: Entry, people: Counter[tuple[str, str]]) -> tuple[int, int]:
        """The smallest has the best; among equals, who came first."""
        person = person_of(entry)
        return people[person], self._started.get(person, 0)


def lane_of(turn: Turn) -> tuple[str, ...]:
    """The thread's lane, or the turn's own while it has no thread."""
    if turn.thread_ts is None:
        return (turn.id,)
    return (turn.request.team_id, turn.request.channel_id, turn.thread_ts)


def budgets_of(turn: Turn) -> set[tuple[BudgetKind, str]]:
    """What a hold of this turn is taken from, as the line knows budgets."""
    request = turn.request
    return {
        (BudgetKind.PERSON, turn.person_key),
        (BudgetKind.CHANNEL, f"{request.team_id}:{request.channel_id}"),
        (BudgetKind.WORKSPACE, request.team_id),
    }


def budget_of(turn: Turn, kind: BudgetKind) -> tuple[BudgetKind, str]:
    """The one of that kind."""
    return next(budget for budget in budgets_of(turn) if budget[0] is kind)


def person_of(entry: Entry) -> tuple[str, str]:
    """Whose it is."""
    return entry.turn.request.team_id, entry.turn.request.user_id


def order_of(entry: Entry) -> tuple[bool, str, str]:
    """Its place in its lane: what opens a thread comes before everything that is asked in it."""
    request = entry.turn.request
    return not request.opens_thread, request.order, entry.turn.id
