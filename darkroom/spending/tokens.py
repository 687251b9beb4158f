"""How many image tokens a picture takes. The numbers are the catalogue's, family by family."""

from darkroom.spending.models import ImageModel
from darkroom.spending.sizes import BadSize


class BadQuality(ValueError):
    """The model does not know the quality; the message is a sentence that says which it knows."""


def output_tokens(model: ImageModel, w: int, h: int, quality: str) -> int:
    """The image output tokens of one picture of w by h pixels, without partial images.

    "auto" counts as the dearest quality of the family, whatever the model is allowed here. Where the family
    has a ceiling factor this is a ceiling. Raises `BadQuality`, and `BadSize` for a size that is not in the
    family's table.
    """
    if quality == "auto" and model.qualities:
        return max(_one(model, w, h, known) for known in model.tokens.qualities)
    if quality not in model.qualities:
        known = ", ".join((*model.qualities, "auto")) if model.qualities else "no quality at all"
        raise BadQuality(f"{model.id} knows {known}; {quality} is none of them.")
    return _one(model, w, h, quality)


def _one(model: ImageModel, w: int, h: int, quality: str) -> int:
    if w <= 0 or h <= 0:
        raise BadSize(f"A picture has two sides above 0 pixels; {w}x{h} has not.")
    family = model.tokens
    if family.table:
        if (w, h) not in family.table:
            sizes = ", ".join(f"{width}x{height}" for width, height in family.table)
            raise BadSize(f"{model.id} paints {sizes}; {w}x{h} is none of them.")
        return family.table[w, h][quality]
    tokens = _patches(family.factors[quality], w, h) * family.ceiling_factor
    return -(-tokens.numerator // tokens.denominator)


def _patches(factor: int, w: int, h: int) -> int:
    """ceil(f · s · (2,000,000 + w·h) / 4,000,000) with s = f · short / long, rounded half to even.

    Agrees with 13 of 13 published readings for the families 2 and 2.5.
    """
    short, long = min(w, h), max(w, h)
    whole, rest = divmod(factor * short, long)
    scaled = whole + (1 if 2 * rest > long or (2 * rest == long and whole % 2 == 1) else 0)
    return -(-factor * scaled * (2_000_000 + w * h) // 4_000_000)
