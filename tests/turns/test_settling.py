"""From an answer to a charge and an ending."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from darkroom.rendering.job import Answer, Billed, Concern, Failure, FailureKind
from darkroom.turns.endings import Outcome, Reason
from darkroom.turns.model import Attempt, AttemptState, Turn
from darkroom.turns.settling import Verdict, ending_after, ending_of, verdict_of
from tests.examples import NOON
from tests.turns.fakes import BROKEN_STREAM, CATALOGUE, HOST_USAGE, SECOND, painted, said
from tests.turns.test_line import turn
from tests.turns.test_planning import CANDIDATE, PARENT, PLANNER, wish

TODAY = date(2026, 11, 20)
STEP = PLANNER.step(wish(turn("t")), CANDIDATE, "try_1")
ATTEMPT = Attempt(
    id="try_1",
    turn_id="t",
    number=1,
    state=AttemptState.DISPATCHED,
    endpoint="responses",
    provider="openai",
    image_model=CANDIDATE.image_model,
    host_model=CANDIDATE.host_model,
    width=1024,
    height=1024,
    quality="medium",
    format="png",
    parent_id=None,
    hold_nano_usd=STEP.plan.bound.total_nano_usd,
    charged_nano_usd=0,
    bound=STEP.plan.bound,
    price_version=STEP.plan.price_version,
    response_id=None,
    held_at=NOON,
    dispatched_at=NOON,
    ended_at=None,
)
PAINTED = painted(STEP.job, "resp_1")
REPLY = turn("t", thread="1.1")


def verdict(answer: Answer, asked: Turn | None = None) -> Verdict:
    """On *answer* to a command, or to *asked*."""
    return verdict_of(answer, STEP, ATTEMPT, asked or turn("t"), CATALOGUE, "pic_1", 1.5)


def test_a_picture_is_charged_by_its_usage() -> None:
    found = verdict(PAINTED)
    assert found.ending.outcome is Outcome.PICTURES
    assert found.settlement.state is AttemptState.SETTLED
    # 60 text tokens at 5, 1,000 picture tokens at 30 dollars a million, and the host's 900 and 100.
    lines = {line.token_class.value: line.charged_nano_usd for line in found.settlement.cost.lines}
    assert lines["text_input"] == 60 * 5_000
    assert lines["image_output"] == 1_000 * 30_000
    assert found.settlement.cost.total_nano_usd == sum(lines.values()) <= ATTEMPT.hold_nano_usd
    assert found.settlement.flags == frozenset()
    assert (found.settlement.picture_id, found.settlement.seconds) == ("pic_1", 1.5)


@pytest.mark.parametrize("missing", ["host_usage", "image_usage"])
def test_missing_usage_is_estimated_and_flagged_never_free(missing: str) -> None:
    changes: dict[str, Any] = {missing: None}
    found = verdict(replace(PAINTED, **changes))
    assert "estimated" in found.settlement.flags
    assert 0 < found.settlement.cost.total_nano_usd <= ATTEMPT.hold_nano_usd


def test_an_unknown_model_in_the_answer_is_priced_as_the_one_asked_for() -> None:
    found = verdict(replace(PAINTED, image_model="gpt-image-99"))
    assert "unknown_model" in found.settlement.flags
    assert found.settlement.cost == verdict(PAINTED).settlement.cost
    assert found.settlement.image_model == "gpt-image-99"


def test_the_model_that_answered_is_the_one_that_is_priced() -> None:
    found = verdict(replace(PAINTED, image_model=SECOND))
    assert SECOND in found.settlement.price_version


def test_what_going_on_costs_again_is_kept_with_the_picture() -> None:
    found = verdict(PAINTED)
    assert (found.settlement.host_tokens, found.settlement.chain_pictures) == (1000, 1)
    assert found.settlement.host_tokens <= verdict(replace(PAINTED, host_usage=None)).settlement.host_tokens


@pytest.mark.parametrize("count", [-1, True, 10**9, "7", None])
def test_a_count_of_host_tokens_that_makes_no_sense_is_taken_at_its_bound(count: object) -> None:
    """Too few would make the next hold too small."""
    usage = {"input_tokens": count, "output_tokens": 100}
    found = verdict(replace(PAINTED, host_usage=usage))
    assert found.settlement.host_tokens == verdict(replace(PAINTED, host_usage=None)).settlement.host_tokens


def test_a_resent_picture_counts_in_the_new_conversation() -> None:
    step = PLANNER.step(wish(REPLY, PARENT), CANDIDATE, "a", from_saved=True)
    found = verdict_of(PAINTED, step, ATTEMPT, REPLY, CATALOGUE, "pic_1", 1.0)
    assert found.settlement.chain_pictures == 2


def test_what_nobody_can_say_costs_the_whole_hold_by_class() -> None:
    found = verdict(BROKEN_STREAM)
    assert found.settlement.state is AttemptState.UNCERTAIN
    assert found.settlement.cost == ATTEMPT.bound
    assert found.settlement.flags == {"uncertain"}
    assert found.ending.details == {"held_nano_usd": ATTEMPT.hold_nano_usd}


def test_a_blocked_call_costs_what_it_reports_and_nothing_where_it_does_not() -> None:
    blocked = Failure(FailureKind.MODERATION, Billed.REPORTED, moderation_categories=("a", "b"))
    reported = verdict(Answer(failure=blocked, host_usage=HOST_USAGE))
    assert reported.settlement.cost.total_nano_usd > 0
    assert {line.token_class.value for line in reported.settlement.cost.lines} <= {
        "host_input",
        "host_output",
    }
    assert verdict(Answer(failure=blocked)).settlement.cost.total_nano_usd == 0
    assert reported.ending.outcome is Outcome.BLOCKED
    assert reported.ending.details == {"stage": "", "categories": "a, b", "charged_nano_usd": 300_000}


@pytest.mark.parametrize("kind", list(FailureKind))
def test_every_failure_has_an_ending(kind: FailureKind) -> None:
    ending = ending_of(Failure(kind, Billed.NOTHING, message="m"))
    expected = Outcome.BLOCKED if kind is FailureKind.MODERATION else Outcome.FAILED
    assert ending.outcome is expected


@pytest.mark.parametrize("concerns", list(Concern))
def test_an_ending_says_if_it_was_the_host_that_was_refused(concerns: Concern) -> None:
    ending = ending_of(Failure(FailureKind.ACCESS, Billed.NOTHING, message="m", concerns=concerns))
    assert ("concerns" in ending.details) is (concerns is Concern.HOST)


@pytest.mark.parametrize(
    ("answer", "asked", "reason"),
    [
        (said("A fox."), turn("t"), Reason.WORDS),
        (said("A fox."), REPLY, Reason.WORDS),
        (said("  \n"), REPLY, Reason.NOTHING_TO_SAY),
        (said(""), turn("t"), Reason.NO_PICTURE),
        (replace(said(""), image_usage={"output_tokens": 0}), REPLY, Reason.NOTHING_TO_SAY),
        (replace(said(""), image_usage={"output_tokens": 1756}), REPLY, Reason.NO_PICTURE),
    ],
)
def test_an_answer_without_a_picture(answer: Answer, asked: Turn, reason: Reason) -> None:
    assert ending_after(answer, asked).reason is reason


def test_an_answer_in_words_is_charged_for_its_words_alone() -> None:
    found = verdict(said("A fox."), REPLY)
    assert found.settlement.picture_id is None
    assert found.settlement.flags == frozenset()
    assert {line.token_class.value for line in found.settlement.cost.lines} == {"host_input", "host_output"}


def test_a_call_that_was_sent_is_read_from_what_was_kept_of_it() -> None:
    """Whatever the catalogue and the settings are by now."""
    sent = replace(
        ATTEMPT, image_model="gone", width=640, height=480, quality="low", format="jpeg", background="opaque"
    )
    step = PLANNER.sent(turn("t"), sent, PARENT)
    assert (step.job.width, step.job.height, step.job.quality, step.job.format, step.job.background) == (
        640,
        480,
        "low",
        "jpeg",
        "opaque",
    )
    assert step.plan.bound == sent.bound
    assert step.job.candidate.image_model == "gone"
