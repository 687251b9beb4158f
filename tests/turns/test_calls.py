"""What was really called, counted by provider, model and endpoint."""

from __future__ import annotations

from datetime import timedelta

import pytest

from darkroom.turns.calls import Call, called, typical_seconds
from darkroom.turns.model import AttemptState
from darkroom.turns.standing import likely_wait_s
from tests.examples import NOON


def call(
    seconds: float | None = 20.0,
    state: AttemptState = AttemptState.SETTLED,
    *,
    picture: bool = True,
    model: str = "gpt-image-2",
    endpoint: str = "responses",
    provider: str = "openai",
    error: str = "",
    accepted: int = 0,
    rejected: int = 0,
) -> Call:
    """One that brought a picture in 20 s, unless something else is said."""
    ended = None if seconds is None else NOON + timedelta(seconds=seconds)
    return Call(provider, model, endpoint, state, NOON, ended, picture, error, accepted, rejected)


def refused(error: str) -> Call:
    """One that was refused and cost nothing, at once."""
    return call(0.2, AttemptState.RELEASED, picture=False, error=error)


def test_every_call_is_counted_once_by_what_became_of_it() -> None:
    [one] = called(
        [
            call(10, accepted=1),
            call(20, rejected=2),
            call(90),
            call(5, picture=False),
            call(300, AttemptState.UNCERTAIN, picture=False),
            call(None, AttemptState.DISPATCHED, picture=False),
            refused("rate_limit_exceeded"),
            refused("server_error"),
            refused("rate_limit_exceeded"),
            refused(""),
        ]
    )
    assert (one.calls, one.pictures, one.no_picture, one.uncertain, one.open) == (10, 3, 1, 1, 1)
    assert list(one.failures.items()) == [("rate_limit_exceeded", 2), ("server_error", 1), ("unknown", 1)]
    assert one.calls == one.pictures + one.no_picture + one.uncertain + one.open + sum(one.failures.values())
    assert (one.accepted, one.rejected) == (1, 2)


def test_how_long_a_picture_took_says_nothing_of_what_brought_none() -> None:
    calls = [call(10), call(20), call(90), refused("x"), call(600, AttemptState.UNCERTAIN, picture=False)]
    [one] = called(calls)
    assert (one.median_s, one.slowest_s) == (20, 90)
    assert typical_seconds(calls) == 20
    assert typical_seconds([refused("x")]) is None


def test_a_clock_that_was_put_back_makes_no_call_shorter_than_nothing() -> None:
    assert call(-5).seconds == 0


def test_models_endpoints_and_providers_are_kept_apart_and_the_most_called_comes_first() -> None:
    found = called(
        [
            call(),
            call(endpoint="images"),
            call(endpoint="images"),
            call(model="gpt-image-1.5"),
            call(provider="gateway.example"),
        ]
    )
    assert [(one.provider, one.image_model, one.endpoint, one.calls) for one in found] == [
        ("openai", "gpt-image-2", "images", 2),
        ("gateway.example", "gpt-image-2", "responses", 1),
        ("openai", "gpt-image-1.5", "responses", 1),
        ("openai", "gpt-image-2", "responses", 1),
    ]


@pytest.mark.parametrize(
    ("running", "waiting", "typical_s", "per_minute", "wait_s"),
    [
        (0, 0, 20.0, None, 0.0),
        (7, 0, None, None, 0.0),
        (8, 0, 20.0, None, 2.5),
        (8, 15, 20.0, None, 40.0),
        (8, 15, None, None, None),
        (8, 15, None, 5, 180.0),
        (8, 15, 20.0, 5, 180.0),
        (8, 15, 20.0, 600, 40.0),
    ],
)
def test_a_new_request_waits_for_who_is_before_it_and_for_the_rate(
    running: int, waiting: int, typical_s: float | None, per_minute: int | None, wait_s: float | None
) -> None:
    """With eight places."""
    assert likely_wait_s(running, waiting, 8, typical_s, per_minute) == wait_s
