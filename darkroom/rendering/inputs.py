"""Pictures that people attach, made ready to go along with a prompt."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from PIL import Image, ImageFilter

from darkroom.rendering.encoding import AlphaFacts, Prepared, Sink
from darkroom.rendering.headers import Excerpt, Header, orientation_of, read_header
from darkroom.rendering.job import BlobWriter
from darkroom.rendering.kinds import HEAD, Kind, Trouble, Unpreparable, kind_of

READ_BYTES_MAX = 50 * 1024 * 1024
"""Bytes of an attached file."""
READ_PIXELS_MAX = {
    Kind.PNG: 40_000_000,
    Kind.JPEG: 40_000_000,
    Kind.GIF: 40_000_000,
    Kind.WEBP: 16_777_216,
}
"""Pixels of an attached picture. Decoding a WebP takes four times the memory of the others, and all other
threads of Python wait for it."""
SCANNED_PIXELS_MAX = 2_000_000_000
"""A JPEG may come in many scans, each as much work as a picture; this is 50 scans of the largest."""
SENT_PIXELS_MAX = 8_294_400
"""The API's own largest picture; larger inputs are scaled down to it."""
SENT_BYTES_MAX = 4 * 1024 * 1024
"""Of one picture that goes along. Sixteen of them are 90 million characters as data URLs (of which the API
takes 20,971,520 each), all of which are in memory at once."""
MASK_BYTES_MAX = 4_000_000
"""The API takes masks under 4 MB."""

_PIECE = 256 * 1024
_ROUNDS = 6
"""How often a picture is made smaller; the last time it has a thousandth of its pixels."""
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How a picture is put upright, by its EXIF orientation (EXIF 2.32, 4.6.4)."""


@dataclass(frozen=True, slots=True)
class Mask:
    """A mask ready to be sent, and how much of its parent it lets change, in millionths."""

    prepared: Prepared
    covers_ppm: int


def prepare(path: Path, begin: Callable[[], BlobWriter], name: str) -> Prepared:
    """Make the attached file at *path* into what the API takes, as a new blob; raises ``Unpreparable``.

    Its bytes stay as they are if the API can take them: png, jpeg or webp, 8-bit RGB with or without alpha,
    upright, up to ``SENT_PIXELS_MAX`` and ``SENT_BYTES_MAX``. Else it is encoded anew; of what moves, the
    first picture. It blocks, for seconds at worst: not for the loop's thread. *name* decides nothing.
    """
    with _decoding(path) as (file, kind, header):
        moves, orientation, image = _decoded(file, kind, header)
        image, alpha = _simplified(image)
        small = header.width * header.height <= SENT_PIXELS_MAX and _size(file) <= SENT_BYTES_MAX
        as_it_is = small and header.plain and not moves and orientation == 1
        if not as_it_is:
            image = _upright(_scaled(image, SENT_PIXELS_MAX), orientation)
    if as_it_is:
        return _copied(path, begin, kind.lower(), image.size, alpha)
    return _encoded(image, begin, alpha, lossless=kind in (Kind.PNG, Kind.GIF))


def as_mask(path: Path, width: int, height: int, begin: Callable[[], BlobWriter]) -> Mask:
    """A mask of *width* x *height* pixels for a parent of that size, from a picture with transparent areas:
    PNG, each pixel fully transparent or not at all. Raises ``Unpreparable``; blocks as ``prepare`` does."""
    with _decoding(path) as (file, kind, header):
        _, orientation, image = _decoded(file, kind, header)
        image = _upright(_simplified(image)[0], orientation)
        if image.mode != "RGBA":
            raise Unpreparable(Trouble.BROKEN)
        alpha = image.getchannel("A").resize((width, height), Image.Resampling.BOX)
        del image
    for _ in range(_ROUNDS):
        alpha = alpha.point([0] * 128 + [255] * 128)
        mask = Image.merge("RGBA", [Image.new("L", alpha.size, 255)] * 3 + [alpha])
        sink = Sink(begin, MASK_BYTES_MAX)
        if sink.save(mask, "PNG"):
            covers = _clear_ppm(alpha)
            return Mask(sink.finished("png", alpha.size, AlphaFacts(covers)), covers)
        alpha = alpha.filter(ImageFilter.BoxBlur(4))  # noise, which nobody has drawn
    raise Unpreparable(Trouble.TOO_MANY_BYTES)


@contextmanager
def _decoding(path: Path) -> Iterator[tuple[BinaryIO, Kind, Header]]:
    """A file that begins like a picture, and its header; whatever a decoder says inside is ``BROKEN``."""
    with path.open("rb") as file:
        if _size(file) > READ_BYTES_MAX:
            raise Unpreparable(Trouble.TOO_MANY_BYTES)
        kind = kind_of(file.read(HEAD))
        header = read_header(file, kind)
        if header.width < 1 or header.height < 1:
            raise Unpreparable(Trouble.BROKEN)
        if header.width * header.height > READ_PIXELS_MAX[kind]:
            raise Unpreparable(Trouble.TOO_MANY_PIXELS)
        if header.width * header.height * header.scans > SCANNED_PIXELS_MAX:
            raise Unpreparable(Trouble.BROKEN)
        try:
            yield file, kind, header
        except (
            OSError,
            ValueError,
            SyntaxError,  # what Pillow raises for a broken PNG
            LookupError,
            TypeError,
            EOFError,
            struct.error,
            zlib.error,
            Image.DecompressionBombError,
            Image.DecompressionBombWarning,  # where warnings are errors
        ) as error:
            raise Unpreparable(Trouble.BROKEN) from error


def _size(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size


def _decoded(file: BinaryIO, kind: Kind, header: Header) -> tuple[bool, int, Image.Image]:
    """Whether the picture moves, its EXIF orientation, and (the first of) it, decoded to its end; a large
    JPEG in half or a quarter of its size, which takes that much less memory."""
    image = Image.open(io.BufferedReader(Excerpt(file, header.parts)), formats=[kind])
    if image.size != (header.width, header.height):
        raise Unpreparable(Trouble.BROKEN)
    if header.width * header.height > SENT_PIXELS_MAX:
        image.draft(None, _within(image.size, SENT_PIXELS_MAX))
    image.load()
    orientation = orientation_of(image.info.get("exif", b"")) if kind is Kind.WEBP else header.orientation
    return getattr(image, "n_frames", 1) > 1, orientation, image


def _simplified(image: Image.Image) -> tuple[Image.Image, AlphaFacts | None]:
    """As 8-bit RGB, with alpha only where something is fully transparent or partly so."""
    if image.mode == "I;16":  # Pillow's own conversion cuts off what is brighter than 255
        image = Image.frombytes("L", image.size, image.tobytes()[1::2])
    if not image.has_transparency_data:
        return (image if image.mode == "RGB" else image.convert("RGB")), None
    image = image if image.mode == "RGBA" else image.convert("RGBA")
    clear = _clear_ppm(image.getchannel("A"))
    return image, AlphaFacts(clear) if clear else None


def _clear_ppm(alpha: Image.Image) -> int:
    return alpha.histogram()[0] * 1_000_000 // (alpha.width * alpha.height)


def _within(size: tuple[int, int], pixels: int) -> tuple[int, int]:
    """The size of the same shape with so many pixels at most."""
    width, height = size
    if width * height <= pixels:
        return size
    scale = (pixels / (width * height)) ** 0.5
    return max(1, int(width * scale)), max(1, int(height * scale))


def _scaled(image: Image.Image, pixels: int) -> Image.Image:
    size = _within(image.size, pixels)
    return image if size == image.size else image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    return image.transpose(_TURNS[orientation]) if orientation in _TURNS else image


def _copied(
    path: Path, begin: Callable[[], BlobWriter], format_: str, size: tuple[int, int], alpha: AlphaFacts | None
) -> Prepared:
    sink = Sink(begin, SENT_BYTES_MAX)
    with path.open("rb") as file, sink.kept():
        while piece := file.read(_PIECE):
            sink.write(piece)
    return sink.finished(format_, size, alpha)


def _encoded(
    image: Image.Image, begin: Callable[[], BlobWriter], alpha: AlphaFacts | None, *, lossless: bool
) -> Prepared:
    """Encoded so that it fits: without loss where it came so and that is small enough, else with little, and
    with fewer and fewer pixels."""
    lossy = "WEBP" if image.mode == "RGBA" else "JPEG"
    for round_ in range(_ROUNDS):
        for format_ in ("PNG", lossy) if lossless and round_ == 0 else (lossy,):
            sink = Sink(begin, SENT_BYTES_MAX)
            if sink.save(image, format_):
                return sink.finished(format_.lower(), image.size, alpha)
        image = _scaled(image, max(1, image.width * image.height // 2))
    raise Unpreparable(Trouble.TOO_MANY_BYTES)
