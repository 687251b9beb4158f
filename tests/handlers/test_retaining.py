"""The round that deletes what is old enough: once a day, and what follows from it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import cast

import pytest

from darkroom.turns.retention import PICTURES_MAX, Counts, Outcome, Retention
from handlers.retaining import HOME_S, Retaining
from tests.examples import StillClock


class Runs:
    """What the runs come to, one after the other; those that were had."""

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        self.coming = list(outcomes)
        self.had: list[int | None] = []

    async def run(self, pictures_max: int | None = None) -> Outcome:
        self.had.append(pictures_max)
        return self.coming.pop(0)


NOTHING = Outcome(Counts(), more=False, user_ids=frozenset())
SOME = Outcome(Counts(pictures=2, words=3), more=False, user_ids=frozenset({"U2", "U1"}))


class Told:
    """What the round has asked of others."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.runs, self.clock = Runs(outcomes), StillClock()
        self.recalled = 0
        self.homes: list[str] = []
        self.retaining = Retaining(cast(Retention, self.runs), self.clock, self.recall, self.homes.append)

    def recall(self) -> None:
        self.recalled += 1


async def test_it_runs_once_a_day_however_often_it_is_woken() -> None:
    told = Told(NOTHING, NOTHING)
    for _ in range(24):
        assert await told.retaining.round()
        told.clock.at += timedelta(hours=1)
    assert told.runs.had == [PICTURES_MAX]
    assert await told.retaining.round()
    assert len(told.runs.had) == 2


async def test_what_is_more_than_a_round_may_delete_goes_in_the_next_hours() -> None:
    told = Told(Outcome(Counts(pictures=PICTURES_MAX), more=True, user_ids=frozenset()), NOTHING)
    await told.retaining.round()
    told.clock.at += timedelta(hours=1)
    await told.retaining.round()
    await told.retaining.round()
    assert told.runs.had == [PICTURES_MAX, PICTURES_MAX]


async def test_what_went_is_recalled_shown_no_more_in_home_and_counted_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told = Told(SOME)
    with caplog.at_level(logging.INFO, "darkroom.handlers"):
        await told.retaining.round()
    assert told.recalled == 1
    assert told.homes == ["U1", "U2"]
    assert "2 pictures" in caplog.text
    assert "3 requests" in caplog.text


async def test_what_was_deleted_before_a_run_broke_is_recalled_all_the_same() -> None:
    told = Told()
    with pytest.raises(IndexError):
        await told.retaining.round()
    assert told.recalled == 1


async def test_thousands_of_homes_are_shown_one_after_the_other() -> None:
    people = frozenset(f"U{number:04}" for number in range(2_000))
    told = Told(Outcome(Counts(words=5_000), more=False, user_ids=people))
    await told.retaining.round()
    assert sorted(told.homes) == sorted(people)
    assert told.clock.slept == [HOME_S] * 2_000


async def test_a_day_without_anything_old_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    told = Told(Outcome(Counts(later=2), more=False, user_ids=frozenset()))
    with caplog.at_level(logging.INFO, "darkroom.handlers"):
        await told.retaining.round()
    assert told.recalled == 0
    assert caplog.text == ""
