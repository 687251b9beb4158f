"""The painter: cheerful pictures drawn from the words of a prompt, the same bytes for the same order."""

import hashlib
import io
from dataclasses import dataclass, replace

from PIL import Image, ImageDraw, ImageFont


@dataclass(frozen=True)
class Order:
    """One picture to paint, sides in pixels. `parents` are the pictures to change, encoded, newest first.

    `variant` tells apart the pictures made for the same words; `finished` is 1 for the
    picture itself and less for a draft of it.
    """

    prompt: str
    width: int
    height: int
    output_format: str = "png"
    compression: int = 100
    transparent: bool = False
    parents: tuple[bytes, ...] = ()
    mask: bytes | None = None
    variant: int = 0
    finished: float = 1.0

    def draft(self, finished: float) -> "Order":
        """The same picture, only so far `finished` (0 to 1)."""
        return replace(self, finished=finished)


def paint(order: Order) -> bytes:
    """The encoded picture."""
    seed = hashlib.sha256(order.prompt.encode()).digest()
    image = Image.new("RGB", (order.width, order.height), tuple(seed[:3]))
    draw = ImageDraw.Draw(image)
    draw.text((20, 20), order.prompt[:200], font=ImageFont.load_default(40))
    out = io.BytesIO()
    image.save(out, order.output_format)
    return out.getvalue()
