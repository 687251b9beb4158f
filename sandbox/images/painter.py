"""The painter: cheerful pictures drawn from the words of a prompt, the same bytes for the same order.

A new picture gets a sky, a ground and the things it knows; words it has no drawing for are lettered on a
sign. An edit is painted onto the picture before it. Every picture carries the small word "sandbox".
"""

import base64
import io
from dataclasses import dataclass, replace

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps, UnidentifiedImageError

from sandbox.images import scenery
from sandbox.images.canvas import Dice, Layer
from sandbox.images.retouch import retouched
from sandbox.images.vocabulary import understand


@dataclass(frozen=True)
class Order:
    """One picture to paint, sides in pixels. `parents` are encoded pictures: one to change, others beside it.

    `mask` is a PNG whose transparent parts may change; `variant` tells apart the pictures made for the same
    words; `finished` is 1 for the picture itself and less for a draft of it.
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
    """The encoded picture of an order. The same order gives the same bytes."""
    dice = Dice(f"{order.prompt}\n{order.variant}")
    reading = understand(order.prompt)
    parents = [image for data in order.parents if (image := _opened(data, order)) is not None]
    if parents:
        image = retouched(parents[0], order.prompt, reading, dice)
        image = _with_photographs(image, parents[1:])
        if order.transparent and image.getchannel("A").getextrema()[0] == 255:
            image = _cut_out(image)
    else:
        image = scenery.drawn(order.prompt, reading, order.width, order.height, order.transparent, dice)
    image = Image.alpha_composite(image, _stamp(order.width, order.height))
    if parents:
        image = _masked(parents[0], image, order)
    if order.finished < 1:
        image = image.filter(ImageFilter.GaussianBlur(min(image.size) * 0.04 * (1 - order.finished)))
    return _encoded(image if order.transparent else _on_white(image), order)


def _on_white(image: Image.Image) -> Image.Image:
    """What shows when the picture is laid on white paper."""
    paper = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(paper, image).convert("RGB")


def _cut_out(image: Image.Image) -> Image.Image:
    """An opaque picture without its background: what stands around the middle stays."""
    kept = Image.new("L", image.size, 0)
    width, height = image.size
    ImageDraw.Draw(kept).ellipse((width * 0.16, height * 0.1, width * 0.84, height * 0.94), fill=255)
    image.putalpha(kept.filter(ImageFilter.GaussianBlur(min(image.size) * 0.01)))
    return image


def _opened(data: bytes, order: Order) -> Image.Image | None:
    """A parent at the size of the order, or None when it is of a kind Pillow cannot read (SVG)."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            return ImageOps.fit(image.convert("RGBA"), (order.width, order.height))
    except UnidentifiedImageError:
        return None


def _masked(before: Image.Image, after: Image.Image, order: Order) -> Image.Image:
    """The change only where the mask is transparent."""
    if order.mask is None:
        return after
    with Image.open(io.BytesIO(order.mask)) as mask:
        kept = ImageOps.fit(mask.convert("RGBA").getchannel("A"), before.size)
    return Image.composite(before, after, kept)


def _with_photographs(image: Image.Image, others: list[Image.Image]) -> Image.Image:
    """Further pictures, pinned along the lower edge, the smaller the more there are."""
    short = min(image.size)
    step = short // max(4, len(others) + 1)
    side = step * 4 // 5
    image = image.copy()
    for index, other in enumerate(others):
        photograph = ImageOps.expand(
            ImageOps.fit(other.convert("RGB"), (side, side)), max(1, short // 80), "white"
        )
        place = (short // 40 + index * step, image.height - photograph.height - short // 40)
        image.paste(photograph, place)
    return image


def _stamp(width: int, height: int) -> Image.Image:
    """The small word in the corner."""
    layer = Layer(width, height)
    size = layer.short * 0.026
    x, y = width - size * 0.7, height - size * 0.7
    layer.text(x + size * 0.06, y + size * 0.06, "sandbox", size, (0, 0, 0, 130), "rb")
    layer.text(x, y, "sandbox", size, (255, 255, 255, 210), "rb")
    return layer.flat()


def _encoded(image: Image.Image, order: Order) -> bytes:
    """The picture in the format that was asked for."""
    out = io.BytesIO()
    if order.output_format == "jpeg":
        image.convert("RGB").save(out, "JPEG", quality=max(1, min(95, order.compression)))
    elif order.output_format == "webp":
        image.save(out, "WEBP", quality=order.compression, method=2)
    elif order.output_format == "gif":
        frames = [ImageChops.offset(image.convert("RGB"), 0, shift) for shift in (0, -2, -4, -2)]
        frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=200, loop=0)
    else:
        image.save(out, "PNG", compress_level=4)
    return _as_svg(out.getvalue(), order) if order.output_format == "svg" else out.getvalue()


def _as_svg(png: bytes, order: Order) -> bytes:
    """An SVG document that shows the picture."""
    size = f'width="{order.width}" height="{order.height}"'
    data = base64.b64encode(png).decode()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {order.width} {order.height}">'
        f'<image {size} href="data:image/png;base64,{data}"/></svg>'
    ).encode()
