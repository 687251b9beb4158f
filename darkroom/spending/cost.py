"""From the usage that the API reports to the amount that is charged.

`response.usage` is the host model alone, `response.tool_usage.image_gen` the image model. Either may be
missing, which never means zero: then the estimate is charged and the charge carries a flag.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from darkroom.spending.bound import Ask, estimated_host_tokens, estimated_image_tokens, host_rates, prices_for
from darkroom.spending.catalogue import Catalogue, ImageModel, PriceVersion, price_key
from darkroom.spending.classes import HOST_INPUTS, Cost, Rounding, TokenClass, cost_of

MAX_REPORTED_TOKENS = 10_000_000
"""The most tokens one reported count may hold; no model reads or writes as many in a call."""

ESTIMATED = "estimated"
"""Usage was missing, and the estimate stands for it."""
BAD_USAGE = "bad_usage"
"""Usage made no sense, and the estimate stands for it."""
UNKNOWN_MODEL = "unknown_model"
"""The answer named an image model without a price, and it was priced as the one asked for."""
UNKNOWN_HOST = "unknown_host"
"""The same of the host model. Charges of before it had a flag of its own carry `UNKNOWN_MODEL` for it."""
MODERATED = "moderated"
"""The call was refused on its way and brought no picture: what was reported counts, and nothing else."""


@dataclass(frozen=True, slots=True)
class Charged:
    """What a call is charged, why not exactly (`flags`), and by which prices.

    `price_version` is the image model's price key and, behind a "+", the host's, for example
    "gpt-image-2@2026-04-21+gpt-5.6-luna@2026-07-30". With it and the stored usage `charge` gives the same
    amount again.
    """

    cost: Cost
    flags: frozenset[str]
    price_version: str


class _Nonsense(ValueError):
    """A usage record contradicts itself or holds something else than counts."""


def charge(
    host_usage: Mapping[str, Any] | None,
    image_usage: Mapping[str, Any] | None,
    *,
    ask: Ask,
    catalogue: Catalogue,
    image_model: str,
    host_model: str | None,
    picture_made: bool,
    moderated: bool = False,
    price_version: str | None = None,
) -> Charged:
    """Price the raw usage of a call, half up to nano-dollars.

    Cached and cache-write tokens are part of the input tokens and taken out of them. Where details are
    missing the dearer reading counts: input as pictures, cached tokens as text, all output as the picture.
    Missing usage, and image usage without output for a picture that was made, is estimated; but where no
    picture was made the image side's missing counts are nothing, and for a moderated call the host's too,
    which the flag `MODERATED` keeps. A picture in hand counts as made, moderated or not. Nonsense is
    estimated.
    `image_model` and `host_model` are the names in the answer. `price_version` computes with stored prices
    and token numbers instead of those of `ask.today`; it raises `UnknownPrice` when they are gone.
    """
    flags: set[str] = set()
    moderated = moderated and not picture_made
    if moderated:
        flags.add(MODERATED)
    image_price, host_price = _prices(ask, catalogue, image_model, host_model, price_version, flags)

    def asked() -> ImageModel:
        return catalogue.image(ask.image_model, image_price.family_mark)

    tokens = _side(
        lambda: _image_tokens(image_usage, picture_made=picture_made),
        lambda: estimated_image_tokens(ask, asked()),
        flags,
        missing_is_nothing=not picture_made,
    )
    written = 0 if flags & {ESTIMATED, BAD_USAGE} else _text_output(image_usage)
    rates = _image_rates(image_price, tokens.get(TokenClass.image_output, 0), written)
    if host_price is not None:
        tokens |= _side(
            lambda: _host_tokens(host_usage, lenient=moderated),
            lambda: estimated_host_tokens(ask, asked().tokens),
            flags,
            missing_is_nothing=moderated,
        )
        rates |= _host_rates(host_price, tokens, host_usage)
    cost = cost_of(tokens, rates, rounding=Rounding.HALF_UP)
    return Charged(cost, frozenset(flags), price_key(image_price, host_price))


def _prices(
    ask: Ask,
    catalogue: Catalogue,
    image_model: str,
    host_model: str | None,
    price_version: str | None,
    flags: set[str],
) -> tuple[PriceVersion, PriceVersion | None]:
    image = catalogue.answered_image(image_model)
    host = ask.host_model if host_model is None else catalogue.answered_host(host_model)
    if image is None:
        flags.add(UNKNOWN_MODEL)
    if host is None and ask.host_model is not None:
        flags.add(UNKNOWN_HOST)
    if price_version is not None:
        return catalogue.stored_prices(price_version)
    answered = replace(
        ask,
        image_model=image or ask.image_model,
        host_model=None if ask.host_model is None else host or ask.host_model,
    )
    image_price, host_price = prices_for(answered, catalogue)
    # What is missing is estimated by the model that was asked for, whatever answered.
    mark = catalogue.image(ask.image_model).tokens.mark
    return replace(image_price, family_mark=mark), host_price


def _side(
    read: Callable[[], dict[TokenClass, int] | None],
    estimated: Callable[[], dict[TokenClass, int]],
    flags: set[str],
    *,
    missing_is_nothing: bool,
) -> dict[TokenClass, int]:
    try:
        tokens = read()
    except _Nonsense:
        flags.add(BAD_USAGE)
        return estimated()
    if tokens is not None:
        return tokens
    if missing_is_nothing:
        return {}
    flags.add(ESTIMATED)
    return estimated()


def _image_tokens(usage: Mapping[str, Any] | None, *, picture_made: bool) -> dict[TokenClass, int] | None:
    """The image side by class, None when it is missing. Without a picture a missing count is 0."""
    if usage is None:
        return None
    details = _details(usage, "input_tokens_details")
    text, pictures = _count(details, "text_tokens"), _count(details, "image_tokens")
    cached = _details(usage, "cached_tokens_details")
    cached_text, cached_pictures = _count(cached, "cached_text_tokens"), _count(cached, "cached_image_tokens")
    cached_all = _count(usage, "cached_tokens")
    output, given = _count(usage, "output_tokens"), _count(usage, "input_tokens")
    detailed = _details(usage, "output_tokens_details")
    painted, written = _count(detailed, "image_tokens"), _count(detailed, "text_tokens")
    if output is None and (painted is not None or written is not None):
        output = _sum(painted, written)
    if given is None and (text is not None or pictures is not None):
        given = _sum(text, pictures)
    if output is None or given is None:
        if picture_made:
            return None
        output, given = output or 0, given or 0
    if output < _sum(painted, written):
        raise _Nonsense
    if output == 0 and picture_made:
        return None
    if text is None and pictures is None:
        text = cached_text
    text = text or 0
    if text + (pictures or 0) > given:
        raise _Nonsense
    pictures = given - text
    if cached_text is None and cached_pictures is None:
        whole = cached_all or 0
        cached_text = min(whole, text)
        cached_pictures = whole - cached_text
    cached_text, cached_pictures = cached_text or 0, cached_pictures or 0
    if cached_text > text or cached_pictures > pictures:
        raise _Nonsense
    if cached_all is not None and cached_text + cached_pictures > cached_all:
        raise _Nonsense
    return {
        TokenClass.text_input: text - cached_text,
        TokenClass.cached_text_input: cached_text,
        TokenClass.image_input: pictures - cached_pictures,
        TokenClass.cached_image_input: cached_pictures,
        TokenClass.image_output: output,
    }


def _text_output(usage: Mapping[str, Any] | None) -> int:
    """What the image model wrote beside the picture; part of its output tokens."""
    return 0 if usage is None else _count(_details(usage, "output_tokens_details"), "text_tokens") or 0


def _image_rates(price: PriceVersion, output: int, written: int) -> dict[TokenClass, Fraction]:
    """The image model's rates; where text output has a price, that of output is the exact mean of both."""
    rates = dict(price.rates)
    if price.text_output is not None and written > 0:
        painted = rates[TokenClass.image_output] * (output - written)
        rates[TokenClass.image_output] = (painted + price.text_output * written) / output
    return rates


def _host_tokens(usage: Mapping[str, Any] | None, *, lenient: bool) -> dict[TokenClass, int] | None:
    """The host side by class, None when it is missing. `lenient`: a missing count is 0."""
    if usage is None:
        return None
    details = _details(usage, "input_tokens_details")
    cached = _count(details, "cached_tokens") or 0
    writes = _count(details, "cache_write_tokens") or 0
    split = _details(details, "cache_write_tokens_details")
    kept = _sum(_count(split, "ttl_12h_tokens"), _count(split, "ttl_30m_tokens"))
    given, output = _count(usage, "input_tokens"), _count(usage, "output_tokens")
    if given is None or output is None:
        if not lenient:
            return None
        given, output = given or 0, output or 0
    if cached + writes > given or kept > writes:
        raise _Nonsense
    return {
        TokenClass.host_input: given - cached - writes,
        TokenClass.host_cached_input: cached,
        TokenClass.host_cache_write: writes,
        TokenClass.host_output: output,
    }


def _host_rates(
    price: PriceVersion, tokens: Mapping[TokenClass, int], usage: Mapping[str, Any] | None
) -> dict[TokenClass, Fraction]:
    """The host's rates for these tokens. Cache writes are kept for 30 minutes unless the usage says more."""
    writes = tokens.get(TokenClass.host_cache_write, 0)
    kept = 0
    if usage is not None and writes:
        split = _details(_details(usage, "input_tokens_details"), "cache_write_tokens_details")
        kept = _count(split, "ttl_12h_tokens") or 0
    read = sum(tokens.get(token_class, 0) for token_class in HOST_INPUTS)
    return host_rates(price, read, writes=writes, writes_12h=kept)


def _details(usage: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = usage.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _Nonsense
    return value


def _count(usage: Mapping[str, Any], key: str) -> int | None:
    value = usage.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_REPORTED_TOKENS:
        raise _Nonsense
    return value


def _sum(*counts: int | None) -> int:
    return sum(count or 0 for count in counts)
