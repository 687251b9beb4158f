"""A picture's structure, read before anything decodes it: its size, and which parts of the file make it.

What is written into a file beside the picture (comments, previews, metadata, further frames) can cost a
reader far more time and memory than the picture itself. Only the parts named here are ever decoded, and the
number of the others is bounded.
"""

from __future__ import annotations

import io
import os
import struct
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any, BinaryIO

from darkroom.rendering.kinds import Kind, Trouble, Unpreparable

STEPS_MAX = 250_000
"""Chunks, segments or blocks that are walked over; a 50 MB GIF in its largest blocks has 206,000."""
EXIF_MAX = 1024 * 1024
PROFILE_MAX = 1024 * 1024

_PNG_PARTS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"iCCP", b"sRGB", b"gAMA", b"cHRM"})
_JPEG_ASIDE = frozenset({0xE1, *range(0xE3, 0xEE), 0xEF, 0xFE})
"""Of the segments for applications those without a say in the colours (APP0, APP2 and APP14 have one)."""
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Start of a frame: the segments that have the size."""
_ORIENTATION = 0x0112


@dataclass(frozen=True, slots=True)
class Header:
    """*width* x *height* pixels, which ``parts`` (offset and length) of the file make them, and how they are
    to be turned (EXIF, 1 to 8). ``plain`` says that they are stored as 8-bit RGB, with alpha at most, and
    ``scans`` how often a decoder has to go over all of them."""

    width: int
    height: int
    parts: tuple[tuple[int, int], ...]
    orientation: int = 1
    plain: bool = True
    scans: int = 1


def read_header(file: BinaryIO, kind: Kind) -> Header:
    """The structure of a picture of this kind; raises ``Unpreparable`` if it has none, or if the file ends
    inside of it."""
    return _READERS[kind](_Walk(file))


class Excerpt(io.RawIOBase):
    """Some parts of a file, as if there were nothing else in it."""

    def __init__(self, file: BinaryIO, parts: tuple[tuple[int, int], ...]) -> None:
        self._file = file
        self._parts = parts
        self._starts = list(accumulate((length for _, length in parts), initial=0))
        self._at = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go elsewhere."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._starts[-1]}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        """The next bytes, of one part at a time."""
        if self._at >= self._starts[-1]:
            return 0
        part = bisect_right(self._starts, self._at) - 1
        start, length = self._parts[part]
        into = self._at - self._starts[part]
        self._file.seek(start + into)
        data = self._file.read(min(len(buffer), length - into))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


class _Walk:
    """A way through a file, of so many steps at most; ``at`` is where the next part begins."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._left = STEPS_MAX
        self.size = file.seek(0, os.SEEK_END)
        self.at = 0

    def step(self, start: int) -> None:
        """To the next part."""
        self._left -= 1
        if self._left < 0 or start > self.size:
            raise Unpreparable(Trouble.BROKEN)
        self.at = start
        self._file.seek(start)

    def take(self, count: int) -> bytes:
        """The next bytes, all of them."""
        data = self._file.read(max(count, 0))
        if len(data) != count:
            raise Unpreparable(Trouble.BROKEN)
        return data

    def pieces(self) -> Iterator[bytes]:
        """The rest of the file."""
        while piece := self._file.read(1024 * 1024):
            yield piece


class _Parts:
    """Parts of a file, neighbours put together."""

    def __init__(self, start: int, length: int) -> None:
        self._parts = [(start, length)]

    def add(self, at: int, length: int) -> None:
        """One more."""
        start, known = self._parts[-1]
        if start + known == at:
            self._parts[-1] = (start, known + length)
        else:
            self._parts.append((at, length))

    def all(self) -> tuple[tuple[int, int], ...]:
        """Offsets and lengths."""
        return tuple(self._parts)


def _png(walk: _Walk) -> Header:
    """PNG specification, section 5: a signature, then chunks up to IEND."""
    header, parts = Header(0, 0, ()), _Parts(0, 8)
    walk.step(8)
    while True:
        length, name = struct.unpack(">I4s", walk.take(8))
        end = walk.at + 12 + length
        if end > walk.size or (name == b"IHDR") != (walk.at == 8):
            raise Unpreparable(Trouble.BROKEN)
        if name == b"IHDR":
            width, height, depth, colours = struct.unpack(">IIBB", walk.take(10))
            header = Header(width, height, (), plain=depth == 8 and colours in (2, 6))
        elif name == b"tRNS":
            header = replace(header, plain=False)
        elif name == b"eXIf" and length <= EXIF_MAX:
            header = replace(header, orientation=orientation_of(walk.take(length)))
        if name in _PNG_PARTS and not (name == b"iCCP" and length > PROFILE_MAX):
            parts.add(walk.at, end - walk.at)
        if name == b"IEND":
            return replace(header, parts=parts.all())
        walk.step(end)


def _jpeg(walk: _Walk) -> Header:
    """ITU T.81, annex B: segments up to the first scan, which goes on to the end of the picture."""
    header, parts, turned = Header(0, 0, ()), _Parts(0, 2), 1
    walk.step(2)
    while True:
        fill, marker = walk.take(2)
        if fill != 0xFF:
            raise Unpreparable(Trouble.BROKEN)
        if marker == 0xFF:
            walk.step(walk.at + 1)
            continue
        start, length = walk.at, int.from_bytes(walk.take(2), "big")
        if marker == 0xDA:
            break
        body = walk.take(length - 2)
        if marker == 0xE1 and turned == 1:
            turned = orientation_of(body)
        elif marker in _FRAMES:
            if len(body) < 6:
                raise Unpreparable(Trouble.BROKEN)
            height, width, components = struct.unpack_from(">xHHB", body)
            header = Header(width, height, (), plain=components == 3)
        if marker not in _JPEG_ASIDE and (marker != 0xE2 or body.startswith(b"ICC_PROFILE\0")):
            parts.add(start, 2 + length)
        walk.step(start + 2 + length)
    scans, end = _scans(walk)
    parts.add(walk.at, end - walk.at)
    return replace(header, parts=parts.all(), orientation=turned, scans=scans)


def _scans(walk: _Walk) -> tuple[int, int]:
    """How many scans there are from here on, and where the picture ends: the markers of both are found
    nowhere else in its data."""
    walk.step(walk.at)
    scans, at, last = 0, walk.at, b""
    for piece in walk.pieces():
        data = last + piece
        end = data.find(b"\xff\xd9")
        scans += data.count(b"\xff\xda", 0, end if end >= 0 else len(data))
        if end >= 0:
            return scans, at - len(last) + end + 2
        at += len(piece)
        last = data[-1:]
    return scans, walk.size


def _webp(walk: _Walk) -> Header:
    """WebP container specification: one of three chunks comes first and has the size."""
    walk.step(0)
    start = walk.take(30)
    if int.from_bytes(start[4:8], "little") + 8 > walk.size + 1:  # the last byte may be padding
        raise Unpreparable(Trouble.BROKEN)
    match start[12:16]:
        case b"VP8X":
            width = int.from_bytes(start[24:27], "little") + 1
            height = int.from_bytes(start[27:30], "little") + 1
        case b"VP8L":
            packed = int.from_bytes(start[21:25], "little")
            width, height = (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            width, height = (word & 0x3FFF for word in struct.unpack("<HH", start[26:30]))
        case _:
            raise Unpreparable(Trouble.BROKEN)
    return Header(width, height, ((0, walk.size),))


def _gif(walk: _Walk) -> Header:
    """GIF89a specification: the screen, its colours, and the blocks up to the end of the first picture."""
    walk.step(0)
    width, height, flags = struct.unpack("<HHB", walk.take(13)[6:11])
    colours = _colours(flags)
    parts = _Parts(0, 13 + colours)
    walk.step(13 + colours)
    while True:
        start, block = walk.at, walk.take(1)
        if block == b"!":
            label = walk.take(1)
            _skip_blocks(walk, start + 2)
            if label == b"\xf9":
                parts.add(start, walk.at - start)
        elif block == b",":
            left, top, wide, high, flags = struct.unpack("<HHHHB", walk.take(9))
            _skip_blocks(walk, start + 11 + _colours(flags))
            parts.add(start, walk.at - start)
            return Header(max(width, left + wide), max(height, top + high), parts.all(), plain=False)
        else:
            raise Unpreparable(Trouble.BROKEN)


def _colours(flags: int) -> int:
    """Bytes of the table of colours that *flags* announce."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _skip_blocks(walk: _Walk, start: int) -> None:
    """Behind a chain of data blocks, each with its length before it."""
    walk.step(start)
    while length := walk.take(1)[0]:
        walk.step(walk.at + 1 + length)
    walk.step(walk.at + 1)


def orientation_of(exif: bytes) -> int:
    """How a picture is to be turned, 1 to 8; 1 (not at all) where the EXIF data does not say or is broken."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return 1
    try:
        (at,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, at)
        for entry in range(at + 2, at + 2 + 12 * count, 12):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", tiff, entry)
            if tag == _ORIENTATION:
                return value if kind == 3 and 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1


_READERS: dict[Kind, Callable[[_Walk], Header]] = {
    Kind.PNG: _png,
    Kind.JPEG: _jpeg,
    Kind.WEBP: _webp,
    Kind.GIF: _gif,
}
