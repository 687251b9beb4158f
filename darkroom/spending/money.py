"""Amounts of money: integer nano-dollars (1e-9 USD) inside, decimal dollars for people.

No float ever holds an amount: text and `Decimal` come in, integers and exact fractions go on.
"""

import re
from decimal import Decimal
from fractions import Fraction

Nano = int

NANO_PER_USD = 1_000_000_000
MAX_USD = 1_000_000
"""The largest amount anybody may type or configure, in dollars."""
MAX_USD_PER_MILLION = 100_000
"""The largest price of a million tokens the catalogue takes, in dollars."""

_NANO_PER_CENT = NANO_PER_USD // 100
_NANO_PER_MILL = NANO_PER_USD // 1000
_DECIMALS = 6
"""The finest amount that may be written: a millionth of a dollar."""
_AMOUNT = re.compile(r"\$?\s?([0-9]{1,7})(?:\.([0-9]{1,6})|,([0-9]{1,2}))?")
_PRICE = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,12})?")
_ALLOWED = (
    "An amount is a number of dollars from 0 to 1,000,000 with at most six decimals, such as 20 or 20.50."
)


class BadAmount(ValueError):
    """The text is no amount of money; the message is a sentence that says what is allowed."""


def parse_usd(text: str | Decimal) -> int:
    """Read decimal dollars into nano-dollars.

    Takes "20", "$20", "20.50" and "20,50"; a comma with three digits behind it is refused because it
    could mean thousands. Raises `BadAmount` for anything negative, not finite, written with an exponent,
    finer than six decimals or above 1,000,000 USD.
    """
    if isinstance(text, Decimal):
        return _whole(text)
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise BadAmount(_ALLOWED)
    whole, point, comma = match.groups()
    return _whole(Decimal(f"{whole}.{point or comma or '0'}"))


def _whole(usd: Decimal) -> int:
    if not usd.is_finite() or usd < 0 or usd > MAX_USD:
        raise BadAmount(_ALLOWED)
    exponent = usd.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -100:
        raise BadAmount(_ALLOWED)
    if (Fraction(usd) * 10**_DECIMALS).denominator != 1:
        raise BadAmount(_ALLOWED)
    return int(Fraction(usd) * NANO_PER_USD)


def format_usd(nano: int) -> str:
    """Write nano-dollars for people: "$0.05", "$1,234.50", "-$2.00".

    Half up to cents from one cent up; below one cent three decimals, so that a small price is never shown
    as nothing: the smallest is "$0.001". Zero is "$0.00".
    """
    sign, amount = ("-", -nano) if nano < 0 else ("", nano)
    if 0 < amount < _NANO_PER_CENT:
        mills = max(1, (2 * amount + _NANO_PER_MILL) // (2 * _NANO_PER_MILL))
        if mills < 10:
            return f"{sign}$0.00{mills}"
    cents = (2 * amount + _NANO_PER_CENT) // (2 * _NANO_PER_CENT)
    return f"{sign}${cents // 100:,}.{cents % 100:02d}"


def format_usd_exact(nano: int) -> str:
    """Write nano-dollars with every digit they need, at least two decimals and no thousands separator."""
    sign, amount = ("-", -nano) if nano < 0 else ("", nano)
    decimals = f"{amount % NANO_PER_USD:09d}".rstrip("0").ljust(2, "0")
    return f"{sign}${amount // NANO_PER_USD}.{decimals}"


def rate(usd_per_million: Decimal | str) -> Fraction:
    """Turn a price in dollars per million tokens into nano-dollars per token, exactly (1.25 is 1,250).

    Raises `BadAmount` when it is negative, not finite, written with an exponent or above 100,000 USD.
    """
    allowed = "A price is a number of dollars per million tokens from 0 to 100,000, such as 1.25."
    if isinstance(usd_per_million, str):
        if _PRICE.fullmatch(usd_per_million.strip()) is None:
            raise BadAmount(allowed)
        usd_per_million = Decimal(usd_per_million.strip())
    if not usd_per_million.is_finite() or not 0 <= usd_per_million <= MAX_USD_PER_MILLION:
        raise BadAmount(allowed)
    exponent = usd_per_million.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -100:
        raise BadAmount(allowed)
    return Fraction(usd_per_million) * (NANO_PER_USD // 1_000_000)
