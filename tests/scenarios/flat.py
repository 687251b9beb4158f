"""Pictures in one colour, which cost next to nothing to paint, and what stories do with views."""

from __future__ import annotations

import io
import itertools
from typing import Any

from PIL import Image

from sandbox.images.painter import Order
from sandbox.slack.model import Json


class FlatPainter:
    """Paints each picture in a colour of its own, so that no two have the same bytes."""

    def __init__(self) -> None:
        self._colours = itertools.count(1)

    def __call__(self, order: Order) -> bytes:
        """The encoded picture of an order, or of a draft of it."""
        number = next(self._colours) * 4_099
        colour = (number & 255, number >> 8 & 255, number >> 16 & 255)
        size = order.width, order.height
        clear = order.transparent and order.output_format != "jpeg"
        if clear:
            image = Image.new("RGBA", size, (*colour, 0))
        elif order.output_format == "png":
            # A tenth of the time.
            image = Image.new("P", size)
            image.putpalette(colour)
        else:
            image = Image.new("RGB", size, colour)
        into = io.BytesIO()
        image.save(into, order.output_format.upper())
        return into.getvalue()


def said_in(view: Json) -> str:
    """Everything that stands in a view or message's blocks, as one text."""
    return str(view["blocks"])


def menu_of(message: Any) -> Json:
    """What the menu under a message's first picture offers, by its labels."""
    menus = [e for b in message.blocks for e in b.get("elements", ()) if e.get("type") == "overflow"]
    return {option["text"]["text"]: option["value"] for option in menus[0]["options"]}
