"""What the catalogue knows of a model: abilities, prices with their dates, and why one cannot be used."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from darkroom.spending.classes import TokenClass

QUALITY_NAMES = ("low", "medium", "high", "xhigh", "max")
"""Every quality that some model knows besides `auto`, from the cheapest up (image tool reference)."""

FIXED_SIZES = ((1024, 1024), (1536, 1024), (1024, 1536))
"""All that a model paints which takes no size of one's own and has no table, in pixels, width first."""


@dataclass(frozen=True, slots=True)
class Family:
    """How many tokens the pictures of one family of image models take. All of it is configuration.

    Output is a `table` by size in pixels (width first) and quality, or `factors` by quality for the formula
    of `tokens.output_tokens`, times `ceiling_factor` where only a ceiling is known. `tool_ceiling` is what
    the image tool adds to the host's input, `text_output_ceiling` what the image model may write beside the
    picture. `confidence` is H, M or L as for prices, and `doubts` names the keys known less well. `mark` is
    empty for the numbers that ship with Darkroom and tells an operator's own apart.
    """

    name: str
    qualities: tuple[str, ...]
    source: str
    confidence: str
    factors: Mapping[str, int]
    table: Mapping[tuple[int, int], Mapping[str, int]]
    ceiling_factor: Fraction
    partial_image_tokens: int
    input_picture_ceiling: int
    input_picture_likely: int
    text_output_ceiling: int
    tool_ceiling: int
    doubts: Mapping[str, str] = field(default_factory=dict)
    mark: str = ""

    def confidence_of(self, key: str) -> str:
        """How sure one of the numbers is: H, M or L."""
        return self.doubts.get(key, self.confidence)


@dataclass(frozen=True, slots=True)
class LongContext:
    """Above `tokens` host input tokens the whole request costs `input_factor` and `output_factor` times."""

    tokens: int
    input_factor: Fraction
    output_factor: Fraction


@dataclass(frozen=True, slots=True)
class PriceVersion:
    """The prices of one model from a day on; rates are nano-dollars per token.

    `version` is that day, with a mark of its rates behind it when an operator wrote them. `key` names the
    model too and is what an entry of the journal keeps. `confidence` is H (official page), M (a third
    party) or L (one weak source); `doubts` holds the prices known less well than the rest. `operator`: from
    the operator's own file, which wins over ours. `text_output`: of what an image model writes beside the
    picture; None where no price is known, and then it counts as picture. `family_mark`: that of the token
    numbers (`Family.mark`) by which a missing usage is estimated.
    """

    version: str
    effective: date
    rates: Mapping[TokenClass, Fraction]
    source: str
    confidence: str
    model: str
    doubts: Mapping[str, str] = field(default_factory=dict)
    cache_write_12h: Fraction | None = None
    long_context: LongContext | None = None
    text_output: Fraction | None = None
    operator: bool = False
    family_mark: str = ""

    @property
    def key(self) -> str:
        """For example "gpt-image-2@2026-04-21"; `Catalogue.price_version` finds the rates again by it."""
        return f"{self.model}@{self.version}" + (f"^{self.family_mark}" if self.family_mark else "")

    def confidence_of(self, price: str) -> str:
        """How sure the price of one class (or "text_output") is: H, M or L."""
        return self.doubts.get(price, self.confidence)


@dataclass(frozen=True, slots=True)
class ImageModel:
    """One image model. `id` is the name as asked for; `base` the entry it is listed and priced under.

    `flexible_sizes`: any size within the rules of `sizes.check_size`; otherwise only `fixed_sizes`.
    `tokens` are the numbers of its family.
    `transparency` is "yes", "preview" (not dependable) or "no". `shutdown_date` is the first day without it.
    """

    id: str
    base: str
    family: str
    status: str
    prices: tuple[PriceVersion, ...]
    qualities: tuple[str, ...]
    flexible_sizes: bool
    tokens: Family
    formats: tuple[str, ...] = ("png", "webp", "jpeg")
    transparency: str = "no"
    edits: bool = True
    masks: bool = True
    aliases: tuple[str, ...] = ()
    shutdown_date: date | None = None
    replacement: str | None = None

    @property
    def fixed_sizes(self) -> tuple[tuple[int, int], ...]:
        """All that a model without flexible sizes paints, in pixels, width first."""
        return tuple(self.tokens.table) or FIXED_SIZES


@dataclass(frozen=True, slots=True)
class HostModel:
    """One model that can host the image tool; its tokens are billed in addition to the picture's."""

    id: str
    base: str
    status: str
    prices: tuple[PriceVersion, ...]
    aliases: tuple[str, ...] = ()
    shutdown_date: date | None = None
    replacement: str | None = None


def pricing_lines(kind: str, model_id: str, *, listed: bool = False) -> str:
    """The lines of TOML that would price a model, and add it unless it is listed: `kind` is "image" or
    "host". A listed model keeps the family it has."""
    head = "" if listed else f'[{kind}."{model_id}"]\n'
    common = (
        f'[[{kind}."{model_id}".prices]]\neffective = 2026-01-01 # the first day of these prices\n'
        'source = "OpenAI price page"\nconfidence = "H"\n# USD per 1M tokens:\n'
    )
    names: tuple[str, ...]
    if kind == "image":
        names = (
            "text_input",
            "cached_text_input",
            "image_input",
            "cached_image_input",
            "image_output",
        )
        head += "" if listed else 'family = "2.5" # whose pictures take as many tokens\n\n'
    else:
        names = ("host_input", "host_cached_input", "host_cache_write", "host_output")
    return head + common + "\n".join(f'{name} = "…"' for name in names)


class CatalogueProblem(LookupError):
    """A model cannot be used as things stand; the message says why and what to do."""


class UnknownModel(CatalogueProblem):
    """The catalogue does not list the model; the message has those that it lists, and the lines of TOML that
    would add it."""

    def __init__(self, model: str, lines: str, listed: Iterable[str]) -> None:
        super().__init__(
            f"The model {model} is not in the catalogue, which has {', '.join(listed)}. To use it, say what "
            f"it costs, in the file that catalogue.file names:\n{lines}"
        )
        self.model = model
        self.lines = lines


class UnpricedModel(CatalogueProblem):
    """The model is listed without a price; the message has the lines of TOML that would price it."""

    def __init__(self, model: str, lines: str) -> None:
        super().__init__(
            f"The model {model} has no price. To use it, say what it costs, in the file that catalogue.file "
            f"names:\n{lines}"
        )
        self.model = model
        self.lines = lines


class RetiredModel(CatalogueProblem):
    """The provider has shut the model down; the message names its replacement when there is one."""

    def __init__(self, model: str, replacement: str | None, shutdown_date: date | None) -> None:
        since = f" on {shutdown_date.isoformat()}" if shutdown_date else ""
        advice = f" Use {replacement} instead." if replacement else ""
        super().__init__(f"The model {model} was shut down{since}.{advice}")
        self.model = model
        self.replacement = replacement
        self.shutdown_date = shutdown_date


class UnknownPrice(CatalogueProblem):
    """No prices are stored under this price version, so the charge cannot be computed again."""


class BadCatalogue(ValueError):
    """A catalogue file is wrong; the message names the file, the key and what is allowed there."""
