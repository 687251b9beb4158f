"""A picture on its way from base64 into a file, and the look at it before it counts as one."""

from __future__ import annotations

import binascii
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image, UnidentifiedImageError

from darkroom.rendering.job import BlobWriter, SavedPicture

MAX_PICTURE = 64 * 1024 * 1024
"""Bytes of a decoded picture; the API's own are under 50 MB."""
MAX_PIXELS = 50_000_000
"""Six times the API's largest picture (8,294,400 pixels), and nothing that hurts whoever opens it."""
_KINDS = ("PNG", "JPEG", "WEBP", "GIF")
_SUFFIXES = {"PNG": "png", "JPEG": "jpeg", "MPO": "jpeg", "WEBP": "webp", "GIF": "gif"}
"""A JPEG that has more pictures behind its first is an MPO for Pillow, unasked."""


class BadPictureError(ValueError):
    """What came as a picture is none, or is larger than any picture may be."""


@dataclass(slots=True)
class Incoming:
    """A base64 string while it arrives. Its bytes go to ``writer``, or into nothing where that is None.

    ``whole`` is called when it has come to its end; ``fault`` says why it did not become a file.
    """

    writer: BlobWriter | None = None
    whole: Callable[[Incoming], None] | None = None
    size: int = 0
    fault: str = ""
    _carry: bytes = b""

    def feed(self, text: bytes) -> None:
        """Decode the next piece of the string, cut anywhere."""
        if self.writer is None or self.fault:
            return
        text = self._carry + text if self._carry else text
        whole = len(text) - len(text) % 4
        self._carry = text[whole:]
        try:
            data = binascii.a2b_base64(text[:whole], strict_mode=True)
        except binascii.Error:
            self._give_up("it is not base64")
            return
        if data and self.size % 3:  # only the last four characters may be padded
            self._give_up("its base64 goes on after its end")
            return
        self.size += len(data)
        if self.size > MAX_PICTURE:
            self._give_up(f"it has more than {MAX_PICTURE} bytes")
        else:
            self.writer.write(data)

    def end(self) -> None:
        """The string is over; padding that was left out is made up for."""
        if self._carry:
            self.feed(b"=" * (-len(self._carry) % 4))
        if self.whole is not None:
            self.whole(self)

    def discard(self) -> None:
        """Forget the file; harmless once it was saved."""
        if self.writer is not None:
            self.writer.discard()

    def _give_up(self, fault: str) -> None:
        self.fault = fault
        self.discard()


def save(incoming: Incoming, revised_prompt: str | None) -> SavedPicture:
    """Look at the picture's header, then make its file durable.

    The format is what the bytes say, whatever was asked for. BadPictureError when they are no picture of a
    kind we know; the file is gone then.
    """
    if incoming.writer is None:
        raise BadPictureError("its bytes were not kept")
    if incoming.fault:
        raise BadPictureError(incoming.fault)
    try:
        with Image.open(incoming.writer.path(), formats=_KINDS) as image:
            kind, (width, height) = str(image.format), image.size
    except (
        UnidentifiedImageError,
        OSError,
        ValueError,
        SyntaxError,  # what Pillow raises for a broken PNG
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,  # where warnings are errors
    ) as error:
        incoming.discard()
        raise BadPictureError(f"its {incoming.size} bytes are no picture") from error
    if width * height > MAX_PIXELS:
        incoming.discard()
        raise BadPictureError(f"it has {width}x{height} pixels")
    sha256, path = incoming.writer.finish(_SUFFIXES[kind])
    return SavedPicture(sha256, path, incoming.size, _SUFFIXES[kind], width, height, revised_prompt)


def warm() -> None:
    """Load Pillow's formats now rather than in the middle of the first picture."""
    Image.preinit()
