"""What comes after a failed attempt."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from darkroom.rendering.fallbacks import (
    RATE_PATIENCE_S,
    RATE_WAITS_MAX,
    UNSENT_WAITS_S,
    NextCandidate,
    ResendPicture,
    SendAgain,
    Step,
    Stop,
    WaitForApi,
    WaitForRate,
    next_step,
)
from darkroom.rendering.job import Billed, Failure, FailureKind

FAILURES = st.builds(Failure, kind=st.sampled_from(FailureKind), billed=st.sampled_from(Billed))


def after(
    kind: FailureKind,
    *,
    left: int = 1,
    rate_waits: int = 0,
    unsent: int = 0,
    resent: bool = False,
    closed: bool = False,
) -> Step:
    """The step after a failure that cost nothing, with one candidate left and nothing tried before."""
    failure = Failure(kind, Billed.NOTHING)
    return next_step(
        failure, candidates_left=left, rate_waits=rate_waits, unsent=unsent, resent=resent, closed=closed
    )


def test_no_access_and_a_model_that_is_gone_lead_to_the_next_candidate() -> None:
    """While there is one."""
    for kind in (FailureKind.ACCESS, FailureKind.MODEL_GONE):
        assert after(kind) == NextCandidate()
        assert after(kind, left=0) == Stop()


def test_a_rate_limit_is_waited_for_while_there_is_patience() -> None:
    """The count is a bound against a fault of ours: with a second before each try, patience ends first."""
    assert after(FailureKind.RATE, rate_waits=RATE_WAITS_MAX - 1) == WaitForRate()
    assert after(FailureKind.RATE, rate_waits=RATE_WAITS_MAX) == Stop()
    assert RATE_WAITS_MAX * 1.0 >= RATE_PATIENCE_S


def test_a_call_that_never_left_is_sent_again_after_growing_waits() -> None:
    steps = [after(FailureKind.UNREACHABLE, unsent=number) for number in range(5)]
    assert steps == [*(SendAgain(seconds) for seconds in UNSENT_WAITS_S), Stop()]
    assert list(UNSENT_WAITS_S) == sorted(UNSENT_WAITS_S)


def test_a_call_that_never_left_waits_for_an_api_that_is_left_alone() -> None:
    for unsent in range(6):
        assert after(FailureKind.UNREACHABLE, unsent=unsent, closed=True) == WaitForApi()


def test_what_only_an_admin_can_mend_is_waited_for() -> None:
    for kind in (FailureKind.QUOTA, FailureKind.KEY, FailureKind.REGION):
        assert after(kind, left=0, rate_waits=9, unsent=9, resent=True) == WaitForApi()


def test_a_forgotten_conversation_is_replaced_by_its_picture_once() -> None:
    """The second time there is something else wrong."""
    assert after(FailureKind.FORGOTTEN) == ResendPicture()
    assert after(FailureKind.FORGOTTEN, resent=True) == Stop()


def test_what_nothing_would_help_stops() -> None:
    """A refusal stays what it is."""
    for kind in (
        FailureKind.MODERATION,
        FailureKind.BAD_REQUEST,
        FailureKind.SERVER,
        FailureKind.TIMEOUT,
        FailureKind.BAD_PICTURE,
    ):
        assert after(kind) == Stop()


@given(FAILURES, st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.booleans(), st.booleans())
def test_what_was_or_may_have_been_paid_for_is_never_tried_again(
    failure: Failure, left: int, waits: int, unsent: int, resent: bool, closed: bool
) -> None:
    """Whatever else is known."""
    step = next_step(
        failure, candidates_left=left, rate_waits=waits, unsent=unsent, resent=resent, closed=closed
    )
    if failure.billed is not Billed.NOTHING:
        assert step == Stop()
