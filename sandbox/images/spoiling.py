"""What may come in place of a finished picture: from its bytes to the text that stands for base64."""

import base64
import struct
import zlib
from typing import Final

HUGE: Final = (8_192, 6_400)
"""Width and height of the huge picture: 52,428,800 pixels."""


def page(data: bytes) -> str:
    """An HTML page."""
    return _text(b"<!DOCTYPE html><html><body>Please sign in</body></html>")


def garbage(data: bytes) -> str:
    """Bytes that are no picture, as many as there were."""
    return _text(bytes(255 - byte for byte in data[:4_096]).ljust(len(data), b"\x5a"))


def half(data: bytes) -> str:
    """The first half of the bytes."""
    return _text(data[: len(data) // 2])


def nothing(data: bytes) -> str:
    """No bytes."""
    return ""


def no_base64(data: bytes) -> str:
    """Text that is no base64."""
    return "%%% not base64 %%%"


def huge(data: bytes) -> str:
    """A valid PNG of `HUGE` pixels, black and white, in a few kilobytes."""
    return _text(blank_png(*HUGE))


def tiny(data: bytes) -> str:
    """A valid PNG of one pixel."""
    return _text(blank_png(1, 1))


def blank_png(width: int, height: int) -> bytes:
    """A black PNG with one bit a pixel (PNG specification, 11.2)."""
    rows = zlib.compressobj(9)
    row = b"\0" * (1 + (width + 7) // 8)
    packed = b"".join(rows.compress(row) for _ in range(height)) + rows.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", packed), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
