"""Who is next: rules that hold for any line."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from darkroom.spending.budgets import BudgetKind
from darkroom.turns.line import Line, budget_of, lane_of
from darkroom.turns.model import Surface, Turn, TurnState
from tests import examples
from tests.examples import ALICE, BOB, TEAM, command, message


def turn(
    turn_id: str, user: str = ALICE, ts: str = "1.0", thread: str | None = None, *, start: bool = False
) -> Turn:
    """A turn that waits: a reply in *thread*, or (with *start*) the command that opened it."""
    request = command(user=user) if thread is None or start else message("x", ts, thread, user=user)
    return examples.turn(
        request, id=turn_id, person_key=f"p_{user}", state=TurnState.QUEUED, thread_ts=thread
    )


def line(*turns: Turn, per_person: int = 9, overall: int = 99) -> Line:
    """A line in which all of *turns* were taken in."""
    made = Line(per_person, overall)
    for each in turns:
        made.add(each).taken_in = True
    return made


def next_of(made: Line) -> list[str]:
    """Who may start."""
    return [entry.turn.id for entry in made.startable()]


def test_a_lane_is_the_thread_or_the_turn_itself() -> None:
    assert lane_of(turn("a", thread="1.1")) == (TEAM, "C0DESIGN01", "1.1")
    assert lane_of(turn("a")) == ("a",)


def test_a_command_comes_before_every_message_of_its_thread() -> None:
    made = line(turn("reply", ts="0.5", thread="1.1"), turn("command", thread="1.1", start=True))
    assert next_of(made) == ["command"]


def test_replies_queue_behind_a_command_as_soon_as_its_thread_is_known() -> None:
    made = Line(9, 9)
    entry = made.add(turn("command"))
    made.open_lane(entry, "1.1")
    made.add(turn("reply", thread="1.1")).taken_in = True
    assert next_of(made) == []


def test_who_is_not_taken_in_yet_holds_its_place_in_its_thread_only() -> None:
    made = Line(9, 9)
    made.add(turn("early", ts="1.0", thread="1.1"))
    made.add(turn("late", ts="2.0", thread="1.1")).taken_in = True
    made.add(turn("elsewhere", thread="9.9")).taken_in = True
    assert next_of(made) == ["elsewhere"]


def test_who_is_being_told_holds_the_lane_but_no_place() -> None:
    made = line(turn("told", thread="1.1"), turn("next", thread="1.1", ts="2.0"), turn("other"), overall=1)
    told = made.get("told")
    assert told is not None
    told.telling = True
    assert next_of(made) == ["other"]
    made.remove("told")
    assert next_of(made) == ["next"]


def test_waiting_counts_those_who_have_yet_to_start() -> None:
    made = line(turn("a"), turn("b"), turn("c"))
    for turn_id, name in (("a", "running"), ("b", "telling")):
        setattr(made.get(turn_id), name, True)
    assert (made.waiting(), len(made)) == (1, 3)


def test_who_waits_for_money_keeps_it_from_those_behind_until_it_moves() -> None:
    made = line(turn("a"), turn("b"), turn("bob", user=BOB))
    first = made.get("a")
    assert first is not None
    first.wants = budget_of(first.turn, BudgetKind.PERSON)
    first.stalled = True
    assert next_of(made) == ["bob"]
    made.money_moved()
    assert next_of(made) == ["a", "bob"]


def test_who_could_not_start_anyway_keeps_no_money_from_others() -> None:
    """Its person runs all they may: their other turns' ends come first."""
    made = line(turn("running"), turn("waits"), turn("bob", user=BOB), per_person=1)
    running, waits = made.get("running"), made.get("waits")
    assert running is not None
    assert waits is not None
    running.running = True
    waits.wants = budget_of(waits.turn, BudgetKind.WORKSPACE)
    assert next_of(made) == ["bob"]


@dataclass(frozen=True)
class Spec:
    """One turn of a random line."""

    user: str
    thread: int | None
    ts: int
    taken_in: bool
    wants: BudgetKind | None
    stalled: bool


SPECS = st.lists(
    st.builds(
        Spec,
        user=st.sampled_from([ALICE, BOB, "U0CAROL001"]),
        thread=st.one_of(st.none(), st.integers(1, 3)),
        ts=st.integers(1, 9),
        taken_in=st.booleans(),
        wants=st.one_of(st.none(), st.sampled_from(list(BudgetKind))),
        stalled=st.booleans(),
    ),
    max_size=12,
)


def built(specs: list[Spec], per_person: int, overall: int) -> Line:
    """A line of these."""
    made = Line(per_person, overall)
    for number, spec in enumerate(specs):
        thread = None if spec.thread is None else f"{spec.thread}.0"
        entry = made.add(turn(f"t{number:02d}", spec.user, f"{spec.ts}.0", thread))
        entry.taken_in = spec.taken_in
        if spec.wants is not None and spec.taken_in:
            entry.wants = budget_of(entry.turn, spec.wants)
            entry.stalled = spec.stalled
    return made


@given(specs=SPECS, per_person=st.integers(1, 3), overall=st.integers(1, 4))
def test_no_limit_is_passed_and_no_lane_is_split(specs: list[Spec], per_person: int, overall: int) -> None:
    made = built(specs, per_person, overall)
    chosen = made.startable()
    assert len(chosen) <= overall
    people = Counter(entry.turn.request.user_id for entry in chosen)
    assert max(people.values(), default=0) <= per_person
    assert len({entry.lane for entry in chosen}) == len(chosen)
    assert all(entry.taken_in and not entry.stalled for entry in chosen)


@given(specs=SPECS, per_person=st.integers(1, 3), overall=st.integers(1, 4), data=st.data())
def test_every_line_runs_empty(specs: list[Spec], per_person: int, overall: int, data: st.DataObject) -> None:
    """Whatever waits for what: once all are taken in and money has moved, everybody gets to start, in any
    order of finishing, and each thread goes in its order."""
    made = built([replace(spec, taken_in=True) for spec in specs], per_person, overall)
    running = []
    finished = []
    for _ in range(3 * len(specs) + 1):
        made.money_moved()
        for entry in made.startable():
            entry.running = True
            running.append(entry)
        if not running:
            break
        entry = running.pop(data.draw(st.integers(0, len(running) - 1)))
        made.remove(entry.turn.id)
        finished.append(entry)
    assert len(made) == 0
    for lane in {entry.lane for entry in finished}:
        orders = [
            (entry.turn.request.order, entry.turn.id)
            for entry in finished
            if entry.lane == lane and entry.turn.request.surface is Surface.REPLY
        ]
        assert orders == sorted(orders)
