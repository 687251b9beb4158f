"""The classes of tokens a call is billed by, and what a set of tokens costs.

The classes are disjoint: cached tokens are not counted again as plain input. Amounts are nano-dollars,
rates nano-dollars per token.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from fractions import Fraction

MAX_TOKENS = 10**12
"""The most tokens one line may carry; anything above is a fault, not a call."""


class TokenClass(StrEnum):
    """What a token is billed as. The values are keys of `darkroom spend --json`."""

    text_input = "text_input"
    cached_text_input = "cached_text_input"
    image_input = "image_input"
    cached_image_input = "cached_image_input"
    image_output = "image_output"
    host_input = "host_input"
    host_cached_input = "host_cached_input"
    host_cache_write = "host_cache_write"
    host_output = "host_output"


IMAGE_INPUTS = (
    TokenClass.text_input,
    TokenClass.cached_text_input,
    TokenClass.image_input,
    TokenClass.cached_image_input,
)
IMAGE_CLASSES = (*IMAGE_INPUTS, TokenClass.image_output)
HOST_INPUTS = (TokenClass.host_input, TokenClass.host_cached_input, TokenClass.host_cache_write)
HOST_CLASSES = (*HOST_INPUTS, TokenClass.host_output)


class Rounding(Enum):
    """How a sum of lines becomes a whole number of nano-dollars."""

    UP = "up"
    """For holds: never less than the exact sum."""
    HALF_UP = "half_up"
    """For charges."""


@dataclass(frozen=True, slots=True)
class Line:
    """The tokens of one class and their share of the total, in nano-dollars."""

    token_class: TokenClass
    tokens: int
    charged_nano_usd: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What a call costs: lines in the order of `TokenClass`, classes without tokens left out.

    The lines' amounts add up to `total_nano_usd` exactly.
    """

    lines: tuple[Line, ...]
    total_nano_usd: int

    def line_of(self, token_class: TokenClass) -> Line:
        """The line of a class, one of nothing when it has none."""
        return next((line for line in self.lines if line.token_class is token_class), Line(token_class, 0, 0))


def cost_of(
    tokens: Mapping[TokenClass, int], rates: Mapping[TokenClass, Fraction], *, rounding: Rounding
) -> Cost:
    """Price tokens: the exact lines are summed and rounded once, then the total is shared out.

    Each line gets the whole part of its exact amount; what the rounding left over goes, a nano-dollar
    each, to the lines with the largest remainders. Raises `ValueError` for a count that is no integer,
    negative or above `MAX_TOKENS`, for a negative rate, and for a class with tokens but without a rate.
    """
    exact: list[tuple[TokenClass, int, Fraction]] = []
    for token_class in TokenClass:
        count = tokens.get(token_class, 0)
        if type(count) is not int or not 0 <= count <= MAX_TOKENS:
            raise ValueError(
                f"{token_class}: a token count is an integer from 0 to {MAX_TOKENS}, not {count!r}"
            )
        if count == 0:
            continue
        if token_class not in rates:
            raise ValueError(f"{token_class}: {count} tokens and no rate")
        if rates[token_class] < 0:
            raise ValueError(f"{token_class}: a rate is never negative")
        exact.append((token_class, count, count * rates[token_class]))
    total = _round(sum((amount for _, _, amount in exact), Fraction(0)), rounding)
    shares = [amount.numerator // amount.denominator for _, _, amount in exact]
    by_remainder = sorted(range(len(exact)), key=lambda i: (shares[i] - exact[i][2], i))
    for i in by_remainder[: total - sum(shares)]:
        shares[i] += 1
    lines = tuple(
        Line(token_class, count, share) for (token_class, count, _), share in zip(exact, shares, strict=True)
    )
    return Cost(lines, total)


def _round(amount: Fraction, rounding: Rounding) -> int:
    if rounding is Rounding.UP:
        return -(-amount.numerator // amount.denominator)
    return (2 * amount.numerator + amount.denominator) // (2 * amount.denominator)
