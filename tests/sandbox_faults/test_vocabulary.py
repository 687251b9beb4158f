"""The names are those of the places that there are, each has a meaning, and the page lists exactly them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sandbox.faults.named import DELIVERIES, ENDPOINTS, HELLO, METHODS, PLACES, SIDES, Named, Side
from sandbox.faults.rules import Met
from sandbox.faults.scenario import read_scenario
from sandbox.faults.vocabulary import NAMES, near, table, vocabulary
from sandbox.images import faults as endpoints
from sandbox.images.faults import NO_FAULT
from sandbox.images.mishaps import MISHAPS
from sandbox.images.named_faults import fault_of as fault_of_api
from sandbox.slack.api import METHODS as WEB_API
from sandbox.slack.model import Fault as SlackFault
from sandbox.slack.named_faults import fault_of as fault_of_slack

PAGE = (Path(__file__).parents[2] / "docs" / "sandbox-faults.md").read_text()
EVERY = sorted(NAMES)


def met(named: Named) -> Met:
    """A fault that was met with its defaults."""
    args = {name: arg.default for name, arg in named.args.items()}
    return Met("x", named.side, sorted(named.places("*"))[0], named.name, 0.0, args)


def test_the_places_are_those_of_the_sandbox() -> None:
    assert set(METHODS) == set(WEB_API)
    constants = {
        value for name, value in vars(endpoints).items() if name.isupper() and isinstance(value, str)
    }
    assert set(ENDPOINTS) == constants


@pytest.mark.parametrize("key", EVERY)
def test_each_name_has_places_one_line_and_arguments_that_take_their_defaults(key: tuple[Side, str]) -> None:
    named = NAMES[key]
    assert named.where
    assert set(named.where) <= set(PLACES[named.side])
    assert set(named.usual) <= set(named.where)
    assert named.about
    assert "\n" not in named.about
    assert [arg.refusal(arg.default) for arg in named.args.values()] == [None] * len(named.args)


@pytest.mark.parametrize("key", [key for key in EVERY if key[0] == "slack"])
def test_each_name_of_slack_means_something(key: tuple[Side, str]) -> None:
    named = NAMES[key]
    if set(named.where) <= {*DELIVERIES, HELLO}:
        return  # of sockets: test_deliveries takes each of them
    assert fault_of_slack(met(named)) != SlackFault(met(named).place)


@pytest.mark.parametrize("key", [key for key in EVERY if key[0] == "openai"])
def test_each_name_of_the_image_api_means_something(key: tuple[Side, str]) -> None:
    assert fault_of_api(met(NAMES[key])) != NO_FAULT


def test_every_mishap_has_its_name_in_the_vocabulary() -> None:
    assert set(MISHAPS) <= {name for side, name in NAMES if side == "openai"}


@pytest.mark.parametrize("side", SIDES)
def test_the_page_lists_exactly_the_vocabulary(side: Side) -> None:
    assert table(side) in PAGE


def test_the_page_lists_nothing_else() -> None:
    rows = re.findall(r"^\| `([^`]+)` \|", PAGE, re.MULTILINE)
    routes = [row for row in rows if "/control/" in row]
    assert sorted(row for row in rows if row not in routes) == sorted(name for _, name in NAMES)
    assert len(routes) == 5


def test_the_pages_scenario_can_be_read() -> None:
    found = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    read = read_scenario(found[1])
    assert (len(read.rules), read.seed) == (2, 7)


def test_the_vocabulary_in_json_names_places_faults_and_arguments() -> None:
    told = vocabulary()
    assert set(told) == {"slack", "openai"}
    by_name = {each["fault"]: each for each in told["slack"]["faults"]}
    assert by_name["ratelimited"]["args"]["retry_after"]["default"] == 30
    assert by_name["not_in_channel"]["on"] == sorted(NAMES["slack", "not_in_channel"].usual)
    assert "views.open" in by_name["not_in_channel"]["also_on"]


def test_only_what_is_close_is_suggested() -> None:
    assert near("not in channel", ["not_in_channel"]) == ' Did you mean "not_in_channel"?'
    assert near("xylophone", ["not_in_channel"]) == ""
