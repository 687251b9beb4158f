"""The sizes of a picture in pixels, width first, and which of them a model paints.

Rules (image tool reference, read 2026-11-20): sides are multiples of 16 and at most 3,840, no side is more
than three times the other, 655,360 to 8,294,400 pixels in all; family 1 paints three sizes only.
"""

import re
from collections.abc import Mapping
from math import log
from types import MappingProxyType

from darkroom.spending.models import ImageModel

named_sizes: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "square": (1024, 1024),
        "landscape": (1536, 1024),
        "portrait": (1024, 1536),
        "banner": (1920, 640),
        "story": (864, 1536),
    }
)
"""Sizes that people ask for by name. A model without flexible sizes paints the first three only: a banner is
3:1, a story 9:16."""

STEP = 16
MAX_EDGE = 3_840
MAX_RATIO = 3
MIN_PIXELS = 655_360
MAX_PIXELS = 8_294_400

_MEGAPIXEL = 1024 * 1024
_SIZE = re.compile(r"([0-9]{1,5})\s?[x×X*]\s?([0-9]{1,5})")  # noqa: RUF001 -- people paste the real sign
_RATIO = re.compile(r"([0-9]{1,4})\s?[:/]\s?([0-9]{1,4})")
_RULES = (
    f"A size has two sides that are multiples of {STEP} and at most {MAX_EDGE:,} pixels, one at most "
    f"{MAX_RATIO} times the other, with {MIN_PIXELS:,} to {MAX_PIXELS:,} pixels in all"
)


class BadSize(ValueError):
    """The size is not possible; the message is a sentence that says what is allowed."""


def parse_size(text: str) -> tuple[int, int]:
    """Read "1024x1024" or a name such as "landscape" into (width, height) in pixels.

    Only the form is checked, see `check_size`. Raises `BadSize`.
    """
    wanted = text.strip().lower()
    if wanted in named_sizes:
        return named_sizes[wanted]
    match = _SIZE.fullmatch(wanted)
    if match is None or 0 in (sides := (int(match.group(1)), int(match.group(2)))):
        raise BadSize(f"A size is {', '.join(named_sizes)} or WIDTHxHEIGHT in pixels, such as 1536x1024.")
    return sides


def check_size(model: ImageModel, w: int, h: int) -> None:
    """Refuse a size, in pixels, that the model does not paint: `BadSize` says what is allowed."""
    if not model.flexible_sizes:
        if (w, h) not in model.fixed_sizes:
            sizes = ", ".join(size_name(width, height) for width, height in model.fixed_sizes)
            raise BadSize(f"{model.id} paints {sizes}; {size_name(w, h)} is none of them.")
        return
    if not _legal(w, h):
        raise BadSize(f"{_RULES}; {w}x{h} is not one of those, but {_near(w, h)} is.")


def _near(w: int, h: int) -> str:
    """A size that can be painted: the nearest to *w* x *h* where rounding its sides is enough."""
    across, down = (max(1, (side + STEP // 2) // STEP) * STEP for side in (w, h))
    return f"{across}x{down}" if _legal(across, down) else "1536x1024"


def size_name(w: int, h: int) -> str:
    """A size in pixels for people: "1536x1024 (landscape)", or only the numbers where it has no name."""
    name = next((name for name, size in named_sizes.items() if size == (w, h)), None)
    return f"{w}x{h} ({name})" if name else f"{w}x{h}"


def size_for_ratio(ratio: str) -> tuple[int, int]:
    """A legal (width, height) in pixels near one megapixel (1024x1024) for a ratio such as "16:9".

    Exactly in the ratio when such a size has between three quarters and one and a half of a megapixel,
    otherwise the nearest to both. Raises `BadSize` for text that is no ratio, and for ratios beyond 3:1.
    """
    match = _RATIO.fullmatch(ratio.strip())
    across, down = (int(match.group(1)), int(match.group(2))) if match else (0, 0)
    if across == 0 or down == 0 or max(across, down) > MAX_RATIO * min(across, down):
        raise BadSize(f"A ratio is WIDTH:HEIGHT such as 16:9, between 1:{MAX_RATIO} and {MAX_RATIO}:1.")
    sides = range(STEP, MAX_EDGE + 1, STEP)
    near = [
        (w, h)
        for w in sides
        for h in _heights_near(w, across, down)
        if _legal(w, h) and 3 * _MEGAPIXEL <= 4 * w * h <= 6 * _MEGAPIXEL
    ]
    exact = [(w, h) for w, h in near if w * down == h * across]
    if exact:
        return min(exact, key=lambda size: abs(log(size[0] * size[1] / _MEGAPIXEL)))
    return min(near, key=lambda size: _distance(size, across / down))


def _heights_near(w: int, across: int, down: int) -> tuple[int, int]:
    below = w * down // across // STEP * STEP
    return below, below + STEP


def _distance(size: tuple[int, int], ratio: float) -> float:
    w, h = size
    return 8 * abs(log(w / h / ratio)) + abs(log(w * h / _MEGAPIXEL))


def _legal(w: int, h: int) -> bool:
    return (
        w > 0
        and h > 0
        and w % STEP == 0
        and h % STEP == 0
        and max(w, h) <= MAX_EDGE
        and max(w, h) <= MAX_RATIO * min(w, h)
        and MIN_PIXELS <= w * h <= MAX_PIXELS
    )
