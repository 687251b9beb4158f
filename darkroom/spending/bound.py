"""What a call may cost at most, for its hold, and what it likely costs, for when usage goes missing."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import date
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from darkroom.spending.catalogue import Catalogue, PriceVersion
from darkroom.spending.classes import HOST_INPUTS, IMAGE_INPUTS, Cost, Rounding, TokenClass, cost_of
from darkroom.spending.models import Family, ImageModel
from darkroom.spending.tokens import output_tokens

LIKELY_HOST_OUTPUT_TOKENS = 400
"""Reasoning and the rewritten prompt of a call that is made to paint; 225 were seen."""
LIKELY_WORDS_OUTPUT_TOKENS = 800
"""The same for a call in which the host may answer in words."""
LIKELY_REWRITING_TOKENS = 200
"""What the host's rewriting adds to the prompt that the image model reads."""
LIKELY_BYTES_PER_TOKEN = 3
OWN_TEXT_CEILING = 512
"""What the Images API may put around a prompt that no host has rewritten. No published number: published
readings have no more than some tens of tokens beyond the prompt's own."""

_MAX_COUNT = 10**9


@dataclass(frozen=True, slots=True)
class Ask:
    """One call to the API, as far as its price goes.

    `width` and `height` are pixels, `prompt_bytes` and `instruction_bytes` the UTF-8 sent now,
    `input_pictures` the pictures sent now (a mask counts), `chain_pictures` those already in the
    conversation, `parent_host_tokens` the recorded host tokens of the parent response, input and output.
    `picture_certain` is False when the host may answer in words. `host_model` is None on the Images API.
    `today` decides the prices. Counts are checked: `ValueError` when negative or above 10**9.
    """

    image_model: str
    host_model: str | None
    width: int
    height: int
    quality: str
    prompt_bytes: int
    instruction_bytes: int
    input_pictures: int
    max_output_tokens: int
    today: date
    parent_host_tokens: int = 0
    chain_pictures: int = 0
    partial_images: int = 0
    picture_certain: bool = True

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, int) and not 0 <= value <= _MAX_COUNT:
                raise ValueError(f"{field.name}: a count from 0 to {_MAX_COUNT:,}, not {value}")


def ask_data(ask: Ask) -> dict[str, Any]:
    """The call as JSON can hold it, the day as "YYYY-MM-DD"; `ask_from` reads it back."""
    data = {field.name: getattr(ask, field.name) for field in fields(ask)}
    return data | {"today": ask.today.isoformat()}


def ask_from(data: Mapping[str, Any]) -> Ask:
    """The call that `ask_data` wrote. A missing key takes its default, an unknown one is passed over.

    Raises `ValueError` with a sentence when a key without a default is missing or a value makes no sense.
    """
    if not isinstance(data, Mapping):
        raise ValueError("A stored call is an object with a key for each of its numbers.")
    values: dict[str, Any] = {}
    for field in fields(Ask):
        if field.name in data:
            values[field.name] = _read(field.name, data[field.name])
        elif field.default is MISSING:
            raise ValueError(f"{field.name}: missing from the stored call.")
    return Ask(**values)


def _read(name: str, value: Any) -> Any:
    if name == "today":
        try:
            return date.fromisoformat(value)
        except (TypeError, ValueError) as error:
            raise ValueError(f"today: a day such as 2026-11-20, not {value!r:.40}.") from error
    if name == "host_model" and value is None:
        return None
    kind, wanted = _KINDS.get(name, (int, "a whole number"))
    if type(value) is not kind:
        raise ValueError(f"{name}: {wanted}, not {value!r:.40}.")
    return value


_TEXT = (str, "text")
_KINDS: Mapping[str, tuple[type, str]] = MappingProxyType(
    {
        "image_model": _TEXT,
        "host_model": _TEXT,
        "quality": _TEXT,
        "picture_certain": (bool, "true or false"),
    }
)
"""What a stored value is, where it is not a count."""


def bound(ask: Ask, catalogue: Catalogue, *, price_version: str | None = None) -> Cost:
    """The most the call can cost, by class, rounded up: the amount of its hold.

    One token for each UTF-8 byte, the ceilings of the model's family, all host output that is allowed, and
    for each model its dearest rate: cache writes for the host's input (all in the line `host_input`),
    pictures for the image model's, because a charge without details counts all its input as pictures. The
    host rewrites the prompt, so the image model's text may grow by all of the host's output; without a host
    by `OWN_TEXT_CEILING`. Long-context
    factors apply when the bound itself crosses their limit. `price_version` computes with stored prices and
    token numbers instead of those of `ask.today`. Raises `CatalogueProblem`, `BadSize`, `BadQuality`.
    """
    image_price, host_price = prices_for(ask, catalogue, price_version)
    model = catalogue.image(ask.image_model, image_price.family_mark)
    family = model.tokens
    added = OWN_TEXT_CEILING if host_price is None else ask.max_output_tokens
    seen = (ask.input_pictures + ask.chain_pictures) * family.input_picture_ceiling
    tokens = {
        TokenClass.text_input: ask.prompt_bytes + added,
        TokenClass.image_input: seen,
        TokenClass.image_output: picture_tokens(ask, model) + family.text_output_ceiling,
    }
    rates = dict(image_price.rates)
    dearest = max(rates[token_class] for token_class in IMAGE_INPUTS)
    rates |= {TokenClass.text_input: dearest, TokenClass.image_input: dearest}
    rates[TokenClass.image_output] = max(
        rates[TokenClass.image_output], image_price.text_output or Fraction(0)
    )
    if host_price is not None:
        text = ask.prompt_bytes + ask.instruction_bytes
        host_input = ask.parent_host_tokens + text + family.tool_ceiling + seen
        tokens[TokenClass.host_input] = host_input
        tokens[TokenClass.host_output] = ask.max_output_tokens
        # Writes of either kind: an operator may have priced the shorter one higher.
        scaled = [host_rates(host_price, host_input, writes=1, writes_12h=n) for n in (0, 1)]
        dearest = max(each[token_class] for each in scaled for token_class in HOST_INPUTS)
        rates |= scaled[0] | {TokenClass.host_input: dearest}
    return cost_of(tokens, rates, rounding=Rounding.UP)


def estimate(ask: Ask, catalogue: Catalogue) -> Cost:
    """The likely cost of the call with its picture, by class, rounded half up. Never above `bound`.

    Assumes nothing is cached. For a family without a table the picture counts at its ceiling. Raises like
    `bound`.
    """
    image_price, host_price = prices_for(ask, catalogue)
    model = catalogue.image(ask.image_model)
    rates = dict(image_price.rates)
    tokens = estimated_image_tokens(ask, model)
    if host_price is not None:
        tokens |= estimated_host_tokens(ask, model.tokens)
        rates |= host_rates(host_price, tokens[TokenClass.host_input])
    return cost_of(tokens, rates, rounding=Rounding.HALF_UP)


def prices_for(
    ask: Ask, catalogue: Catalogue, price_version: str | None = None
) -> tuple[PriceVersion, PriceVersion | None]:
    """The image model's and the host's prices for a call, or the stored ones; no host's on the Images API."""
    if price_version is not None:
        return catalogue.stored_prices(price_version)
    host = ask.host_model
    return (
        catalogue.price_of(ask.image_model, ask.today),
        None if host is None else catalogue.price_of(host, ask.today),
    )


def picture_tokens(ask: Ask, model: ImageModel) -> int:
    """The image output tokens of the picture and its partial images, all of them coming."""
    picture = output_tokens(model, ask.width, ask.height, ask.quality)
    return picture + ask.partial_images * model.tokens.partial_image_tokens


def estimated_image_tokens(ask: Ask, model: ImageModel) -> dict[TokenClass, int]:
    """The likely tokens of the image model, a picture included."""
    rewriting = 0 if ask.host_model is None else min(LIKELY_REWRITING_TOKENS, ask.max_output_tokens)
    pictures = ask.input_pictures + ask.chain_pictures
    return {
        TokenClass.text_input: _likely_text(ask.prompt_bytes) + rewriting,
        TokenClass.image_input: pictures * model.tokens.input_picture_likely,
        TokenClass.image_output: picture_tokens(ask, model),
    }


def estimated_host_tokens(ask: Ask, family: Family) -> dict[TokenClass, int]:
    """The likely tokens of the host model, none of them cached."""
    text = _likely_text(ask.prompt_bytes) + _likely_text(ask.instruction_bytes)
    pictures = (ask.input_pictures + ask.chain_pictures) * family.input_picture_likely
    likely = LIKELY_HOST_OUTPUT_TOKENS if ask.picture_certain else LIKELY_WORDS_OUTPUT_TOKENS
    return {
        TokenClass.host_input: ask.parent_host_tokens + text + family.tool_ceiling + pictures,
        TokenClass.host_output: min(likely, ask.max_output_tokens),
    }


def host_rates(
    price: PriceVersion, input_tokens: int, *, writes: int = 0, writes_12h: int = 0
) -> dict[TokenClass, Fraction]:
    """The host's rates, nano-dollars per token, for a call with so many input tokens, cached ones included.

    Of its `writes` cache writes, `writes_12h` are kept for twelve hours and cost more: the rate of the class
    is their exact mean. Above the price's long-context limit the whole call costs more.
    """
    rates = dict(price.rates)
    if price.cache_write_12h is not None and writes > 0:
        plain = rates[TokenClass.host_cache_write] * (writes - writes_12h)
        rates[TokenClass.host_cache_write] = (plain + price.cache_write_12h * writes_12h) / writes
    long = price.long_context
    if long is None or input_tokens <= long.tokens:
        return rates
    return {
        token_class: value
        * (long.output_factor if token_class is TokenClass.host_output else long.input_factor)
        for token_class, value in rates.items()
    }


def _likely_text(utf8_bytes: int) -> int:
    return -(-utf8_bytes // LIKELY_BYTES_PER_TOKEN)
