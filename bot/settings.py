"""One frozen Settings from flags, environment, ``.env`` and ``darkroom.toml``; all faults at once."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from bot.setting_types import Amount, Days, Limit, Prefix, Size, UrlPath, Zone, command_name
from darkroom.spending.budgets import BudgetKind, Caps
from darkroom.spending.money import NANO_PER_USD
from darkroom.spending.periods import PeriodKind
from darkroom.spending.sizes import parse_size
from darkroom.turns.model import ThreadReplies

CONFIG_NAME = "darkroom.toml"
ENV_NAME = ".env"


class BadSettings(Exception):
    """Some settings are missing or make no sense; ``faults`` says of each what is wrong and what is allowed.
    Mend them in darkroom.toml, .env or the environment and start again."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


CONFIRM_MAX_USD = 1_000


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ImageSettings(_Section):
    """``[image]``: how pictures are made when nobody asks for anything else."""

    model: str = "gpt-image-2-2026-04-21"
    fallback: tuple[str, ...] = ("gpt-image-2.5-flare",)
    host_model: str = "gpt-5.6-luna"
    quality: Literal["low", "medium", "high"] = "medium"
    size: Size = "1024x1024"
    format: Literal["png", "jpeg"] = "png"
    timeout_s: float = Field(default=240.0, ge=10, le=900)

    @property
    def width_height(self) -> tuple[int, int]:
        """``size`` in pixels."""
        return parse_size(self.size)


class CapSettings(_Section):
    """``[caps]``: who may spend how much, in decimal dollars or "none", and when it renews."""

    person_usd: Limit = Field(default=10_000_000_000, validate_default=False)
    channel_usd: Limit = Field(default=None, validate_default=False)
    workspace_usd: Limit = Field(default=500_000_000_000, validate_default=False)
    period: PeriodKind = PeriodKind.month
    warn_percent: int = Field(default=80, ge=1, le=100)
    timezone: Zone = "UTC"

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

    mode: Literal["socket", "http"] = "socket"
    # Of this machine alone: a proxy with a certificate is what Slack talks to.
    host: str = "127.0.0.1"
    port: int = Field(default=3000, ge=0, le=65_535)
    path: UrlPath = "/slack/events"
    command_prefix: Prefix = ""
    admins: tuple[str, ...] = ()
    thread_replies: ThreadReplies = ThreadReplies.JOINED
    allow_guests: bool = False
    first_picture_in_channel: bool = True
    confirm_usd: Amount = Field(default=250_000_000, validate_default=False)

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

    per_person: int = Field(default=2, ge=1, le=100)
    overall: int = Field(default=32, ge=1, le=1000)
    # Who is next is looked for among all that wait: with more of them that keeps Slack waiting.
    waiting: int = Field(default=500, ge=1, le=2_000)
    waiting_per_person: int = Field(default=50, ge=1, le=2_000)
    # Below the 30 s after which Kubernetes kills, and systemd's 90 s.
    grace_s: float = Field(default=25.0, ge=0, le=3_600)


class StorageSettings(_Section):
    """``[storage]``: where everything is kept."""

    data_dir: Path = Path("data")


class CatalogueSettings(_Section):
    """``[catalogue]``: a file of your own with prices and models, over ours."""

    file: Path | None = None


class ReportSettings(_Section):
    """``[reports]``: what admins are sent without asking."""

    month_end: bool = True


class LogSettings(_Section):
    """``[log]``: how much is said while running. No level shows a prompt, token or key."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


class WatchSettings(_Section):
    """``[watch]``: where whoever looks after the bot asks how it is; nothing listens without a port."""

    host: str = "127.0.0.1"
    port: int | None = Field(default=None, ge=0, le=65_535)


class RetentionSettings(_Section):
    """``[retention]``: for how many days things are kept; "none" keeps them until they are deleted."""

    pictures_days: Days = Field(default=None, validate_default=False)
    prompts_days: Days = Field(default=None, validate_default=False)
    turns_days: Days = Field(default=None, validate_default=False)


class Settings(BaseSettings):
    """Everything that can be set. Secrets come from the environment or ``.env`` alone."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix="DARKROOM_",
        env_nested_delimiter="__",
        dotenv_filtering="match_prefix",
        populate_by_name=True,
    )

    slack_bot_token: SecretStr | None = Field(default=None, validation_alias=AliasChoices("SLACK_BOT_TOKEN"))
    slack_app_token: SecretStr | None = Field(default=None, validation_alias=AliasChoices("SLACK_APP_TOKEN"))
    slack_signing_secret: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("SLACK_SIGNING_SECRET")
    )
    slack_api_url: str | None = Field(default=None, validation_alias=AliasChoices("SLACK_API_URL"))
    openai_api_key: SecretStr | None = Field(default=None, validation_alias=AliasChoices("OPENAI_API_KEY"))
    openai_admin_key: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("OPENAI_ADMIN_KEY")
    )
    openai_base_url: str | None = Field(default=None, validation_alias=AliasChoices("OPENAI_BASE_URL"))

    image: ImageSettings = ImageSettings()
    caps: CapSettings = CapSettings()
    slack: SlackSettings = SlackSettings()
    queue: QueueSettings = QueueSettings()
    storage: StorageSettings = StorageSettings()
    catalogue: CatalogueSettings = CatalogueSettings()
    reports: ReportSettings = ReportSettings()
    log: LogSettings = LogSettings()
    watch: WatchSettings = WatchSettings()
    retention: RetentionSettings = RetentionSettings()


def load_settings(
    *, config: Path | None = None, flags: Mapping[str, Any] | None = None, folder: Path | None = None
) -> Settings:
    """The settings of a run: *flags* (by dotted name) over the environment over ``.env`` over the TOML file.

    *config* is another file than ``darkroom.toml`` in *folder* (the current one). Raises ``BadSettings``.
    """
    here = folder or Path()
    file = config or here / CONFIG_NAME
    faults = _file_faults(file, must_exist=config is not None) + _strange_variables(os.environ)
    if faults:
        raise BadSettings(faults)

    return _made(_reading(here / ENV_NAME, file), flags or {})


def plain_settings(flags: Mapping[str, Any]) -> Settings:
    """The defaults with *flags* (by dotted name), whatever stands in the environment or in files."""
    return _made(_reading(None, None), flags)


def _reading(env_file: Path | None, toml_file: Path | None) -> type[Settings]:
    """Settings that read these files and the environment; without a *toml_file*, nothing but the flags."""

    class Read(Settings):
        """Settings with this run's sources."""

        model_config = SettingsConfigDict(env_file=env_file)

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            if toml_file is None:
                return (init_settings,)
            toml = TomlConfigSettingsSource(settings_cls, toml_file)
            return init_settings, env_settings, dotenv_settings, toml

    return Read


def _made(kind: type[Settings], flags: Mapping[str, Any]) -> Settings:
    values: dict[str, Any] = {}
    for name, value in flags.items():
        section, _, key = name.partition(".")
        if key:
            values.setdefault(section, {})[key] = value
        else:
            values[section] = value
    try:
        return kind(**values)
    except ValidationError as error:
        raise BadSettings([_fault(entry) for entry in error.errors(include_url=False)]) from None


def _fault(entry: Any) -> str:
    """One line of a validation error, by the setting's own name; a secret's value is never repeated."""
    name = ".".join(str(part) for part in entry["loc"])
    message = str(entry["msg"]).removeprefix("Value error, ")
    if entry["type"] == "extra_forbidden":
        return f"{name}: there is no such setting"
    section, _, key = name.partition(".")
    variable = f"DARKROOM_{section}__{key}".upper() if key else section.upper()
    return f"{name} ({variable}): {message}"


def _file_faults(file: Path, *, must_exist: bool) -> list[str]:
    if not file.exists():
        return [f"{file.resolve()}: there is no such file"] if must_exist else []
    try:
        tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return [f"{file.resolve()}: not readable as TOML: {error}"]
    except OSError as error:
        return [f"{file.resolve()}: cannot be read: {error.strerror}"]
    return []


def _strange_variables(environment: Mapping[str, str]) -> list[str]:
    """A mistyped variable would be ignored without a word, and its default used instead."""
    known = {
        f"DARKROOM_{name}".upper()
        for name in Settings.model_fields
        if not name.endswith(("token", "key", "secret"))
    }
    return [
        f"{name}: there is no such setting"
        for name in environment
        if name.upper().startswith("DARKROOM_") and name.upper().partition("__")[0] not in known
    ]
