"""Who is next: rules that hold for any line."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from darkroom.spending.budgets import BudgetKind
from darkroom.turns.line import Line, budget_of, lane_of, person_of
from darkroom.turns.model import Intent, Surface, Turn, TurnState
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


CAROL = "U0CAROL001"


def started(made: Line, turn_id: str) -> None:
    """That turn was started."""
    entry = made.get(turn_id)
    assert entry is not None
    made.start(entry)


def test_a_free_place_goes_to_the_person_with_the_fewest_running() -> None:
    made = line(turn("a1"), turn("a2"), turn("a3"), turn("bob", user=BOB), per_person=3, overall=3)
    assert next_of(made) == ["a1", "bob", "a2"]
    started(made, "a1")
    assert next_of(made) == ["bob", "a2"]


def test_among_equals_it_goes_to_whom_nothing_was_started_for_the_longest() -> None:
    made = line(turn("a1"), turn("b1", user=BOB), turn("c1", user=CAROL), overall=1)
    for turn_id in ("a1", "b1"):
        started(made, turn_id)
        made.remove(turn_id)
    for each in (turn("a2"), turn("b2", user=BOB)):
        made.add(each).taken_in = True
    order = []
    while (entry := next(iter(made.startable()), None)) is not None:
        made.start(entry)
        order.append(entry.turn.id)
        made.remove(entry.turn.id)
    assert order == ["c1", "a2", "b2"]


def test_who_could_not_be_made_waits_in_the_place_it_had() -> None:
    made = line(turn("a1"), turn("b1", user=BOB), overall=1)
    started(made, "a1")
    entry = made.get("a1")
    assert entry is not None
    made.put_back(entry)
    assert next_of(made) == ["a1"]


def test_who_came_first_has_the_money_first_whoever_has_fewer_running() -> None:
    made = line(turn("a1"), turn("a2"), turn("bob", user=BOB))
    started(made, "a1")
    second = made.get("a2")
    assert second is not None
    second.wants, second.stalled = budget_of(second.turn, BudgetKind.WORKSPACE), True
    assert next_of(made) == []
    made.money_moved()
    assert next_of(made) == ["a2"]


def test_a_limit_counts_those_that_were_started_under_it_and_still_run() -> None:
    made = line(turn("before"), turn("a"), turn("bob", user=BOB))
    started(made, "before")
    assert next_of(made) == ["bob", "a"]
    assert [entry.turn.id for entry in made.startable(0)] == []
    (probe,) = made.startable(1)
    made.start(probe, probing=True)
    assert made.startable(1) == []
    made.put_back(probe)
    assert [entry.turn.id for entry in made.startable(1)] == [probe.turn.id]


def test_who_found_the_api_closed_is_not_started_until_it_may_have_opened() -> None:
    made = line(turn("a"), turn("bob", user=BOB))
    entry = made.get("a")
    assert entry is not None
    entry.shut = True
    assert next_of(made) == ["bob"]
    made.api_changed()
    assert next_of(made) == ["a", "bob"]


def test_what_calls_nobody_needs_no_place_no_money_and_no_api() -> None:
    """An undo is never held up by pictures elsewhere; only its own thread's order holds for it."""
    undo = message("undo", "2.0", "7.7")
    later = message("undo", "3.0", "8.8")
    made = line(turn("runs"), turn("poor"), turn("before", ts="1.0", thread="8.8"), per_person=1, overall=1)
    for turn_id, request in (("undo", undo), ("later", later)):
        asked = replace(request, intent=Intent.UNDO)
        undone = examples.turn(asked, id=turn_id, state=TurnState.QUEUED, thread_ts=asked.thread_ts)
        made.add(undone).taken_in = True
    started(made, "runs")
    poor = made.get("poor")
    assert poor is not None
    poor.wants, poor.stalled = budget_of(poor.turn, BudgetKind.PERSON), True
    assert [entry.turn.id for entry in made.startable(0)] == ["undo"]


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


@given(specs=SPECS, per_person=st.integers(1, 3), overall=st.integers(1, 4))
def test_nobody_gets_a_second_place_before_somebody_who_could_take_a_first(
    specs: list[Spec], per_person: int, overall: int
) -> None:
    """Where nobody waits for money: then it decides."""
    made = built([replace(spec, wants=None, stalled=False) for spec in specs], per_person, overall)
    chosen = made.startable()
    people = Counter(person_of(entry) for entry in chosen)
    heads = made.heads()
    for entry in made:
        if entry not in chosen and entry.parked and heads[entry.lane] is entry:
            own = people[person_of(entry)]
            assert own >= per_person or max(people.values()) <= own + 1


@given(specs=SPECS, per_person=st.integers(1, 3), overall=st.integers(1, 4))
def test_the_order_that_is_shown_is_the_order_in_which_they_start(
    specs: list[Spec], per_person: int, overall: int
) -> None:
    """Where each has a thread of its own, and nobody waits for money."""
    plain = [replace(spec, thread=None, wants=None, taken_in=True) for spec in specs]
    made = built(plain, per_person, overall)
    shown = [entry.turn.id for entry in made.in_order()]
    at_once = next_of(made)
    assert [turn_id for turn_id in shown if turn_id in at_once] == at_once
    if len(at_once) == overall:
        assert shown[: len(at_once)] == at_once


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
