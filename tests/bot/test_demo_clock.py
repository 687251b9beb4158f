"""The demo's clock: one time for everybody, which can jump and hurry but never go back."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cli.demo_clock import LONG_SLEEP_S, DemoClock

START = datetime(2026, 10, 3, 9, 30, tzinfo=UTC)


class Ticks:
    """Real seconds, by hand."""

    def __init__(self) -> None:
        self.passed = 1_000.0

    def __call__(self) -> float:
        return self.passed


async def _settled() -> None:
    """Let everything that can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)


def test_it_follows_real_time_from_where_it_begins() -> None:
    ticks = Ticks()
    clock = DemoClock(START, ticks=ticks)
    assert clock.now() == START
    ticks.passed += 90
    assert clock.now() == START + timedelta(seconds=90)
    assert clock.unix() == clock.now().timestamp()


def test_without_a_beginning_it_is_the_time_of_day() -> None:
    assert abs((DemoClock().now() - datetime.now(UTC)).total_seconds()) < 60


def test_a_jump_moves_both_times_and_ids_follow() -> None:
    clock = DemoClock(START, ticks=Ticks())
    first, before = clock.new_id("turn"), clock.monotonic()
    assert clock.jump(START + timedelta(days=30)) == START + timedelta(days=30)
    assert clock.monotonic() - before == pytest.approx(30 * 86_400)
    assert clock.new_id("turn") > first


def test_a_jump_back_changes_nothing() -> None:
    clock = DemoClock(START, ticks=Ticks())
    assert clock.jump(START - timedelta(hours=1)) == START


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), 1e7])
def test_a_rate_that_makes_no_sense_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="rate"):
        DemoClock(START).fast(rate)


@given(st.lists(st.tuples(st.sampled_from(["tick", "fast", "jump"]), st.floats(0.001, 5_000)), max_size=20))
def test_it_never_goes_back_and_time_of_day_and_seconds_agree(steps: list[tuple[str, float]]) -> None:
    ticks = Ticks()
    clock = DemoClock(START, ticks=ticks)
    seconds, day = clock.monotonic(), clock.now()
    for what, amount in steps:
        expected = 0.0
        if what == "tick":
            ticks.passed += amount
            expected = amount * clock.rate
        elif what == "fast":
            clock.fast(amount)
        else:
            expected = amount
            clock.jump(clock.now() + timedelta(seconds=amount))
        assert clock.monotonic() - seconds == pytest.approx(expected, abs=1e-3)
        assert (clock.now() - day).total_seconds() == pytest.approx(expected, abs=1e-3)
        seconds, day = clock.monotonic(), clock.now()


async def test_a_jump_ends_the_long_sleeps_whose_time_has_come_and_no_others() -> None:
    clock = DemoClock(START)
    round_, later = (asyncio.create_task(clock.sleep(wait)) for wait in (LONG_SLEEP_S, 7_200))
    call = asyncio.create_task(clock.sleep(240))
    await _settled()
    clock.jump(START + timedelta(hours=1))
    await round_
    await _settled()
    assert not later.done(), "its time has not come"
    assert not call.done(), "the patience with a call is not used up by a jump"
    clock.jump(START + timedelta(hours=3))
    await later
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)


async def test_those_who_sleep_already_follow_when_time_hurries() -> None:
    clock = DemoClock(START)
    sleeping = asyncio.create_task(clock.sleep(86_400))
    await _settled()
    clock.fast(1e6)
    await sleeping
    clock.real()
    assert clock.rate == 1
    assert clock.now() >= START + timedelta(days=1)


async def test_a_sleeper_in_another_thread_follows_too() -> None:
    clock = DemoClock(START)
    asleep = threading.Event()

    async def sleep() -> None:
        asyncio.get_running_loop().call_soon(asleep.set)
        await clock.sleep(3_000)

    other = asyncio.create_task(asyncio.to_thread(asyncio.run, sleep()))
    await asyncio.to_thread(asleep.wait)
    clock.jump(START + timedelta(hours=1))
    await other


async def test_no_time_is_no_sleep_but_lets_others_by() -> None:
    clock = DemoClock(START)
    seen: list[str] = []
    other = asyncio.create_task(asyncio.to_thread(seen.append, "other"))
    while not seen:
        await clock.sleep(0)
    await other


async def test_a_sleep_that_is_cancelled_is_forgotten() -> None:
    clock = DemoClock(START)
    sleeping = asyncio.create_task(clock.sleep(86_400))
    await _settled()
    sleeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sleeping
    clock.jump(START + timedelta(days=2))
