"""Files that are not what they seem, or too much of it."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator

from PIL import Image

from tests.scenarios.pictures import png


def vast_png(width: int = 10_000, height: int = 5_000, *, depth: int = 1, colours: int = 0) -> bytes:
    """A PNG of 50 megapixels, whose rows of zeros are compressed to next to nothing; grey by one bit a pixel,
    or with *depth* 8 and *colours* 2 as RGB (PNG specification, 11.2.2)."""
    channels = {0: 1, 2: 3, 6: 4}[colours]
    row = b"\0" * (1 + (width * depth * channels + 7) // 8)
    packing = zlib.compressobj(1)
    data = b"".join(_packed(packing, row, height))
    header = struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, 0)
    parts = (_chunk(b"IHDR", header), _chunk(b"IDAT", data), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _packed(packing: zlib._Compress, row: bytes, height: int) -> Iterator[bytes]:
    for _ in range(height):
        yield packing.compress(row)
    yield packing.flush()


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def zipped() -> bytes:
    """A zip archive."""
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w") as archive:
        archive.writestr("picture.png", png())
    return into.getvalue()


def half_a_jpeg() -> bytes:
    """The first half of a photo."""
    into = io.BytesIO()
    Image.effect_noise((200, 200), 90).convert("RGB").save(into, "JPEG", quality=90)
    return into.getvalue()[: len(into.getvalue()) // 2]


def moving_gif() -> bytes:
    """Three frames: red, then green, then blue."""
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "green", "blue")]
    into = io.BytesIO()
    frames[0].save(into, "GIF", save_all=True, append_images=frames[1:], duration=100)
    return into.getvalue()


HTML = b"<!DOCTYPE html><html><body><h1>A picture</h1><img src='x' onerror='alert(1)'></body></html>"
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(document.cookie)</script><rect/></svg>"
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 200
