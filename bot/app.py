"""The composition root: settings in, a running Darkroom out. Production, demo and tests start here."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import aiohttp
from slack_bolt.app.async_app import AsyncApp

from bot.closing import SOCKET_S, Closers
from bot.connecting import server_of, socket_of
from bot.heart import Heart
from bot.leaving import ENDING, Gone, end_what_waits
from bot.parts import (
    Books,
    Ground,
    account_of,
    alerting_of,
    blobs_of,
    delivery_of,
    handler_config,
    homeward_of,
    keep_of,
    making_of,
    recalling_of,
    redelivering_of,
    retaining_of,
    sharing_of,
    standing_of,
    worker_of,
)
from bot.preflight import Identity, usable_catalogue, usable_proxies, who_we_are
from bot.render_thread import render_thread_of
from bot.settings import Settings
from bot.token_watch import TokenWatch, auth_test
from bot.watch.tally import Tally
from darkroom.clock import Clock, SystemClock
from darkroom.rendering.job import Renderer
from darkroom.rendering.thread import RenderThread
from darkroom.spending.catalogue import Catalogue
from darkroom.turns.api_gate import ApiGate
from darkroom.turns.intake import Intake
from darkroom.turns.worker import Worker
from handlers.clients import SlackClient
from handlers.errands import Errands
from handlers.guard import SlackGuard
from handlers.outward import slack_client, slack_session
from handlers.reporting import Reporter
from handlers.services import Services
from handlers.surfaces import build_app
from handlers.web_client import WebSlackClient
from storage.blobs import BlobStore
from storage.database import Database
from storage.hash_keys import safety_key
from storage.heartbeat import SqlitePulse
from storage.outages import SqliteOutageBook
from storage.tidying import remove_unknown

if TYPE_CHECKING:
    from bot.http_mode import HttpServer

logger = logging.getLogger("darkroom.app")


@dataclass(frozen=True, slots=True)
class Overrides:
    """Parts to use instead of the usual ones.

    With *identity* nobody is asked who we are; *connect* is handed the Bolt app in place of Slack's socket;
    *inline* storage works in the caller's thread.
    """

    clock: Clock | None = None
    catalogue: Catalogue | None = None
    renderer: Renderer | None = None
    slack: SlackClient | None = None
    identity: Identity | None = None
    connect: Callable[[AsyncApp], Awaitable[object]] | None = None
    inline: bool = False


class _GoesRound(Protocol):
    """What works in rounds of its own."""

    def start(self) -> None:
        """Begin."""
        ...

    async def aclose(self, grace_s: float = ...) -> None:
        """Finish what is under way, in so many seconds."""
        ...


class Darkroom:
    """A Darkroom from its settings: ``start`` it, let it run, ``aclose`` it. ``async with`` does both."""

    def __init__(
        self, settings: Settings, *, create_data: bool = False, overrides: Overrides | None = None
    ) -> None:
        self.settings = settings
        self._create_data = create_data
        self._overrides = overrides or Overrides()
        self._closers = Closers(settings.queue.grace_s)
        self.errands = Errands()
        self.worker: Worker | None = None
        self.heart: Heart | None = None
        self.services: Services | None = None
        self._render: RenderThread | None = None
        self.http: HttpServer | None = None
        self.watch = Tally()
        self.gone = Gone()

    async def __aenter__(self) -> Darkroom:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def start(self) -> None:
        """Check what can be checked, connect, take up what was left, and begin to listen.

        Raises ``CannotStart`` and ``DataProblem``.
        """
        try:
            await self._start()
        except BaseException:
            await self.aclose()
            raise

    async def warm(self) -> None:
        """Do what the first picture would wait for; for when somebody can be heard already."""
        if self._render is not None:
            await self._render.warm()

    async def _start(self) -> None:
        settings = self.settings
        clock = self._overrides.clock or SystemClock()
        catalogue = self._overrides.catalogue or usable_catalogue(settings, clock)
        usable_proxies(settings)
        database = Database.open(
            settings.storage.data_dir, create=self._create_data, inline=self._overrides.inline
        )
        self._closers.plain("database", lambda: asyncio.to_thread(database.close))
        watch = self.watch = await self._watched(catalogue, clock)
        blobs = blobs_of(settings, clock)
        blobs.sweep()

        session = slack_session(settings.slack_url)
        self._closers.plain("Slack client", session.close)
        identity = self._overrides.identity or await who_we_are(settings, session, settings.slack_url)
        url, told = settings.slack_url, watch.slack_called
        slack = self._overrides.slack or WebSlackClient(
            session, identity.bot_token, clock, url, identity.bot_id, told
        )
        renderer = watch.renderer(self._overrides.renderer or self._render_thread(blobs, clock))

        gate = ApiGate(clock, SqliteOutageBook(database), calls_at_once=settings.queue.overall)
        self._closers.plain("gate", gate.aclose)
        await gate.load()

        key = await safety_key(database)
        if self._overrides.identity is None:
            self._watch_token(session, identity, clock)
        worker, going_round, services = self._put_together(
            Ground(clock, catalogue, database, blobs, identity, slack, renderer, gate, key)
        )
        self.services = services
        web = slack_client(settings.slack_url)
        app = build_app(services, web, watch.answered)
        connect = self._overrides.connect
        # What was left has its place before anything new can come, and people are told when they can answer.
        left = await worker.line_up()
        await (self._connect(app, identity) if connect is None else connect(app))
        if self._render is not None:
            self._render.begin()
        worker.take_up()
        for each in going_round:
            each.start()
        self.errands.start("tidying", _tidy(database, blobs, clock))
        await watch.ready()
        # The first to be closed: whoever sends us anything is to know before it is missed.
        self._closers.plain("readiness", watch.stopping)
        logger.info("ready: team %s, bot %s, %d turns taken up", identity.team_id, identity.bot_user_id, left)

    async def _watched(self, catalogue: Catalogue, clock: Clock) -> Tally:
        """What counts and serves how things are, if anybody is to be served."""
        if self.settings.watch.port is None:
            return Tally()
        # Most Darkrooms do without, and it takes a while to load.
        from bot.watch.watch import Watch

        watch = Watch(self.settings, catalogue, clock)
        self._closers.plain("watch", watch.aclose)
        await watch.start()
        return watch

    def _put_together(self, ground: Ground) -> tuple[Worker, Sequence[_GoesRound], Services]:
        """Everything between Slack and the API; nothing runs yet."""
        settings, clock, slack, errands = self.settings, ground.clock, ground.slack, self.errands
        config, books = handler_config(settings, ground.identity), Books.of(ground.database)
        books = replace(books, store=self.watch.store(ground.database))
        guard, reporter = SlackGuard(slack, config.house, clock), Reporter(slack, clock)
        alerting = alerting_of(settings, config, ground, books, reporter)
        ground.gate.listen_for_alerts(alerting.wake)
        self._closers.plain("what waits", lambda: self._part(books, clock))
        recalling = recalling_of(config, ground, books)
        sharing = sharing_of(config, ground, books, recalling)
        maker, pricing = making_of(settings, ground, books)
        homeward = homeward_of(config, ground, books)
        delivery = delivery_of(config, ground, books, homeward)
        redelivering = redelivering_of(ground, books, delivery, recalling)
        worker = worker_of(settings, ground, books, maker, guard, delivery, alerting, recalling)
        self.worker = worker
        self.heart = heart = Heart(worker, SqlitePulse(ground.database), clock)
        self.watch.look_into(ground.database, config.team_id, config.caps, ground.gate, heart)
        account = account_of(settings, ground, None if self._render is None else self._render.look_up)
        going_round = (alerting, sharing, recalling, redelivering, account, heart)
        for each in going_round:
            self._closers.work(type(each).__name__.lower(), each.aclose)
        self._closers.work("errands", errands.aclose)
        self._closers.work("worker", worker.aclose)
        services = Services(
            config=config,
            catalogue=ground.catalogue,
            intake=Intake(books.store, books.log, worker, clock, settings.slack.thread_replies),
            log=books.log,
            spend=books.spend,
            admin=books.admin,
            alerts=books.alerts,
            requests=books.requests,
            conversations=books.conversations,
            homeward=homeward,
            eraser=books.eraser,
            pricing=pricing,
            standing=standing_of(settings, ground, worker),
            reporter=reporter,
            slack=slack,
            guard=guard,
            errands=errands,
            clock=clock,
            policy_changed=worker.reconsider,
            wake_alerting=alerting.wake,
            wake_sharing=sharing.wake,
            wake_recalling=recalling.wake,
            gone=self._is_gone,
        )
        if keep_of(settings).for_ever:
            return worker, going_round, services
        retaining = retaining_of(settings, ground, recalling, services)
        self._closers.work("retaining", retaining.aclose)
        return worker, (*going_round, retaining), services

    def _watch_token(self, session: aiohttp.ClientSession, identity: Identity, clock: Clock) -> None:
        client = slack_client(self.settings.slack_url, identity.bot_token, session)
        watch = TokenWatch(auth_test(client), clock, self._is_gone)
        self._closers.work("token watch", watch.aclose)
        watch.start()

    def _is_gone(self, why: str) -> None:
        # At once: until all is closed, somebody's turn could begin, or call the API once more.
        if self.worker is not None:
            self.worker.buy_nothing(ENDING)
        self.gone.note(why)

    async def _part(self, books: Books, clock: Clock) -> None:
        """Nothing runs any more: what waits will never be made, if we were removed."""
        if self.gone.is_set():
            await end_what_waits(books.store, books.log, clock)

    def _render_thread(self, blobs: BlobStore, clock: Clock) -> Renderer:
        self._render = thread = render_thread_of(self.settings, blobs, clock)
        self._closers.plain("render thread", thread.aclose)
        self.watch.part("render thread", thread.ping)
        return thread

    async def _connect(self, app: AsyncApp, identity: Identity) -> None:
        # First among the closers to run: nothing new comes in while the rest winds up.
        if self.settings.slack.mode == "http":
            self.http = server = server_of(self.settings, app, identity)
            self._closers.plain("HTTP server", server.aclose, SOCKET_S)
            self.watch.listener(server)
            await server.start()
            return
        socket = socket_of(self.settings, app, identity)
        self._closers.plain("socket", socket.aclose, SOCKET_S)
        self.watch.connection(socket)
        await socket.connect()

    async def aclose(self, grace_s: float | None = None) -> None:
        """Stop listening, let what runs finish for as long as the settings say (*grace_s* seconds, if given),
        close everything. May be called twice."""
        await self._closers.aclose(grace_s)

    def hurry(self) -> None:
        """Let ``aclose`` wait no longer: what runs is left to the next start. Returns at once."""
        self._closers.hurry()


async def _tidy(database: Database, blobs: BlobStore, clock: Clock) -> None:
    """What crashes left on disk; nobody waits for it."""
    if removed := await remove_unknown(database, blobs, clock.now()):
        logger.info("%d picture files that no book knows were removed", removed)
