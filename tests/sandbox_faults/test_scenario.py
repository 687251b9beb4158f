"""A scenario says what it means, and every mistake in it is told at once, where it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandbox.faults import scenario
from sandbox.faults.rules import Rule
from sandbox.faults.scenario import BadScenario, load_scenario, read_document, read_scenario, shipped

GOOD = """
seed = 7

[[fault]]
side = "slack"
fault = "ratelimited"

[[fault]]
side = "openai"
on = "responses"
fault = "rate limit"
always = true
probability = 0.5
after = 2
from_s = 60
until_s = 86400
seed = 3
args = { retry_after = 5 }
"""


def mistakes(text: str) -> list[str]:
    """What is said of a bad scenario."""
    with pytest.raises(BadScenario) as bad:
        read_scenario(text, "s.toml")
    return list(bad.value.mistakes)


def of_rule(**fields: Any) -> list[str]:
    """What is said of one rule, good but for these fields."""
    with pytest.raises(BadScenario) as bad:
        read_document({"side": "slack", "fault": "slow", **fields})
    return list(bad.value.mistakes)


def test_a_scenario_gives_its_rules_and_what_is_left_out_is_plain() -> None:
    read = read_scenario(GOOD)
    plain = Rule("slack", "*", "ratelimited")
    full = Rule(
        "openai",
        "responses",
        "rate limit",
        times=None,
        probability=0.5,
        after=2,
        from_s=60.0,
        until_s=86_400.0,
        seed=3,
        args={"retry_after": 5},
    )
    assert (read.rules, read.seed, read.plan().seed) == ((plain, full), 7, 7)


def test_every_mistake_is_told_at_once_with_its_line() -> None:
    text = """seeds = 1

[[fault]]
side = "slack"
fault = "rate limited"
times = 0

[[fault]]
side = "slack"
on = "chat.postMesage"
fault = "ratelimited"
args = { retry = 5 }

[[ fault ]]
fault = "slow"
"""
    assert mistakes(text) == [
        's.toml, line 1: seeds is not known. Did you mean "seed"?',
        "s.toml, line 5: fault 1: fault 'rate limited' is not known. Did you mean \"ratelimited\"?",
        "s.toml, line 6: fault 1: times must be a whole number from 1",
        "s.toml, line 10: fault 2: on 'chat.postMesage' is no place of slack. "
        'Did you mean "chat.postMessage"?',
        's.toml, line 12: fault 2: args.retry is not known: "ratelimited" takes retry_after. '
        'Did you mean "retry_after"?',
        's.toml, line 14: fault 3: side is missing: "slack" or "openai"',
    ]


def test_a_mistake_in_the_last_of_many_is_found_in_its_own_table() -> None:
    head = '[[fault]]\nside = "slack"\nfault = "slow"\nafter = 1\n'
    assert mistakes(head * 3 + head.replace("1", "-1")) == [
        "s.toml, line 16: fault 4: after must be a whole number from 0"
    ]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("side", "slak", "'slak'"),
        ("side", 5, '"slack" or "openai"'),
        ("fault", 5, "5 is not known"),
        ("fault", "out of credit", 'the side "openai"'),
        ("on", 5, "must be a text"),
        ("on", "*" * 201, "must be a text"),
        ("on", "events_api", "cannot happen"),
        ("on", "chat.nothing*", "no place of slack"),
        ("times", 0, "whole number from 1"),
        ("times", 1.5, "whole number"),
        ("times", True, "whole number"),
        ("always", 1, "true or false"),
        ("probability", 0, "above 0"),
        ("probability", 1.1, "at most 1"),
        ("probability", float("nan"), "above 0"),
        ("probability", "0.5", "must be a number"),
        ("after", -1, "from 0"),
        ("after", None, "from 0"),
        ("from_s", -1, "from 0"),
        ("from_s", float("inf"), "from 0"),
        ("until_s", 0, "later than from_s"),
        ("until_s", float("nan"), "later than from_s"),
        ("seed", 1.5, "whole number"),
        ("args", [1], "must be a table"),
        ("args", {"seconds": "5"}, "args.seconds must be a number"),
        ("args", {"seconds": -1}, "from 0 to 86400"),
        ("args", {"seconds": True}, "must be a number"),
        ("args", {"second": 1}, 'Did you mean "seconds"?'),
        ("probabilty", 1, 'Did you mean "probability"?'),
    ],
)
def test_a_field_that_makes_no_sense_is_named(field: str, value: Any, said: str) -> None:
    told = of_rule(**{field: value})
    assert len(told) == 1
    assert told[0].startswith(f"fault 1: {field}")
    assert said in told[0]


def test_times_and_always_exclude_each_other() -> None:
    assert of_rule(times=2, always=True) == ["fault 1: always and times exclude each other"]
    assert read_document({"side": "slack", "fault": "slow", "times": 2, "always": False}).rules[0].times == 2


def test_an_end_before_the_beginning_is_refused() -> None:
    assert of_rule(from_s=60, until_s=60) == [
        "fault 1: until_s must be a number of seconds, later than from_s"
    ]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"limit": 1.5}, "whole number"),
        ({"shape": "cubes"}, "one of images, without reset"),
        ({"shape": 5}, "text"),
    ],
)
def test_arguments_are_held_to_their_kind(args: dict[str, Any], said: str) -> None:
    with pytest.raises(BadScenario, match=said):
        read_document({"side": "openai", "fault": "rate headers", "args": args})


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "must be an object"),
        ("slow", "must be an object"),
        (None, "must be an object"),
        ({"fault": [5]}, "fault 1: must be a table"),
        ({"seed": "x"}, "seed must be a whole number"),
        ({"faults": []}, 'Did you mean "fault"?'),
    ],
)
def test_json_of_another_shape_is_refused(document: object, said: str) -> None:
    with pytest.raises(BadScenario) as bad:
        read_document(document)
    assert said in bad.value.mistakes[0]


def test_too_many_rules_are_refused_before_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenario, "MOST_RULES", 2)
    assert "at most 2" in mistakes('[[fault]]\nside = "slack"\n' * 3)[0]


@pytest.mark.parametrize("text", ["[[fault]", "fault = 5", "fault = {a = 1}", "[fault]\nside = 'slack'"])
def test_what_is_no_list_of_tables_is_refused(text: str) -> None:
    assert len(mistakes(text)) == 1


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b"# \xff")
    big = tmp_path / "big.toml"
    big.write_text("#" * 101)
    monkeypatch.setattr(scenario, "LARGEST_FILE", 100)
    for path, why in (
        (tmp_path / "none", "No such file"),
        (tmp_path, ""),
        (latin, "UTF-8"),
        (big, "too big"),
    ):
        with pytest.raises(BadScenario) as bad:
            load_scenario(path)
        assert bad.value.mistakes[0].startswith(f"{path}: ")
        assert why in bad.value.mistakes[0]


@pytest.mark.parametrize("name", sorted(shipped()))
def test_every_scenario_that_is_shipped_can_be_read_and_says_what_it_is_for(name: str) -> None:
    text = shipped()[name]
    assert text.startswith("# ")
    assert read_scenario(text, name).plan().standing


def test_three_scenarios_are_shipped() -> None:
    assert sorted(shipped()) == ["api-closed", "bad-day", "slack-trouble"]
