"""How fast one image model may be called, learned from headers and refusals."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.turns.rate import LIMIT_MAX, LONGEST_WAIT_S, UNTOLD_WAITS_S, WINDOW_S, Bucket, count_of, span_of

MINUTE = 60.0


def headers(
    limit: object = None, remaining: object = None, reset: object = None, unit: str = "images"
) -> dict[str, str]:
    """Those of an answer; None is left out."""
    named = {"limit": limit, "remaining": remaining, "reset": reset}
    return {f"x-ratelimit-{name}-{unit}": str(value) for name, value in named.items() if value is not None}


class Api:
    """Counts the pictures of a minute as the sandbox and others do: *limit* in any span of a minute, of which
    *others* take some."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.taken: list[float] = []
        self.refusals = 0

    def call(self, at: float) -> tuple[dict[str, str], float | None]:
        """The headers, and how long to wait if it is refused."""
        self.taken = [time for time in self.taken if time > at - MINUTE]
        if len(self.taken) >= self.limit:
            self.refusals += 1
            return headers(self.limit, 0), self.taken[0] + MINUTE - at
        self.taken.append(at)
        return headers(self.limit, self.limit - len(self.taken)), None


def send(bucket: Bucket, api: Api, calls: int, *, at: float = 0.0, first: int = 1) -> list[float]:
    """So many calls one after the other, each as early as it may go and answered at once; when they went."""
    went = []
    for number in range(first, first + calls):
        at = bucket.ready_at(at)
        bucket.take(number, at)
        told, wait = api.call(at)
        if wait is None:
            bucket.succeed(number, told, at)
        else:
            bucket.refuse(number, told, wait, at)
        went.append(at)
    return went


def test_before_anything_is_known_nothing_is_held_back() -> None:
    bucket = Bucket()
    for number in range(1, 100):
        assert bucket.ready_at(7.0) == 7.0
        bucket.take(number, 7.0)
        bucket.succeed(number, {}, 7.0)


@given(st.integers(1, 40), st.integers(1, 120))
def test_a_limit_that_was_told_is_kept_and_used_to_the_full(limit: int, calls: int) -> None:
    """Nothing is ever refused, and no minute and a little goes by unused."""
    api = Api(limit)
    went = send(Bucket(), api, calls)
    assert api.refusals == 0
    assert went[-1] == pytest.approx(WINDOW_S * (math.ceil(calls / limit) - 1))


@given(st.integers(1, 20), st.lists(st.floats(0.0, 40.0), max_size=60))
def test_the_limit_holds_however_calls_come(limit: int, gaps: list[float]) -> None:
    api, bucket, at = Api(limit), Bucket(), 0.0
    for number, gap in enumerate(gaps, start=1):
        at = send(bucket, api, 1, at=at + gap, first=number)[0]
    assert api.refusals == 0


def test_what_others_use_of_the_limit_is_left_to_them_for_a_minute() -> None:
    bucket = Bucket()
    bucket.take(1, 0.0)
    bucket.succeed(1, headers(5, 1), 0.0)
    assert bucket.ready_at(0.0) == 0.0
    bucket.take(2, 0.0)
    assert bucket.ready_at(0.0) == WINDOW_S
    bucket.succeed(2, headers(5, 0, "12s"), 0.0)
    assert bucket.ready_at(0.0) == 12.0


def test_older_news_change_nothing() -> None:
    """A long call ends after a short one that was sent later."""
    bucket = Bucket()
    bucket.take(1, 0.0)
    bucket.take(2, 30.0)
    bucket.succeed(2, headers(5, 0), 35.0)
    ready = bucket.ready_at(40.0)
    bucket.succeed(1, headers(5, 4), 40.0)
    assert bucket.ready_at(40.0) == ready > 40.0


def test_how_many_were_left_is_forgotten_after_a_minute_and_the_limit_is_not() -> None:
    bucket = Bucket()
    bucket.take(1, 0.0)
    bucket.succeed(1, headers(2, 0), WINDOW_S + 1)
    assert bucket.ready_at(WINDOW_S + 1) == WINDOW_S + 1
    for number in (2, 3):
        bucket.take(number, 100.0)
    assert bucket.ready_at(100.0) == 100.0 + WINDOW_S


def test_the_limit_of_requests_is_used_only_where_that_of_pictures_is_missing() -> None:
    both = headers(50, 49) | headers(1, 0, unit="requests")
    for told, ready in ((both, 0.0), (headers(1, 0, unit="requests"), WINDOW_S)):
        bucket = Bucket()
        bucket.take(1, 0.0)
        bucket.succeed(1, told, 0.0)
        assert bucket.ready_at(0.0) == ready


def test_where_only_the_rest_is_told_the_limit_follows_from_it() -> None:
    bucket = Bucket()
    bucket.take(1, 0.0)
    bucket.succeed(1, headers(remaining=1), 0.0)
    bucket.take(2, 0.0)
    assert bucket.ready_at(0.0) == WINDOW_S


def test_a_limit_that_follows_from_the_rest_alone_holds_for_a_minute_and_follows_what_is_told_next() -> None:
    bucket = Bucket()
    bucket.take(1, 0.0)
    bucket.succeed(1, headers(remaining=0), 0.0)
    assert bucket.ready_at(0.0) == WINDOW_S
    for number in range(2, 6):
        assert bucket.ready_at(WINDOW_S) == WINDOW_S
        bucket.take(number, WINDOW_S)
    bucket.succeed(5, headers(remaining=2), WINDOW_S)
    for number in range(6, 8):
        assert bucket.ready_at(WINDOW_S) == WINDOW_S
        bucket.take(number, WINDOW_S)
    assert bucket.ready_at(WINDOW_S) == 2 * WINDOW_S


def test_a_refusal_that_says_nothing_is_left_and_names_no_limit_leaves_none_behind() -> None:
    """One refusal must not hold everybody to as few pictures a minute as there happened to be before it."""
    bucket = Bucket()
    bucket.take(1, 0.0)
    bucket.succeed(1, {}, 5.0)
    bucket.take(2, 10.0)
    bucket.refuse(2, headers(remaining=0), 12.0, 10.0)
    at, gaps = bucket.ready_at(10.0), []
    assert at == 22.0
    for number in range(3, 9):
        bucket.take(number, at)
        bucket.succeed(number, {}, at)
        gaps.append(bucket.ready_at(at) - at)
        at = bucket.ready_at(at)
    assert gaps == [6.0, 3.0, 1.5, 0.0, 0.0, 0.0]


def test_after_a_refusal_nobody_goes_before_the_time_it_names() -> None:
    bucket = Bucket()
    bucket.take(1, 0.0)
    bucket.refuse(1, {}, 12.0, 1.0)
    assert bucket.ready_at(2.0) == 13.0


def test_refusals_in_a_row_that_name_no_time_wait_longer_each() -> None:
    bucket, at, waits = Bucket(), 0.0, []
    for number in range(1, 8):
        bucket.take(number, at)
        bucket.refuse(number, {}, None, at)
        waits.append(bucket.ready_at(at) - at)
        at = bucket.ready_at(at)
    assert waits == [*UNTOLD_WAITS_S, UNTOLD_WAITS_S[-1], UNTOLD_WAITS_S[-1]]


def test_refusals_in_a_row_that_name_a_second_wait_longer_too() -> None:
    bucket, at = Bucket(), 0.0
    for number in range(1, 5):
        bucket.take(number, at)
        bucket.refuse(number, {}, 1.0, at)
        at = bucket.ready_at(at)
    assert at == 1.0 + sum(UNTOLD_WAITS_S[1:4])


def test_calls_that_were_refused_together_are_one_refusal() -> None:
    bucket = Bucket()
    for number in range(1, 6):
        bucket.take(number, 0.0)
    for number in range(1, 6):
        bucket.refuse(number, {}, None, 0.5)
    assert bucket.ready_at(0.5) == 0.5 + UNTOLD_WAITS_S[0]


def test_of_several_times_that_refusals_name_the_latest_holds() -> None:
    bucket = Bucket()
    for number in (1, 2):
        bucket.take(number, 0.0)
    bucket.refuse(1, {}, 60.0, 0.0)
    bucket.refuse(2, {}, 1.0, 0.0)
    assert bucket.ready_at(0.0) == 60.0


def test_a_call_that_was_refused_does_not_count() -> None:
    """Neither as ours, where others have taken the rest, nor afterwards."""
    bucket = Bucket()
    for number in (1, 2):
        bucket.take(number, 0.0)
    bucket.refuse(2, headers(2, 0), 1.0, 0.0)
    assert bucket.ready_at(0.0) == WINDOW_S
    bucket = Bucket()
    bucket.take(1, 0.0)
    bucket.succeed(1, headers(2, 1), 0.0)
    bucket.take(2, 0.0)
    bucket.refuse(2, {}, 5.0, 0.0)
    assert bucket.ready_at(0.0) == 5.0


def test_a_success_ends_the_row_unless_it_was_sent_before_the_refusal() -> None:
    for number, wait in ((3, UNTOLD_WAITS_S[0]), (1, UNTOLD_WAITS_S[1])):
        bucket = Bucket()
        bucket.take(1, 0.0)
        bucket.take(2, 0.0)
        bucket.refuse(2, {}, None, 0.0)
        bucket.take(3, 100.0)
        bucket.succeed(number, {}, 200.0)
        bucket.take(4, 200.0)
        bucket.refuse(4, {}, None, 200.0)
        assert bucket.ready_at(200.0) == 200.0 + wait


def test_after_a_refusal_that_no_limit_explains_calls_go_one_by_one_and_sooner_with_success() -> None:
    bucket = Bucket()
    bucket.take(1, 0.0)
    bucket.refuse(1, {}, 8.0, 0.0)
    at, gaps = 8.0, []
    for number in range(2, 7):
        bucket.take(number, at)
        gaps.append(bucket.ready_at(at) - at)
        bucket.succeed(number, {}, at)
        at = bucket.ready_at(at)
    assert gaps == [8.0, 4.0, 2.0, 1.0, 0.0]


def test_after_a_refusal_that_the_limit_explains_calls_go_as_the_limit_allows() -> None:
    bucket = Bucket()
    for number in range(1, 7):
        bucket.take(number, 0.0)
    bucket.refuse(6, headers(5, 0), 62.0, 0.0)
    at = bucket.ready_at(0.0)
    assert at == 62.0
    for number in range(7, 12):
        assert bucket.ready_at(at) == at
        bucket.take(number, at)
    assert bucket.ready_at(at) == at + WINDOW_S


def test_a_call_that_was_not_made_takes_nothing() -> None:
    bucket = Bucket()
    bucket.take(1, 0.0)
    bucket.succeed(1, headers(2, 1), 0.0)
    bucket.take(2, 0.0)
    assert bucket.ready_at(0.0) == WINDOW_S
    bucket.give_back(2)
    assert bucket.ready_at(0.0) == 0.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("12s", 12.0),
        ("1m30s", 90.0),
        ("6m0s", 360.0),
        ("120ms", 0.12),
        ("59.7", 59.7),
        ("1s250ms", 1.25),
        ("2h", 600.0),
    ],
)
def test_spans_are_read_as_they_are_written(text: str, seconds: float) -> None:
    assert span_of(text) == pytest.approx(seconds)


@given(st.text(max_size=30))
def test_any_text_is_a_count_or_a_span_within_bounds_or_none(text: str) -> None:
    count, span = count_of(text), span_of(text)
    assert count is None or 0 <= count <= LIMIT_MAX
    assert span is None or 0.0 <= span <= LONGEST_WAIT_S


ODD = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.integers(-5, 10**12).map(str),
    st.sampled_from(["0", "1", "NaN", "inf", "1e9", "-1", "٣"]),
)
NEWS = st.tuples(
    st.booleans(), ODD, ODD, ODD, st.sampled_from(["images", "requests"]), st.none() | st.floats(0, 10**9)
)


@given(st.lists(NEWS, max_size=40))
def test_whatever_the_headers_say_a_call_can_go_in_the_end(
    news: list[tuple[bool, str | None, str | None, str | None, str, float | None]],
) -> None:
    """Within the longest wait that is believed, and a minute."""
    bucket, at = Bucket(), 0.0
    for number, (refused, limit, remaining, reset, unit, told) in enumerate(news, start=1):
        bucket.take(number, at)
        said = headers(limit, remaining, reset, unit)
        if refused:
            bucket.refuse(number, said, told, at)
        else:
            bucket.succeed(number, said, at)
        ready = bucket.ready_at(at)
        assert at <= ready <= at + LONGEST_WAIT_S + WINDOW_S
        at = ready


def test_a_late_refusal_after_a_success_waits_as_the_first_of_a_row() -> None:
    bucket = Bucket()
    for number in (1, 2, 3):
        bucket.take(number, 0.0)
    bucket.refuse(2, {}, None, 0.0)
    bucket.take(4, 100.0)
    bucket.succeed(4, {}, 100.0)
    bucket.refuse(1, {}, None, 200.0)
    assert bucket.ready_at(200.0) == 200.0 + UNTOLD_WAITS_S[0]
