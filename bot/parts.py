"""Parts that ``app.py`` puts together, each made from the settings."""

from __future__ import annotations

from dataclasses import dataclass

from bot.preflight import Identity
from bot.settings import Settings
from darkroom.clock import Clock
from darkroom.rendering.provider import provider_name
from darkroom.spending.catalogue import Catalogue
from darkroom.spending.spans import Span
from darkroom.spending.watch import Used
from darkroom.turns.planning import RenderSettings
from handlers.alerting import Alerting, Watching
from handlers.clients import SlackClient
from handlers.money_teller import MoneyTeller
from handlers.reporting import Reporter
from handlers.services import HandlerConfig
from handlers.watching import Watch
from storage.admin import SqliteAdminBooks
from storage.alerts import SqliteAlertBook
from storage.database import Database
from storage.reports import SqliteSpendReader
from storage.requests import SqliteMoneyRequests
from storage.turn_log import SqliteTurnLog


@dataclass(frozen=True, slots=True)
class Books:
    """What is read of the books, and what admins change and are told."""

    spend: SqliteSpendReader
    admin: SqliteAdminBooks
    alerts: SqliteAlertBook
    requests: SqliteMoneyRequests

    @classmethod
    def of(cls, database: Database) -> Books:
        """All of them on one database."""
        return cls(
            SqliteSpendReader(database),
            SqliteAdminBooks(database),
            SqliteAlertBook(database),
            SqliteMoneyRequests(database),
        )


def alerting_of(
    settings: Settings,
    config: HandlerConfig,
    books: Books,
    log: SqliteTurnLog,
    reporter: Reporter,
    slack: SlackClient,
    catalogue: Catalogue,
    clock: Clock,
) -> Alerting:
    """What tells people and admins of its own accord, not started yet."""
    team = config.team_id

    async def send_report(to: str, span: Span) -> None:
        await reporter.send(to, await books.spend.report(team, span, config.caps, clock.now()))

    used = [
        Used("image.model", config.model),
        *(Used("image.fallback", model) for model in config.fallback),
        Used("image.host_model", config.host_model),
    ]
    due = Watch(
        catalogue,
        used,
        books.spend,
        team,
        config.caps,
        clock,
        month_end_report=settings.reports.month_end,
    ).due
    teller = MoneyTeller(books.requests, books.admin, log, books.spend, slack, clock, config.voice)
    watching = Watching(due, (teller.round,))
    return Alerting(books.alerts, books.admin, slack, clock, config.voice, team, send_report, watching)


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
    )


def render_settings(settings: Settings) -> RenderSettings:
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
    )
