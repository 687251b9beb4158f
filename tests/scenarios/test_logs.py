"""Logs show ids, states, timings and costs, and no prompt, token or key at any level."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Callable, Iterator

import pytest

from bot.logs import configure_logging
from sandbox.images.faults import Fault
from tests.scenarios.conftest import OpenTown
from tests.scenarios.pictures import png
from tests.scenarios.story import Town, picture

SECRETS = ("crimson fox", "make it night", "xoxb-", "xapp-", "sk-sandbox", "hooks", "/commands/", "iVBORw0K")


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that Darkroom and its libraries log, at DEBUG, as ``darkroom run`` would print it."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    stream = io.StringIO()
    configure_logging("debug", stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)


async def test_a_whole_story_leaves_ids_and_costs_in_the_log_and_no_words(
    towns: OpenTown, log: io.StringIO
) -> None:
    town = await towns()
    thread = await town.alice.imagines("a crimson fox")
    message = await thread.shows(picture(version=1))
    town.images.faults.append(Fault(endpoint="responses", status=500, body={"error": {"message": "no"}}))
    await town.alice.replies(thread, "make it night")
    await town.alice.chooses(message, "Details")
    await town.alice.types("/imagine a crimson fox --quality huge")
    await town.workspace.send_event({"type": "message", "text": "a crimson fox", "channel": "C0DESIGN01"})
    await town.rests()
    said = log.getvalue()
    for secret in SECRETS:
        assert secret not in said, [line for line in said.splitlines() if secret in line]
    turn = town.ledger.rows("SELECT id FROM turns ORDER BY created_at")[0]["id"]
    assert f"turn {turn}" in said
    assert "nano-dollars" in said


async def test_slacks_framework_neither_speaks_under_our_name_nor_sets_our_level(towns: OpenTown) -> None:
    town = await towns()
    await town.alice.types("/imagine help")
    assert logging.getLogger("darkroom").level == logging.NOTSET


def test_an_exception_is_logged_with_its_places_and_without_its_words(log: io.StringIO) -> None:
    try:
        raise ValueError("a crimson fox")
    except ValueError:
        logging.getLogger("darkroom.test").exception("turn %s broke", "turn_1")
    said = log.getvalue()
    assert "turn turn_1 broke" in said
    assert "ValueError" in said
    assert "test_logs.py" in said
    assert "crimson" not in said


def test_what_other_packages_say_is_reduced_to_where_they_said_it(log: io.StringIO) -> None:
    logging.getLogger("slack_bolt.App").error("Failed: %s", {"text": "a crimson fox"})
    logging.getLogger("openai").debug("a crimson fox")
    said = log.getvalue()
    assert "slack_bolt.App" in said
    assert "crimson" not in said
    assert "openai" not in said


async def test_a_file_that_slack_does_not_give_out_is_named_in_the_log(
    towns: OpenTown, log: io.StringIO
) -> None:
    """By its id: its name is somebody's own words."""
    town = await towns()
    thread = await town.alice.imagines("a crimson fox")
    await thread.shows(picture(version=1))
    message = await town.alice.replies_with(thread, "make it night", {"crimson fox.png": png()})
    del town.workspace.files[message.files[0]]
    await town.rests()
    assert f"file {message.files[0]} is refused" in log.getvalue()
    assert "crimson" not in log.getvalue()


def test_what_the_system_says_of_a_failure_is_kept(log: io.StringIO) -> None:
    try:
        raise OSError(28, "No space left on device")
    except OSError:
        logging.getLogger("darkroom.test").exception("not saved")
    assert "No space left on device" in log.getvalue()


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, str]]]]:
    """What was logged as objects, from DEBUG on."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    stream = io.StringIO()
    configure_logging("debug", stream, "json")
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = before
    root.setLevel(level)


def check_turns(town: Town, lines: list[dict[str, str]]) -> int:
    """Each line that names a turn or an attempt is marked as that turn's; gives how many there are."""
    attempts = {row["id"]: row["turn_id"] for row in town.ledger.rows("SELECT id, turn_id FROM attempts")}
    named = 0
    for line in lines:
        about = set(re.findall(r"turn_\w+", line["message"]))
        about |= {attempts[each] for each in re.findall(r"try_\w+", line["message"])}
        assert about <= {line.get("turn")}, line
        named += bool(about)
    return named


async def test_every_line_of_a_turns_work_names_it_from_its_arrival_until_it_is_told(
    towns: OpenTown, lines: Callable[[], list[dict[str, str]]]
) -> None:
    """Also when two are made at once, over the render thread and back, and through a fault of the API's."""
    town = await towns()
    town.images.faults.append(Fault(endpoint="responses", status=500, body={"error": {"message": "no"}}))
    town.easel.hold()
    await town.alice.types("/imagine a crimson fox")
    await town.bob.types("/imagine a blue whale")
    await town.has_called(2)
    town.easel.let_go()
    await town.rests()
    turns = {row["id"] for row in town.ledger.rows("SELECT id FROM turns")}
    for turn in turns:
        said = [line["message"] for line in lines() if line.get("turn") == turn]
        assert "arrived" in said[0]
        assert any("asks" in each for each in said), "the render thread knows it too"
        assert any(each.startswith(f"turn {turn} ended") for each in said)
    assert check_turns(town, lines()) >= 4 * len(turns) == 8


async def test_what_is_taken_up_after_a_restart_is_named_too(
    towns: OpenTown, lines: Callable[[], list[dict[str, str]]]
) -> None:
    town = await towns()
    town.easel.hold()
    await town.alice.types("/imagine a crimson fox")
    await town.has_called()
    await town.stops(0)
    stopped = len(lines())
    town.easel.let_go()
    await town.starts()
    await town.rests()
    assert check_turns(town, lines()[stopped:]) >= 2
