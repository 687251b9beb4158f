"""What the books say to whoever looks: totals that a restart does not set back, and how things are now."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from bot.watch import series
from bot.watch.series import Known, Series
from darkroom.clock import Clock
from darkroom.spending.budgets import Caps
from handlers.errands import where
from storage.gauges import Moved, SqliteGauges, Standing

logger = logging.getLogger("darkroom.app")

READ_S = 5.0
"""How long an answer waits for the books; Prometheus waits for 10 seconds."""
STATES = ("received", "queued", "working", "ended")
_ENDS = {"settle": "settled", "release": "released", "uncertain": "uncertain"}
"""As the docs call what the journal calls by a verb."""


def gauge(one: Series, value: float) -> GaugeMetricFamily:
    """One number."""
    return GaugeMetricFamily(one.name, one.says, value=value)


class Totals:
    """What all entries of the journal until now add up to; *models* are told apart by name."""

    def __init__(self, models: Known) -> None:
        self._models = models
        self.upto = 0
        self.attempts: Counter[tuple[str, str, str]] = Counter()
        self.pictures: Counter[tuple[str, str]] = Counter()
        self.tokens: Counter[str] = Counter()
        self.charged: Counter[str] = Counter()
        self.corrected = 0

    def add(self, moved: Moved) -> None:
        """The next entries."""
        for (kind, model, endpoint), times in moved.attempts.items():
            self.attempts[self._models.of(model), endpoint, _ENDS[kind]] += times
        for (model, endpoint), pictures in moved.pictures.items():
            self.pictures[self._models.of(model), endpoint] += pictures
        for token_class, (tokens, charged) in moved.classes.items():
            self.tokens[token_class] += tokens
            self.charged[token_class] += charged
        self.corrected += moved.corrected_nano_usd
        self.upto = moved.upto

    def families(self) -> Iterator[Metric]:
        """As Prometheus takes them."""
        yield _counters(series.ATTEMPTS, self.attempts)
        yield _counters(series.PICTURES, self.pictures)
        yield _counters(series.TOKENS, self.tokens)
        yield _counters(series.CHARGED, self.charged)
        yield gauge(series.CORRECTED, self.corrected)


def _counters(
    one: Series, values: Counter[str] | Counter[tuple[str, str]] | Counter[tuple[str, str, str]]
) -> Metric:
    family = CounterMetricFamily(one.name, one.says, labels=one.labels)
    for labels, value in values.items():
        family.add_metric((labels,) if isinstance(labels, str) else labels, value)
    return family


class BooksCollector(Collector):
    """Reads the books right before each answer (``refresh``), once for all who ask at the same time."""

    def __init__(self, gauges: SqliteGauges, team_id: str, caps: Caps, models: Known, clock: Clock) -> None:
        self._gauges = gauges
        self._team_id = team_id
        self._caps = caps
        self._clock = clock
        self._totals = Totals(models)
        self._standing: Standing | None = None
        self._reading: asyncio.Task[Standing] | None = None
        self._told: str | None = None

    async def refresh(self) -> None:
        """Read what is new. What takes longer than ``READ_S`` goes on, and is missing in this answer."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.ensure_future(self._read())
        reading = self._reading
        await asyncio.wait({reading}, timeout=READ_S)
        well = reading.done() and not reading.cancelled() and reading.exception() is None
        self._standing = reading.result() if well else None
        self._tell(reading)

    async def aclose(self) -> None:
        """Read nothing more."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self) -> Standing:
        more = True
        while more:
            moved = await self._gauges.moved(self._totals.upto)
            self._totals.add(moved)
            more = moved.more
        return await self._gauges.standing(self._team_id, self._caps, self._clock.now())

    def _tell(self, reading: asyncio.Task[Standing]) -> None:
        """What keeps the books from being read is in the log once."""
        trouble = None
        if not reading.done():
            trouble = f"no answer within {READ_S:g} s"
        elif not reading.cancelled() and (error := reading.exception()) is not None:
            trouble = where(error)
        if trouble is not None and trouble != self._told:
            logger.warning("the books could not be read for whoever watches: %s", trouble)
        self._told = trouble

    def collect(self) -> Iterator[Metric]:
        """See ``Collector``."""
        now = self._standing
        yield gauge(series.BOOKS_READABLE, 0 if now is None else 1)
        if now is None:
            return
        yield from self._totals.families()
        states = GaugeMetricFamily(series.UNFINISHED.name, series.UNFINISHED.says, labels=("state",))
        for state in STATES:
            states.add_metric((state,), now.unfinished.get(state, 0))
        yield states
        yield gauge(series.QUEUE, now.unfinished.get("received", 0) + now.unfinished.get("queued", 0))
        waited = 0.0 if now.waiting_since is None else (self._clock.now() - now.waiting_since).total_seconds()
        yield gauge(series.QUEUE_AGE, max(0.0, waited))
        yield gauge(series.UNDELIVERED, now.undelivered)
        yield gauge(series.HOLDS, now.holds)
        yield gauge(series.HELD, now.held_nano_usd)
        yield gauge(series.UNCERTAIN, now.uncertain)
        yield gauge(series.UNCERTAIN_USD, now.uncertain_nano_usd)
        yield gauge(series.PERIOD_CHARGED, now.budget.charged_nano_usd)
        yield gauge(series.PERIOD_HELD, now.budget.held_nano_usd)
        if (cap := now.budget.cap_with_grants_nano_usd) is not None:
            yield gauge(series.PERIOD_CAP, cap)

    def describe(self) -> Iterator[Metric]:
        """Nothing: its families have names of their own (``series.py``)."""
        return iter(())
