"""Whether Slack still takes the token: believed only after it was said again and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.preflight import REMOVED
from bot.token_watch import AGAIN_S, LOOK_S, NOT_TAKEN, TIMES, TokenWatch
from handlers.clients import SlackRefused, SlackUnclear
from handlers.pacing import TooFast
from tests.examples import StillClock
from tests.turns.virtual import VirtualClock

WELL, UNCLEAR, TOO_FAST = "ok", "unclear", "too fast"


class Slack:
    """Answers in that order, and then with the last of it."""

    def __init__(self, answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def ask(self) -> Mapping[str, Any]:
        """One ``auth.test``."""
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        if answer == WELL:
            return {"ok": True}
        if answer == UNCLEAR:
            raise SlackUnclear("auth.test")
        if answer == TOO_FAST:
            raise TooFast("auth.test", 30)
        raise SlackRefused(answer, "auth.test")


async def looked(*answers: str) -> tuple[list[str], Slack, StillClock]:
    """What was called gone after one look, how often Slack was asked, and how long that took."""
    gone, slack, clock = list[str](), Slack(answers), StillClock()
    assert await TokenWatch(slack.ask, clock, gone.append).round()
    return gone, slack, clock


@pytest.mark.parametrize("said", sorted(REMOVED))
async def test_a_token_that_stays_dead_is_gone_after_ten_times(said: str) -> None:
    gone, slack, clock = await looked(said)
    assert gone == [said]
    assert slack.asked == TIMES
    assert clock.slept == [AGAIN_S] * (TIMES - 1)


@given(st.integers(0, TIMES - 1), st.sampled_from((WELL, UNCLEAR, TOO_FAST, "ratelimited", "invalid_auth")))
async def test_one_other_answer_among_them_and_nothing_is_gone(before: int, other: str) -> None:
    gone, slack, _ = await looked(*["token_revoked"] * before, other, "token_revoked")
    assert gone == []
    assert slack.asked == before + 1


async def test_a_proxy_that_answers_for_slack_never_makes_an_end_of_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    gone, slack, clock = list[str](), Slack([NOT_TAKEN]), StillClock()
    watch = TokenWatch(slack.ask, clock, gone.append)
    for _ in range(1_000):
        assert await watch.round()
    assert gone == []
    assert slack.asked == 1_000
    assert all(record.levelname == "ERROR" and "doctor" in record.message for record in caplog.records)


async def test_a_good_token_costs_one_question() -> None:
    gone, slack, clock = await looked(WELL)
    assert (gone, slack.asked, clock.slept) == ([], 1, [])


async def test_who_has_just_started_has_just_asked() -> None:
    gone, slack, clock = list[str](), Slack([WELL]), VirtualClock()
    watch = TokenWatch(slack.ask, clock, gone.append)
    watch.start()
    await clock.run(LOOK_S - 1)
    assert slack.asked == 0
    await clock.run(LOOK_S)
    assert slack.asked == 1
    await watch.aclose()
