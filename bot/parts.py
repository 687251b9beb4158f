"""Parts that ``app.py`` puts together, each made from the settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from bot.preflight import Identity
from bot.settings import Settings
from darkroom.clock import Clock
from darkroom.rendering.address import provider_name
from darkroom.rendering.job import Renderer
from darkroom.spending.catalogue import Catalogue
from darkroom.spending.spans import Span
from darkroom.spending.watch import Used
from darkroom.turns.account_watch import AccountWatch, LookUp
from darkroom.turns.api_gate import ApiGate
from darkroom.turns.bringing import Bringer
from darkroom.turns.line import Line
from darkroom.turns.making import TurnMaker
from darkroom.turns.planning import Planner, RenderSettings
from darkroom.turns.pricer import Pricer
from darkroom.turns.redelivering import Redelivery
from darkroom.turns.retention import Keep, Retention
from darkroom.turns.standing import Standing
from darkroom.turns.worker import Worker
from handlers.account_rounds import AccountRounds
from handlers.alerting import Alerting, Watching
from handlers.attachments import SlackAttachments
from handlers.clients import SlackClient
from handlers.delivery import SlackDelivery
from handlers.guard import SlackGuard
from handlers.home import Homes
from handlers.homeward import Homeward
from handlers.money_teller import MoneyTeller
from handlers.recalling import Reach, Recalling, rewriting
from handlers.redelivery_rounds import Redelivering
from handlers.reporting import Reporter
from handlers.retaining import Retaining
from handlers.services import HandlerConfig, Services
from handlers.sharing import Sharing
from handlers.showing import Manner, Showing
from handlers.watching import Watch
from storage.account import SqliteAccountBook
from storage.admin import SqliteAdminBooks
from storage.alerts import SqliteAlertBook
from storage.blobs import BlobStore
from storage.calls import SqliteCallLog
from storage.conversations import SqliteConversations
from storage.database import PICTURES_NAME, Database
from storage.erasing import SqliteEraser, remove_bytes
from storage.reports import SqliteSpendReader
from storage.requests import SqliteMoneyRequests
from storage.retention import SqliteRetentionBook
from storage.turn_log import SqliteTurnLog
from storage.turns import SqliteTurnStore


@dataclass(frozen=True, slots=True)
class Ground:
    """What Darkroom stands on: the time, the books, and the two sides it talks to."""

    clock: Clock
    catalogue: Catalogue
    database: Database
    blobs: BlobStore
    identity: Identity
    slack: SlackClient
    renderer: Renderer
    gate: ApiGate
    safety_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Books:
    """What is read of the books, and everything that is written into them."""

    store: SqliteTurnStore
    log: SqliteTurnLog
    conversations: SqliteConversations
    eraser: SqliteEraser
    spend: SqliteSpendReader
    admin: SqliteAdminBooks
    alerts: SqliteAlertBook
    requests: SqliteMoneyRequests

    @classmethod
    def of(cls, database: Database) -> Books:
        """All of them on one database."""
        return cls(
            SqliteTurnStore(database),
            SqliteTurnLog(database),
            SqliteConversations(database),
            SqliteEraser(database),
            SqliteSpendReader(database),
            SqliteAdminBooks(database),
            SqliteAlertBook(database),
            SqliteMoneyRequests(database),
        )


def blobs_of(settings: Settings, clock: Clock) -> BlobStore:
    """The pictures' files, by *clock*."""
    return BlobStore(settings.storage.data_dir / PICTURES_NAME, clock.monotonic)


def making_of(settings: Settings, ground: Ground, books: Books) -> tuple[TurnMaker, Pricer]:
    """What takes turns to their pictures, and what says beforehand what that costs."""
    clock, log = ground.clock, books.log
    planner = Planner(ground.catalogue, render_settings(settings, ground.safety_key), ground.blobs)
    remove = partial(remove_bytes, ground.database, ground.blobs)
    bringer = Bringer(SlackAttachments(ground.slack, clock), books.store, log, ground.blobs, remove, clock)
    maker = TurnMaker(
        books.store,
        log,
        ground.renderer,
        planner,
        settings.caps.caps(),
        clock,
        bringer,
        ground.gate,
    )
    return maker, Pricer(log, maker, planner, clock)


def homeward_of(config: HandlerConfig, ground: Ground, books: Books) -> Homeward:
    """What brings pictures into direct messages: one for all, so that none is brought twice at once."""
    manner = manner_of(config, ground.catalogue)
    return Homeward(ground.slack, ground.clock, books.conversations, manner, ground.blobs.path_of)


def delivery_of(config: HandlerConfig, ground: Ground, books: Books, homeward: Homeward) -> SlackDelivery:
    """The way to people."""
    manner = manner_of(config, ground.catalogue)
    return SlackDelivery(
        ground.slack, ground.clock, config.voice, manner, books.log, books.conversations, homeward
    )


def redelivering_of(
    ground: Ground, books: Books, delivery: SlackDelivery, recalling: Recalling
) -> Redelivering:
    """What tells anew what Slack has not taken, not started yet."""
    clock = ground.clock
    redelivery = Redelivery(books.store, books.log, delivery, ground.blobs, clock, recalling.wake)
    return Redelivering(redelivery, clock)


def worker_of(
    settings: Settings,
    ground: Ground,
    books: Books,
    maker: TurnMaker,
    guard: SlackGuard,
    delivery: SlackDelivery,
    alerting: Alerting,
    recalling: Recalling,
) -> Worker:
    """What every turn goes through, not running yet."""
    clock = ground.clock
    return Worker(
        books.store,
        books.log,
        maker,
        guard,
        delivery,
        ground.blobs,
        settings.caps.caps(),
        clock,
        Line(settings.queue.per_person, settings.queue.overall),
        gate=ground.gate,
        timeout_s=settings.image.timeout_s,
        waiting_max=settings.queue.waiting,
        waiting_per_person=settings.queue.waiting_per_person,
        noticed=alerting.wake,
        to_recall=recalling.wake,
    )


def alerting_of(
    settings: Settings, config: HandlerConfig, ground: Ground, books: Books, reporter: Reporter
) -> Alerting:
    """What tells people and admins of its own accord, not started yet."""
    team, clock, slack = config.team_id, ground.clock, ground.slack

    async def send_report(to: str, span: Span) -> None:
        await reporter.send(to, await books.spend.report(team, span, config.caps, clock.now()))

    used = [
        Used("image.model", config.model),
        *(Used("image.fallback", model) for model in config.fallback),
        Used("image.host_model", config.host_model),
    ]
    due = Watch(
        ground.catalogue,
        used,
        books.spend,
        team,
        config.caps,
        clock,
        month_end_report=settings.reports.month_end,
    ).due
    teller = MoneyTeller(books.requests, books.admin, books.log, books.spend, slack, clock, config.voice)
    watching = Watching(due, (teller.round,))
    return Alerting(books.alerts, books.admin, slack, clock, config.voice, team, send_report, watching)


def account_of(settings: Settings, ground: Ground, look_up: LookUp | None) -> AccountRounds:
    """What keeps the books up to what the account may call, and how fast, not started yet."""
    image, provider = settings.image, provider_name(settings.openai_base_url)
    models = (image.model, *image.fallback, image.host_model)
    book = SqliteAccountBook(ground.database)
    watch = AccountWatch(look_up, book, provider, models, ground.clock)
    ground.gate.listen_for_answers(watch.heard)
    return AccountRounds(watch, ground.clock)


def standing_of(settings: Settings, ground: Ground, worker: Worker) -> Standing:
    """Where to read how things are."""
    return Standing(
        ground.gate,
        worker.pulse,
        settings.queue.overall,
        SqliteAccountBook(ground.database),
        SqliteCallLog(ground.database),
        provider_name(settings.openai_base_url),
    )


def sharing_of(config: HandlerConfig, ground: Ground, books: Books, recalling: Recalling) -> Sharing:
    """What shows pictures in other channels, not started yet."""
    manner = manner_of(config, ground.catalogue)
    return Sharing(
        books.conversations,
        ground.slack,
        ground.clock,
        config.voice,
        manner,
        ground.blobs.path_of,
        recalling.wake,
    )


def recalling_of(config: HandlerConfig, ground: Ground, books: Books) -> Recalling:
    """What takes back what deleted pictures have left elsewhere, not started yet."""
    showing = Showing(ground.slack, ground.clock, manner_of(config, ground.catalogue))
    reach = Reach(
        forget=ground.renderer.forget,
        remove=partial(remove_bytes, ground.database, ground.blobs),
        view_of=rewriting(books.log, ground.slack, showing),
    )
    return Recalling(books.eraser, books.conversations, ground.slack, ground.clock, config.voice, reach)


def keep_of(settings: Settings) -> Keep:
    """For how long things are kept."""
    kept = settings.retention
    return Keep(kept.pictures_days, kept.prompts_days, kept.turns_days)


def retention_of(settings: Settings, database: Database, blobs: BlobStore, clock: Clock) -> Retention:
    """What deletes what is old enough."""
    return Retention(
        SqliteRetentionBook(database), keep_of(settings), clock, partial(remove_bytes, database, blobs)
    )


def retaining_of(settings: Settings, ground: Ground, recalling: Recalling, services: Services) -> Retaining:
    """What has that done once a day, not started yet."""
    homes = Homes(services)
    retention = retention_of(settings, ground.database, ground.blobs, ground.clock)
    return Retaining(retention, ground.clock, recalling.wake, lambda user_id: homes.refresh(user_id, 0))


def manner_of(config: HandlerConfig, catalogue: Catalogue) -> Manner:
    """How pictures are shown."""
    usual = frozenset({config.model, catalogue.image(config.model).base})
    return Manner(usual, config.broadcast_first, config.confirm_nano_usd, catalogue)


def handler_config(settings: Settings, identity: Identity) -> HandlerConfig:
    """What the surfaces know of the settings."""
    width, height = settings.image.width_height
    return HandlerConfig(
        team_id=identity.team_id,
        enterprise_id=identity.enterprise_id,
        bot_user_id=identity.bot_user_id,
        bot_id=identity.bot_id,
        caps=settings.caps.caps(),
        model=settings.image.model,
        quality=settings.image.quality,
        width=width,
        height=height,
        format=settings.image.format,
        confirm_nano_usd=settings.slack.confirm_usd,
        fallback=settings.image.fallback,
        host_model=settings.image.host_model,
        admins=settings.slack.admins,
        allow_guests=settings.slack.allow_guests,
        broadcast_first=settings.slack.first_picture_in_channel,
        thread_replies=settings.slack.thread_replies,
        imagine=settings.slack.imagine,
        spend=settings.slack.spend,
    )


def render_settings(settings: Settings, safety_key: bytes) -> RenderSettings:
    """What planning knows of the settings."""
    width, height = settings.image.width_height
    return RenderSettings(
        model=settings.image.model,
        fallback=settings.image.fallback,
        host_model=settings.image.host_model,
        width=width,
        height=height,
        quality=settings.image.quality,
        format=settings.image.format,
        timeout_s=settings.image.timeout_s,
        provider=provider_name(settings.openai_base_url),
        safety_key=safety_key,
    )
