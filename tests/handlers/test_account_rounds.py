"""When the API is asked what the account may call: after what was left is gone on with, then every day."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from darkroom.rendering.access import Access, ModelSeen
from darkroom.turns.account_watch import CHECK_EVERY
from handlers.account_rounds import FIRST_AFTER_S, RETRY_S, AccountRounds
from tests.turns.test_account_watch import FOX, MODELS, Watched, refusal
from tests.turns.virtual import VirtualClock


class Going(Watched):
    """A watch whose rounds go by a clock that everybody waits for."""

    def __init__(self) -> None:
        super().__init__()
        self.virtual = VirtualClock()
        self.watch._clock = self.clock = self.virtual
        self.rounds = AccountRounds(self.watch, self.virtual)

    async def asked_within(self, seconds: float) -> list[str]:
        """What is asked about in so much time."""
        self.asked.clear()
        await self.virtual.run(seconds)
        return list(self.asked)


@pytest.fixture
async def going() -> AsyncIterator[Going]:
    made = Going()
    made.rounds.start()
    yield made
    await made.rounds.aclose(0)


async def test_the_provider_is_named_at_once_and_the_first_questions_wait(going: Going) -> None:
    assert await going.asked_within(FIRST_AFTER_S - 1) == []
    assert going.book.chosen == ["openai"]
    assert await going.asked_within(2) == list(MODELS)
    assert await going.asked_within(CHECK_EVERY.total_seconds()) == list(MODELS)


async def test_what_was_not_answered_is_asked_again_in_ever_longer_pauses(going: Going) -> None:
    going.says = dict.fromkeys(MODELS, Access.UNKNOWN)
    await going.asked_within(FIRST_AFTER_S)
    assert await going.asked_within(RETRY_S - 1) == []
    assert await going.asked_within(2) == list(MODELS)
    assert await going.asked_within(RETRY_S * 2 - 10) == []
    assert await going.asked_within(20) == list(MODELS)


async def test_a_refused_call_asks_without_waiting_for_the_day(going: Going) -> None:
    await going.asked_within(FIRST_AFTER_S + 3_600)
    going.watch.heard(FOX, refusal())
    assert await going.asked_within(1) == list(MODELS)


async def test_it_is_closed_at_once_also_before_the_first_questions() -> None:
    going = Going()
    going.rounds.start()
    async with asyncio.timeout(5):
        await going.rounds.aclose(3_600)
    assert going.asked == []


async def test_a_disk_that_is_full_at_the_start_is_no_reason_not_to_ask(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    going = Going()

    async def full(provider: str, at: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(going.book, "choose", full)
        going.rounds.start()
        assert await going.asked_within(1) == []
    assert "naming the provider broke" in caplog.text
    assert await going.asked_within(FIRST_AFTER_S) == list(MODELS)
    assert going.book.chosen == ["openai"]
    assert ModelSeen(MODELS[0], Access.LISTED) in going.book.seen
    await going.rounds.aclose(0)
