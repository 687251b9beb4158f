"""Who is next: in the order of threads, fair between people, first come first served for money."""

from __future__ import annotations

from dataclasses import dataclass, field

from darkroom.spending.budgets import BudgetKind
from darkroom.turns.model import Turn
from darkroom.turns.progress import Slots


@dataclass(slots=True)
class Entry:
    """A turn in the line."""

    turn: Turn
    lane: tuple[str, ...]
    taken_in: bool = False
    """Its guard was passed and its person has seen that it waits."""
    running: bool = False
    """It was started and takes one of its person's places."""
    telling: bool = False
    """It has ended and its person is being told; takes no place by itself, but its lane waits for it."""
    withdrawn: bool = False
    """It was ended from outside."""
    wants: tuple[BudgetKind, str] | None = None
    """The budget it waits for while other calls hold its money."""
    stalled: bool = False
    """It has asked for that money in vain, and none has been given back since."""
    slots: Slots = field(default_factory=Slots)


class Line:
    """Turns that wait or run. Knows no time and calls nobody: the worker asks ``startable`` and starts those.

    A lane is a thread: its turns run one at a time, in the order of their messages, also when a later one was
    ready first. A person runs ``per_person`` turns at once, everybody together ``overall``. Whoever waits for
    a budget's money gets it before anybody behind them.
    """

    def __init__(self, per_person: int, overall: int) -> None:
        self._per_person = per_person
        self._overall = overall
        self._entries: dict[str, Entry] = {}
        self.generation = 0
        """Grows whenever held money was given back."""

    def __len__(self) -> int:
        return len(self._entries)

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

    def waiting(self) -> int:
        """How many have yet to be started, or started again."""
        return sum(not entry.running and not entry.telling for entry in self._entries.values())

    def waiting_of(self, turn: Turn) -> int:
        """How many of them are of whoever asked for *turn*."""
        request = turn.request
        return sum(
            not entry.running and not entry.telling and _person(entry) == (request.team_id, request.user_id)
            for entry in self._entries.values()
        )

    def parked(self) -> list[Entry]:
        """Whoever was taken in and has not been started."""
        return [
            entry
            for entry in self._entries.values()
            if entry.taken_in and not (entry.running or entry.telling or entry.withdrawn)
        ]

    def money_moved(self) -> None:
        """A hold has ended: whoever waits for money may ask again."""
        self.generation += 1
        for entry in self._entries.values():
            entry.stalled = False

    def startable(self) -> list[Entry]:
        """Whoever may start now, in order; the caller marks them ``running``."""
        running = [entry for entry in self._entries.values() if entry.running]
        places = self._overall - len(running)
        people: dict[tuple[str, str], int] = {}
        for entry in running:
            people[_person(entry)] = people.get(_person(entry), 0) + 1
        heads = self._heads()
        wanted: set[tuple[BudgetKind, str]] = set()
        chosen: list[Entry] = []
        for entry in self._entries.values():
            behind = not wanted.isdisjoint(budgets_of(entry.turn))
            if entry.running:
                if entry.wants is not None:
                    wanted.add(entry.wants)
                continue
            if entry.telling or not entry.taken_in or heads[entry.lane] is not entry:
                continue
            if people.get(_person(entry), 0) >= self._per_person:
                continue
            # Money is kept only for who could take it now: one who waits for another turn as well must not
            # stand in the way of that turn.
            if entry.wants is not None:
                wanted.add(entry.wants)
            if behind or entry.stalled or len(chosen) >= places:
                continue
            people[_person(entry)] = people.get(_person(entry), 0) + 1
            chosen.append(entry)
        return chosen

    def _heads(self) -> dict[tuple[str, ...], Entry]:
        """The one of each lane whose turn it is: the one that runs or is told, else the earliest."""
        heads: dict[tuple[str, ...], Entry] = {}
        for entry in self._entries.values():
            head = heads.get(entry.lane)
            if head is None or (not _busy(head) and (_busy(entry) or _order(entry) < _order(head))):
                heads[entry.lane] = entry
        return heads


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


def _busy(entry: Entry) -> bool:
    return entry.running or entry.telling


def _person(entry: Entry) -> tuple[str, str]:
    return entry.turn.request.team_id, entry.turn.request.user_id


def _order(entry: Entry) -> tuple[bool, str, str]:
    # What opens a thread comes before everything that is asked in it.
    request = entry.turn.request
    return not request.opens_thread, request.order, entry.turn.id
