"""The tables of ``docs/configuration.md``, from the settings themselves."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from bot.settings import Settings, plain_settings
from tests.reliability.tables import markdown


def made() -> dict[str, str]:
    """The page's parts, by the names of their markers."""
    secrets = [
        [f"`{name.upper()}`", str(field.description)]
        for name, field in Settings.model_fields.items()
        if not _is_section(name)
    ]
    settings = [
        [f"`{name}`", f"`{variable}`", default, description]
        for name, variable, default, description in rows()
    ]
    return {
        "secrets": markdown(("variable", "what it is"), secrets),
        "settings": markdown(("`darkroom.toml`", "environment", "default", "what it does"), settings),
    }


def rows() -> list[tuple[str, str, str, str]]:
    """Of each setting its name, its variable, its default as people write it, and what it does."""
    found = []
    for section, value in plain_settings({}):
        if not isinstance(value, BaseModel):
            continue
        for key, field in type(value).model_fields.items():
            variable = f"DARKROOM_{section}__{key}".upper()
            found.append((f"{section}.{key}", variable, written(key, field.default), str(field.description)))
    return found


def written(key: str, value: Any) -> str:
    """A default as people write it."""
    if key.endswith(("_usd", "_days")) and value is None:
        return "`none`"
    if key.endswith("_usd"):
        return f"`{Decimal(value) / 1_000_000_000:f}`"
    if value is None or value == "":
        return "\u2013"
    if isinstance(value, tuple):
        return "`[" + ", ".join(f'"{each}"' for each in value) + "]`"
    if isinstance(value, bool):
        return f"`{value}`".lower()
    return f"`{value:g}`" if isinstance(value, float) else f"`{getattr(value, 'value', value)}`"


def _is_section(name: str) -> bool:
    return isinstance(getattr(plain_settings({}), name), BaseModel)
