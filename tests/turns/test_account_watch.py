"""What the account may call is asked once a day, and after a refusal; how fast, is read from every answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from darkroom.rendering.access import Access, ModelSeen
from darkroom.rendering.job import Answer, Candidate, Endpoint, FailureKind
from darkroom.turns.account_book import Limits, ModelCheck, ProviderKnown, RateSeen
from darkroom.turns.account_watch import (
    AFTER_REFUSAL,
    CHECK_EVERY,
    RATES_EVERY,
    UNANSWERED_FOR,
    AccountWatch,
)
from tests.examples import HOST_MODEL, IMAGE_MODEL, StillClock
from tests.turns.door import PICTURE, Door
from tests.turns.fakes import failed

FOX = Candidate(Endpoint.RESPONSES, IMAGE_MODEL, HOST_MODEL)
MODELS = (IMAGE_MODEL, HOST_MODEL)
TOLD = {"x-ratelimit-limit-images": "5", "x-ratelimit-limit-tokens": "30000000"}


@dataclass
class Book:
    """An ``AccountBook`` that remembers what it is told."""

    chosen: list[str] = field(default_factory=list)
    seen: list[ModelSeen] = field(default_factory=list)
    told: list[RateSeen] = field(default_factory=list)
    full: bool = False

    async def choose(self, provider: str, at: datetime) -> None:
        """See ``AccountBook``."""
        self.chosen.append(provider)

    async def checked(self, provider: str, seen: ModelSeen, at: datetime) -> None:
        """See ``AccountBook``."""
        self.seen.append(seen)

    async def rated(self, provider: str, rate: RateSeen) -> None:
        """See ``AccountBook``."""
        if self.full:
            raise OSError("disk full")
        self.told.append(rate)

    async def checks(self, provider: str) -> Sequence[ModelCheck]:
        """See ``AccountBook``."""
        raise AssertionError(provider)

    async def rates(self, provider: str) -> Sequence[RateSeen]:
        """See ``AccountBook``."""
        raise AssertionError(provider)

    async def providers(self, team_id: str) -> Sequence[ProviderKnown]:
        """See ``AccountBook``."""
        raise AssertionError(team_id)


class Watched:
    """A watch, the API that it asks, and how often it asked for a round."""

    def __init__(self, *, asks: bool = True) -> None:
        self.clock, self.book, self.asked, self.wanted = StillClock(), Book(), list[str](), 0
        self.says = dict.fromkeys(MODELS, Access.LISTED)
        look_up = self.look_up if asks else None
        self.watch = AccountWatch(look_up, self.book, "openai", (*MODELS, IMAGE_MODEL), self.clock)
        self.watch.listen(self.wake)

    def wake(self) -> None:
        self.wanted += 1

    async def look_up(self, model: str) -> ModelSeen:
        self.asked.append(model)
        return ModelSeen(model, self.says[model])

    async def round_after(self, pause: timedelta = timedelta()) -> list[str]:
        """The models that a round asks about, so much later."""
        self.clock.at += pause
        self.asked.clear()
        await self.watch.round()
        return list(self.asked)


@pytest.fixture
def watched() -> Watched:
    return Watched()


def refusal() -> Answer:
    return failed(FailureKind.ACCESS)


async def test_each_model_of_the_settings_is_asked_about_once_a_day(watched: Watched) -> None:
    assert await watched.round_after() == list(MODELS)
    assert await watched.round_after() == []
    assert await watched.round_after(CHECK_EVERY - timedelta(seconds=1)) == []
    assert await watched.round_after(timedelta(seconds=1)) == list(MODELS)
    assert [seen.access for seen in watched.book.seen] == [Access.LISTED] * 4
    assert watched.book.chosen == ["openai"]


async def test_a_question_without_an_answer_is_asked_again_and_the_round_says_so(watched: Watched) -> None:
    watched.says[HOST_MODEL] = Access.UNKNOWN
    assert not await watched.watch.round()
    assert await watched.round_after(UNANSWERED_FOR) == [HOST_MODEL]
    watched.says[HOST_MODEL] = Access.REFUSED
    watched.clock.at += UNANSWERED_FOR
    assert await watched.watch.round()
    assert await watched.round_after() == []


async def test_a_key_that_may_not_ask_is_not_asked_with_for_every_call_that_is_refused(
    watched: Watched,
) -> None:
    """Of such a key nothing is ever learned, and each call may be refused."""
    watched.says = dict.fromkeys(MODELS, Access.UNKNOWN)
    await watched.watch.round()
    for _ in range(3):
        watched.watch.heard(FOX, refusal())
        assert await watched.round_after() == []
        assert not await watched.watch.round(), "it is still to be asked"
    assert await watched.round_after(UNANSWERED_FOR) == list(MODELS)


async def test_a_refusal_in_a_call_asks_about_its_models_but_not_all_the_time(watched: Watched) -> None:
    await watched.watch.round()
    watched.watch.heard(FOX, refusal())
    assert watched.wanted == 1
    assert await watched.round_after(AFTER_REFUSAL - timedelta(seconds=1)) == []
    watched.watch.heard(FOX, refusal())
    assert await watched.round_after(timedelta(seconds=1)) == list(MODELS)
    watched.watch.heard(replace(FOX, image_model="gpt-image-9"), refusal())
    assert await watched.round_after(AFTER_REFUSAL) == [HOST_MODEL]
    watched.watch.heard(FOX, failed(FailureKind.SERVER))
    assert await watched.round_after(AFTER_REFUSAL) == []


async def test_limits_are_written_down_when_they_change_and_once_an_hour(watched: Watched) -> None:
    answer = replace(PICTURE, headers=TOLD)
    for _ in range(3):
        watched.watch.heard(FOX, answer)
        await watched.watch.round()
    limits = Limits(5, None, 30_000_000)
    assert [(rate.model, rate.endpoint, rate.limits) for rate in watched.book.told] == [
        (IMAGE_MODEL, "responses", limits)
    ]
    watched.watch.heard(FOX, PICTURE)
    watched.watch.heard(FOX, replace(PICTURE, headers={"x-ratelimit-limit-images": "many"}))
    assert (watched.wanted, await watched.round_after()) == (1, [])
    watched.watch.heard(FOX, replace(answer, headers={**TOLD, "x-ratelimit-limit-images": "20"}))
    await watched.watch.round()
    watched.clock.at += RATES_EVERY
    watched.watch.heard(FOX, replace(answer, headers={**TOLD, "x-ratelimit-limit-images": "20"}))
    await watched.watch.round()
    assert [rate.limits.pictures for rate in watched.book.told] == [5, 20, 20]


async def test_limits_that_could_not_be_written_down_are_in_the_next_round(watched: Watched) -> None:
    watched.book.full = True
    watched.watch.heard(FOX, replace(PICTURE, headers=TOLD))
    with pytest.raises(OSError, match="disk full"):
        await watched.watch.round()
    watched.book.full = False
    await watched.watch.round()
    assert len(watched.book.told) == 1


async def test_without_anybody_to_ask_only_what_is_heard_is_kept() -> None:
    watched = Watched(asks=False)
    watched.watch.heard(FOX, replace(refusal(), headers=TOLD))
    assert await watched.watch.round()
    assert (watched.asked, len(watched.book.told)) == ([], 1)


async def test_the_gate_passes_every_answer_on() -> None:
    door, heard = Door(), list[tuple[Candidate, Answer]]()
    door.gate.listen_for_answers(lambda candidate, answer: heard.append((candidate, answer)))
    await door.call(PICTURE)
    await door.call(refusal(), FOX)
    assert [(candidate, answer.failure is None) for candidate, answer in heard] == [(FOX, True), (FOX, False)]
