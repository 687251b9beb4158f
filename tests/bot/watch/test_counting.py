"""What comes and goes is counted once, however often it is said; and parts do what they did."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.watch import series
from bot.watch.counting import CountedRenderer, CountedTurnStore
from bot.watch.metrics import METHODS, Metrics
from darkroom.rendering.job import Answer, NoWord, RenderJob, ResponseIdSeen
from darkroom.turns.endings import Ending, Outcome, Reason
from darkroom.turns.model import Attempt, ThreadReplies
from handlers.asking import CallOutcome
from handlers.manifest import METHOD_SCOPES
from storage.database import Database
from tests.examples import IMAGE_MODEL, NOON, StillClock, caps, command, plan
from tests.rendering.support import JOB
from tests.turns.world import opened

LATER = NOON + timedelta(seconds=42)
WORDS = Ending(Outcome.WORDS, Reason.WORDS, {"words": "hello"})


@pytest.fixture
def metrics() -> Metrics:
    return Metrics([IMAGE_MODEL])


@pytest.fixture
async def store(tmp_path: Path, metrics: Metrics) -> AsyncIterator[CountedTurnStore]:
    async with opened(tmp_path) as database:
        yield _store(database, metrics)


def _store(database: Database, metrics: Metrics) -> CountedTurnStore:
    return CountedTurnStore(database, metrics)


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    """One number."""
    return metrics.registry.get_sample_value(name, labels)


async def test_a_turn_comes_once_and_ends_once(store: CountedTurnStore, metrics: Metrics) -> None:
    for turn_id in ("turn_1", "turn_again"):
        await store.arrive(turn_id, command(trigger="one"), NOON, ThreadReplies.JOINED)
    await store.end("turn_1", WORDS, LATER)
    await store.end("turn_1", WORDS, LATER + timedelta(seconds=9))
    await store.end("turn_1", Ending(Outcome.FAILED, Reason.BROKEN), LATER + timedelta(seconds=9))
    assert value(metrics, series.ARRIVED.name, surface="command") == 1
    assert value(metrics, series.ENDED.name, outcome="words", reason="words") == 1
    assert value(metrics, series.ENDED.name, outcome="failed", reason="broken") is None
    assert value(metrics, f"{series.TURN_S.name}_sum", outcome="words") == 42


async def test_what_is_worked_on_and_cannot_be_called_off_has_not_ended(
    store: CountedTurnStore, metrics: Metrics
) -> None:
    await store.arrive("turn_1", command(), NOON, ThreadReplies.JOINED)
    await store.queue("turn_1", None, caps(), NOON)
    assert isinstance(await store.hold("turn_1", plan("try_1"), caps(), NOON), Attempt)
    called_off = Ending(Outcome.CANCELLED, Reason.CALLED_OFF)
    await store.end("turn_1", called_off, NOON, waiting_only=True)
    assert value(metrics, series.ENDED.name, outcome="cancelled", reason="called_off") is None


class Slow:
    """A renderer that takes 30 seconds of its clock, or breaks."""

    def __init__(self, clock: StillClock, metrics: Metrics) -> None:
        self.clock = clock
        self.metrics = metrics
        self.breaks = False

    async def ready(self) -> None:
        """It is, from the beginning."""

    async def render(self, job: RenderJob, response_id_seen: ResponseIdSeen) -> Answer:
        """See ``Renderer``."""
        assert value(self.metrics, series.RENDERING.name) == 1
        if self.breaks:
            raise ZeroDivisionError
        await self.clock.sleep(30)
        return Answer(words="hello")

    async def ask(self, job: RenderJob, response_id: str) -> Answer | NoWord:
        """See ``Renderer``."""
        return NoWord.NEVER

    async def forget(self, response_id: str) -> bool:
        """See ``Renderer``."""
        return response_id == "resp_1"


async def _nobody(_: str) -> None: ...


async def test_a_call_is_timed_and_what_it_says_goes_through(metrics: Metrics) -> None:
    clock = StillClock()
    slow = Slow(clock, metrics)
    renderer = CountedRenderer(slow, metrics, clock)
    assert (await renderer.render(JOB, _nobody)).words == "hello"
    assert await renderer.ask(JOB, "resp_1") is NoWord.NEVER
    assert await renderer.forget("resp_1")
    slow.breaks = True
    with pytest.raises(ZeroDivisionError):
        await renderer.render(JOB, _nobody)
    labels = {"model": metrics.models.of(JOB.candidate.image_model), "endpoint": JOB.candidate.endpoint.value}
    assert value(metrics, f"{series.RENDER_S.name}_sum", **labels, result="words") == 30
    assert value(metrics, f"{series.RENDER_S.name}_count", **labels, result="words") == 1
    assert value(metrics, series.RENDERING.name) == 0


def test_each_method_that_slack_is_asked_with_is_told_apart(metrics: Metrics) -> None:
    for method in METHODS:
        metrics.slack_called(method, CallOutcome.OK, 0.1)
        assert value(metrics, series.SLACK_CALLS.name, method=method, outcome="ok") == 1
    assert set(METHOD_SCOPES) < set(METHODS)
