"""A Darkroom that is watched: ``/healthz``, ``/readyz`` and ``/metrics`` on a port of their own."""

from __future__ import annotations

import logging
import os
import platform
import re
from collections.abc import Iterable, Iterator
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from aiohttp import web
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from bot.heart import Heart
from bot.http_mode import server_log
from bot.preflight import CannotStart
from bot.settings import Settings
from bot.watch import series
from bot.watch.books import BooksCollector, gauge
from bot.watch.counting import CountedRenderer, CountedTurnStore
from bot.watch.metrics import Metrics
from bot.watch.readiness import Readiness, disk_ping
from bot.watch.series import FirstSeen
from bot.watch.tally import Connection, Listener, Ping, Tally
from darkroom.clock import Clock
from darkroom.rendering.job import Renderer
from darkroom.spending.budgets import Caps
from darkroom.spending.catalogue import Catalogue
from darkroom.turns.outages import Gate, Trouble
from handlers.answering import Kind
from handlers.asking import CallOutcome
from storage.database import DATABASE_NAME, Database
from storage.gauges import SQLITE_VERSION, SqliteGauges
from storage.turns import SqliteTurnStore

logger = logging.getLogger("darkroom.app")

_WORDS = re.compile(r"[A-Za-z0-9 ,-]+")
CLOSE_S = 1.0
"""How long a stop waits for whoever is being answered."""


class Watch(Tally):
    """Counts what it is told, and serves it with what it reads of the books and asks of the parts."""

    def __init__(self, settings: Settings, catalogue: Catalogue, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._metrics = Metrics(_models(settings, catalogue))
        self._readiness = Readiness()
        self._now = _Now(settings)
        self._metrics.registry.register(self._now)
        self._books: BooksCollector | None = None
        self._runner: web.AppRunner | None = None
        self._trouble: str | None = "it is starting"
        self.part("Darkroom", self._phase)
        self.part("disk", partial(disk_ping, settings.storage.data_dir))

    @property
    def url(self) -> str:
        """Where it is served; with port 0 only it knows."""
        if self._runner is None:
            raise RuntimeError("nothing is served yet")
        host, port = self._runner.addresses[0][:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def start(self) -> None:
        """Serve. Raises ``CannotStart`` when the port or the address cannot be had."""
        app = web.Application()
        for path, answer in (("/healthz", _alive), ("/readyz", self._ready), ("/metrics", self._scraped)):
            app.router.add_get(path, answer, allow_head=False)
        runner = web.AppRunner(
            app,
            access_log=None,
            shutdown_timeout=CLOSE_S,
            keepalive_timeout=60.0,
            lingering_time=1.0,
            logger=server_log("watch"),
        )
        await runner.setup()
        host, port = self._settings.watch.host, self._settings.watch.port
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            await runner.cleanup()
            why = error.strerror or type(error).__name__
            raise CannotStart(
                [f"watch.port: nothing can listen on {host} port {port} ({why}). Free it, or choose another."]
            ) from error
        self._runner = runner
        logger.info("watched at %s: /healthz, /readyz, /metrics", self.url)

    async def aclose(self) -> None:
        """Serve nothing more."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()
        await self._readiness.aclose()
        if self._books is not None:
            await self._books.aclose()

    def part(self, name: str, ping: Ping) -> None:
        """See ``Tally``."""
        self._readiness.parts[name] = ping

    def connection(self, socket: Connection) -> None:
        """See ``Tally``."""
        self._now.socket = socket
        self.part("Slack", socket.ping)

    def listener(self, server: Listener) -> None:
        """See ``Tally``."""
        self._now.server = server

        async def ping() -> str | None:
            return None if server.listening else "not listening for Slack"

        self.part("Slack", ping)

    def look_into(self, database: Database, team_id: str, caps: Caps, gate: Gate, heart: Heart) -> None:
        """See ``Tally``."""
        gauges = SqliteGauges(database)
        self._books = BooksCollector(gauges, team_id, caps, self._metrics.models, self._clock)
        self._metrics.registry.register(self._books)
        self._now.gate, self._now.heart = gate, heart
        self.part("database", gauges.ping)
        self.part("heart", heart.ping)

        async def outage() -> str | None:
            closed = gate.closed()
            if closed is None:
                return None
            return f"not called since {closed.outage.began_at:%Y-%m-%d %H:%M} UTC: {closed.outage.trouble}"

        async def stuck() -> str | None:
            return f"{heart.stuck} should have come a step further long ago" if heart.stuck else None

        self._readiness.notes |= {"image API": outage, "turns": stuck}

    async def ready(self) -> None:
        """See ``Tally``."""
        self._trouble = None

    async def stopping(self) -> None:
        """See ``Tally``."""
        self._trouble = "it is stopping"

    def answered(self, kind: Kind, acknowledged: bool, seconds: float) -> None:
        """See ``Tally``."""
        self._metrics.answered(kind, acknowledged, seconds)

    def slack_called(self, method: str, outcome: CallOutcome, seconds: float) -> None:
        """See ``Tally``."""
        self._metrics.slack_called(method, outcome, seconds)

    def renderer(self, renderer: Renderer) -> Renderer:
        """See ``Tally``."""
        return CountedRenderer(renderer, self._metrics, self._clock)

    def store(self, database: Database) -> SqliteTurnStore:
        """See ``Tally``."""
        return CountedTurnStore(database, self._metrics)

    async def _phase(self) -> str | None:
        return self._trouble

    async def _ready(self, _: web.Request) -> web.Response:
        states = await self._readiness.look()
        well = all(state.ok for state in states.values())
        parts = {
            name: {"ok": state.ok} | ({"says": state.says} if state.says is not None else {})
            for name, state in states.items()
        }
        return web.json_response({"ready": well, "parts": parts}, status=200 if well else 503)

    async def _scraped(self, request: web.Request) -> web.Response:
        await self._now.look()
        # Last, since whoever asks meanwhile has the books read anew.
        if self._books is not None:
            await self._books.refresh()
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        body = encode(self._metrics.registry)
        return web.Response(body=body, headers={"Content-Type": content_type})


async def _alive(_: web.Request) -> web.Response:
    return web.json_response({"alive": True})


class _Now(Collector):
    """What is simply looked up when somebody asks."""

    def __init__(self, settings: Settings) -> None:
        self._data_dir = settings.storage.data_dir
        self._build = (_version(), platform.python_version(), SQLITE_VERSION, settings.slack.mode)
        self._whys = FirstSeen(_WORDS)
        self.socket: Connection | None = None
        self.server: Listener | None = None
        self.gate: Gate | None = None
        self.heart: Heart | None = None
        self._connected: bool | None = None

    async def look(self) -> None:
        """What must be asked for."""
        if self.socket is not None:
            self._connected = await self.socket.ping() is None
        elif self.server is not None:
            self._connected = self.server.listening

    def collect(self) -> Iterator[Metric]:
        """See ``Collector``."""
        build = GaugeMetricFamily(series.BUILD.name, series.BUILD.says, labels=series.BUILD.labels)
        build.add_metric(self._build, 1)
        yield build
        yield from self._disk()
        yield from self._slack()
        yield from self._worker()

    def _slack(self) -> Iterator[Metric]:
        if self._connected is not None:
            yield gauge(series.CONNECTED, self._connected)
        if self.socket is not None:
            connections = CounterMetricFamily(series.CONNECTIONS.name, series.CONNECTIONS.says)
            connections.add_metric((), self.socket.greeted)
            yield connections
        if self.server is not None:
            refused = CounterMetricFamily(
                series.HTTP_REFUSED.name, series.HTTP_REFUSED.says, labels=series.HTTP_REFUSED.labels
            )
            for why, times in self.server.refused.items():
                refused.add_metric((self._whys.of(why),), times)
            yield refused

    def _worker(self) -> Iterator[Metric]:
        if self.gate is not None:
            closed = self.gate.closed()
            outage = GaugeMetricFamily(series.OUTAGE.name, series.OUTAGE.says, labels=series.OUTAGE.labels)
            for trouble in Trouble:
                outage.add_metric((trouble.value,), closed is not None and closed.outage.trouble is trouble)
            yield outage
        if self.heart is not None:
            yield gauge(series.STUCK, self.heart.stuck)
            if (silent_s := self.heart.silent_s) is not None:
                yield gauge(series.HEARTBEAT_AGE, silent_s)

    def _disk(self) -> Iterator[Metric]:
        try:
            space = os.statvfs(self._data_dir)
        except OSError:
            return
        yield gauge(series.DISK_FREE, space.f_bavail * space.f_frsize)
        files = (self._data_dir / DATABASE_NAME, self._data_dir / f"{DATABASE_NAME}-wal")
        yield gauge(series.DATABASE_SIZE, sum(_size(file) for file in files))

    def describe(self) -> Iterator[Metric]:
        """Nothing: its families have names of their own (``series.py``)."""
        return iter(())


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _version() -> str:
    try:
        return version("darkroom")
    except PackageNotFoundError:
        return "unknown"


def _models(settings: Settings, catalogue: Catalogue) -> Iterable[str]:
    """The names that pictures may be made under."""
    for name, model in catalogue.images.items():
        yield from (name, model.base, *model.aliases)
    yield from (settings.image.model, *settings.image.fallback)
