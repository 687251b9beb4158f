"""Lines of the log: for people or for programs, with the turn that they are about."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest

from bot.logs import configure_logging
from darkroom.turn_context import current_turn, work_for, working_for

OURS = logging.getLogger("darkroom.test")
Start = Callable[[Literal["text", "json"]], io.StringIO]


@pytest.fixture
def logs() -> Iterator[Start]:
    """Starts logging in one form or the other; gives what is printed."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level

    def start(form: Literal["text", "json"]) -> io.StringIO:
        stream = io.StringIO()
        configure_logging("info", stream, form)
        return stream

    yield start
    root.handlers[:] = before
    root.setLevel(level)


def read(stream: io.StringIO) -> list[dict[str, Any]]:
    """The objects that were printed, one a line."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_for_people_says_when_how_bad_who_and_which_turn(logs: Start) -> None:
    stream = logs("text")
    with working_for("turn_1"):
        OURS.warning("attempt %s is uncertain", "try_1")
    OURS.info("ready")
    first, second = stream.getvalue().splitlines()
    at = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    assert re.fullmatch(rf"{at} WARNING darkroom\.test \[turn_1\]: attempt try_1 is uncertain", first)
    assert re.fullmatch(rf"{at} INFO darkroom\.test: ready", second)


def test_what_is_said_cannot_make_a_line_of_its_own_or_colour_the_terminal(logs: Start) -> None:
    stream = logs("text")
    OURS.info("model %s", "x\n2026-01-01T00:00:00.000Z INFO darkroom: all is well\x1b[2J")
    assert len(stream.getvalue().splitlines()) == 1
    assert "\x1b" not in stream.getvalue()
    assert "x\\n2026" in stream.getvalue()


def test_a_line_for_programs_is_one_object(logs: Start) -> None:
    stream = logs("json")
    with working_for("turn_1"):
        OURS.error("a\nb \u2028 \x85 \u00e9")
    OURS.info("ready")
    first, second = read(stream)
    assert {"level": "error", "logger": "darkroom.test", "turn": "turn_1"}.items() <= first.items()
    assert first["message"] == "a\nb \u2028 \x85 \u00e9"
    assert set(second) == {"time", "level", "logger", "message"}
    assert stream.getvalue().isascii()


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_broke_is_told_with_its_places_and_without_its_words(
    logs: Start, form: Literal["text", "json"]
) -> None:
    stream = logs(form)
    try:
        raise ValueError("a crimson fox")
    except ValueError:
        OURS.exception("turn broke")
    logging.getLogger("slack_sdk.web").error("failed: %s", {"token": "xoxb-1"})
    said = stream.getvalue()
    assert "ValueError" in said
    assert "test_logs.py" in said
    assert "crimson" not in said
    assert "xoxb" not in said
    if form == "json":
        assert "ValueError" in read(stream)[0]["trace"]


def test_errors_that_name_each_other_as_their_cause_are_told_once(logs: Start) -> None:
    """Python allows it, and a log that never ends keeps everybody waiting."""
    stream = logs("json")
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first
    OURS.error("turn broke", exc_info=first)
    assert read(stream)[0]["trace"].splitlines() == ["builtins.ValueError", "builtins.KeyError"]


async def test_whose_work_it_is_goes_along_into_tasks_and_ends_where_it_began() -> None:
    seen: list[str | None] = []

    async def note() -> None:
        seen.append(current_turn())

    with working_for("turn_1"):
        task = asyncio.create_task(note())
        with working_for(None):
            await asyncio.create_task(note())
            work_for("turn_2")
            await asyncio.create_task(note())
        assert current_turn() == "turn_1"
    await task
    await asyncio.create_task(note())
    assert seen == ["turn_1", None, "turn_2", None]
