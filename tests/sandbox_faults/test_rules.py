"""When a rule strikes: how often, after how many, in which time, and the same again for the same seed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.faults import rules
from sandbox.faults.named import Side
from sandbox.faults.rules import FaultPlan, Rule
from sandbox.faults.scenario import read_document

POST = "chat.postMessage"


def struck(
    plan: FaultPlan, times: int, place: str = POST, at: float = 0.0, side: Side = "slack"
) -> list[bool]:
    """Which of so many calls meet a fault."""
    return [plan.take(side, place, at) is not None for _ in range(times)]


def test_a_rule_happens_once_unless_it_says_how_often() -> None:
    assert struck(FaultPlan([Rule("slack", POST, "ratelimited")]), 3) == [True, False, False]
    assert struck(FaultPlan([Rule("slack", POST, "ratelimited", times=2)]), 4) == [True, True, False, False]
    assert struck(FaultPlan([Rule("slack", POST, "ratelimited", times=None)]), 4) == [True] * 4


def test_calls_that_are_let_by_first_are_only_those_that_fit() -> None:
    plan = FaultPlan([Rule("slack", POST, "ratelimited", after=2)])
    assert struck(plan, 5, "chat.update") == [False] * 5
    assert struck(plan, 4) == [False, False, True, False]


@pytest.mark.parametrize(
    ("on", "place", "met"),
    [
        ("*", POST, True),
        ("*", "apps.connections.open", False),
        ("apps.connections.open", "apps.connections.open", True),
        ("chat.*", "chat.update", True),
        ("chat.*", "reactions.add", False),
        (POST, "chat.update", False),
    ],
)
def test_a_place_is_a_name_a_pattern_or_wherever_the_fault_is_at_home(on: str, place: str, met: bool) -> None:
    assert struck(FaultPlan([Rule("slack", on, "ratelimited")]), 1, place) == [met]


def test_the_sides_do_not_meet_each_others_faults() -> None:
    plan = FaultPlan([Rule("openai", "*", "slow", times=None)])
    assert struck(plan, 1, "responses", side="slack") == [False]
    assert struck(plan, 1, "responses", side="openai") == [True]


def test_time_counts_from_when_the_plan_was_put_in_place() -> None:
    plan = FaultPlan([Rule("slack", POST, "ratelimited", times=None, from_s=10, until_s=20)])
    plan.begin(1_000.0)
    plan.begin(5_000.0)
    when = [1_000.0, 1_009.9, 1_010.0, 1_019.9, 1_020.0]
    assert [plan.take("slack", POST, at) is not None for at in when] == [False, False, True, True, False]


def test_the_time_of_a_rule_that_is_added_later_counts_from_then() -> None:
    plan = FaultPlan()
    plan.begin(0.0)
    plan.add(Rule("slack", POST, "ratelimited", times=None, until_s=5), now=100.0)
    assert [plan.take("slack", POST, at) is not None for at in (100.0, 104.0, 105.0)] == [True, True, False]


def test_what_lies_outside_its_time_does_not_use_up_a_rule() -> None:
    plan = FaultPlan([Rule("slack", POST, "ratelimited", from_s=10, after=1)])
    plan.begin(0.0)
    assert struck(plan, 5, at=5.0) == [False] * 5
    assert struck(plan, 3, at=10.0) == [False, True, False]


def test_the_first_rule_that_strikes_wins_and_the_others_are_not_used_up() -> None:
    plan = FaultPlan([Rule("slack", POST, "ratelimited"), Rule("slack", POST, "internal_error")])
    met = [plan.take("slack", POST, 0.0) for _ in range(3)]
    assert [each and each.fault for each in met] == ["ratelimited", "internal_error", None]


def test_every_rule_that_fits_counts_a_call_that_another_one_takes() -> None:
    plan = FaultPlan([Rule("slack", POST, "ratelimited"), Rule("slack", POST, "internal_error", after=1)])
    met = [plan.take("slack", POST, 0.0) for _ in range(2)]
    assert [each and each.fault for each in met] == ["ratelimited", "internal_error"]


def test_a_fault_that_is_pointless_for_a_call_waits_for_the_next() -> None:
    plan = FaultPlan([Rule("slack", POST, "thread deleted")])
    assert plan.take("slack", POST, 0.0, pointless={"thread deleted"}) is None
    assert plan.take("slack", POST, 0.0) is not None
    assert plan.standing[0].seen == 1


@given(seed=st.integers(), chance=st.floats(0.01, 0.99), calls=st.integers(1, 60))
def test_the_same_seed_and_the_same_calls_give_the_same_faults(seed: int, chance: float, calls: int) -> None:
    rule = Rule("slack", POST, "ratelimited", times=None, probability=chance)
    assert struck(FaultPlan([rule], seed=seed), calls) == struck(FaultPlan([rule], seed=seed), calls)


def test_another_seed_gives_other_faults_and_a_rule_may_have_its_own() -> None:
    rule = Rule("slack", POST, "ratelimited", times=None, probability=0.5)
    own = Rule("slack", POST, "ratelimited", times=None, probability=0.5, seed=9)
    assert struck(FaultPlan([rule], seed=1), 40) != struck(FaultPlan([rule], seed=2), 40)
    assert struck(FaultPlan([own], seed=1), 40) == struck(FaultPlan([own], seed=2), 40)


def test_two_rules_of_one_seed_do_not_strike_together() -> None:
    two = [
        Rule("slack", place, "ratelimited", times=None, probability=0.5) for place in (POST, "chat.update")
    ]
    plan = FaultPlan(two)
    assert struck(plan, 40) != struck(plan, 40, "chat.update")


@pytest.mark.parametrize("chance", [0.05, 0.5, 0.95])
def test_a_probability_is_about_kept(chance: float) -> None:
    rule = Rule("slack", POST, "ratelimited", times=None, probability=chance)
    assert sum(struck(FaultPlan([rule]), 2_000)) / 2_000 == pytest.approx(chance, abs=0.04)


def test_chance_does_not_use_up_a_rule() -> None:
    rule = Rule("slack", POST, "ratelimited", times=3, probability=0.2)
    assert sum(struck(FaultPlan([rule]), 500)) == 3


def test_arguments_that_are_not_given_have_their_defaults() -> None:
    plan = FaultPlan(
        [Rule("slack", POST, "ratelimited"), Rule("slack", POST, "ratelimited", args={"retry_after": 7})]
    )
    met = [plan.take("slack", POST, 0.0) for _ in range(2)]
    assert [each and each.whole("retry_after") for each in met] == [30, 7]


def test_what_happened_is_counted_and_the_newest_of_it_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MOST_RECORDS", 3)
    plan = FaultPlan([Rule("slack", POST, "ratelimited", times=None)])
    for at in range(5):
        plan.take("slack", POST, float(at))
    assert plan.counts == {("slack", "ratelimited"): 5}
    assert [met.at for met in plan.log] == [2.0, 3.0, 4.0]
    assert {met.rule_id for met in plan.log} == {"slack-1"}


def test_rules_can_be_dropped_by_id_by_side_or_all_and_ids_are_not_given_again() -> None:
    plan = FaultPlan([Rule("slack", "*", "slow"), Rule("slack", "*", "slow"), Rule("openai", "*", "slow")])
    assert plan.remove("slack-1")
    assert not plan.remove("slack-1")
    plan.clear("openai")
    assert [standing.id for standing in plan.standing] == ["slack-2"]
    assert plan.add(Rule("slack", "*", "slow")).id == "slack-3"
    plan.clear()
    assert plan.standing == ()
    assert struck(plan, 1) == [False]


@pytest.mark.parametrize(("on", "fault"), [("*", "no such"), (POST, "delivery late"), ("nowhere", "slow")])
def test_a_rule_that_could_never_happen_is_refused(on: str, fault: str) -> None:
    with pytest.raises(ValueError, match="no fault"):
        FaultPlan([Rule("slack", on, fault)])


def test_there_is_a_bound_on_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MOST_RULES", 1)
    with pytest.raises(ValueError, match="already"):
        FaultPlan([Rule("slack", "*", "slow")] * 2)


RULES = st.builds(
    Rule,
    side=st.just("slack"),
    on=st.sampled_from(["*", POST, "chat.*"]),
    fault=st.just("slow"),
    times=st.none() | st.integers(1, 9),
    probability=st.floats(0, 1, exclude_min=True),
    after=st.integers(0, 9),
    from_s=st.floats(0, 10),
    until_s=st.none() | st.floats(11, 99),
    seed=st.none() | st.integers(),
    args=st.just({}) | st.just({"seconds": 3.5}),
)


@given(rule=RULES)
def test_a_rule_says_in_json_what_it_is(rule: Rule) -> None:
    assert read_document(rule.as_json()).rules == (rule,)
