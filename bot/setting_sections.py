"""The settings, section by section: what each is for, what is allowed, and what it is when nobody says.

``description`` is what docs/configuration.md says of a setting: the page is made of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from bot.setting_types import Amount, Days, Limit, OptionalPort, Prefix, Size, UrlPath, Zone, command_name
from darkroom.spending.budgets import BudgetKind, Caps
from darkroom.spending.money import NANO_PER_USD
from darkroom.spending.periods import PeriodKind
from darkroom.spending.sizes import parse_size
from darkroom.turns.model import ThreadReplies

CONFIRM_MAX_USD = 1_000


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ImageSettings(_Section):
    """``[image]``: how pictures are made when nobody asks for anything else."""

    model: str = Field(default="gpt-image-2-2026-04-21", description="the image model")
    fallback: tuple[str, ...] = Field(
        default=("gpt-image-2.5-flare",),
        description="the models to try, in order, when that one cannot be used",
    )
    host_model: str = Field(
        default="gpt-5.6-luna", description="the model that hosts the image tool and answers in words"
    )
    quality: Literal["low", "medium", "high"] = Field(
        default="medium", description="`low`, `medium` or `high`, where nobody says"
    )
    size: Size = Field(default="1024x1024", description="the size where nobody says")
    format: Literal["png", "jpeg"] = Field(default="png", description="`png` or `jpeg`, where nobody says")
    timeout_s: float = Field(
        default=240.0, ge=10, le=900, description="the longest a call may take, in seconds (10 to 900)"
    )

    @property
    def width_height(self) -> tuple[int, int]:
        """``size`` in pixels."""
        return parse_size(self.size)


class CapSettings(_Section):
    """``[caps]``: who may spend how much, in decimal dollars or "none", and when it renews."""

    person_usd: Limit = Field(
        default=10_000_000_000, validate_default=False, description="what one person may spend in a period"
    )
    channel_usd: Limit = Field(default=None, validate_default=False, description="what one channel may")
    workspace_usd: Limit = Field(
        default=500_000_000_000, validate_default=False, description="what everybody together may"
    )
    period: PeriodKind = Field(default=PeriodKind.month, description="`month`, `week` (from Monday) or `day`")
    warn_percent: int = Field(
        default=80,
        ge=1,
        le=100,
        description=(
            "from which part of a cap on people are warned: a person by direct message, admins "
            "about channels and the workspace"
        ),
    )
    timezone: Zone = Field(
        default="UTC",
        description="the zone that periods begin in and times are shown in, such as `Europe/Berlin`",
    )

    def caps(self) -> Caps:
        """As the ledger knows them, in nano-dollars."""
        limits = {
            BudgetKind.PERSON: self.person_usd,
            BudgetKind.CHANNEL: self.channel_usd,
            BudgetKind.WORKSPACE: self.workspace_usd,
        }
        return Caps(limits, self.period, self.timezone, self.warn_percent)


class SlackSettings(_Section):
    """``[slack]``: how Darkroom is reached and whom it listens to."""

    mode: Literal["socket", "http"] = Field(
        default="socket",
        description=(
            "how Slack reaches Darkroom: `socket` (Darkroom connects to Slack) or `http` (Slack "
            "sends to an address of yours)"
        ),
    )
    # Of this machine alone: a proxy with a certificate is what Slack talks to.
    host: str = Field(default="127.0.0.1", description="with `http`: the address that is listened on")
    port: int = Field(default=3000, ge=0, le=65_535, description="with `http`: the port")
    path: UrlPath = Field(
        default="/slack/events",
        description=(
            "with `http`: the path that Slack's requests come to, as it is when your proxy has passed them on"
        ),
    )
    command_prefix: Prefix = Field(
        default="",
        description=(
            "`test` makes the commands `/test-imagine` and `/test-spend`, so that two Darkrooms "
            "get along in one workspace"
        ),
    )
    admins: tuple[str, ...] = Field(
        default=(),
        description=(
            "user ids of who may use the admins' commands and is written to about alerts and "
            "requests for more money; only when empty, the workspace's admins and owners may use "
            "the commands"
        ),
    )
    thread_replies: ThreadReplies = Field(
        default=ThreadReplies.JOINED,
        description=(
            "whose replies count: `joined` (the asker's, and of who mentioned Darkroom or pressed "
            "a button there), `everyone`, `mentions`"
        ),
    )
    allow_guests: bool = Field(default=False, description="whether guests may make pictures")
    first_picture_in_channel: bool = Field(
        default=True, description="whether a thread's first picture also shows in its channel"
    )
    confirm_usd: Amount = Field(
        default=250_000_000,
        validate_default=False,
        description=(
            "a button that likely costs more than this asks first, with the price; `0` always "
            "asks, at most 1,000"
        ),
    )

    @property
    def imagine(self) -> str:
        """The name of the command that asks for a picture."""
        return command_name("imagine", self.command_prefix)

    @property
    def spend(self) -> str:
        """The name of the command for money."""
        return command_name("spend", self.command_prefix)

    @field_validator("confirm_usd")
    @classmethod
    def _bounded(cls, nano_usd: int) -> int:
        if nano_usd > CONFIRM_MAX_USD * NANO_PER_USD:
            raise ValueError(f"at most {CONFIRM_MAX_USD:,} dollars")
        return nano_usd


class QueueSettings(_Section):
    """``[queue]``: how many turns run at once, how many may wait, and for how long a stop waits for them."""

    per_person: int = Field(
        default=2, ge=1, le=100, description="how many requests of one person run at once"
    )
    overall: int = Field(
        default=32,
        ge=1,
        le=1000,
        description="how many requests run at once altogether, and how many pictures are being made at once",
    )
    # Who is next is looked for among all that wait: with more of them that keeps Slack waiting.
    waiting: int = Field(
        default=500,
        ge=1,
        le=2_000,
        description="how many may wait, at most 2,000; more are told to try later",
    )
    waiting_per_person: int = Field(
        default=50, ge=1, le=2_000, description="how many of them may be one person's"
    )
    # Below the 30 s after which Kubernetes kills, and systemd's 90 s.
    grace_s: float = Field(
        default=25.0,
        ge=0,
        le=3_600,
        description="how many seconds [a stop](#stopping) may take, all in all (0 to 3,600)",
    )


class StorageSettings(_Section):
    """``[storage]``: where everything is kept."""

    data_dir: Path = Field(default=Path("data"), description="where the ledger and the pictures are")


class CatalogueSettings(_Section):
    """``[catalogue]``: a file of your own with prices and models, over ours."""

    file: Path | None = Field(
        default=None,
        description=(
            'a TOML file with models, prices and token tables (`[family."…"]`) of your own, over '
            "ours (`darkroom/spending/catalogue.toml` shows the form)"
        ),
    )


class ReportSettings(_Section):
    """``[reports]``: what admins are sent without asking."""

    month_end: bool = Field(
        default=True, description="whether admins are sent the month's report when it has ended"
    )


class LogSettings(_Section):
    """``[log]``: how much is said while running. No level shows a prompt, token or key."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info",
        description="`debug`, `info`, `warning` or `error`; no level shows prompts, tokens or keys",
    )
    format: Literal["text", "json"] = Field(
        default="text", description="`text` for people, `json` for programs: one object a line"
    )


class WatchSettings(_Section):
    """``[watch]``: where whoever looks after the bot asks how it is; nothing listens without a port."""

    host: str = Field(
        default="127.0.0.1", description="the address that `/healthz`, `/readyz` and `/metrics` are served on"
    )
    port: OptionalPort = Field(default=None, description="the port of that; `none`, and nothing is served")


class RetentionSettings(_Section):
    """``[retention]``: for how many days things are kept; "none" keeps them until they are deleted."""

    pictures_days: Days = Field(
        default=None,
        validate_default=False,
        description="after how many days a picture is deleted, everywhere",
    )
    prompts_days: Days = Field(
        default=None,
        validate_default=False,
        description="after how many days what was asked for is no longer kept in words",
    )
    turns_days: Days = Field(
        default=None,
        validate_default=False,
        description="after how many days a request is forgotten altogether; what it cost stays in the books",
    )
