"""One frozen Settings from flags, environment, ``.env`` and ``darkroom.toml``; all faults at once."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import (
    AliasChoices,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from bot.setting_sections import (
    CapSettings,
    CatalogueSettings,
    ImageSettings,
    LogSettings,
    QueueSettings,
    ReportSettings,
    RetentionSettings,
    SlackSettings,
    StorageSettings,
    WatchSettings,
)
from darkroom.rendering.address import OPENAI_URL

CONFIG_NAME = "darkroom.toml"
ENV_NAME = ".env"
SLACK_URL = "https://slack.com/api/"


class BadSettings(Exception):
    """Some settings are missing or make no sense; ``faults`` says of each what is wrong and what is allowed.
    Mend them in darkroom.toml, .env or the environment and start again."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


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

    slack_bot_token: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("SLACK_BOT_TOKEN"),
        description="the bot's token, `xoxb-…` (your app's page → OAuth & Permissions)",
    )
    slack_app_token: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("SLACK_APP_TOKEN"),
        description=(
            "the app-level token, `xapp-…`, with the scope `connections:write` (Basic Information "
            "→ App-Level Tokens)"
        ),
    )
    slack_signing_secret: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("SLACK_SIGNING_SECRET"),
        description=(
            'with `slack.mode = "http"`, instead of the app-level token: proves that a request is '
            "Slack's (Basic Information → App Credentials)"
        ),
    )
    slack_api_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("SLACK_API_URL"),
        description="another address than `https://slack.com/api/`, such as the sandbox's",
    )
    openai_api_key: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("OPENAI_API_KEY"),
        description="the key of an OpenAI project",
    )
    openai_admin_key: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("OPENAI_ADMIN_KEY"),
        description=(
            "an organisation's admin key, `sk-admin-…`, for `darkroom spend reconcile` alone; the "
            "bot needs none"
        ),
    )
    openai_base_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("OPENAI_BASE_URL"),
        description="another address than OpenAI's own; pictures made there are listed under that provider",
    )

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

    @property
    def slack_url(self) -> str:
        """Where Slack's Web API is."""
        return self.slack_api_url or SLACK_URL

    @property
    def openai_url(self) -> str:
        """Where the image API is."""
        return self.openai_base_url or OPENAI_URL

    @field_validator("slack_api_url", "openai_base_url")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        # It is not repeated: there may be a password in it.
        try:
            _ = urlsplit(value or "").port
        except ValueError:
            raise ValueError("it is no address, such as https://host:443/path") from None
        return value


def load_settings(
    *, config: Path | None = None, flags: Mapping[str, Any] | None = None, folder: Path | None = None
) -> Settings:
    """The settings of a run: *flags* (by dotted name) over the environment over ``.env`` over the TOML file.

    *config* is another file than ``darkroom.toml`` in *folder* (the current one). Raises ``BadSettings``.
    """
    here = folder or Path()
    file = config or here / CONFIG_NAME
    faults = [
        *_file_faults(file, must_exist=config is not None),
        *_env_file_faults(here / ENV_NAME),
        *_strange_variables(os.environ),
    ]
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
    except SettingsError as error:
        # Its cause quotes what stands there; itself it only names the section.
        name = str(error).partition('"')[2].partition('"')[0]
        wanted = f'{name} (DARKROOM_{name.upper()}__…): a list there is JSON, such as ["U0123ABCD"]'
        raise BadSettings([wanted]) from None


def _fault(entry: Any) -> str:
    """One line of a validation error, by the setting's own name; a secret's value is never repeated."""
    name = ".".join(str(part) for part in entry["loc"])
    message = _plain(entry)
    if entry["type"] == "extra_forbidden":
        return f"{name}: there is no such setting"
    section, _, key = name.partition(".")
    if not key:
        return f"{section.upper()}: {message}"
    return f"{name} ({f'DARKROOM_{section}__{key}'.upper()}): {message}"


def _plain(entry: Any) -> str:
    """What is allowed, in words for who writes settings and has never seen Python."""
    kind, context = str(entry["type"]), entry.get("ctx", {})
    if kind.startswith("bool_"):
        return "true or false"
    if kind.startswith("int_"):
        return "a whole number"
    if kind.startswith("float_"):
        return "a number"
    if kind.startswith("tuple_"):
        return 'a list, such as ["U0123ABCD"]'
    if kind.startswith("string_"):
        return "words in quotes"
    if kind in ("literal_error", "enum"):
        return str(context["expected"])
    if kind == "greater_than_equal":
        return f"at least {context['ge']:,.10g}"
    if kind == "less_than_equal":
        return f"at most {context['le']:,.10g}"
    return str(entry["msg"]).removeprefix("Value error, ")


def _file_faults(file: Path, *, must_exist: bool) -> list[str]:
    try:
        tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return [f"{file.resolve()}: there is no such file"] if must_exist else []
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return [f"{file.resolve()}: not readable as TOML: {error}"]
    except OSError as error:
        return [f"{file.absolute()}: cannot be read: {error.strerror}"]
    return []


def _env_file_faults(file: Path) -> list[str]:
    try:
        file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    except UnicodeDecodeError:
        return [f"{file.resolve()}: not readable as text (UTF-8)"]
    except OSError as error:
        return [f"{file.absolute()}: cannot be read: {error.strerror}"]
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
