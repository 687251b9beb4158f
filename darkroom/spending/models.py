"""What the catalogue knows of a model: abilities, prices with their dates, and why one cannot be used."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from types import MappingProxyType

from darkroom.spending.classes import TokenClass

QUALITIES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "1": ("low", "medium", "high"),
        "2": ("low", "medium", "high"),
        "2.5": ("low", "medium", "high", "xhigh", "max"),
        "2.6": ("low", "medium", "high"),
        "dall-e": (),
    }
)
"""The qualities each family of image models knows besides `auto` (image tool reference)."""

FIXED_SIZES = ((1024, 1024), (1536, 1024), (1024, 1536))
"""All that family 1 paints, in pixels, width first (image tool reference)."""


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
    party) or L (one weak source); `doubts` holds the classes known less well than the rest. `operator`: from
    the operator's own file, which wins over ours.
    """

    version: str
    effective: date
    rates: Mapping[TokenClass, Fraction]
    source: str
    confidence: str
    model: str
    doubts: Mapping[TokenClass, str] = field(default_factory=dict)
    cache_write_12h: Fraction | None = None
    long_context: LongContext | None = None
    operator: bool = False

    @property
    def key(self) -> str:
        """For example "gpt-image-2@2026-04-21"; `Catalogue.price_version` finds the rates again by it."""
        return f"{self.model}@{self.version}"

    def confidence_of(self, token_class: TokenClass) -> str:
        """How sure the price of one class is: H, M or L."""
        return self.doubts.get(token_class, self.confidence)


@dataclass(frozen=True, slots=True)
class ImageModel:
    """One image model. `id` is the name as asked for; `base` the entry it is listed and priced under.

    `flexible_sizes`: any size within the rules of `sizes.check_size`; otherwise only `FIXED_SIZES`.
    `transparency` is "yes", "preview" (not dependable) or "no". `shutdown_date` is the first day without it.
    """

    id: str
    base: str
    family: str
    status: str
    prices: tuple[PriceVersion, ...]
    qualities: tuple[str, ...]
    flexible_sizes: bool
    formats: tuple[str, ...] = ("png", "webp", "jpeg")
    transparency: str = "no"
    edits: bool = True
    masks: bool = True
    aliases: tuple[str, ...] = ()
    shutdown_date: date | None = None
    replacement: str | None = None


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


class CatalogueProblem(LookupError):
    """A model cannot be used as things stand; the message says why and what to do."""


class UnknownModel(CatalogueProblem):
    """The catalogue does not list the model; the message has the lines of TOML that would add it."""

    def __init__(self, model: str, lines: str) -> None:
        super().__init__(f"The model {model} is not in the catalogue. To use it, say what it costs:\n{lines}")
        self.model = model
        self.lines = lines


class UnpricedModel(CatalogueProblem):
    """The model is listed without a price; the message has the lines of TOML that would price it."""

    def __init__(self, model: str, lines: str) -> None:
        super().__init__(f"The model {model} has no price. To use it, say what it costs:\n{lines}")
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
