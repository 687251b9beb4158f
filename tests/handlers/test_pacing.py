"""How fast Slack is asked: as told, in order, and everybody in the end."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers import pacing
from handlers.clients import SlackRefused
from handlers.pacing import LONGEST_S, PATIENCE_S, POST, POST_BURST, TOO_LONG, Pace, TooFast
from sandbox.slack.limits import RateLimiter
from tests.handlers.virtual import VirtualClock


class Slack:
    """The other side: answers at once, counts as the sandbox does, and writes down when it said yes."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._limiter = RateLimiter()
        self.said_yes: list[tuple[float, int]] = []
        self.said_no = 0
        self.still: list[float] = []

    def ask(self, method: str, channel: str, number: int) -> Callable[[], asyncio.Future[int]]:
        async def asked() -> int:
            await asyncio.sleep(0)
            now = self._clock.monotonic()
            wait = self.still.pop(0) if self.still else self._limiter.wait_s(method, channel, now)
            if wait:
                self.said_no += 1
                raise TooFast(method, wait)
            self.said_yes.append((now, number))
            return number

        return lambda: asyncio.ensure_future(asked())

    @property
    def order(self) -> list[int]:
        return [number for _, number in self.said_yes]


async def test_a_thousand_posts_into_one_channel_all_arrive_in_order_one_a_second() -> None:
    clock = VirtualClock()
    slack, pace, start = Slack(clock), Pace(clock), clock.monotonic()
    posts = [pace.run(POST, slack.ask(POST, "C1", number), "C1") for number in range(1_000)]
    assert await clock.run(asyncio.gather(*posts)) == list(range(1_000))
    assert slack.order == list(range(1_000))
    assert slack.said_no == 0
    assert clock.monotonic() - start == pytest.approx(1_000 - POST_BURST, abs=1)


async def test_a_full_channel_does_not_hold_up_another() -> None:
    clock = VirtualClock()
    slack, pace = Slack(clock), Pace(clock)
    full = asyncio.gather(*(pace.run(POST, slack.ask(POST, "C1", one), "C1") for one in range(50)))
    await clock.settle()
    start = clock.monotonic()
    assert await clock.run(pace.run(POST, slack.ask(POST, "C2", 99), "C2")) == 99
    assert clock.monotonic() == start
    await clock.run(full)


async def test_a_429_stops_everybody_who_wants_that_method_and_nobody_else() -> None:
    clock = VirtualClock()
    slack, pace, start = Slack(clock), Pace(clock), clock.monotonic()
    slack.still = [30]
    first = asyncio.ensure_future(pace.run("chat.update", slack.ask("chat.update", "", 1)))
    await clock.settle()
    second = asyncio.ensure_future(pace.run("chat.update", slack.ask("chat.update", "", 2)))
    other = asyncio.ensure_future(pace.run("files.info", slack.ask("files.info", "", 3)))
    await clock.settle()
    assert other.done()
    assert not first.done()
    assert not second.done()
    assert slack.said_no == 1
    await clock.run(asyncio.gather(first, second))
    assert slack.order == [3, 1, 2]
    assert [at - start for at, _ in slack.said_yes] == pytest.approx([0, 30, 30])


async def test_500_updates_at_50_a_minute_lose_about_one_try_a_minute_and_keep_their_order() -> None:
    clock = VirtualClock()
    slack, pace = Slack(clock), Pace(clock)
    updates = [pace.run("chat.update", slack.ask("chat.update", "", number)) for number in range(500)]
    await clock.run(asyncio.gather(*updates))
    # All went at once the first time, since nobody had been told anything yet.
    assert slack.order == list(range(500))
    assert slack.said_no <= 450 + 10


async def test_who_is_cancelled_leaves_their_place_to_the_next() -> None:
    clock = VirtualClock()
    slack, pace = Slack(clock), Pace(clock)
    pace.told("chat.update", 20)
    waiting = [
        asyncio.ensure_future(pace.run("chat.update", slack.ask("chat.update", "", number)))
        for number in range(4)
    ]
    await clock.settle()
    waiting[0].cancel()
    waiting[2].cancel()
    results = await clock.run(asyncio.gather(*waiting, return_exceptions=True))
    assert slack.order == [1, 3]
    assert [isinstance(one, asyncio.CancelledError) for one in results] == [True, False, True, False]


async def test_who_is_cancelled_while_asking_lets_the_next_one_in() -> None:
    clock = VirtualClock()
    slack, pace = Slack(clock), Pace(clock)
    pace.told("chat.update", 1)

    async def hang() -> int:
        await asyncio.Event().wait()
        return 0

    hanging = asyncio.ensure_future(pace.run("chat.update", hang))
    after = asyncio.ensure_future(pace.run("chat.update", slack.ask("chat.update", "", 7)))
    await clock.run(clock.sleep(5))
    assert not after.done()
    hanging.cancel()
    assert await clock.run(after) == 7


async def test_an_error_of_the_call_goes_to_its_caller_and_lets_the_next_one_in() -> None:
    clock = VirtualClock()
    slack, pace = Slack(clock), Pace(clock)
    pace.told("chat.update", 1)

    async def refuse() -> int:
        raise SlackRefused("is_archived", "chat.update")

    refused = asyncio.ensure_future(pace.run("chat.update", refuse))
    after = asyncio.ensure_future(pace.run("chat.update", slack.ask("chat.update", "", 7)))
    assert await clock.run(after) == 7
    with pytest.raises(SlackRefused, match="is_archived"):
        await refused


async def test_a_wait_longer_than_anybody_has_patience_for_ends_at_once() -> None:
    clock = VirtualClock()
    slack, pace = Slack(clock), Pace(clock)
    slack.still = [86_400]
    with pytest.raises(SlackRefused) as raised:
        await pace.run("chat.update", slack.ask("chat.update", "", 1))
    assert raised.value.error == TOO_LONG
    with pytest.raises(SlackRefused):
        await pace.run("chat.update", slack.ask("chat.update", "", 2))
    assert slack.said_no == 1


@pytest.mark.parametrize("told", [86_400.0, 999_999_999.0, float("inf")])
async def test_no_429_closes_a_method_for_good(told: float) -> None:
    clock = VirtualClock()
    slack, pace = Slack(clock), Pace(clock)
    slack.still = [told]
    with pytest.raises(SlackRefused):
        await pace.run("chat.update", slack.ask("chat.update", "", 1))
    await clock.run(clock.sleep(LONGEST_S))
    assert await clock.run(pace.run("chat.update", slack.ask("chat.update", "", 2))) == 2


@pytest.mark.parametrize("told", [-5.0, 0.0, float("nan")])
async def test_a_429_with_nonsense_for_a_time_holds_nobody_up(told: float) -> None:
    clock = VirtualClock()
    slack, pace, start = Slack(clock), Pace(clock), clock.monotonic()
    slack.still = [told]
    assert await clock.run(pace.run("chat.update", slack.ask("chat.update", "", 1))) == 1
    assert clock.monotonic() - start < 1


async def test_429_after_429_ends_with_the_patience_of_the_call() -> None:
    clock = VirtualClock()
    slack, pace, start = Slack(clock), Pace(clock), clock.monotonic()
    slack.still = [60.0] * 10_000
    with pytest.raises(SlackRefused) as raised:
        await clock.run(pace.run("chat.update", slack.ask("chat.update", "", 1)))
    assert raised.value.error == TOO_LONG
    assert clock.monotonic() - start <= PATIENCE_S
    assert slack.said_no <= PATIENCE_S / 60 + 1


@pytest.mark.parametrize("before", [0, 3])
async def test_who_has_less_patience_gives_up_sooner_wherever_they_stand_in_the_line(before: int) -> None:
    clock = VirtualClock()
    slack, pace, start = Slack(clock), Pace(clock), clock.monotonic()
    pace.told("chat.update", 200)
    slack.still = [200.0]
    patient = [
        asyncio.ensure_future(pace.run("chat.update", slack.ask("chat.update", "", number)))
        for number in range(before)
    ]
    await clock.settle()
    ask = slack.ask("chat.update", "", 9)
    hurried = asyncio.ensure_future(pace.run("chat.update", ask, patience_s=300))
    await clock.settle()
    patient.append(asyncio.ensure_future(pace.run("chat.update", slack.ask("chat.update", "", 10))))
    with pytest.raises(SlackRefused) as raised:
        await clock.run(hurried)
    assert raised.value.error == TOO_LONG
    assert clock.monotonic() - start <= 300
    await clock.run(asyncio.gather(*patient))
    assert slack.order == [*range(before), 10]


async def test_who_cannot_be_served_in_time_is_told_at_once_also_behind_others() -> None:
    clock = VirtualClock()
    slack, pace, start = Slack(clock), Pace(clock), clock.monotonic()
    pace.told("chat.postEphemeral", 400)
    patient = asyncio.ensure_future(pace.run("chat.postEphemeral", slack.ask("chat.postEphemeral", "", 1)))
    await clock.settle()
    ask = slack.ask("chat.postEphemeral", "", 2)
    with pytest.raises(SlackRefused, match=TOO_LONG):
        await clock.run(pace.run("chat.postEphemeral", ask, patience_s=300))
    assert clock.monotonic() == start
    assert await clock.run(patient) == 1


async def test_nobody_has_more_patience_than_an_hour() -> None:
    clock = VirtualClock()
    slack, pace, start = Slack(clock), Pace(clock), clock.monotonic()
    slack.still = [60.0] * 10_000
    with pytest.raises(SlackRefused, match=TOO_LONG):
        await clock.run(pace.run("chat.update", slack.ask("chat.update", "", 1), patience_s=math.inf))
    assert clock.monotonic() - start <= PATIENCE_S


async def test_so_many_may_wait_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "WAITING_MAX", 3)
    clock = VirtualClock()
    slack, pace = Slack(clock), Pace(clock)
    pace.told("chat.update", 5)
    waiting = [
        asyncio.ensure_future(pace.run("chat.update", slack.ask("chat.update", "", number)))
        for number in range(3)
    ]
    await clock.settle()
    with pytest.raises(SlackRefused) as raised:
        await pace.run("files.info", slack.ask("files.info", "", 4))
    assert raised.value.error == TOO_LONG
    await clock.run(asyncio.gather(*waiting))


async def test_channels_that_are_quiet_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "CHANNELS_MAX", 10)
    clock = VirtualClock()
    slack, pace = Slack(clock), Pace(clock)
    for number in range(100):
        await pace.run(POST, slack.ask(POST, f"C{number}", number), f"C{number}")
    assert len(pace._channels) <= 10  # the bound is inside


async def test_a_turn_for_one_try_waits_as_well() -> None:
    clock = VirtualClock()
    pace, start = Pace(clock), clock.monotonic()

    async def post() -> None:
        async with pace.turn(POST, "C1"):
            pass

    pace.told(POST, 9, "C1")
    await clock.run(post())
    assert clock.monotonic() - start == pytest.approx(9)


@settings(max_examples=30, deadline=None)
@given(
    asks=st.lists(
        st.tuples(
            st.sampled_from([POST, "chat.update", "reactions.remove"]),
            st.sampled_from(["C1", "C2"]),
            st.floats(0, 90),
        ),
        min_size=1,
        max_size=60,
    )
)
def test_whoever_wants_whatever_is_answered_in_order_and_no_channel_is_flooded(
    asks: list[tuple[str, str, float]],
) -> None:
    """Among those who want the same, the first to come is the first to be done."""

    async def scene() -> None:
        clock = VirtualClock()
        slack, pace = Slack(clock), Pace(clock)
        came: list[int] = []

        async def one(number: int, method: str, channel: str, at: float) -> None:
            await clock.sleep(at)
            came.append(number)
            await pace.run(method, slack.ask(method, channel, number), channel)

        await clock.run(asyncio.gather(*(one(number, *ask) for number, ask in enumerate(asks))))
        for method, channel in {(method, channel) for method, channel, _ in asks}:
            mine = [number for number in came if asks[number][:2] == (method, channel)]
            assert [number for number in slack.order if number in mine] == mine
        assert len(slack.said_yes) == len(asks)

    asyncio.run(scene())
