"""What people write in settings, as Darkroom reads it; each says what is allowed where it makes no sense."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator

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


Limit = Annotated[int | None, BeforeValidator(_limit)]
Amount = Annotated[int, BeforeValidator(_amount)]
Zone = Annotated[str, BeforeValidator(_zone)]
Size = Annotated[str, BeforeValidator(_size)]
