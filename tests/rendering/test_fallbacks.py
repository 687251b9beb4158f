"""What comes after a failed attempt."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from darkroom.rendering.fallbacks import NextCandidate, ResendPicture, Step, Stop, WaitThenRetry, next_step
from darkroom.rendering.job import Billed, Failure, FailureKind

FAILURES = st.builds(
    Failure,
    kind=st.sampled_from(FailureKind),
    billed=st.sampled_from(Billed),
    retry_after_s=st.none() | st.floats(0, 10_000),
)


def after(kind: FailureKind, billed: Billed = Billed.NOTHING, **known: float | bool | None) -> Step:
    """The step after a failure, with one candidate left and nothing tried before."""
    wait = known.pop("wait", None)
    options = {"candidates_left": 1, "rate_waits": 0, "resent": False} | known
    failure = Failure(kind, billed, retry_after_s=float(wait) if wait is not None else None)
    return next_step(
        failure,
        candidates_left=int(options["candidates_left"] or 0),
        rate_waits=int(options["rate_waits"] or 0),
        resent=bool(options["resent"]),
    )


def test_no_access_and_a_model_that_is_gone_lead_to_the_next_candidate() -> None:
    """While there is one."""
    for kind in (FailureKind.ACCESS, FailureKind.MODEL_GONE):
        assert after(kind) == NextCandidate()
        assert after(kind, candidates_left=0) == Stop()


def test_a_rate_limit_is_waited_for_as_told() -> None:
    """But never longer than two minutes at a time, nor not at all."""
    assert after(FailureKind.RATE, wait=12) == WaitThenRetry(12.0)
    assert after(FailureKind.RATE, wait=500) == WaitThenRetry(120.0)
    assert after(FailureKind.RATE, wait=0) == WaitThenRetry(1.0)
    assert after(FailureKind.RATE) == WaitThenRetry(5.0)
    assert after(FailureKind.RATE, rate_waits=6) == Stop()


def test_a_forgotten_conversation_is_replaced_by_its_picture_once() -> None:
    """The second time there is something else wrong."""
    assert after(FailureKind.FORGOTTEN) == ResendPicture()
    assert after(FailureKind.FORGOTTEN, resent=True) == Stop()


def test_what_nothing_would_help_stops() -> None:
    """A quota, a key and a refusal stay what they are."""
    for kind in (
        FailureKind.MODERATION,
        FailureKind.QUOTA,
        FailureKind.KEY,
        FailureKind.BAD_REQUEST,
        FailureKind.SERVER,
        FailureKind.UNREACHABLE,
        FailureKind.TIMEOUT,
        FailureKind.BAD_PICTURE,
    ):
        assert after(kind) == Stop()


@given(FAILURES, st.integers(0, 9), st.integers(0, 9), st.booleans())
def test_what_may_have_been_paid_for_is_never_tried_again(
    failure: Failure, left: int, waits: int, resent: bool
) -> None:
    """Whatever else is known."""
    step = next_step(failure, candidates_left=left, rate_waits=waits, resent=resent)
    if failure.billed is Billed.UNKNOWN:
        assert step == Stop()


@given(st.lists(st.none() | st.floats(0, 10_000), min_size=7, max_size=7))
def test_all_waits_together_are_ten_minutes_at_most(told: list[float | None]) -> None:
    """Whatever the API asks for."""
    steps = [
        next_step(
            Failure(FailureKind.RATE, Billed.NOTHING, retry_after_s=seconds),
            candidates_left=0,
            rate_waits=waits,
            resent=False,
        )
        for waits, seconds in enumerate(told)
    ]
    waited = [step.seconds for step in steps if isinstance(step, WaitThenRetry)]
    assert len(waited) == 6
    assert max(waited) <= 120
    assert sum(waited) <= 600
    assert steps[-1] == Stop()
