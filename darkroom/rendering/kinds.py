"""What a file is, by its first bytes: never by its name, nor by what anybody says of it."""

from __future__ import annotations

import re
from enum import StrEnum

HEAD = 64 * 1024
"""Bytes from a file's beginning that are looked at."""


class Trouble(StrEnum):
    """Why a file cannot go along with a prompt; the values are those of ``turns.model.FileProblem``."""

    NOT_A_PICTURE = "not_a_picture"
    HEIC = "heic"
    SVG = "svg"
    UNKNOWN_KIND = "unknown_kind"
    BROKEN = "broken"
    EMPTY = "empty"
    TOO_MANY_BYTES = "too_many_bytes"
    TOO_MANY_PIXELS = "too_many_pixels"


class Unpreparable(Exception):
    """A file cannot go along with a prompt; ``trouble`` says why. Tell the person, who can send another."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.value)
        self.trouble = trouble


class Kind(StrEnum):
    """The kinds of pictures that can go along, by Pillow's names."""

    PNG = "PNG"
    JPEG = "JPEG"
    WEBP = "WEBP"
    GIF = "GIF"


_OTHER_PICTURES = (
    b"BM",
    b"II*\0",
    b"MM\0*",
    b"II+\0",
    b"MM\0+",
    b"8BPS",
    b"\0\0\1\0",
    b"\0\0\0\x0cjP  ",
    b"\0\0\0\x0cJXL ",
    b"\xff\x0a",
    b"v/1\1",
    b"qoif",
)
"""BMP, TIFF (also most raw formats), BigTIFF, Photoshop, ICO, JPEG 2000, JPEG XL, OpenEXR, QOI."""
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_ANY_HEIF_BRANDS = frozenset({b"mif1", b"msf1", b"mif2"})
_PREAMBLE = re.compile(
    r"\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>", re.DOTALL | re.IGNORECASE
)
_ELEMENT = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)")


def kind_of(head: bytes) -> Kind:
    """The kind of the picture that begins with *head* (up to ``HEAD`` bytes of it); raises ``Unpreparable``
    for what is none, or of a kind that the image models do not read."""
    if not head:
        raise Unpreparable(Trouble.EMPTY)
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return Kind.PNG
    if head.startswith(b"\xff\xd8\xff"):
        return Kind.JPEG
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return Kind.WEBP
    if head.startswith((b"GIF87a", b"GIF89a")):
        return Kind.GIF
    if head[4:8] == b"ftyp":
        raise Unpreparable(_of_iso_media(head))
    if head.startswith(_OTHER_PICTURES):
        raise Unpreparable(Trouble.UNKNOWN_KIND)
    raise Unpreparable(Trouble.SVG if _is_svg(head) else Trouble.NOT_A_PICTURE)


def _of_iso_media(head: bytes) -> Trouble:
    """HEIF, AVIF and films share a container; its first box lists the brands (ISO 14496-12, 4.3)."""
    end = min(int.from_bytes(head[:4], "big"), 256)
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))}
    if brands & _AVIF_BRANDS:
        return Trouble.UNKNOWN_KIND
    return Trouble.HEIC if brands & (_HEIC_BRANDS | _ANY_HEIF_BRANDS) else Trouble.NOT_A_PICTURE


def _is_svg(head: bytes) -> bool:
    """Whether the first element of an XML text is ``svg``, whatever stands before it."""
    text = head[:HEAD].decode("utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "replace")
    at = 0
    while found := _PREAMBLE.match(text, at):
        at = found.end()
    element = _ELEMENT.match(text, at)
    return element is not None and element[1].lower() == "svg"
