"""Showing people what their turns wait for: when they are taken in, in rounds, and when they start."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass

from darkroom.turn_context import work_for
from darkroom.turns.line import Entry, Line, order_of, person_of
from darkroom.turns.mending import turn_unbroken
from darkroom.turns.outages import Closed, Gate, Slowed
from darkroom.turns.patience import note_waits
from darkroom.turns.surroundings import Delivery
from darkroom.turns.waiting import Wait, WaitFor

logger = logging.getLogger("darkroom.turns")

SHOWN_AT_ONCE_MAX = 20
"""So many placeholders are changed in a round: Slack takes about 50 a minute (chat.update, tier 3)."""
SHOWN_IN_S = 10.0
"""How long a round waits for its changes, by the loop's own time; then they go on beside it."""
SHOWN_LAST_S = 10.0
"""How long the end of a turn waits for a change of its placeholder that is under way."""


@dataclass(frozen=True, slots=True)
class _View:
    """The line as it stands."""

    closed: Closed | None
    startable: frozenset[Entry]
    heads: dict[tuple[str, ...], Entry]
    people: Counter[tuple[str, str]]
    in_order: dict[Entry, int]
    """Whoever waits to be started: how many come before them."""
    own: dict[Entry, int]
    """How many of those are their own."""
    in_lane: dict[Entry, int]
    """How many come before them in their lane."""
    at_gate: dict[Entry, int]
    """Whoever was started, and has to wait before the API all the same: how many of them come before them."""
    slowed: Slowed | None


class ShownWaits:
    """What each placeholder says of waiting. One change of a placeholder at a time, the last of them before
    its turn's end is told."""

    def __init__(self, line: Line, gate: Gate, delivery: Delivery) -> None:
        self._line = line
        self._gate = gate
        self._delivery = delivery
        self._tasks: set[asyncio.Task[None]] = set()

    def of(self, entry: Entry) -> Wait | None:
        """What *entry*, which is just being taken in, will wait for; None if it can start at once."""
        before, entry.taken_in = entry.taken_in, True
        try:
            return self._wait(entry, self._view())
        finally:
            entry.taken_in = before

    def noted(self, entry: Entry, wait: Wait | None) -> None:
        """Its placeholder was shown, and says that."""
        entry.shown, entry.says_wait = wait, wait is not None

    async def round(self) -> None:
        """Change what has changed, those first who would start first; at most ``SHOWN_AT_ONCE_MAX``."""
        view = self._view()
        changed: list[tuple[Entry, Wait]] = []
        for entry in (*view.in_order, *view.at_gate):
            if entry.at_most_nano_usd is None or _is_being_shown(entry):
                continue
            wait = self._wait(entry, view)
            if wait is not None and wait != entry.shown:
                changed.append((entry, wait))
        del changed[max(0, SHOWN_AT_ONCE_MAX - len(self._tasks)) :]
        for entry, wait in changed:
            self._show(entry, wait)
        if showing := [entry.showing for entry, _ in changed if entry.showing]:
            # Slack may want to be left alone for an hour, and a round does more than show.
            await asyncio.wait(showing, timeout=SHOWN_IN_S)

    def started(self, entry: Entry) -> None:
        """It is being made: its placeholder says so, if it said that it waits. Returns at once."""
        if entry.says_wait and entry.at_most_nano_usd is not None:
            self._show(entry, None)

    async def last(self, entry: Entry) -> None:
        """Return when no change of its placeholder is under way: its end is told next."""
        entry.at_most_nano_usd = None
        if entry.showing is not None:
            await asyncio.wait({entry.showing}, timeout=SHOWN_LAST_S)
            entry.showing.cancel()

    async def aclose(self) -> None:
        """Leave whatever is being changed."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _show(self, entry: Entry, wait: Wait | None) -> None:
        self.noted(entry, wait)
        entry.showing = asyncio.create_task(self._shown(entry, wait, entry.showing))
        self._tasks.add(entry.showing)
        entry.showing.add_done_callback(self._tasks.discard)

    async def _shown(self, entry: Entry, wait: Wait | None, before: asyncio.Task[None] | None) -> None:
        work_for(entry.turn.id)
        # The turn itself does not wait for it.
        note_waits(nullcontext)
        if before is not None:
            await asyncio.wait({before})
        at_most = entry.at_most_nano_usd
        if at_most is not None:
            await turn_unbroken(self._delivery.show_wait(entry.turn, at_most, wait), entry.turn.id)

    def _view(self) -> _View:
        in_order = self._line.in_order()
        own: Counter[tuple[str, str]] = Counter()
        owned: dict[Entry, int] = {}
        for entry in in_order:
            owned[entry] = own[person_of(entry)]
            own[person_of(entry)] += 1
        return _View(
            closed=self._gate.closed(),
            startable=frozenset(self._line.startable(self._gate.may_start().value)),
            heads=self._line.heads(),
            people=self._line.running_by_person(),
            in_order={entry: number for number, entry in enumerate(in_order)},
            own=owned,
            in_lane=_places_in_lanes(self._line),
            at_gate={entry: number for number, entry in enumerate(_by_time(self._line))},
            slowed=self._gate.slowed(),
        )

    def _wait(self, entry: Entry, view: _View) -> Wait | None:
        if entry in view.at_gate:
            return self._before_the_api(view.at_gate[entry], view.slowed)
        if entry in view.startable or not entry.parked:
            return None
        if view.closed is not None and entry.calls:
            trouble, until = view.closed.outage.trouble, view.closed.next_try_at
            return Wait(WaitFor.API, view.in_order[entry], trouble, until)
        if view.heads[entry.lane] is not entry:
            return Wait(WaitFor.THREAD, view.in_lane[entry])
        if entry.wants is not None:
            return Wait(WaitFor.MONEY)
        own, all_of_them = self._line.full_for(entry, view.people)
        if all_of_them or own:
            return Wait(WaitFor.PLACE, view.in_order[entry] if all_of_them else view.own[entry])
        # Somebody before it waits for the same money; or it only looks again in a moment.
        return None if entry.shut else Wait(WaitFor.MONEY)

    def _before_the_api(self, ahead: int, slowed: Slowed | None) -> Wait:
        if not self._line.has_calls_left():
            return Wait(WaitFor.PLACE, ahead)
        if slowed is None:
            return Wait(WaitFor.RATE, ahead)
        return Wait(
            WaitFor.RATE, ahead, until=None if ahead else slowed.next_at, per_minute=slowed.per_minute
        )


def _by_time(line: Line) -> list[Entry]:
    """Whoever waits before the API, in the order of asking, which is that of going but for who was started
    later than others."""
    at_gate = [entry for entry in line if entry.only_waits and not entry.parked]
    return sorted(at_gate, key=lambda entry: (entry.turn.request.order, entry.turn.id))


def _places_in_lanes(line: Line) -> dict[Entry, int]:
    lanes: dict[tuple[str, ...], int] = {}
    places: dict[Entry, int] = {}
    for entry in sorted(line, key=lambda one: (not one.busy, order_of(one))):
        places[entry] = lanes.get(entry.lane, 0)
        lanes[entry.lane] = places[entry] + 1
    return places


def _is_being_shown(entry: Entry) -> bool:
    return entry.showing is not None and not entry.showing.done()
