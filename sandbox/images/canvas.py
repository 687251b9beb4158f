"""What the painter paints with: a layer with soft edges, a pen that knows one object's place, and dice."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int] | tuple[int, int, int, int]
_FINE_UP_TO = 2_500_000


class Dice:
    """Numbers that look random and are the same for the same words."""

    def __init__(self, words: str) -> None:
        self._words = words.encode()
        self._thrown = 0

    def between(self, low: float, high: float) -> float:
        """The next number from `low` to `high`."""
        self._thrown += 1
        digest = hashlib.sha256(self._words + self._thrown.to_bytes(4, "big")).digest()
        return low + (high - low) * int.from_bytes(digest[:4], "big") / 0xFFFFFFFF


class Layer:
    """A transparent sheet of `width` by `height` pixels, drawn at twice the size where that is cheap."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self.short = min(width, height)
        self._fine = 2 if width * height <= _FINE_UP_TO else 1
        self._image = Image.new("RGBA", (width * self._fine, height * self._fine))
        self._draw = ImageDraw.Draw(self._image)

    def ellipse(self, x: float, y: float, across: float, down: float, colour: Colour) -> None:
        """An ellipse around a point, by its radii in pixels."""
        box = [(x - across) * self._fine, (y - down) * self._fine]
        self._draw.ellipse(
            [*box, (x + across) * self._fine, (y + down) * self._fine],
            fill=colour,
        )

    def polygon(self, points: Sequence[tuple[float, float]], colour: Colour) -> None:
        """A filled polygon, in pixels."""
        self._draw.polygon([(x * self._fine, y * self._fine) for x, y in points], fill=colour)

    def line(self, points: Sequence[tuple[float, float]], colour: Colour, thick: float) -> None:
        """A line through points, `thick` pixels wide."""
        scaled = [(x * self._fine, y * self._fine) for x, y in points]
        self._draw.line(scaled, fill=colour, width=max(1, round(thick * self._fine)), joint="curve")

    def plate(self, box: tuple[float, float, float, float], radius: float, colour: Colour) -> None:
        """A rectangle with round corners: left, top, right, bottom in pixels."""
        scaled = [side * self._fine for side in box]
        self._draw.rounded_rectangle(scaled, radius * self._fine, fill=colour)

    def text(self, x: float, y: float, words: str, size: float, colour: Colour, anchor: str = "mm") -> None:
        """Letters `size` pixels high, placed by Pillow's anchors."""
        font = ImageFont.load_default(max(8.0, size * self._fine))
        self._draw.text((x * self._fine, y * self._fine), words, fill=colour, font=font, anchor=anchor)

    def text_width(self, words: str, size: float) -> float:
        """How wide letters of that size would be, in pixels."""
        return float(ImageFont.load_default(max(8.0, size * self._fine)).getlength(words)) / self._fine

    def flat(self) -> Image.Image:
        """The sheet at its real size."""
        return self._image.reduce(self._fine) if self._fine > 1 else self._image


@dataclass(frozen=True)
class Pen:
    """Draws one object on a layer: it stands at (x, y) in pixels and is `size` pixels high.

    Its own coordinates are in object heights: across from the middle, up from the ground.
    """

    layer: Layer
    x: float
    y: float
    size: float

    def at(self, across: float, up: float) -> tuple[float, float]:
        """A point in pixels."""
        return self.x + across * self.size, self.y - up * self.size

    def dot(self, across: float, up: float, radius: float, colour: Colour, down: float | None = None) -> None:
        """A circle, or an ellipse when the vertical radius `down` is given."""
        x, y = self.at(across, up)
        self.layer.ellipse(x, y, radius * self.size, (down or radius) * self.size, colour)

    def shape(self, colour: Colour, *points: tuple[float, float]) -> None:
        """A polygon."""
        self.layer.polygon([self.at(*point) for point in points], colour)

    def stroke(self, colour: Colour, thick: float, *points: tuple[float, float]) -> None:
        """A line."""
        self.layer.line([self.at(*point) for point in points], colour, thick * self.size)

    def box(
        self, left: float, low: float, right: float, high: float, colour: Colour, radius: float = 0.0
    ) -> None:
        """A rectangle, with round corners when a radius is given."""
        (x0, y1), (x1, y0) = self.at(left, low), self.at(right, high)
        self.layer.plate((x0, y0, x1, y1), radius * self.size, colour)


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """The colour between two, `share` of the way to the other."""
    return (
        round(one[0] + (other[0] - one[0]) * share),
        round(one[1] + (other[1] - one[1]) * share),
        round(one[2] + (other[2] - one[2]) * share),
    )


def gradient(width: int, height: int, top: Colour, bottom: Colour) -> Image.Image:
    """An RGB picture that goes from one colour down to another."""
    ramp = Image.linear_gradient("L").resize((width, height))
    return Image.composite(
        Image.new("RGB", (width, height), bottom[:3]), Image.new("RGB", (width, height), top[:3]), ramp
    )
