"""What the surfaces are handed: everything they use, nothing they have to look for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from darkroom.clock import Clock
from darkroom.spending.alerts import AlertBook, AlertKind, unpriced_key
from darkroom.spending.budgets import Caps
from darkroom.spending.catalogue import Catalogue
from darkroom.spending.changes import AdminBooks
from darkroom.spending.reports import SpendReader
from darkroom.spending.requests import MoneyRequests
from darkroom.turns.conversations import Conversations
from darkroom.turns.erasing import Eraser
from darkroom.turns.intake import Intake
from darkroom.turns.model import ThreadReplies
from darkroom.turns.pricing import Pricing
from darkroom.turns.standing import Standing
from darkroom.turns.store import TurnLog
from handlers.blocks.text import View
from handlers.clients import SlackClient
from handlers.errands import Errands
from handlers.guard import House, SlackGuard
from handlers.homeward import Homeward
from handlers.options import BadOption, OptionRules
from handlers.pacing import ANSWER_PATIENCE_S
from handlers.posting import tell_privately
from handlers.reporting import Reporter
from handlers.words import Voice


@dataclass(frozen=True, slots=True)
class HandlerConfig:
    """The settings that the surfaces know. ``enterprise_id`` is set for org-wide installs only; ``model``,
    ``quality``, ``width``, ``height`` and ``format`` are used where a person says nothing; ``fallback`` are
    the models that are tried next, ``host_model`` is the one that hosts the image tool. A press that likely
    costs more than ``confirm_nano_usd`` asks first."""

    team_id: str
    enterprise_id: str | None
    bot_user_id: str
    bot_id: str
    caps: Caps
    model: str
    quality: str
    width: int
    height: int
    format: str
    confirm_nano_usd: int = 250_000_000
    fallback: tuple[str, ...] = ()
    host_model: str = ""
    admins: tuple[str, ...] = ()
    allow_guests: bool = False
    broadcast_first: bool = True
    thread_replies: ThreadReplies = ThreadReplies.JOINED
    imagine: str = "/imagine"
    spend: str = "/spend"

    @property
    def house(self) -> House:
        """What the guard needs to know."""
        return House(self.team_id, self.enterprise_id, self.admins, self.allow_guests)

    @property
    def voice(self) -> Voice:
        """What the sentences need to know."""
        return Voice(self.imagine, self.spend, self.bot_user_id, self.admins, self.caps.timezone)


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a surface uses. ``log`` and ``spend`` only read. ``policy_changed`` lets what waits be
    looked at again, ``wake_alerting`` what is to be told of our own accord be told, ``wake_sharing`` what
    is to be shared be shared, ``wake_recalling`` what was deleted be recalled; ``gone`` is told
    by which word Slack has parted with us. None of them waits."""

    config: HandlerConfig
    catalogue: Catalogue
    intake: Intake
    log: TurnLog
    spend: SpendReader
    admin: AdminBooks
    alerts: AlertBook
    requests: MoneyRequests
    conversations: Conversations
    homeward: Homeward
    eraser: Eraser
    pricing: Pricing
    standing: Standing
    reporter: Reporter
    slack: SlackClient
    guard: SlackGuard
    errands: Errands
    clock: Clock
    policy_changed: Callable[[], None]
    wake_alerting: Callable[[], None]
    wake_sharing: Callable[[], None]
    wake_recalling: Callable[[], None]
    gone: Callable[[str], None] = lambda why: None

    @property
    def rules(self) -> OptionRules:
        """What options are checked against."""
        config = self.config
        return OptionRules(
            self.catalogue, config.model, config.quality, config.width, config.height, config.format
        )

    async def whisper(
        self,
        view: View,
        *,
        channel: str,
        user_id: str,
        reply_url: str | None = None,
        thread_ts: str | None = None,
    ) -> None:
        """Tell one person alone, by the first of the private ways that is open."""
        await tell_privately(
            self.slack.within(ANSWER_PATIENCE_S),
            self.clock,
            view,
            channel=channel,
            user_id=user_id,
            reply_url=reply_url,
            thread_ts=thread_ts,
        )

    def note(self, error: BadOption) -> None:
        """Raise an alert for the admins if somebody wanted a model that lacks only a price; once a day."""
        if error.unpriced is None:
            return
        now, team = self.clock.now(), self.config.team_id
        key = unpriced_key(team, error.unpriced.model, now)
        details = {"why": str(error.unpriced)}

        async def add() -> None:
            await self.alerts.add(key, team, AlertKind.UNPRICED, details, now)
            self.wake_alerting()

        self.errands.start(f"alert {key}", add())

    def today(self) -> date:
        """The day that models are looked up for, in UTC."""
        return self.clock.now().date()
