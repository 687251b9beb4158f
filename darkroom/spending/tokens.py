"""How many tokens a picture, a prompt and the image tool take: formulas, tables and ceilings.

Sources: the output formula of families 2 and 2.5 agrees with 13 of 13 published readings; family 1 is a
published table; for family 2.6 there is no table, so a ceiling stands in. Read 2026-11-20.
"""

from collections.abc import Mapping
from types import MappingProxyType

from darkroom.spending.models import ImageModel
from darkroom.spending.sizes import BadSize

input_picture_ceiling = 1_536
"""The most tokens one input picture takes: 32-pixel patches, capped (third party reading)."""

LIKELY_PICTURE_TOKENS = 1_024
"""What an input picture of 1024x1024 takes (third party reading)."""

TOOL_CEILING = 3_000
"""Host input tokens that the image tool itself adds to a call: 2,300 to 3,000 were seen (third party)."""

PARTIAL_IMAGE_TOKENS = 100
"""Image output tokens for each partial image (image generation guide)."""

CEILING_FACTOR_2_6 = 5
"""Family 2.6 over family 2.5 at the same quality. Seen: 3 to 4 times, once 4.2 (one weak source)."""

_FACTORS: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        "2": MappingProxyType({"low": 16, "medium": 48, "high": 96}),
        "2.5": MappingProxyType({"low": 16, "medium": 24, "high": 48, "xhigh": 64, "max": 96}),
    }
)
_FAMILY_1: Mapping[tuple[int, int], Mapping[str, int]] = MappingProxyType(
    {
        (1024, 1024): MappingProxyType({"low": 272, "medium": 1_056, "high": 4_160}),
        (1024, 1536): MappingProxyType({"low": 408, "medium": 1_584, "high": 6_240}),
        (1536, 1024): MappingProxyType({"low": 400, "medium": 1_568, "high": 6_208}),
    }
)


class BadQuality(ValueError):
    """The model does not know the quality; the message is a sentence that says which it knows."""


def output_tokens(model: ImageModel, w: int, h: int, quality: str) -> int:
    """The image output tokens of one picture of w by h pixels, without partial images.

    "auto" counts as the dearest quality of the model. For family 2.6 this is a ceiling. Raises
    `BadQuality`, and `BadSize` for a size without an entry in the table of family 1.
    """
    if quality == "auto" and model.qualities:
        return max(_one(model, w, h, known) for known in model.qualities)
    if quality not in model.qualities:
        known = ", ".join((*model.qualities, "auto")) if model.qualities else "no quality at all"
        raise BadQuality(f"{model.id} knows {known}; {quality} is none of them.")
    return _one(model, w, h, quality)


def _one(model: ImageModel, w: int, h: int, quality: str) -> int:
    if w <= 0 or h <= 0:
        raise BadSize(f"A picture has two sides above 0 pixels; {w}x{h} has not.")
    if model.family == "1":
        if (w, h) not in _FAMILY_1:
            sizes = ", ".join(f"{width}x{height}" for width, height in _FAMILY_1)
            raise BadSize(f"{model.id} paints {sizes}; {w}x{h} is none of them.")
        return _FAMILY_1[w, h][quality]
    if model.family == "2.6":
        return CEILING_FACTOR_2_6 * _patches(_FACTORS["2.5"][quality], w, h)
    return _patches(_FACTORS[model.family][quality], w, h)


def _patches(factor: int, w: int, h: int) -> int:
    """ceil(f · s · (2,000,000 + w·h) / 4,000,000) with s = f · short / long, rounded half to even."""
    short, long = min(w, h), max(w, h)
    whole, rest = divmod(factor * short, long)
    scaled = whole + (1 if 2 * rest > long or (2 * rest == long and whole % 2 == 1) else 0)
    return -(-factor * scaled * (2_000_000 + w * h) // 4_000_000)
