"""What is counted while Darkroom runs: in a registry of its own, from zero at each start."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from bot.watch import series
from bot.watch.series import FirstSeen, Known, Series
from darkroom.rendering.job import Answer, Candidate
from darkroom.turns.endings import Ending
from handlers.answering import Kind
from handlers.asking import CallOutcome
from handlers.manifest import METHOD_SCOPES

METHODS = (*METHOD_SCOPES, "response_url", "upload", "download")
"""What is asked of Slack."""


class Metrics:
    """Instruments, each with labels of few values: *models* are those that are told apart by name."""

    def __init__(self, models: Iterable[str]) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.models = Known(models)
        self._methods, self._codes = Known(METHODS), FirstSeen()
        self._arrived = self._counter(series.ARRIVED)
        self._ended = self._counter(series.ENDED)
        self._turn_s = self._histogram(series.TURN_S)
        self._answer_s = self._histogram(series.ANSWER_S)
        self._unanswered = self._counter(series.UNANSWERED)
        self._slack_calls = self._counter(series.SLACK_CALLS)
        self._slack_call_s = self._histogram(series.SLACK_CALL_S)
        self._render_s = self._histogram(series.RENDER_S)
        self._failures = self._counter(series.FAILURES)
        self.rendering = Gauge(series.RENDERING.name, series.RENDERING.says, registry=self.registry)

    def _counter(self, one: Series) -> Counter:
        return Counter(one.name, one.says, one.labels, registry=self.registry)

    def _histogram(self, one: Series) -> Histogram:
        return Histogram(one.name, one.says, one.labels, registry=self.registry, buckets=one.buckets)

    def arrived(self, surface: str) -> None:
        """A turn came."""
        self._arrived.labels(surface).inc()

    def ended(self, ending: Ending, seconds: float) -> None:
        """A turn ended, so long after it came."""
        self._ended.labels(ending.outcome.value, ending.reason.value).inc()
        self._turn_s.labels(ending.outcome.value).observe(seconds)

    def answered(self, kind: Kind, acknowledged: bool, seconds: float) -> None:
        """A request of Slack's was answered, or was not."""
        if acknowledged:
            self._answer_s.labels(kind.value).observe(seconds)
        else:
            self._unanswered.labels(kind.value).inc()

    def slack_called(self, method: str, outcome: CallOutcome, seconds: float) -> None:
        """Slack was asked for something."""
        name = self._methods.of(method)
        self._slack_calls.labels(name, outcome.value).inc()
        self._slack_call_s.labels(name).observe(seconds)

    def rendered(self, candidate: Candidate, answer: Answer, seconds: float) -> None:
        """A call to the image API came to its end."""
        failure, endpoint = answer.failure, candidate.endpoint.value
        model = self.models.of(answer.image_model or candidate.image_model)
        result = "picture" if answer.picture else "failed" if failure else "words"
        self._render_s.labels(model, endpoint, result).observe(seconds)
        if failure is not None:
            code = self._codes.of(failure.code) if failure.code else "none"
            self._failures.labels(endpoint, failure.kind.value, code).inc()
