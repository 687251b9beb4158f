"""What people write in settings, as Darkroom reads it; each says what is allowed where it makes no sense."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field

from darkroom.spending.money import BadAmount, parse_usd
from darkroom.spending.periods import BadTimezone, zone_of
from darkroom.spending.sizes import BadSize, parse_size


def _limit(value: object) -> int | None:
    """Decimal dollars to nano-dollars; "none" is no limit."""
    if value is None or (isinstance(value, str) and value.strip().lower() == "none"):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ValueError('an amount in dollars such as 20 or 20.50, or "none"')
    try:
        return parse_usd(str(value))
    except BadAmount as bad:
        raise ValueError(f"{bad} Or write none for no limit.") from bad


def _amount(value: object) -> int:
    """Decimal dollars to nano-dollars, where there is no such thing as no limit."""
    if value is None or (isinstance(value, str) and value.strip().lower() == "none"):
        raise ValueError("an amount in dollars such as 0.25; 0 asks before everything that costs")
    return _limit(value) or 0


def _zone(value: object) -> str:
    try:
        return str(zone_of(str(value)))
    except BadTimezone as bad:
        raise ValueError(str(bad)) from bad


def _size(value: object) -> str:
    try:
        width, height = parse_size(str(value))
    except BadSize as bad:
        raise ValueError(str(bad)) from bad
    return f"{width}x{height}"


COMMAND_MAX = 32
"""Characters of a slash command, with its slash (Slack's manifest schema)."""
DAYS_MAX = 36_500


def command_name(name: str, prefix: str) -> str:
    """``/imagine``, or ``/x-imagine`` with the prefix ``x``."""
    return f"/{prefix}-{name}" if prefix else f"/{name}"


def _prefix(value: object) -> str:
    text = str(value).strip().removeprefix("/").removesuffix("-")
    if text and not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", text):
        raise ValueError("lower-case letters, digits, - and _, such as test for /test-imagine")
    if len(command_name("imagine", text)) > COMMAND_MAX:
        raise ValueError(f"a command has {COMMAND_MAX} characters at most")
    return text


def _url_path(value: object) -> str:
    text = str(value).strip()
    if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", text):
        raise ValueError("a path such as /slack/events")
    return text


def _days(value: object) -> int | None:
    """A whole number of days; "none" is for ever."""
    if value is None or (isinstance(value, str) and value.strip().lower() == "none"):
        return None
    try:
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise ValueError(value)
        days = int(value)
    except ValueError:
        days = 0
    if not 1 <= days <= DAYS_MAX:
        raise ValueError(f"a whole number of days from 1 to {DAYS_MAX:,}, or none to keep it")
    return days


def _none(value: object) -> object:
    """ "none" as there is no such thing in TOML."""
    return None if isinstance(value, str) and value.strip().lower() in ("", "none") else value


Limit = Annotated[int | None, BeforeValidator(_limit)]
Amount = Annotated[int, BeforeValidator(_amount)]
Zone = Annotated[str, BeforeValidator(_zone)]
Size = Annotated[str, BeforeValidator(_size)]
Prefix = Annotated[str, BeforeValidator(_prefix)]
UrlPath = Annotated[str, BeforeValidator(_url_path)]
Days = Annotated[int | None, BeforeValidator(_days)]
OptionalPort = Annotated[Annotated[int, Field(ge=0, le=65_535)] | None, BeforeValidator(_none)]
